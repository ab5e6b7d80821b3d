"""What crosses between the grader and the student's process: numbers, text and arrays, never objects.

A message is one frame: the length of the JSON, the JSON, and the arrays it names as .npy bytes, one after another::

    4 bytes | {"sizes": [144], "value": {"dict": [["x0", {"array": 0}]]}} | b"\\x93NUMPY…"

None, bool, int, float and str are themselves, a list is a list; everything else is an object of one key: "dict",
"array", or a kind that the receiver knows. Either side reads a frame whole or not at all, within bytes and seconds
that it chose, and builds only the exact types named here: no pickle, no `eval`, no code of the sender.
The header of an array is held against one pattern instead of being parsed, so that its size is known to be true.
Nothing small may become large or slow here: an array counts once, for many names of one would be copied as many times,
and whole numbers have 64 bits, for keys of any size can be chosen to fall upon each other in a dict.
"""

import io
import json
import math
import re
import struct
import time

import numpy as np

MAX_JSON, MAX_ARRAYS = 2**22, 2**24  # bytes of one frame: 4 MB of JSON, 16 MB of arrays
HEADER = re.compile(
    rb"\{'descr': '(<[iuf][248]|\|[biu]1)', 'fortran_order': False, 'shape': \(((?:\d{1,10}, ?){0,7}\d{0,10})\), \} *\n"
)


class BadFrame(ValueError):
    """What came is no message: too big, broken, or of a kind that may not cross."""


def send(sock, value, seconds):
    """Write one message; TimeoutError if the other side does not take it within `seconds`."""
    message = pack(value)
    sock.settimeout(seconds)
    sock.sendall(message)


def receive(sock, seconds=None, kinds=None):
    """Read one message, as `unpack` does. Raises TimeoutError, EOFError if the other side is gone, BadFrame."""
    deadline = None if seconds is None else time.monotonic() + seconds
    return unpack(lambda size: _exactly(sock, size, deadline), kinds)


def pack(value) -> bytes:
    """A message; BadFrame for what may not cross."""
    arrays = []
    tree = _plain(value, arrays)
    text = json.dumps({"sizes": [len(array) for array in arrays], "value": tree}).encode()
    if len(text) > MAX_JSON or sum(map(len, arrays)) > MAX_ARRAYS:
        raise BadFrame(f"more than {MAX_JSON >> 20} MB of values or {MAX_ARRAYS >> 20} MB of arrays")
    return b"".join([struct.pack(">I", len(text)), text, *arrays])


def unpack(read, kinds=None):
    """The value of the message that `read(size)` gives piece by piece; BadFrame if it is none.

    `kinds` maps the name of each further kind allowed to the function that builds it.
    """
    (length,) = struct.unpack(">I", read(4))
    if length > MAX_JSON:
        raise BadFrame(f"more than {MAX_JSON >> 20} MB of values")
    text = bytes(read(length))
    try:
        message = json.loads(text)
        sizes, tree = message["sizes"], message["value"]
        if not all(type(size) is int and 0 < size <= MAX_ARRAYS for size in sizes) or sum(sizes) > MAX_ARRAYS:
            raise BadFrame(f"more than {MAX_ARRAYS >> 20} MB of arrays")
        arrays = {number: _array(read(size)) for number, size in enumerate(sizes)}
        return _value(tree, arrays, kinds or {})
    except (TypeError, KeyError, IndexError, ValueError, RecursionError) as error:
        raise error if isinstance(error, BadFrame) else BadFrame(f"a broken message ({error})") from None


def _plain(value, arrays):
    """The JSON tree of `value`; arrays are put aside as .npy bytes."""
    if value is None or type(value) in (bool, float, str):
        return value
    if type(value) is int:
        return _whole(value)
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item, arrays) for item in value]
    if isinstance(value, dict):
        return {"dict": [[_key(key), _plain(item, arrays)] for key, item in value.items()]}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.dtype.itemsize <= 8:
        if value.nbytes > MAX_ARRAYS:  # before it is copied: one number repeated may stand for ten gigabytes
            raise BadFrame(f"more than {MAX_ARRAYS >> 20} MB of arrays")
        file = io.BytesIO()
        np.save(file, np.ascontiguousarray(value, value.dtype.newbyteorder("<")).reshape(value.shape))
        arrays.append(file.getvalue())
        return {"array": len(arrays) - 1}
    if hasattr(value, "wire"):  # a kind of its own: (name, fields)
        name, fields = value.wire()
        return {name: _plain(fields, arrays)}
    what = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
    raise BadFrame(f"{what}, which is neither a number, text, a list, a dict nor an array of numbers")


def _key(key):
    if type(key) not in (int, str):
        raise BadFrame(f"a dict with a key that is a {type(key).__name__}, neither int nor str")
    return _whole(key) if type(key) is int else key


def _whole(number):
    if not -(2**63) <= number < 2**63:
        raise BadFrame("a whole number of more than 64 bits")
    return number


def _value(tree, arrays, kinds):
    if type(tree) is list:
        return [_value(item, arrays, kinds) for item in tree]
    if type(tree) is str:
        return tree.encode(errors="replace").decode()  # half a surrogate pair could not be written to any file
    if type(tree) is not dict:  # json.loads makes nothing but None, bool, int and float besides
        return _whole(tree) if type(tree) is int else tree
    ((kind, content),) = tree.items()
    if kind == "array":
        return arrays.pop(content)
    if kind == "dict":
        return {_key(_value(key, arrays, kinds)): _value(item, arrays, kinds) for key, item in content}
    return kinds[kind](_value(content, arrays, kinds))


def _array(data):
    """The array of .npy bytes whose header is exactly what `numpy.save` writes for plain numbers."""
    length = int.from_bytes(data[8:10], "little")
    header = HEADER.fullmatch(data[10 : 10 + length])
    if data[:8] != b"\x93NUMPY\x01\x00" or not header:
        raise BadFrame("an array that is not of plain numbers")
    dtype = np.dtype(header[1].decode())
    shape = tuple(int(number) for number in header[2].replace(b",", b" ").split())
    if math.prod(shape) * dtype.itemsize != len(data) - 10 - length:
        raise BadFrame("an array whose size is not the one it states")
    if header[1] == b"|b1":  # any byte but 0 and 1 would make a bool that is neither
        return (np.frombuffer(data, np.uint8, offset=10 + length) != 0).reshape(shape)
    return np.frombuffer(data, dtype, offset=10 + length).reshape(shape)


def _exactly(sock, size, deadline):
    data = bytearray(size)
    view = memoryview(data)
    while view:
        if deadline is None:
            sock.settimeout(None)
        else:
            sock.settimeout(max(deadline - time.monotonic(), 1e-3))
        count = sock.recv_into(view)
        if count == 0:
            raise EOFError("the other side is gone")
        view = view[count:]
    return data
