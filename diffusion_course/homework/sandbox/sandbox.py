"""A student's process behind walls, and the watch over it.

Threat model. The student's code is hostile and owns its process in full: it may replace `answer.py` in memory, make
any system call, write anything into its end of the socket. Nothing that it says is trusted, and nothing leaves but
through the socket. Trusted are the system's kernel, bubblewrap and the Python of the grader.

Walls (`walls.py`). Namespaces of its own, an empty environment, and a view of the files with parts of `/usr`, this
Python and what may be used of the course, all read-only; one tmpfs that cannot outgrow its size. No privileges, no
capabilities, no further user namespace, none of the calls of `syscalls.py`. All processes die with the first.

Limits. `prlimit` bounds each process, and their number, which Linux counts per user and, since 5.14, per user
namespace. It never holds the real root to it; started as root the sandbox becomes a user of its own first, another for
each, so that a fork bomb leaves its neighbours their processes on older kernels too. What all take together a control
group bounds where systemd rules; that needs rights which nobody has everywhere, so a thread looks too, every 0.2 s, and
kills. RLIMIT_DATA makes that soon enough: one process alone meets a MemoryError, which the student sees; RLIMIT_AS
stands far off, since torch with CUDA maps gigabytes that it never touches.

What remains: until its CPU time is spent, a hostile submission can keep all cores busy and slow its neighbours down
(their limits leave room for that), and fill its tmpfs with empty files (the system allows about a tenth of its memory).
"""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress

import psutil

from ..inside import wire
from . import syscalls
from .walls import PACKAGE, Limits, SandboxError, environment, stretched, walls

WATCH = 0.2  # seconds between two looks
LIMITS = Limits()
BUFFER = 2**18  # bytes that the system may hold for an open socket or pipe, which no process shows as its own
SAID = 2000  # bytes of what it says when it does not start
START = 120  # seconds until a process that does not answer counts as not started
# Isolated (-I), so that the package comes from where it is here.
ENTER = f"""import sys; sys.path.insert(0, {str(PACKAGE.parent)!r})
from diffusion_course.homework.inside.answer import main; main(int(sys.argv[1]))"""


class Sandbox:
    """A student's process, started. `sock` is the grader's end; `reason` says why it was ended before its time.

    `secret` is a directory that it must not see, the course's. `unsafe`: the same process without walls and limits.
    """

    def __init__(self, secret=None, limits=LIMITS, unsafe=False):
        self.limits, self.peak_memory, self.cpu = limits, 0, 0.0
        self._given, self._began = (secret, unsafe), time.monotonic()
        self._own: dict[tuple, float] = {}  # CPU seconds of each process when it was last seen
        self._start()

    def restart(self):
        """A new process in the place of this one, of which nothing is left; the limits are those of both together."""
        self.close()
        self._start()

    def _start(self):
        self.reason, self._spent, (secret, unsafe) = None, self.cpu, self._given
        self.sock, theirs = socket.socketpair()
        self._home = tempfile.TemporaryDirectory(prefix="student-")
        with theirs, tempfile.TemporaryFile() as rules:
            command = [sys.executable, "-I", "-c", ENTER, str(theirs.fileno())]
            if not unsafe:
                command = walls(command, self.limits, rules.fileno(), secret)
                syscalls.write_filter(rules)
            self._process = subprocess.Popen(
                command,
                pass_fds=(theirs.fileno(), rules.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,  # read only if it does not start; afterwards nothing is written there
                env=environment(self._home.name) if unsafe else None,
                cwd=self._home.name,
                start_new_session=True,
            )
        self._first = psutil.Process(self._process.pid)
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        try:
            started = wire.receive(self.sock, START) == "ready"
        except (OSError, EOFError, wire.BadFrame):
            started = False
        if not started and not self.reason:  # else its limits had been reached
            self.end("It did not start.")
            said = os.read(self._process.stderr.fileno(), SAID).decode(errors="replace").strip()
            self.close()
            raise SandboxError(f"The sandbox did not start, so nothing was graded. It said: {said or 'nothing'}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def end(self, reason):
        """Kill every process of the sandbox; of several reasons the first is kept."""
        self.reason = self.reason or reason
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        for process in self._tree()[1:]:
            with suppress(psutil.Error, OSError):
                process.kill()
        try:
            self._process.wait(1)  # bubblewrap ends when all that it holds has ended
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def lost(self):
        """End it because it answers no more."""
        try:
            self._process.wait(0.5)
            self.end("It ended by itself.")
        except subprocess.TimeoutExpired:
            self.end("It stopped answering.")

    def close(self):
        """The notebook is done: end what is left of it."""
        self._closing.set()
        self._watcher.join()
        self.end("The notebook is done.")
        self._process.stderr.close()
        self.sock.close()
        self._home.cleanup()

    def _watch(self):
        try:
            while not self._closing.wait(WATCH) and self._process.poll() is None:
                if excess := self._excess(time.monotonic() - self._began):
                    self.end(excess)
        except Exception:  # unwatched it must not run
            self.end("It could not be watched.")
            raise

    def _excess(self, wall):
        """What it took too much of, in words, or None."""
        memory, cpu = self._usage()
        self.peak_memory, self.cpu = max(self.peak_memory, memory), max(self.cpu, cpu)
        if memory > self.limits.memory:
            return f"It took more than {self.limits.memory / 2**30:g} GiB of memory."
        if self.cpu > self.limits.cpu:
            return f"It took more than {self.limits.cpu} s of CPU time."
        return f"It took longer than {self.limits.wall} s." if wall > stretched(self.limits.wall) else None

    def _usage(self):
        """(bytes in memory, CPU seconds) of all processes; of those that have ended, as who waited for them tells or
        as they were seen last, whichever is more."""
        memory, cpu = 0, self._spent
        for process in self._tree():
            with suppress(psutil.Error, OSError):  # it has ended, or this look came between two of its states
                times = process.cpu_times()
                self._own[process.pid, process.create_time()] = times.user + times.system
                cpu += sum(times[:4])
                memory += process.memory_info().rss + process.num_fds() * BUFFER + _page_tables(process.pid)
        return memory, max(cpu, sum(self._own.values()))

    def _tree(self):
        with suppress(psutil.NoSuchProcess):
            return [self._first, *self._first.children(recursive=True)]
        return []


def _page_tables(number):
    """Bytes of the tables in which the system keeps where the memory of a process lies; 0 where it tells nothing."""
    with open(f"/proc/{number}/status") as status:
        return sum(1024 * int(line.split()[1]) for line in status if line.startswith("VmPTE"))
