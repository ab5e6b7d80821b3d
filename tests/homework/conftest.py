"""What the tests of the grader share: a sandbox to look around in, and a reason to skip where none can be had."""

import subprocess

import pytest

from diffusion_course.homework.inside import training, wire
from diffusion_course.homework.sandbox.sandbox import Sandbox
from diffusion_course.homework.sandbox.walls import SandboxError, bubblewrap, stretched


class Inside:
    """A sandbox and what cells in it say."""

    def __init__(self, sandbox):
        self.sandbox = sandbox

    def ask(self, seconds=60, **request):
        """The answer; as while grading, it may take longer on a busy machine."""
        seconds = stretched(seconds)
        wire.send(self.sandbox.sock, request | {"seconds": seconds}, 5)
        return wire.receive(self.sandbox.sock, seconds + 30)

    def run(self, source, seconds=60):
        """The text that a cell shows, and after it the name of its error, if there is one."""
        reply = self.ask(seconds, do="run", source=source)
        return reply["shown"] + (reply["error"] or "")


@pytest.fixture(scope="module", autouse=True)
def counted():
    """Training is counted as in a student's process, and what other files have trained is forgotten."""
    import torch  # noqa: F401

    training.watch()
    training.TRAINING.clear()


@pytest.fixture(scope="session")
def walled():
    """Skips where bubblewrap is missing or may not make namespaces, saying why; a sandbox of ours must start then."""
    try:
        subprocess.run([bubblewrap(), "--unshare-all", "--ro-bind", "/", "/", "true"], check=True, capture_output=True)
    except (SandboxError, subprocess.CalledProcessError) as error:
        pytest.skip(f"{error} {getattr(error, 'stderr', '')}")
    Sandbox().close()


@pytest.fixture
def start(walled):
    """start(**arguments of Sandbox) → a new `Inside`; all are closed at the end of the test."""
    made = []

    def start(**arguments):
        made.append(Sandbox(**arguments))
        return Inside(made[-1])

    yield start
    for sandbox in made:
        sandbox.close()


@pytest.fixture(scope="module")
def inside(walled):
    """One sandbox for all that only look around in it."""
    with Sandbox() as sandbox:
        yield Inside(sandbox)
