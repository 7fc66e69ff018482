"""Runs a command in a terminal of its own and plays steps against it, as a person would.

    terminal.py COLUMNS LINES STEP... -- COMMAND...

A step is `wait:TEXT` (until TEXT was shown) or `type:TEXT` (`\\r` is Enter, `\\x03` Ctrl-C). What was shown goes to
standard output; the exit status is the command's, 97 when a step did not hold within 20 seconds.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

SECONDS_MAX = 20


def main():
    columns, lines = int(sys.argv[1]), int(sys.argv[2])
    at = sys.argv.index("--")
    steps, command = sys.argv[3:at], sys.argv[at + 1 :]
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    shown = Shown(terminal)
    held = all(play(shown, terminal, step) for step in steps) and shown.read_until(lambda: shown.ended)
    sys.stdout.buffer.write(shown.bytes)
    sys.stdout.flush()
    if not held:
        os.kill(child, 9)
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status) % 256 if held else 97)


class Shown:
    def __init__(self, terminal):
        self.terminal, self.bytes, self.ended, self.read_to = terminal, b"", False, 0

    def read_until(self, holds):
        deadline = time.monotonic() + SECONDS_MAX
        while not holds():
            left = deadline - time.monotonic()
            if left <= 0 or self.ended:
                return holds()
            if select.select([self.terminal], [], [], left)[0]:
                try:
                    self.bytes += os.read(self.terminal, 65536)
                except OSError:  # the other end is closed
                    self.ended = True
        return True


def play(shown, terminal, step):
    kind, _, text = step.partition(":")
    text = text.encode().decode("unicode_escape").encode()
    if kind == "type":
        os.write(terminal, text)
        return True

    def found():
        at = shown.bytes.find(text, shown.read_to)
        if at >= 0:
            shown.read_to = at + len(text)
        return at >= 0

    return shown.read_until(found)


main()
