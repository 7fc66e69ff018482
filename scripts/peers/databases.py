"""Starts private PostgreSQL and MariaDB servers: own data folder, free loopback port, one user with a password, gone at the end."""

import os
import pathlib
import pwd
import shutil
import subprocess

from . import installs
from .running import Failure

START_SECONDS_MAX = 120
USER = "opsctl"
PASSWORD = "only-for-tests"


def start_postgres(running):
    programs = find_postgres(running)
    home = running.folder / "postgres"
    owner = make_home(home, "postgres")
    port = running.free_port()
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
        process = running.start(
            "postgres",
            [programs / "postgres", "-D", home / "data", "-p", port, "-k", home, "-h", "127.0.0.1", "-F"],
            **owner,
        )
        select = [programs / "psql", "-h", "127.0.0.1", "-p", port, "-U", USER, "-d", "postgres", "-Atc", "SELECT 1"]
        running.wait_until(process, lambda: says_one(select, {"PGPASSWORD": PASSWORD}), START_SECONDS_MAX)
    return {"OPSCTL_TEST_POSTGRES": f"postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres"}


def find_postgres(running):
    """-> the folder with initdb, postgres and psql, installed if it is not there"""
    for _ in range(2):
        places = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: float(place.parent.name), reverse=True)
        places += [pathlib.Path(place) for place in os.environ.get("PATH", "").split(":")]
        for place in places:
            if all((place / program).exists() for program in ("initdb", "postgres", "psql")):
                return place
        installs.apt_install(running, "postgresql")
    raise Failure("no initdb, postgres and psql even after installing postgresql")


def start_mariadb(running):
    programs = find_mariadb(running)
    home = running.folder / "mariadb"
    owner = make_home(home, "mysql")
    port = running.free_port()
    socket = home / "socket"
    common = ["--no-defaults", f"--datadir={home / 'data'}"]
    with running.step("start mariadb"):
        install = [programs["mariadb-install-db"], *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
        running.call("mariadb install", install, START_SECONDS_MAX, **owner)
        process = running.start(
            "mariadb",
            [programs["mariadbd"], *common, "--bind-address=127.0.0.1", f"--port={port}", f"--socket={socket}"]
            + [f"--pid-file={home / 'pid'}", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve"],
            **owner,
        )
        as_root = [programs["mariadb"], "--no-defaults", f"--socket={socket}", "--user=root", "-Ne"]
        running.wait_until(process, lambda: says_one([*as_root, "SELECT 1"], {}), START_SECONDS_MAX)
        make_user = f"CREATE DATABASE {USER}; CREATE USER {USER} IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO {USER};"
        running.call("mariadb user", [*as_root, make_user], START_SECONDS_MAX)
        select = [programs["mariadb"], "--no-defaults", "--host=127.0.0.1", f"--port={port}", f"--user={USER}", USER, "-Ne", "SELECT 1"]
        running.wait_until(process, lambda: says_one(select, {"MYSQL_PWD": PASSWORD}), START_SECONDS_MAX)
    return {"OPSCTL_TEST_MARIADB": f"mysql://{USER}:{PASSWORD}@127.0.0.1:{port}/{USER}"}


def find_mariadb(running):
    """-> the paths of the server, its installer and its client, installed if they are not there"""
    wanted = ("mariadbd", "mariadb-install-db", "mariadb")
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin"
    for _ in range(2):
        programs = {name: shutil.which(name, path=path) for name in wanted}
        if all(programs.values()):
            return programs
        installs.apt_install(running, "mariadb-server")
    raise Failure(f"no {' and '.join(wanted)} even after installing mariadb-server")


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


def says_one(command, variables):
    command = [str(part) for part in command]
    answer = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=20)
    return answer.returncode == 0 and answer.stdout.strip() == "1"
