"""Starts private PostgreSQL and MariaDB servers: own data folder, free loopback port, one user with a password, gone at the end.

Both prove who they are by a certificate that an authority of this run signed. PostgreSQL comes twice: a copy of it is in recovery, as a
reader is.
"""

import os
import pathlib
import pwd
import shutil
import subprocess
import typing

from . import installs
from .running import Failure

START_SECONDS_MAX = 120
USER = "opsctl"
PASSWORD = "only-for-tests"


def start_postgres(running):
    programs = find_postgres(running)
    home = running.folder / "postgres"
    owner = make_home(home, "postgres")
    port, standby_port = running.free_port(), running.free_port()
    password_file = home / "password"
    password_file.write_text(PASSWORD)
    with running.step("start postgres"):
        running.call(
            "postgres initdb",
            [programs / "initdb", "--pgdata", home / "data", "--username", USER, "--pwfile", password_file]
            + ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"],
            START_SECONDS_MAX,
            **owner,
        )
        shutil.copytree(home / "data", home / "standby")
        (home / "standby" / "standby.signal").touch()
        own_all(home / "standby", owner)
        certificate = make_certificate(running, home, owner)
        addresses = {}
        for name, folder, its_port in (("postgres", "data", port), ("postgres standby", "standby", standby_port)):
            secure = ["-c", "ssl=on", "-c", f"ssl_cert_file={certificate.cert}", "-c", f"ssl_key_file={certificate.key}"]
            process = running.start(
                name,
                [programs / "postgres", "-D", home / folder, "-p", its_port, "-k", home, "-h", "127.0.0.1", "-F", *secure],
                **owner,
            )
            select = [programs / "psql", "-h", "127.0.0.1", "-p", its_port, "-U", USER, "-d", "postgres", "-Atc", "SELECT 1"]
            running.wait_until(process, lambda select=select: says_one(select, {"PGPASSWORD": PASSWORD}), START_SECONDS_MAX)
            addresses[name] = f"postgres://{USER}:{PASSWORD}@127.0.0.1:{its_port}/postgres"
    return {
        "OPSCTL_TEST_POSTGRES": addresses["postgres"],
        "OPSCTL_TEST_POSTGRES_STANDBY": addresses["postgres standby"],
        "OPSCTL_TEST_POSTGRES_CA": str(certificate.authority),
        "OPSCTL_TEST_DATABASE_PASSWORD": PASSWORD,
    }


def find_postgres(running):
    """-> the folder with initdb, postgres and psql, installed if it is not there"""
    if (place := known_postgres()) is None:
        installs.apt_install(running, "postgresql")
        place = known_postgres()
    if place is None:
        raise Failure("no initdb, postgres and psql even after installing postgresql")
    return place


def known_postgres():
    places = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: float(place.parent.name), reverse=True)
    places += [pathlib.Path(place) for place in os.environ.get("PATH", "").split(":")]
    wanted = ("initdb", "postgres", "psql")
    return next((place for place in places if all((place / program).exists() for program in wanted)), None)


def start_mariadb(running):
    programs = find_mariadb(running)
    home = running.folder / "mariadb"
    owner = make_home(home, "mysql")
    port = running.free_port()
    socket = home / "socket"
    common = ["--no-defaults", f"--datadir={home / 'data'}"]
    certificate = make_certificate(running, home, owner)
    secure = [f"--ssl-ca={certificate.authority}", f"--ssl-cert={certificate.cert}", f"--ssl-key={certificate.key}"]
    with running.step("start mariadb"):
        install = [programs["mariadb-install-db"], *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
        running.call("mariadb install", install, START_SECONDS_MAX, **owner)
        process = running.start(
            "mariadb",
            [programs["mariadbd"], *common, "--bind-address=127.0.0.1", f"--port={port}", f"--socket={socket}"]
            + [f"--pid-file={home / 'pid'}", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve", *secure],
            **owner,
        )
        as_root = [programs["mariadb"], "--no-defaults", f"--socket={socket}", "--user=root", "-Ne"]
        running.wait_until(process, lambda: says_one([*as_root, "SELECT 1"], {}), START_SECONDS_MAX)
        make_user = f"CREATE DATABASE {USER}; CREATE USER {USER} IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO {USER} WITH GRANT OPTION;"
        running.call("mariadb user", [*as_root, make_user], START_SECONDS_MAX)
        select = [programs["mariadb"], "--no-defaults", "--host=127.0.0.1", f"--port={port}", f"--user={USER}", USER, "-Ne", "SELECT 1"]
        running.wait_until(process, lambda: says_one(select, {"MYSQL_PWD": PASSWORD}), START_SECONDS_MAX)
    return {
        "OPSCTL_TEST_MARIADB": f"mysql://{USER}:{PASSWORD}@127.0.0.1:{port}/{USER}",
        "OPSCTL_TEST_MARIADB_CA": str(certificate.authority),
    }


def find_mariadb(running):
    """-> the paths of the server, its installer and its client, installed if they are not there"""
    if (programs := known_mariadb()) is None:
        installs.apt_install(running, "mariadb-server")
        programs = known_mariadb()
    if programs is None:
        raise Failure("no mariadbd, mariadb-install-db and mariadb even after installing mariadb-server")
    return programs


def known_mariadb():
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin"
    programs = {name: shutil.which(name, path=path) for name in ("mariadbd", "mariadb-install-db", "mariadb")}
    return programs if all(programs.values()) else None


def missing():
    """-> the system packages that would be installed"""
    return [name for name, known in (("postgresql", known_postgres()), ("mariadb-server", known_mariadb())) if not known]


def make_home(home, user):
    """Makes a server's folder -> the options that start a process as its owner: these servers do not run as root"""
    home.mkdir()
    if os.geteuid() != 0:
        return {"cwd": home}
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise Failure(f"no user {user} on this machine, which its server's package should have made") from None
    os.chown(home, entry.pw_uid, entry.pw_gid)
    return {"cwd": home, "user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class Certificate(typing.NamedTuple):
    """Files of a server's certificate, its key, and the authority that signed it."""

    cert: pathlib.Path
    key: pathlib.Path
    authority: pathlib.Path


def make_certificate(running, home, owner):
    """An authority of its own, and a certificate of it for 127.0.0.1 -> Certificate"""
    name = home.name
    made = Certificate(home / "server.crt", home / "server.key", home / "authority.crt")
    authority_key, request, names = home / "authority.key", home / "server.csr", home / "names"
    names.write_text("subjectAltName=IP:127.0.0.1\n")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    for step, arguments in (
        ("authority", ["req", "-x509", *curve, "-keyout", authority_key, "-out", made.authority, "-subj", f"/CN={name} tests"]),
        ("request", ["req", "-new", *curve[:-2], "-keyout", made.key, "-out", request, "-subj", "/CN=127.0.0.1"]),
        (
            "certificate",
            ["x509", "-req", "-days", "2", "-in", request, "-CA", made.authority, "-CAkey", authority_key, "-CAcreateserial"]
            + ["-extfile", names, "-out", made.cert],
        ),
    ):
        running.call(f"{name} {step}", ["openssl", *arguments], START_SECONDS_MAX, cwd=home)
    made.key.chmod(0o600)
    for file in (made.key, made.cert, made.authority):
        own(file, owner)
    made.authority.chmod(0o644)
    home.chmod(0o755)  # the tests read the authority
    return made


def own(path, owner):
    if "user" in owner:
        os.chown(path, owner["user"], owner["group"])


def own_all(folder, owner):
    own(folder, owner)
    for path in folder.rglob("*"):
        own(path, owner)


def says_one(command, variables):
    command = [str(part) for part in command]
    answer = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=20)
    return answer.returncode == 0 and answer.stdout.strip() == "1"
