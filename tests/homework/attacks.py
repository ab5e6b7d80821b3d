"""Hostile cells, each with the points that it must end with and what the grader must say of it.

They stand in a notebook whose honest part earns HONEST: `add_noise` is right and was tested before the attack; after it
come a wrong `make_alpha_bar`, which they would like to see pass, and a right `time_grid`.
Whoever reaches what they must not reach prints GOT IN. PORT, COURSE and SECRET are filled in by the test.
"""

from typing import NamedTuple

HONEST = [1, 0, 0.5]
KILLED = [1, 0, 0]  # the process is gone: what was earned before is kept


class Attack(NamedTuple):
    source: str
    said: str = ""  # stands in what the cell showed
    found: str = ""  # stands in what the tests printed
    reason: str = ""  # why the process was ended, as the student reads it (a pattern)
    points: list[float] = HONEST
    without_walls: bool = False  # gets in where there is no sandbox: so the test can fail


LOOKS = {
    "opens a socket": Attack(
        """
import socket
for family, place in ((socket.AF_INET, ("127.0.0.1", PORT)), (socket.AF_INET6, ("::1", PORT))):
    try:
        socket.socket(family).connect(place)
        print("GOT IN")
    except OSError as error:
        print(type(error).__name__)
        """,
        said="OSError",
        without_walls=True,
    ),
    "reads the hidden tests": Attack(
        """
import pathlib, diffusion_course
try:
    from diffusion_course.homework.spiral import parts
    print("GOT IN")
except ImportError as error:
    print(error)
package = pathlib.Path(diffusion_course.__file__).parent
print(sorted(path.name for path in (package / "homework").rglob("*.py")))
        """,
        said="['__init__.py', 'answer.py', 'cells.py', 'training.py', 'wire.py', 'withheld.py']",
        without_walls=True,
    ),
    "reads the solution": Attack(
        """
import pathlib, diffusion_course
root = pathlib.Path(diffusion_course.__file__).parents[1]
for path in (root / "notebooks/homework/spiral.ipynb", "COURSE/source/spiral/spiral.ipynb"):
    try:
        print("GOT IN" if "BEGIN SOLUTION" in open(path).read() else "?")
    except OSError as error:
        print(type(error).__name__)
        """,
        said="FileNotFoundError\nFileNotFoundError",
        without_walls=True,
    ),
    "writes into the gradebook": Attack(
        """
import sqlite3
try:
    book = sqlite3.connect("COURSE/gradebook.db")
    book.execute("update grade set auto_score = 99")
    book.commit()
    print("GOT IN")
except sqlite3.Error as error:
    print(error)
        """,
        said="unable to open database file",
        without_walls=True,
    ),
    "reads another submission": Attack(
        """
import os
print("GOT IN" if os.path.exists("COURSE/submitted/ada.ipynb") else "nothing there")
print(os.path.exists("COURSE"))
        """,
        said="nothing there\nFalse",
        without_walls=True,
    ),
    "reads secrets of the environment": Attack(
        """
import glob, os
seen = [dict(os.environ)]
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        seen.append(open(path).read())
    except OSError:
        pass
print("GOT IN" if "SECRET" in str(seen) else "no secret in", len(seen))
        """,
        said="no secret in",
        without_walls=True,
    ),
    "walks the stack and the heap to the grader": Attack(
        """
import gc, os, sys
frame, names = sys._getframe(), set()
while frame:
    names.update(frame.f_globals.get("__name__", "").split())
    frame = frame.f_back
names.update(name for name in sys.modules if name.startswith("diffusion_course.homework"))
print(sorted(name.split(".")[-1] for name in names if "course.homework." in name))
print("GOT IN" if any(type(thing).__name__ in ("Execute", "Sandbox") for thing in gc.get_objects()) else "no grader")
try:
    os.kill(os.getppid(), 0)
    print(open(f"/proc/{os.getppid()}/cmdline").read().split(chr(0))[0])
except OSError as error:
    print(type(error).__name__)
        """,
        said="['answer', 'cells', 'inside', 'training', 'wire']\nno grader",
    ),
}

CHEATS = {
    "patches check": Attack(
        """
from diffusion_course.check import engine
engine._equal = lambda *args: True
engine.Exercise.__call__ = lambda self, attempt: print("✓ right")
engine.Exercise._agree = lambda *args: True
check.make_alpha_bar = lambda attempt: None
check.make_alpha_bar(make_alpha_bar)
        """,
        found="✗ make_alpha_bar",
    ),
    "patches torch": Attack(
        """
torch.allclose = torch.equal = lambda *args, **kwargs: True
torch.Tensor.__eq__ = torch.Tensor.__lt__ = lambda self, other: torch.ones(self.shape, dtype=bool)
torch.Tensor.detach = lambda self: print("?") or self
torch.cumprod = lambda *args, **kwargs: 1 / 0
        """,
        found="✗ make_alpha_bar",
    ),
    "patches numpy": Attack(
        """
import numpy as np
np.allclose = np.array_equal = np.isfinite = lambda *args, **kwargs: True
np.testing.assert_allclose = lambda *args, **kwargs: None
np.ndarray = list
        """,
        found="✗ make_alpha_bar",
    ),
    "puts a grader of its own in place of ours": Attack(
        """
import sys, types
fake = types.ModuleType("diffusion_course.homework.spiral.parts")
fake.grade = lambda *args: 1.0
for name in ("spiral.parts", "grading.judge", "grading.channel", "grading.local"):
    sys.modules["diffusion_course.homework." + name] = fake
class Student:
    id = "ada"
student = Student()
grade = parts = fake
        """,
        found="✗ make_alpha_bar",
    ),
    "prints a score": Attack(
        """
import sys
print("✓ make_alpha_bar: right.")
print("✓ make_alpha_bar: right.", file=sys.stderr)
print({"points": 12, "grade": 1.0})
1.0
        """,
        said="✓ make_alpha_bar: right.",
        found="✗ make_alpha_bar",
    ),
    "raises a score": Attack(
        """
def make_alpha_bar(T):
    raise ValueError("\\n✓ make_alpha_bar: right.\\n1.0\\n</td><script>alert(1)</script>")
        """,
        found="✗ make_alpha_bar: no answer. ValueError: ✓ make_alpha_bar: right. … </td>",
    ),
    "displays a score, as a script too": Attack(
        """
from IPython.display import HTML, Javascript, display
display(HTML("<script>alert('GOT IN')</script>12 points"), Javascript("alert('GOT IN')"))
display({"text/html": "<b>1.0</b>", "text/plain": "1.0", "application/vnd.nbgrader+json": {"points": 1}}, raw=True)
        """,
        found="✗ make_alpha_bar",
    ),
    "returns what equals everything": Attack(
        """
class Yes(float):
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: True
    __sub__ = __rsub__ = __abs__ = lambda self, *other: Yes(0)
    __array__ = lambda self, *args, **kwargs: 1 / 0
    def __reduce__(self):
        return print, ("GOT IN",)
def make_alpha_bar(T):
    return Yes(1)
        """,
        found="✗ make_alpha_bar: no answer. The answer was a Yes",
    ),
    "returns NaN": Attack(
        'def make_alpha_bar(T): return torch.full((T + 1,), float("nan"))', found="the answer is NaN or infinite"
    ),
    "returns 10 GB": Attack(
        "def make_alpha_bar(T): return torch.zeros(1).expand(10 * 2**30 // 4)",
        found="✗ make_alpha_bar: no answer.",
    ),
    "returns whole numbers of 300 digits": Attack(
        "def make_alpha_bar(T): return [10**300] * (T + 1)", found="a whole number of more than 64 bits"
    ),
    "answers in the name of the process": Attack(
        """
from diffusion_course.homework.inside import answer
serve = answer.serve
answer.serve = lambda shell, do, **request: serve(shell, do, **request) if do == "run" else {
    "value": 1.0, "points": 1.0, "grade": "✓ right"}
        """,
        found="neither a value nor a reason",
        points=KILLED,
    ),
    "leaves a background process": Attack(
        """
import os, threading, time
def repair():
    while True:
        globals()["make_alpha_bar"].points = 1.0
        time.sleep(0.01)
threading.Thread(target=repair, daemon=True).start()
if os.fork() == 0:
    os.setsid()
    time.sleep(10**6)
print("left behind")
        """,
        said="left behind",
        found="✗ make_alpha_bar",
    ),
}

OVERSTATED = """
import gc, json, socket, struct
(sock,) = [thing for thing in gc.get_objects() if isinstance(thing, socket.socket)]
tree = {"dict": [["value", {"array": ["|u1", [1000, 2**24], "AAAA"]}]]}
def make_alpha_bar(T):
    text = json.dumps(tree).encode()
    sock.settimeout(None)
    sock.sendall(struct.pack(">I", len(text)) + text)
"""
HARMS = {
    # The channel is closed, and the process may or may not have ended of that when the grader looks.
    "three bytes that state to be 16 GB": Attack(
        OVERSTATED,
        found="size is not the one it states",
        reason="It (stopped answering|ended by itself).",
        points=KILLED,
    ),
    "fork bomb": Attack(
        """
import os, time
try:
    while True:
        if os.fork() == 0:
            time.sleep(1000)
except OSError:
    time.sleep(30)
        """,
        reason="It took more than 1.5 GiB of memory.",
        points=KILLED,
    ),
    "takes all memory": Attack(
        """
try:
    heap = [bytearray(2**28) for _ in range(1000)]
    print("GOT IN")
except MemoryError:
    print("MemoryError")
        """,
        said="MemoryError",
    ),
    "takes all memory, in shares": Attack(
        """
import mmap, os, time
shared = mmap.mmap(-1, 2**33)
for start in range(0, 2**33, 2**20):
    shared[start : start + 2**20] = b"x" * 2**20
        """,
        said="PermissionError",
    ),
    "fills the disk": Attack(
        """
for name in ("a", "b", "c", "/dev/shm/d"):
    try:
        with open(name, "wb") as file:
            for _ in range(1000):
                file.write(bytes(2**20))
        print("GOT IN")
    except OSError as error:
        print(error.strerror)
        """,
        said="No space left on device",
    ),
    "sleeps for ever": Attack("import time\ntime.sleep(10**6)", said="The time for this is over."),
    "sleeps for ever and does not hear": Attack(
        """
import time
while True:
    try:
        time.sleep(10**6)
    except BaseException:
        pass
        """,
        reason="It stopped answering.",
        points=KILLED,
    ),
    "floods the output": Attack('for _ in range(10**5): print("x" * 1000)\n"x" * 10**8', said="more output was cut"),
    "floods the stream of errors": Attack(
        "import os\nfor _ in range(2000): os.write(2, b'x' * 1000)\nprint('done')", said="done"
    ),
    "os._exit": Attack("import os\nos._exit(0)", reason="It ended by itself.", points=KILLED),
    "crashes": Attack("import ctypes\nctypes.string_at(0)", reason="It ended by itself.", points=KILLED),
    "kills all": Attack(
        "import os\nos.kill(1, 9)\nos.kill(os.getpid(), 9)", reason="It ended by itself.", points=KILLED
    ),
    "raises what is no ordinary exception": Attack(
        """
class Odd(BaseException):
    def __str__(self):
        raise SystemExit
    __repr__ = __getattribute__ = __str__
def make_alpha_bar(T):
    raise Odd
raise Odd
        """,
        found="✗ make_alpha_bar: no answer. an error that cannot say what it is",
    ),
    "exit": Attack(
        "import sys\ndef make_alpha_bar(T): sys.exit()\nexit()\nsys.exit(0)",
        found="✗ make_alpha_bar: no answer. SystemExit",
    ),
}

BUFFERS = """
import os, socket
kept = []
for _ in range(40):
    if os.fork() == 0:
        while True:
            try:
                pair = socket.socketpair()
                kept.append(pair)
                for end in pair:
                    end.setblocking(False)
                    while True:
                        end.send(b"x" * 2**16)
            except BlockingIOError:
                pass
            except OSError:
                import time
                time.sleep(600)
import time
time.sleep(60)
"""
# What was thought of when the package had become public: each states what it gets.
MORE = {
    "takes its functions from the checks": Attack(
        """
try:
    from diffusion_course.check.homework.noising import make_alpha_bar as theirs
    make_alpha_bar = theirs.reference
except ImportError as error:
    print(type(error).__name__)
        """,
        said="ModuleNotFoundError",
        found="✗ make_alpha_bar",
    ),
    "asks a check for its solution": Attack(
        """
try:
    make_alpha_bar = check.make_alpha_bar.reference
except AttributeError as error:
    print(type(error).__name__)
        """,
        said="AttributeError",
        found="✗ make_alpha_bar",
    ),
    "answers with the schedule of the lessons": Attack(
        """
from diffusion_course.scalar import alpha_bar, linear_beta
def make_alpha_bar(T):
    return alpha_bar(linear_beta(T, 0.1 / T, 12 / T))
        """,
        found="diffusion_course.scalar.linear_beta may not be used here",
    ),
    "borrows from files that the notebook does not import": Attack(
        """
import sys
for name in ("schedule", "forward", "models"):
    __import__("diffusion_course." + name)
def make_alpha_bar(T):
    return torch.from_numpy(sys.modules["diffusion_course.schedule"].linear(T, 0.1 / T, 12 / T).alpha_bar).float()
        """,
        found="diffusion_course.schedule.linear may not be used here",
    ),
    "takes an exact denoiser for its network": Attack(
        """
from diffusion_course.denoisers import IdealDenoiser
try:
    model = IdealDenoiser(torch.zeros(5, 2), None)
except RuntimeError as error:
    print(error)
        """,
        said="diffusion_course.denoisers.IdealDenoiser may not be used here",
    ),
    "looks for compiled files of what is hidden": Attack(
        """
import glob, os, diffusion_course
root = os.path.dirname(diffusion_course.__file__)
found = glob.glob(root + "/**/*.pyc", recursive=True) + glob.glob(root + "/**/parts*", recursive=True)
print("GOT IN" if found else "nothing", found)
        """,
        said="nothing []",
    ),
    "writes over the package": Attack(
        """
import diffusion_course.plots as plots
try:
    open(plots.__file__, "a")
    print("GOT IN")
except OSError:
    print("refused")
        """,
        said="refused",
    ),
    "puts modules of its own beside the notebook": Attack(
        """
for name in ("numpy", "nbgrader", "jupyter_client", "diffusion_course"):
    open(name + ".py", "w").write("print('GOT IN')")
print("written")
        """,
        said="written",
        found="✗ make_alpha_bar",
    ),
    "puts one in the place of a module of the library": Attack(
        """
open("this.py", "w").write("print('GOT IN')")
import this
        """,
        said="Beautiful is better than ugly.",
    ),
    "forges the count of its training": Attack(
        """
from diffusion_course.homework.inside import training
training.of = lambda model: {"weights": 10**6, "steps": 10**6, "moved": 1.0}
make_alpha_bar.steps = 10**6
        """,
        found="✗ make_alpha_bar",
    ),
    "returns text of numbers": Attack(
        "def make_alpha_bar(T): return [str(1 - t / T) for t in range(T + 1)]", found="✗ make_alpha_bar"
    ),
    "returns lists in lists without end": Attack(
        """
def make_alpha_bar(T):
    nested = []
    for _ in range(10**5):
        nested = [nested]
    return nested
        """,
        found="✗ make_alpha_bar: no answer.",
    ),
    "answers another question each time": Attack(
        """
import random
def make_alpha_bar(T):
    return torch.rand(T + 1) * random.choice([1, float("nan"), float("inf")])
        """,
        found="✗ make_alpha_bar",
    ),
    "refuses the alarm": Attack(
        """
import signal, time
signal.signal(signal.SIGALRM, signal.SIG_IGN)
signal.signal = lambda *_: None
def make_alpha_bar(T): time.sleep(10**6)
        """,
        found="✗ make_alpha_bar: no answer. There was no answer within",
        reason="It stopped answering.",
        points=KILLED,
    ),
    "closes the channel": Attack(
        "import os\nos.closerange(3, 100)", reason="It (stopped answering|ended by itself).", points=KILLED
    ),
    "returns complex numbers": Attack(
        "def make_alpha_bar(T): return torch.ones(T + 1) * 1j", found="The answer was an array of complex64"
    ),
    "raises the buffers of its sockets": Attack(
        """
import socket
try:
    for end in socket.socketpair():
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**28)
    print("GOT IN")
except OSError as error:
    print(type(error).__name__)
        """,
        said="PermissionError",
    ),
    "keeps memory in semaphores": Attack(
        "import ctypes\nprint(ctypes.CDLL(None).semget(0, 32000, 0o1600))", said="-1"
    ),
    "fills sockets of forty processes": Attack(
        BUFFERS, reason="It took more than 1.5 GiB of memory.", points=KILLED
    ),
}
