"""The real program in a pseudo-terminal: press keys, and wait for what it shows."""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[()][A-Z0-9]|[=>])")
UP, DOWN, ENTER, CTRL_C, CTRL_D = "\x1b[A", "\x1b[B", "\r", "\x03", "\x04"
LONGEST = 60.0


class PseudoTerminal:
    """Runs ``tuneworthy`` with the given arguments; use as a context manager."""

    def __init__(self, folder, *arguments, term="xterm-256color", columns=100, rows=40, stdout=None):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._slave = slave
        self.process = subprocess.Popen(
            [sys.executable, "-m", "advisor.cli", *map(str, arguments)],
            stdin=slave,
            stdout=slave if stdout is None else stdout,
            stderr=slave,
            cwd=folder,
            env=os.environ | {"TERM": term, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
        )
        self._shown = ""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._slave)
        os.close(self._master)

    def press(self, *keys, until):
        """Press keys, then wait until ``until`` is shown; return what was shown since the first key."""
        for key in keys:
            os.write(self._master, key.encode())
        return self.wait_for(until)

    def wait_for(self, text):
        """Wait for ``text``; return what was shown up to it. What comes after is kept for the next call."""
        end = time.monotonic() + LONGEST
        while text not in (plain := self._plain()):
            assert time.monotonic() < end, f"{text!r} wasn't shown, but: {plain}"
            assert self._read() or text in self._plain(), f"ended without {text!r}: {self._plain()}"
        before, _, rest = plain.partition(text)
        self._shown = rest
        return before + text

    def ended(self):
        """Wait for the end; return the exit code and what was shown since the last wait."""
        end = time.monotonic() + LONGEST
        while self.process.poll() is None:
            assert time.monotonic() < end, f"goes on: {self._plain()}"
            self._read()
        while select.select([self._master], [], [], 0)[0] and self._read():
            pass
        return self.process.returncode, self._plain()

    def echoes(self):
        """Whether the terminal shows what is typed, as a shell expects it after the program."""
        return bool(termios.tcgetattr(self._slave)[3] & termios.ECHO)

    def _plain(self):
        return ESCAPES.sub("", self._shown).replace("\r", "")

    def _read(self):
        """Read what is there within a moment; False if the program has ended and nothing is left."""
        if not select.select([self._master], [], [], 0.05)[0]:
            return self.process.poll() is None
        with contextlib.suppress(OSError):
            self._shown += os.read(self._master, 65536).decode("utf-8", "replace")
        return True
