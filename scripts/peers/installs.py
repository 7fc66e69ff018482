"""Installs the peers: each in a virtual environment of its own, pinned, outside the checkout, made once.

The folder is `${XDG_CACHE_HOME:-~/.cache}/opsctl/peers/NAME-DIGEST`; the digest covers the pins, the interpreter and this recipe.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import threading

from .running import Failure

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PINS = ROOT / "tests" / "peers"
RECIPE = "4"  # raise it when the way of installing changes, so that older folders are not used
INSTALL_SECONDS_MAX = 15 * 60
STAMP = ".complete"

MOTO_SDIST = "moto==5.2.5"
MOTO_SDIST_SHA256 = "391857257d5dac144334013c2c10e599def5f0562f553e979160140bd7bd9cf6"

APT_LOCK = threading.Lock()


def ministack(running):
    return environment(running, "ministack", lambda _folder: None)


def localstack(running):
    return environment(running, "localstack", lambda folder: backport(running, folder))


def clients(running):
    """boto3, the AWS CLI, pytest, and moto with its own tests in `moto-tests`."""
    return environment(running, "clients", lambda folder: fetch_moto_tests(running, folder))


def older(running):
    """A botocore that speaks to SQS and CloudWatch by forms and XML."""
    return environment(running, "older", lambda _folder: None)


def environment(running, name, finish):
    """-> the folder of the virtual environment of NAME, made if it is not there"""
    pins, interpreter, folder = place(name)
    stamp = folder / STAMP
    with lock(folder.with_suffix(".lock")):
        if stamp.exists():
            return folder
        with running.step(f"install {name}"):
            shutil.rmtree(folder, ignore_errors=True)
            make_virtual_environment(running, name, interpreter, folder)
            pip(running, f"install {name}", folder, "install", "--no-deps", "--requirement", pins)
            finish(folder)
            stamp.touch()
    return folder


def place(name):
    """-> the pins of NAME, its interpreter, and the folder of its virtual environment, whether or not that is there"""
    pins = PINS / f"{name}.txt"
    interpreter = find_python(prefer=(3, 13) if name == "localstack" else None)
    version = subprocess.run([interpreter, "-VV"], capture_output=True, text=True, check=True).stdout
    digest = hashlib.sha256(f"{RECIPE}\n{version}\n{pins.read_text()}".encode()).hexdigest()[:12]
    return pins, interpreter, cache_folder() / f"{name}-{digest}"


def missing():
    """-> the names of the virtual environments that would be made"""
    return [name for name in ("ministack", "localstack", "clients", "older") if not (place(name)[2] / STAMP).exists()]


def cache_folder():
    folder = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "opsctl" / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def lock(path):
    """One process at a time makes the environment; the others wait for it and use it."""
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def find_python(prefer):
    """-> the interpreter of the wanted version if this machine has one, else the one that runs this script"""
    if prefer is None or sys.version_info[:2] >= prefer:
        return sys.executable
    name = f"python{prefer[0]}.{prefer[1]}"
    places = [shutil.which(name), *sorted(pathlib.Path.home().glob(f".pyenv/versions/{prefer[0]}.{prefer[1]}.*/bin/python3"))]
    for place in filter(None, places):
        # A shim of pyenv is there for versions that are not switched on, and fails.
        if subprocess.run([place, "-c", "import venv"], capture_output=True).returncode == 0:
            return str(place)
    return sys.executable


def make_virtual_environment(running, name, interpreter, folder):
    """By venv; Debian leaves a part of it out of python3, and then by virtualenv, which pip brings without touching the system."""
    if subprocess.run([interpreter, "-c", "import venv, ensurepip"], capture_output=True).returncode == 0:
        running.call(f"install {name}", [interpreter, "-m", "venv", folder], INSTALL_SECONDS_MAX)
        return
    target = running.folder / f"virtualenv-{name}"
    command = [interpreter, "-m", "pip", "install", "--quiet", "--target", target, "virtualenv==20.35.4"]
    running.call(f"install {name}", command, INSTALL_SECONDS_MAX)
    with_virtualenv = {**os.environ, "PYTHONPATH": str(target)}
    running.call(f"install {name}", [interpreter, "-m", "virtualenv", "--quiet", folder], INSTALL_SECONDS_MAX, env=with_virtualenv)


def pip(running, log, folder, *arguments):
    command = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    running.call(log, command, INSTALL_SECONDS_MAX)


def backport(running, folder):
    """localstack-core is written for Python 3.13; on an older one the few things that it takes from there are rewritten."""
    command = [folder / "bin" / "python", ROOT / "scripts" / "peers" / "backport.py"]
    running.call("install localstack", command, INSTALL_SECONDS_MAX)


def fetch_moto_tests(running, folder):
    """moto's tests are in its source distribution only."""
    download = running.folder / "moto-sdist"
    pip(running, "install clients", folder, "download", "--quiet", "--no-deps", "--no-binary", "moto", "--dest", download, MOTO_SDIST)
    (archive,) = download.glob("moto-*.tar.gz")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != MOTO_SDIST_SHA256:
        raise Failure(f"{archive.name} is not the file that was pinned")
    tests = folder / "moto-tests"
    with tarfile.open(archive) as tar:
        for member in tar:
            inside = member.name.partition("/")[2]
            if member.isfile() and inside.startswith("tests/") and inside.endswith(".py") and ".." not in inside:
                target = tests / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(tar.extractfile(member).read())


def apt_install(running, *packages):
    """Installs Debian packages without starting the services in them."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise Failure(f"install {' and '.join(packages)} first: that needs apt-get as root")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    with APT_LOCK, running.step(f"apt-get install {' '.join(packages)}"):
        wait = ["-o", "DPkg::Lock::Timeout=300"]
        running.call("apt-get", ["apt-get", *wait, "update", "-qq"], INSTALL_SECONDS_MAX, env=environment)
        install = ["apt-get", *wait, "install", "-y", "-qq", "--no-install-recommends", *packages]
        running.call("apt-get", install, INSTALL_SECONDS_MAX, env=environment)
