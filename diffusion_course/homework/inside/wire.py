"""What crosses between the grader and the student's process: numbers, text and arrays, never objects.

A message is the length of a JSON text and the text::

    4 bytes | {"dict": [["x0", {"array": ["<f8", [2, 3], "AAAAAAAA8D8…"]}]]}

None, bool, int, float and str are themselves, a list is a list; a dict, and an array (type, shape, bytes in base64),
are objects of one key. Either side reads a message whole or not at all, within bytes and seconds that it chose, and
builds only the exact types named here: no pickle, no `eval`, no code of the sender. Nothing small may become large or
slow here: an array states its true size, and whole numbers have 64 bits, for keys of any size can be chosen to fall
upon each other in a dict.
"""

import base64
import json
import math
import struct
import time

import numpy as np

MAX_ANSWER = 2**22  # bytes of what the student's process says: as objects, little things take thirty times as many
MAX_REQUEST = 2**25  # bytes of what it is asked: the noise of a thousand steps, say
TYPES = {np.dtype(kind).newbyteorder("<").str for kind in "?bBhHiIqQefd"}
MOST_SIDES = 8  # of an array


class BadFrame(ValueError):
    """What came is no message: too big, broken, or of a kind that may not cross."""


def send(sock, value, seconds):
    """Write one message; TimeoutError if the other side does not take it within `seconds`."""
    write(sock, pack(value), seconds)


def write(sock, text: bytes, seconds):
    """The same for what `pack` has made of it."""
    sock.settimeout(seconds)
    sock.sendall(struct.pack(">I", len(text)) + text)


def receive(sock, seconds=None, most=MAX_ANSWER):
    """Read one message. Raises TimeoutError, EOFError if the other side is gone, BadFrame."""
    deadline = math.inf if seconds is None else time.monotonic() + seconds
    (length,) = struct.unpack(">I", _exactly(sock, 4, deadline))
    _limit(length, most)
    return unpack(_exactly(sock, length, deadline))


def pack(value, most=MAX_ANSWER) -> bytes:
    """The text of a message, of at most so many bytes; BadFrame for what may not cross."""
    text = json.dumps(_plain(value, most)).encode()
    _limit(len(text), most)
    return text


def unpack(text: bytes):
    """The value of a message; BadFrame if it is none."""
    try:
        return _value(json.loads(text))
    except BadFrame:
        raise
    except (TypeError, KeyError, IndexError, ValueError, RecursionError) as error:
        raise BadFrame(f"a broken message ({error})") from None


def _limit(size, most):
    if size > most:
        raise BadFrame(f"more than {most >> 20} MB")


def _plain(value, most):
    """The JSON tree of `value`."""
    if value is None or type(value) in (bool, float, str):
        return value
    if type(value) is int:
        return _whole(value)
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item, most) for item in value]
    if isinstance(value, dict):
        return {"dict": [[_key(key), _plain(item, most)] for key, item in value.items()]}
    if isinstance(value, np.ndarray) and value.dtype.newbyteorder("<").str in TYPES:
        _limit(value.nbytes, most)  # before it is copied: one number repeated may stand for ten gigabytes
        little = value.astype(value.dtype.newbyteorder("<"))
        return {"array": [little.dtype.str, list(value.shape), base64.b64encode(little.tobytes()).decode()]}
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


def _value(tree):
    if type(tree) is list:
        return [_value(item) for item in tree]
    if type(tree) is str:
        return tree.encode(errors="replace").decode()  # half a surrogate pair could not be written to any file
    if type(tree) is not dict:  # json.loads makes nothing but None, bool, int and float besides
        return _whole(tree) if type(tree) is int else tree
    ((kind, content),) = tree.items()
    if kind == "array":
        return _array(*content)
    if kind != "dict":
        raise BadFrame("a message of a kind that may not cross")
    return {_key(_value(key)): _value(item) for key, item in content}


def _array(kind, shape, text):
    """The array of this type and shape; BadFrame unless its bytes are as many as it states."""
    sides = len(shape) <= MOST_SIDES and all(type(side) is int and 0 <= side < 2**32 for side in shape)
    if kind not in TYPES or not sides:
        raise BadFrame("an array that is not of plain numbers")
    data = bytearray(base64.b64decode(text, validate=True))
    if math.prod(shape) * np.dtype(kind).itemsize != len(data):
        raise BadFrame("an array whose size is not the one it states")
    if kind == "|b1":  # any byte but 0 and 1 would make a bool that is neither
        return (np.frombuffer(data, np.uint8) != 0).reshape(shape)
    return np.frombuffer(data, kind).reshape(shape)


def _exactly(sock, size, deadline):
    data = bytearray(size)
    view = memoryview(data)
    while view:
        sock.settimeout(None if deadline == math.inf else max(deadline - time.monotonic(), 1e-3))
        count = sock.recv_into(view)
        if count == 0:
            raise EOFError("the other side is gone")
        view = view[count:]
    return data
