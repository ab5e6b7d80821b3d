"""What crosses between the two processes: values as they were, and nothing else, whatever the other side writes."""

import base64
import json
import socket
import struct
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from diffusion_course.homework.grading import channel
from diffusion_course.homework.grading.channel import (
    Affine,
    Dead,
    Failed,
    Named,
    NotAttempted,
    Refused,
    Student,
    TooSlow,
)
from diffusion_course.homework.inside import wire

DTYPES = st.sampled_from(["?", "<i1", "<u1", "<i4", "<i8", "<f2", "<f4", "<f8"])
NUMBERS = arrays.arrays(DTYPES, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
WHOLE = st.integers(-(2**63), 2**63 - 1)
SCALARS = st.none() | st.booleans() | WHOLE | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS | NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WHOLE | st.text(), inner, max_size=4),
)


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def same(a, b):
    if isinstance(a, np.ndarray):
        return type(b) is np.ndarray and a.dtype == b.dtype and a.tobytes() == b.tobytes() and a.shape == b.shape
    if isinstance(a, (list, dict)):
        pairs = zip(a.items(), b.items(), strict=True) if isinstance(a, dict) else zip(a, b, strict=True)
        return type(a) is type(b) and all(same(x, y) for pair in pairs for x, y in [pair])
    return type(a) is type(b) and repr(a) == repr(b)


@given(VALUES)
def test_values_cross_as_they_are(value):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=wire.send, args=(ours, value, 5))
        sender.start()
        came = wire.receive(theirs, 5)
        sender.join()
    assert same(value, came)


class EqualToEverything:
    def __eq__(self, other):
        return True


@pytest.mark.parametrize(
    "value",
    [EqualToEverything(), [EqualToEverything()], {1.5: 0}, {True: 0}, {(1, 2): 0}, np.array([None]), np.array(["a"]),
     np.array([1j]), np.zeros(2, [("a", "f8")]), print, b"bytes", {1, 2}, np.zeros(2**22), "x" * 2**23],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_objects_and_heaps_are_not_sent(pair, value):
    with pytest.raises(wire.BadFrame):
        wire.send(pair[0], value, 5)


# a hostile sender


def frame(message):
    text = message if isinstance(message, bytes) else json.dumps(message).encode()
    return struct.pack(">I", len(text)) + text


def with_array(kind, shape, data=b"\0" * 80):
    return frame({"array": [kind, shape, base64.b64encode(data).decode()]})


HOSTILE = {
    "length of 4 GB": b"\xff\xff\xff\xff",
    "no JSON": frame(b"import os"),
    "no UTF-8": frame(b'"\xff"'),
    "deep JSON": frame(b"[" * 100_000 + b"]" * 100_000),
    "more than an answer may have": frame(b'"' + b"x" * wire.MAX_ANSWER + b'"'),
    "an object of nothing": frame({}),
    "array of nothing": frame({"array": []}),
    "array that is a number": frame({"array": 0}),
    "array of 10 GB": with_array("<f8", [1342177280]),
    "negative size": with_array("<f8", [-1, -10]),
    "size that is true": with_array("<f8", [True, 10]),
    "size that is text": with_array("<f8", ["10"]),
    "unknown kind": frame({"named": "model"}),
    "two kinds": frame({"array": ["<f8", [0], ""], "dict": []}),
    "key that is a list": frame({"dict": [[[1], 2]]}),
    "dict without pairs": frame({"dict": 5}),
    "array of objects": with_array("|O", [10]),
    "structured array": with_array([["a", "<f8"]], [10]),
    "array of text": with_array("<U1", [20]),
    "big-endian array": with_array(">f8", [10]),
    "sides that overflow": with_array("<f8", [2**32 - 1] * 8),
    "sides without end": with_array("<f8", [1] * 10**5),
    "empty and huge": with_array("<f8", [0, 9999999999, 9999999999], b""),
    "too little data": with_array("<f8", [11]),
    "too much data": with_array("<f8", [9]),
    "no base64": frame({"array": ["<f8", [1], "AAAA=AAA\n"]}),
    "numbers of any size": frame([2**63]),
    "digits without end": frame(b"1" * 10**6),
    "keys that all fall upon each other": frame({"dict": [[2**64 - 8, 0], [2**61 * 9 - 9, 0]]}),
}


@pytest.mark.parametrize("written", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_frame_is_refused(pair, written):
    ours, theirs = pair
    threading.Thread(target=theirs.sendall, args=(written,), daemon=True).start()
    began = time.process_time()
    with pytest.raises(wire.BadFrame):
        wire.receive(ours, 5)
    assert time.process_time() - began < 1


def test_a_bool_is_true_or_false(pair):
    pair[1].sendall(with_array("|b1", [3], b"\x00\x01\xff"))
    assert wire.receive(pair[0], 5).sum() == 2


def test_text_can_always_be_written_to_a_file(pair):
    pair[1].sendall(frame(b'["\\ud800", {"dict": [["\\udfff", 1]]}]'))
    assert wire.receive(pair[0], 5) == ["?", {"?": 1}]


def test_one_byte_now_and_then_is_no_answer(pair):
    def drip():
        while not over.wait(0.1):
            pair[1].send(b"\0")

    over, thread, began = threading.Event(), threading.Thread(target=drip), time.monotonic()
    pair[1].sendall(struct.pack(">I", 1000))
    thread.start()
    with pytest.raises(TimeoutError):
        wire.receive(pair[0], 0.5)
    assert time.monotonic() - began < 2
    over.set()
    thread.join()


# a student who answers by hand


@pytest.fixture
def student(pair, monkeypatch):
    """(Student, answer): `answer` writes one message from the student's side."""
    monkeypatch.setattr(channel, "GRACE", 0.2)
    return Student(channel.Channel(pair[0]), "ada"), lambda value: wire.send(pair[1], value, 5)


@pytest.mark.parametrize("kind", [NotAttempted, Failed, TooSlow, Refused])
def test_a_refusal_is_an_exception_with_its_text(student, kind):
    ada, answer = student
    answer({"no": kind.__name__, "text": "because " * 1000})
    with pytest.raises(kind, match="because") as caught:
        ada.value("x")
    assert len(str(caught.value)) <= channel.SHORT
    assert ada.unanswered is (kind is NotAttempted)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("ValueError: tensor([[0.31, -1.7e-3],\n [2., .5]]) is bad", "ValueError: tensor(…) is bad"),
        ("RuntimeError: x is 0.2500 at t = tensor([3, 1000])", "RuntimeError: x is … at t = tensor(…)"),
        ("mat1 and mat2 shapes cannot be multiplied (5x2 and 3x128)", None),
        ("KeyError: 'alpha_bar[t]' in line 12", None),
    ],
)
def test_an_error_does_not_quote_the_hidden_inputs(student, said, shown):
    ada, answer = student
    answer({"no": "Failed", "text": said})
    with pytest.raises(Failed) as caught:
        ada.value("x")
    assert str(caught.value) == (shown or said)


STRANGE = [None, [], {}, {"value": 1, "no": "Failed"}, {"no": [], "text": "x"}, {"no": "Failed", "text": 5}]


@pytest.mark.parametrize("reply", [*STRANGE, {"no": "Dead", "text": "x"}, {"no": "NoAnswer", "text": "x"}])
def test_any_other_reply_is_refused(student, reply):
    ada, answer = student
    answer(reply)
    with pytest.raises(Refused):
        ada.value("x")


def test_silence_is_too_slow_and_then_dead_even_if_an_answer_comes_late(student, pair):
    ada, answer = student
    with pytest.raises(TooSlow):
        ada.call("x", seconds=0.1)
    with pytest.raises(OSError):
        answer({"value": 1})
    with pytest.raises(Dead):
        ada.value("x")


def test_the_end_of_the_process_is_dead(student, pair):
    pair[1].close()
    for _ in range(2):
        with pytest.raises(Dead, match="ended"):
            student[0].call("f", 1)


def test_a_broken_answer_ends_the_channel(student, pair):
    pair[1].sendall(HOSTILE["no JSON"])
    with pytest.raises(Refused):
        student[0].value("x")
    with pytest.raises(Dead):
        student[0].value("x")


def test_the_answer_to_an_interrupted_question_is_not_taken_for_the_next(student, monkeypatch):
    ada, answer = student
    answer({"value": "to the first question"})
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(wire, "receive", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        ada.value("x")
    with pytest.raises(Dead):
        ada.value("y")


@pytest.mark.parametrize("wrong", [1.0, [0.0], np.zeros(4), np.zeros((4, 3)), None])
def test_a_model_returns_the_shape_of_its_input(student, wrong):
    ada, answer = student
    answer({"value": wrong})
    with pytest.raises(Refused, match=r"\(4, 2\)"):
        ada.denoise(np.zeros((4, 2)), 3)


# the student's side as it is


NOTEBOOK = """
import torch
alpha_bar, training_losses, samples = torch.linspace(1, 0, 11), [1, 0.5], {10: torch.ones(2, 2), "note": (1, None)}
gpu = torch.ones(2, dtype=torch.bfloat16, requires_grad=True)
class Equal:
    def __eq__(self, other): return True
equal = Equal()
def kinds(*values): return [str(getattr(value, "dtype", type(value).__name__)) for value in values]
def add_one(a): return a + 1
def todo(x): raise NotImplementedError
def wrong(x): return x.no_such_thing
def leave(): raise SystemExit
class Mute(Exception):
    def __str__(self): raise RuntimeError
def mute(): raise Mute
def hang():
    while True: pass
def use(model, xt): return model(xt, torch.full((len(xt),), 1))
def model(xt, t): return xt * t[:, None] if t.dtype == torch.int64 and xt.dtype == torch.float32 else None
def deaf():
    while True:
        try: hang()
        except BaseException: pass
"""


@pytest.fixture(scope="module")
def ada():
    from diffusion_course.homework.sandbox.sandbox import Sandbox

    with Sandbox(unsafe=True) as sandbox:
        channel.Channel(sandbox.sock).ask({"do": "run", "source": NOTEBOOK}, 60)
        yield Student(channel.Channel(sandbox.sock), "ada")


def test_values_and_answers_of_a_notebook(ada):
    np.testing.assert_allclose(ada.value("alpha_bar"), np.linspace(1, 0, 11), atol=1e-6)
    assert ada.value("training_losses") == [1, 0.5]
    samples = ada.value("samples")
    assert samples["note"] == [1, None] and samples[10].shape == (2, 2)
    assert ada.value("gpu").dtype == np.float32
    sent = (
        np.zeros(2),
        np.zeros(2, np.float32),
        np.zeros((), np.float16),
        np.zeros(2, np.int32),
        np.zeros(2, bool),
        1,
        2.0,
        "x",
        [1],
    )
    floats = ["torch.float32"] * 3
    assert ada.call("kinds", *sent) == [*floats, "torch.int64", "torch.bool", "int", "float", "str", "list"]
    assert ada.call("add_one", 1) == 2


def test_a_model_can_be_the_students_or_ours(ada):
    ours = Affine(gain=np.full(11, 2.0), centre=np.ones((11, 2)))
    np.testing.assert_array_equal(ada.call("use", ours, np.full((3, 2), 4.0)), np.full((3, 2), 6.0))
    np.testing.assert_array_equal(ada.call("use", Named("model"), np.full((3, 2), 4.0)), np.full((3, 2), 4.0))


def test_the_students_own_model_is_asked(ada):
    eps = ada.denoise(np.ones((3, 2)), [1, 2, 3])
    assert eps.dtype == np.float64
    np.testing.assert_array_equal(eps[:, 0], [1, 2, 3])
    np.testing.assert_array_equal(ada.denoise(np.ones((3, 2)), 5), np.full((3, 2), 5))


@pytest.mark.parametrize(
    "name, kind, text",
    [
        ("todo", NotAttempted, "not written"),
        ("nowhere", NotAttempted, "no `nowhere`"),
        ("wrong", Failed, "AttributeError.*no_such_thing"),
        ("leave", Failed, "SystemExit"),
        ("mute", Failed, "cannot say"),
        ("hang", TooSlow, r"within [\d.]+ s"),
    ],
)
def test_no_answer_has_a_kind_and_the_notebook_lives_on(ada, name, kind, text):
    arguments = [np.ones(2)] if name in ("todo", "wrong") else []
    with pytest.raises(kind, match=text):
        ada.call(name, *arguments, seconds=0.5)
    assert ada.call("add_one", 1) == 2


def test_an_object_equal_to_everything_does_not_cross(ada):
    with pytest.raises(Refused, match="Equal"):
        ada.value("equal")


def test_who_does_not_stop_is_dead(start, monkeypatch):
    monkeypatch.setattr(channel, "GRACE", 0.5)
    deaf = start(unsafe=True)
    deaf.run(NOTEBOOK)
    student = Student(channel.Channel(deaf.sandbox.sock), "deaf")
    with pytest.raises(TooSlow):
        student.call("deaf", seconds=0.3)
    with pytest.raises(Dead):
        student.value("samples")
