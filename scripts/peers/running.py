"""Processes that a test run starts: each with a log, a deadline, and an end."""

import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time


class Failure(Exception):
    """Why the run cannot go on, for a person to read."""


class Running:
    """All that one run has started, so that all of it can be stopped, and nothing else is."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.processes = []
        self.stopping = False
        self.ports = set()
        self.lock = threading.Lock()
        self.started = time.monotonic()

    def say(self, text):
        print(f"[{time.monotonic() - self.started:6.1f} s] {text}", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def step(self, name):
        """Prints how long the step took."""
        started = time.monotonic()
        try:
            yield
        except BaseException:
            self.say(f"{name}: failed after {time.monotonic() - started:.1f} s")
            raise
        self.say(f"{name}: {time.monotonic() - started:.1f} s")

    def start(self, name, command, **options):
        """Starts a process in a session of its own; its output goes to NAME.log -> the process"""
        with self.lock:
            if self.stopping:
                raise Failure(f"{name} not started: the run is being stopped")
            with open(self.log(name), "ab") as log:
                options = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "start_new_session": True, **options}
                process = subprocess.Popen([str(part) for part in command], **options)
            process.name = name
            self.processes.append(process)
            return process

    def call(self, name, command, seconds_max, **options):
        """Runs a command to its end; a failure shows the end of its log."""
        process = self.start(name, command, **options)
        try:
            status = process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            self.stop(process)
            raise Failure(f"{name} took more than {seconds_max} s\n{self.tail(name)}") from None
        if status != 0:
            raise Failure(f"{name} ended with status {status}\n{self.tail(name)}")

    def foreground(self, command, environment, seconds_max, cwd):
        """Runs a command whose output the person sees -> its exit status"""
        process = self.start("foreground", command, env=environment, cwd=cwd, stdout=None, stderr=None)
        try:
            return process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            self.stop(process)
            raise Failure(f"{' '.join(command)} took more than {seconds_max} s") from None

    def wait_until(self, process, is_ready, seconds_max):
        """Waits until a server that was started answers."""
        deadline = time.monotonic() + seconds_max
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise Failure(f"{process.name} ended with status {process.returncode}\n{self.tail(process.name)}")
            if is_ready():
                return
            time.sleep(0.1)
        raise Failure(f"{process.name} did not answer within {seconds_max} s\n{self.tail(process.name)}")

    def stop(self, process, seconds_max=3):
        """Ends one process with all that it started: asked first, then made to."""
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal_number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds_max)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what the leader of the session left behind

    def stop_all(self):
        with self.lock:
            self.stopping = True
            processes = [process for process in self.processes if process.poll() is None]
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in processes:
            self.stop(process)

    def free_port(self):
        """A loopback port that is free and below the range from which the kernel gives ports to clients."""
        for _ in range(1000):
            port = random.randint(20000, 32000)
            with self.lock, socket.socket() as probe:
                if port in self.ports or probe.connect_ex(("127.0.0.1", port)) == 0:
                    continue
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                self.ports.add(port)
                return port
        raise Failure("no free port on 127.0.0.1 between 20000 and 32000")

    def log(self, name):
        return self.folder / f"{name.replace(' ', '-')}.log"

    def tail(self, name, lines_max=40):
        with contextlib.suppress(OSError):
            lines = self.log(name).read_text(errors="replace").splitlines()
            return "\n".join(f"    | {line}" for line in lines[-lines_max:])
        return ""
