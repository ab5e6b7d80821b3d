"""The command that shuts a process in: what it sees, what it may take, who it is."""

import functools
import importlib.util
import itertools
import os
import re
import shutil
import subprocess
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import diffusion_course

PACKAGE = Path(diffusion_course.__file__).resolve().parent
# Of the package only what the notebooks say may be used, and what that needs (`uses.MAY_USE` names the same).
SHOWN = [f"{name}.py" for name in ("__init__", "plots", "check/__init__", "check/asked", "check/numbers")]
SHOWN += [f"check/homework/{name}.py" for name in ("__init__", "affine", "variant")]
FOLDERS = ("base", "homework/inside")  # shown whole; of the grader only this
OTHERS = ("diffusers", "denoising_diffusion_pytorch", "azula", "smalldiffusion", "k_diffusion")  # packages with answers
SHOWN += [str(path.relative_to(PACKAGE)) for folder in FOLDERS for path in sorted((PACKAGE / folder).glob("*.py"))]
SYSTEM = ("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/share")
SETTINGS = ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/alternatives")
HOME = "/tmp"  # the one place to write to
DEVICES = ("/dev/null", "/dev/full", "/dev/random", "/dev/urandom")
# With more threads, neighbours wait for each other: 5.6 s became 118 s on a busy machine.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
MISSING = (
    "Grading runs the students' code in bubblewrap, and there is no `bwrap` of version 0.8 or newer here. On Debian or "
    "Ubuntu: apt-get install bubblewrap. On macOS or Windows: grade on a Linux machine, in WSL 2 or in a container. "
    "With --unsafe (not on Windows) it runs without walls, as you, with all that you may read and write."
)
PRESSURE, STAT = Path("/proc/pressure/cpu"), Path("/proc/stat")
_looks: deque[int] = deque(maxlen=300)  # how many others could run; five a second
_numbers = itertools.count()


class SandboxError(RuntimeError):
    """The sandbox is missing or did not start: nobody's fault and no grade."""


@dataclass(frozen=True)
class Limits:
    """What one submission may take."""

    memory: int = 4 * 2**30  # bytes, of each process and of all together
    files: int = 512 * 2**20  # bytes written, held in memory
    cpu: int = 600  # seconds of all processes together
    wall: int = 900  # seconds from start to end
    processes: int = 64  # and threads
    open_files: int = 128  # of each process


def stretched(seconds):
    """How long a thing may take that may take so many seconds of a free core: longer, ten times at most, where several
    processes wait for each core, or a busy machine would fail who is right. Counted are those that could run,
    on the mean of many looks: the load counts who waits for a disk or a child, too. And where the system tells it,
    somebody must have waited for a core in a tenth of the last minute."""
    with suppress(OSError, AttributeError, ValueError):
        _looks.append(int(re.search(r"procs_running (\d+)", STAT.read_text())[1]) - 1)  # type: ignore[index]
        if float(re.search(r"some .*avg60=(\S+)", PRESSURE.read_text())[1]) < 10:  # type: ignore[index]
            return seconds
    running = sum(_looks) / len(_looks) if _looks else os.getloadavg()[0]
    return seconds * min(max(1.0, running / (os.cpu_count() or 1)), 10.0)


def bubblewrap():
    """The path of `bwrap`; SandboxError where there is none that can do what is asked here."""
    bwrap = shutil.which("bwrap")
    said = subprocess.run([bwrap, "--version"], capture_output=True, text=True).stdout if bwrap else "bubblewrap 0"
    if [int(number) for number in said.split()[-1].split(".")] < [0, 8]:
        raise SandboxError(MISSING)
    return bwrap


def walls(command, limits, seccomp, secret):
    """`command` shut in. `seccomp`: number of an open file with the filter; `secret`: a directory not to be seen."""
    bwrap, fate, sight = bubblewrap(), ["--die-with-parent", "--new-session"], view(limits, secret)
    names = ["--unshare-all", "--unshare-user", "--disable-userns", "--hostname", "student"]
    settings = ["--clearenv", "--chdir", HOME]
    for name, value in environment(HOME).items():
        settings += ["--setenv", name, value]
    # The processes are counted per user namespace, so the limits of the system are set inside of it.
    sizes = [f"--data={limits.memory}", f"--as={8 * limits.memory}", f"--fsize={limits.files}", "--memlock=0"]
    counts = [f"--cpu={limits.cpu + 10}", f"--nproc={limits.processes}", f"--nofile={limits.open_files}"]
    limited = ["prlimit", *sizes, *counts, "--core=0", "--msgqueue=0", "--", *command]
    inner = [bwrap, *names, *fate, "--seccomp", str(seccomp), *sight, "--proc", "/proc", *settings, *limited]
    if _is_root():
        # A user of its own may not pass through /root to a Python there: root gives it the view, then lets it in.
        user = str(2**24 + os.getpid() * 16 + next(_numbers) % 16)
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--inh-caps=-all"]
        inner = [bwrap, "--unshare-pid", *fate, *sight, "--bind", "/proc", "/proc", *become, *inner]
    return [*group(limits), "env", "-i", *inner]


@functools.cache
def group(limits):
    """What puts a command into a control group of its own, whose memory of every kind and whose processes the system
    counts; nothing where systemd does not rule, as in most containers."""
    scope = ["systemd-run", "--scope", "--quiet", "--collect", *([] if os.geteuid() == 0 else ["--user"])]
    try:
        subprocess.run([*scope, "true"], capture_output=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return []
    bounds = {"MemoryMax": limits.memory, "MemorySwapMax": 0, "TasksMax": 2 * limits.processes}
    return [*scope, *(f"--property={name}={value}" for name, value in bounds.items())]


def view(limits, secret):
    """The file system that the process sees, as arguments of bubblewrap; SandboxError if it would see `secret`."""
    shown = [*SYSTEM, *_prefixes()]
    for path, parent in itertools.product(filter(None, (secret, PACKAGE.parent / "notebooks")), shown):
        if Path(path).exists() and Path(path).resolve().is_relative_to(Path(parent).resolve()):
            raise SandboxError(f"{path} lies in {parent}, which the students' code may read. Move it elsewhere.")
    # First of all, since Python and the course may lie in /tmp and must come back on top of it.
    mounts = ["--perms", "1777", "--size", str(limits.files), "--tmpfs", HOME]
    for path in map(Path, (*shown, *SETTINGS, *DEVICES, PACKAGE / "x")):
        for parent in reversed(path.parents[:-1]):  # made here, since bubblewrap would make them for root only
            mounts += ["--dir", str(parent)]
    for path in (*shown, *SETTINGS):
        mounts += ["--ro-bind-try", path, path]
    for path in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        mounts += ["--symlink", os.readlink(path), path] if os.path.islink(path) else ["--ro-bind-try", path, path]
    for path in DEVICES:
        mounts += ["--dev-bind", path, path]
    mounts += [*_package(), "--dir", "/proc", "--symlink", "/proc/self/fd", "/dev/fd"]
    return [*mounts, "--symlink", HOME, "/dev/shm", "--remount-ro", "/"]


def _package():
    """Of the course, only what a submission may use: no solution, no sampler, no check, compiled or not; of other
    packages that hold answers, nothing."""
    mounts = ["--tmpfs", str(PACKAGE)]
    for folder in ("check", "check/homework", "homework", *FOLDERS):
        mounts += ["--dir", str(PACKAGE / folder)]
    for name in SHOWN:
        mounts += ["--ro-bind-try", str(PACKAGE / name), str(PACKAGE / name)]
    for path in PACKAGE.glob("*.py"):
        mounts += [] if path.name in SHOWN else ["--ro-bind", str(PACKAGE / "homework/inside/withheld.py"), str(path)]
    for found in filter(None, map(importlib.util.find_spec, OTHERS)):
        for place in found.submodule_search_locations or ():
            mounts += ["--tmpfs", place, "--remount-ro", place]
    return [*mounts, "--remount-ro", str(PACKAGE)]


def _prefixes():
    """Where this Python lives: its two prefixes, and others that the links to its executable lead through."""
    found, path = [sys.base_prefix, sys.prefix], Path(sys.executable)
    while path.is_symlink():
        path = path.parent / path.readlink()
        found += map(str, path.parents[1:2])
    library = f"lib/python{sys.version_info.major}.{sys.version_info.minor}"
    places = dict.fromkeys(map(os.path.normpath, found))
    return [path for path in places if path != "/usr" and Path(path, library).is_dir()]


def environment(home):
    """All that the process finds in its environment."""
    ours = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    ours["TORCHDYNAMO_DISABLE"] = "1"  # there is no compiler
    return ONE_THREAD | ours | {"HOME": home, "USER": "student", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def _is_root():
    """Whether this is the system's own root, not that of a container that is an ordinary user outside."""
    return os.geteuid() == 0 and Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]
