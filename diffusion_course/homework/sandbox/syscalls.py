"""A seccomp filter: the few system calls that no namespace shuts in, refused to the student's process.

 * sockets other than unix ones: AF_VSOCK reaches the host of a virtual machine from an empty network namespace
   (tried: it opens and binds there), and no other family is needed;
 * memory that no process shows as its own, so that no limit counts it: memfd, what System V shares and keeps, and
   pages that are shared and of no file;
 * larger buffers of sockets and pipes: the system keeps them, and no process shows them as its own;
 * the kernel's key ring, which all processes of one user share; io_uring, which makes sockets past any filter;
   bpf, userfaultfd and perf events, the kernel's most attacked corners that no notebook needs;
 * flock, which neighbours and the host would see (SQLite needs the locks of fcntl).
"""

import errno
import socket

from .walls import SandboxError

REFUSED = """shmget msgget semget add_key request_key keyctl perf_event_open memfd_create memfd_secret bpf userfaultfd
io_uring_setup flock""".split()
REFUSED_IF = [("setsockopt", 2, option) for option in (7, 8, 32, 33)]  # SO_SNDBUF, SO_RCVBUF, and both by force
REFUSED_IF += [("fcntl", 1, 1031)]  # F_SETPIPE_SZ
SHARED = 0x21  # MAP_SHARED | MAP_ANONYMOUS


def write_filter(file) -> None:
    """Write the filter as bubblewrap reads it, for this machine. SandboxError where libseccomp is missing."""
    try:
        import pyseccomp  # looks for a library of Linux
    except (RuntimeError, OSError) as error:
        raise SandboxError(f"{error}. On Debian or Ubuntu: apt-get install libseccomp2.") from error
    rules, refuse = pyseccomp.SyscallFilter(pyseccomp.ALLOW), pyseccomp.ERRNO(errno.EPERM)
    for name in REFUSED:
        rules.add_rule(refuse, name)
    for name, argument, value in REFUSED_IF:
        rules.add_rule(refuse, name, pyseccomp.Arg(argument, pyseccomp.EQ, value))
    rules.add_rule(refuse, "mmap", pyseccomp.Arg(3, pyseccomp.MASKED_EQ, SHARED, SHARED))
    other = pyseccomp.Arg(0, pyseccomp.NE, socket.AF_UNIX)
    rules.add_rule(pyseccomp.ERRNO(errno.EAFNOSUPPORT), "socket", other)
    rules.export_bpf(file)
    file.seek(0)
