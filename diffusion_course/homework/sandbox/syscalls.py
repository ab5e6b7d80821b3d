"""A seccomp filter: the few system calls that no namespace shuts in, refused to the student's process.

 * sockets other than unix ones: AF_VSOCK reaches the host of a virtual machine from an empty network namespace
   (tried: it opens and binds there), and no other family is needed;
 * memory that no process shows as its own, so that no limit counts it: memfd, System V shared memory and queues;
 * larger buffers of sockets and pipes: the system keeps them, and no process shows them as its own;
 * the kernel's key ring, which all processes of one user share; io_uring, which makes sockets past any filter;
   bpf, userfaultfd and perf events, the kernel's most attacked corners that no notebook needs.

A filter is a program of eight-byte instructions for the classic BPF machine (linux/filter.h, linux/seccomp.h).
"""

import errno
import platform
import struct

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_…, linux/audit.h
SOCKET = {"x86_64": 41, "aarch64": 198}
REFUSED = {  # name: (number on x86_64, on aarch64)
    "shmget": (29, 194),
    "msgget": (68, 186),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "perf_event_open": (298, 241),
    "memfd_create": (319, 279),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "memfd_secret": (447, 447),
}
# name: (number on x86_64, on aarch64), the argument that is looked at, and its values that are refused
REFUSED_IF = {
    "setsockopt": ((54, 208), 2, (7, 8, 32, 33)),  # SO_SNDBUF, SO_RCVBUF, and both by force
    "fcntl": ((72, 25), 1, (1031,)),  # F_SETPIPE_SZ
}
X32 = 0x40000000  # the bit of x86_64's second set of numbers for the same calls
AF_UNIX = 1
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data; each argument has 8 bytes
ALLOW, REFUSE = 0x7FFF0000, 0x00050000


def filter_program(machine=None) -> bytes:
    """The filter for `machine`, this one by default. ValueError where the numbers are not known."""
    machine = machine or platform.machine()
    if machine not in ARCHITECTURES:
        raise ValueError(f"There is no filter for a {machine}; one of {', '.join(ARCHITECTURES)} is needed.")
    column = list(ARCHITECTURES).index(machine)
    refuse, allow = _step(RETURN, REFUSE | errno.EPERM), _step(RETURN, ALLOW)
    program = [
        _step(LOAD, ARCHITECTURE),
        _step(EQUAL, ARCHITECTURES[machine], skip_if=1),
        refuse,
        _step(LOAD, NUMBER),
        _step(AT_LEAST, X32, skip_else=1),
        refuse,
    ]
    for numbers in REFUSED.values():
        program += [_step(EQUAL, numbers[column], skip_else=1), refuse]
    for numbers, argument, values in REFUSED_IF.values():
        program += [_step(EQUAL, numbers[column], skip_else=2 + 2 * len(values))]
        program += [_step(LOAD, FIRST_ARGUMENT + 8 * argument)]
        for value in values:
            program += [_step(EQUAL, value, skip_else=1), refuse]
        program += [allow]
    program += [
        _step(EQUAL, SOCKET[machine], skip_else=3),
        _step(LOAD, FIRST_ARGUMENT),
        _step(EQUAL, AF_UNIX, skip_if=1),
        _step(RETURN, REFUSE | errno.EAFNOSUPPORT),
        allow,
    ]
    return b"".join(program)


def _step(code, value, skip_if=0, skip_else=0):
    return struct.pack("=HBBI", code, skip_if, skip_else, value)
