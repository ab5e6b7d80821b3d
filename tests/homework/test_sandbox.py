"""Each wall and each limit, tried from inside; and that a sandbox which cannot start is an error."""

import ast
import os
import platform
import socket
import subprocess
import sys
import time
from collections import deque
from importlib.util import find_spec
from pathlib import Path

import psutil
import pyseccomp
import pytest

import diffusion_course
from diffusion_course.homework.report import uses
from diffusion_course.homework.sandbox import sandbox, syscalls, walls

MB = 2**20
PACKAGE = Path(diffusion_course.__file__).parent


# walls


def test_there_is_no_network(inside):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.3)
        port = listener.getsockname()[1]
        said = inside.run(f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=5)")
        assert said.endswith("OSError")
        with pytest.raises(TimeoutError):
            listener.accept()
    assert inside.run("print([line.split(':')[0].strip() for line in open('/proc/net/dev')][2:])") == "['lo']\n"


def test_only_unix_sockets_can_be_made(inside):
    families = ("AF_INET", "AF_INET6", "AF_VSOCK", "AF_NETLINK", "AF_ALG")
    for family in (family for family in families if hasattr(socket, family)):
        assert inside.run(f"import socket\nsocket.socket(socket.{family})").endswith("OSError"), family
    assert inside.run("import socket\npair = socket.socketpair()") == ""


def test_nothing_is_writable_but_the_home(inside):
    mounts = [line.split() for line in inside.run("print(open('/proc/self/mountinfo').read())").splitlines() if line]
    writable = {mount[4] for mount in mounts if "rw" in mount[5].split(",")}
    assert writable == {"/tmp", "/proc", *walls.DEVICES}
    assert inside.run("open('/x', 'w')").endswith("OSError")
    assert inside.run("open('kept', 'w').write('x'); import os; print(os.getcwd(), os.listdir('/dev/shm'))").startswith(
        walls.HOME
    )


def test_of_the_course_only_the_package_without_its_grader_is_seen(inside, tmp_path):
    (tmp_path / "gradebook.db").write_text("points")
    seen = "import os\nprint(sorted(os.listdir({!r})))"
    for folder in ("homework", "homework/inside", "check", "check/homework"):
        shown = {name.removeprefix(f"{folder}/").split("/")[0] for name in walls.SHOWN if name.startswith(f"{folder}/")}
        assert inside.run(seen.format(str(PACKAGE / folder))) == f"{sorted(shown)}\n"
    assert inside.run(f"import glob\nprint(glob.glob({str(PACKAGE)!r} + '/**/*.pyc', recursive=True))") == "[]\n"
    for hidden in ("notebooks", "tests", "benchmarks", ".git", "data", "pyproject.toml"):
        assert inside.run(f"import os\nprint(os.path.exists({str(PACKAGE.parent / hidden)!r}))") == "False\n"
    assert inside.run(seen.format(str(tmp_path))).endswith("FileNotFoundError")
    assert inside.run("import os\nprint(os.listdir(os.path.expanduser('~')), os.listdir('/etc'))").count("passwd") == 0
    assert inside.run("from diffusion_course.homework.grading import channel").endswith("ModuleNotFoundError")


def test_of_the_route_only_the_plots_are_there_however_they_are_asked_for(inside):
    """Also files that will be written: whatever is not named as allowed answers with a refusal."""
    for name in (path.stem for path in PACKAGE.glob("*.py") if path.stem not in ("__init__", "__main__", "plots")):
        inside.run(f"import sys\nimport diffusion_course\nimport diffusion_course.{name}")
        for way in (f'sys.modules["diffusion_course.{name}"]', f"diffusion_course.{name}"):
            assert inside.run(f"{way}.anything()").endswith("RuntimeError"), way
    for name in uses.MAY_USE:
        assert inside.run(f"import diffusion_course.{name}") == ""
    for name in filter(find_spec, walls.OTHERS):
        assert inside.run(f"import {name}\nprint([each for each in vars({name}) if each[0] != '_'])") == "[]\n"


def test_what_answers_the_homework_can_be_imported_and_not_used(inside):
    names = "samplers.ddpm denoisers.IdealDenoiser training.train scalar.ideal_eps unet.UNet schedule.linear"
    for name in f"{names} forward.add_noise forward.posterior models.SpiralMLP metrics.nearest data.spiral".split():
        module, function = name.split(".")
        assert inside.run(f"from diffusion_course.{module} import {function}\nprint('imported')") == "imported\n"
        assert inside.run(f"try:\n    {function}()\nexcept RuntimeError as error:\n    print(error)") == (
            f"diffusion_course.{name} may not be used here: the homework asks for your own.\n"
        )
    assert inside.run("from diffusion_course.models import time_embedding\nprint(len(time_embedding(0.0)))") == "32\n"
    for name in ("walk", "noising", "nets"):
        assert inside.run(f"from diffusion_course.check.homework import {name}").endswith("ImportError")
        assert inside.run(f"import diffusion_course.check.homework.{name}").endswith("ModuleNotFoundError")
    said = inside.run("from diffusion_course.check import homework\nhomework.sample(None)")
    assert said == "○ sample: the checks rest while a submission is graded.\n"


def test_the_environment_holds_no_secret(start, monkeypatch):
    monkeypatch.setenv("TOKEN_OF_THE_TEACHER", "secret")
    names = start().run("import os\nprint(*os.environ)").split()
    assert set(names) == {*walls.environment(walls.HOME), "PWD"}


def test_it_is_nobody_in_particular(inside):
    said = inside.run("print(open('/proc/self/status').read(), open('/proc/1/status').read())")
    status = [line.split() for line in said.splitlines() if ":" in line]
    assert {row[1] for row in status if row[0] in ("CapPrm:", "CapEff:", "CapBnd:")} == {"0" * 16}
    assert {row[1] for row in status if row[0] == "NoNewPrivs:"} == {"1"}
    assert {row[1] for row in status if row[0] == "Seccomp:"} == {"2"}  # a filter
    assert {row[1] for row in status if row[0] == "Uid:"}.isdisjoint({"0"})


def test_it_sees_no_process_of_the_grader(inside):
    assert inside.run("import os\nprint([int(name) for name in os.listdir('/proc') if name.isdigit()])") == "[1, 2]\n"


def test_system_calls_around_the_walls_are_refused(inside):
    assert inside.run("import os\nos.memfd_create('x')").endswith("PermissionError")
    assert inside.run("import mmap\nmmap.mmap(-1, 4096)").endswith("PermissionError")  # which no process need show
    said = inside.run(
        """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number in CALLS:
    assert libc.syscall(number, 0, 0, 0) == -1
    print(ctypes.get_errno())
print("namespace", libc.unshare(0x10000000))
""".replace("CALLS", repr([pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) for name in syscalls.REFUSED]))
    )
    assert said.split() == ["1"] * len(syscalls.REFUSED) + ["namespace", "-1"]


def test_no_buffer_of_the_system_can_be_made_larger(inside):
    for option in ("SO_SNDBUF", "SO_RCVBUF"):
        said = inside.run(
            f"import socket\nfor s in socket.socketpair():\n    s.setsockopt(socket.SOL_SOCKET, socket.{option}, 2**20)"
        )
        assert said.endswith("PermissionError"), option
    assert inside.run("import fcntl, os\nfcntl.fcntl(os.pipe()[0], 1031, 2**20)").endswith("PermissionError")
    assert inside.run("import socket\na, b = socket.socketpair()\na.setsockopt(1, socket.SO_REUSEADDR, 1)") == ""


@pytest.mark.long
def test_sandboxes_have_users_of_their_own(start):
    if not walls._is_root():
        pytest.skip("only root can become another user")
    users = [start().run("import os\nprint(os.getuid())") for _ in range(2)]
    assert users[0] != users[1]


# limits


@pytest.mark.long
def test_a_fork_bomb_stays_small_and_leaves_its_neighbour_alone(start):
    bomb = """
import os, time
made = 0
try:
    while made < 1000:
        if os.fork() == 0:
            time.sleep(600)
        made += 1
except OSError:
    print(made)
"""
    first, second = start(), start()
    assert 10 < int(first.run(bomb)) < walls.Limits.processes
    assert (
        second.run("import subprocess\nprint(subprocess.run(['echo', 'well'], capture_output=True, text=True).stdout)")
        == "well\n\n"
    )
    assert first.run("print('and it lives')") == "and it lives\n"


@pytest.mark.long
def test_files_and_memory_end_somewhere_and_the_notebook_goes_on(start):
    small = start(limits=walls.Limits(memory=600 * MB, files=8 * MB))
    assert small.run("open('big', 'wb').write(b'x' * 2**24)").endswith("OSError")
    assert small.run("import os\nprint(os.stat('big').st_size <= 2**23)\nos.unlink('big')") == "True\n"
    assert small.run("x = bytearray(2**30)").endswith("MemoryError")
    assert small.run("print('on')") == "on\n"
    assert small.sandbox.reason is None


@pytest.mark.long
@pytest.mark.parametrize(
    "limits, cell, reason",
    [
        ({"cpu": 3}, "import os\nfor _ in range(3): os.fork()\nwhile True: pass", "CPU time"),
        ({"wall": 3}, "import time\ntime.sleep(600)", "longer"),
    ],
    ids=["processor", "time"],
)
def test_what_takes_more_than_its_share_is_ended_with_a_reason(start, limits, cell, reason):
    greedy = start(limits=walls.Limits(**limits))
    with pytest.raises((EOFError, ConnectionError)):
        greedy.run(cell, seconds=120)
    assert reason in greedy.sandbox.reason


@pytest.mark.long
def test_children_that_nobody_waits_for_are_counted(start):
    parent = start()
    parent.run("""
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(4):
    if os.fork() == 0:
        while time.process_time() < 1.5: pass
        os._exit(0)
os.wait()  # an error, when all have ended
""")
    time.sleep(0.5)
    assert parent.sandbox.cpu > 3.5


def test_nothing_stays_behind(start):
    left = start()
    left.run("import subprocess\nsubprocess.Popen(['sleep', '600'], start_new_session=True)")
    processes = left.sandbox._tree()
    assert any(process.name() == "sleep" for process in processes)
    left.sandbox.close()
    assert not any(map(_runs, processes))


def test_nothing_outlives_a_grader_that_is_killed(walled):
    script = """
from diffusion_course.homework.sandbox.sandbox import Sandbox
with Sandbox() as sandbox:
    print(*[process.pid for process in sandbox._tree()], flush=True)
    input()
"""
    grader = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with grader:
        processes = [psutil.Process(int(number)) for number in grader.stdout.readline().split()]
        grader.kill()
    end = time.monotonic() + 10
    while any(map(_runs, processes)) and time.monotonic() < end:
        time.sleep(0.05)
    assert len(processes) > 2 and not any(map(_runs, processes))


def _runs(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_floods_past_the_cells_reach_nobody(inside):
    assert inside.run("import os\nfor _ in range(50): os.write(1, b'x' * 2**20)\nprint('done')") == "done\n"


ORDINARY = {
    "await": "import asyncio\nawait asyncio.sleep(0)\nprint('yes')",
    "shell": "!echo yes",
    "shell to a name": "said = !echo yes\nprint(said[0])",
    "bash": "%%bash\necho yes",
    "module": "%%writefile mine.py\nsaid = 'yes'\n",
    "imported": "import mine\nprint(mine.said)",
    "matplotlib": "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1])\nprint('yes')",
    "clear": "from IPython.display import clear_output\nprint('no')\nclear_output(wait=True)\nprint('yes')",
    "progress": "from tqdm.notebook import tqdm\nprint(*[x for x in tqdm(['yes'])])",
    "pool": "import multiprocessing\nwith multiprocessing.Pool(2) as pool: print(pool.map(str.lower, ['YES'])[0])",
    "compiled": "import torch\ntorch.compile(lambda x: x.sin() + 1)(torch.ones(3))\nprint('yes')",
    "threads": "import torch\ntorch.set_num_threads(80)\ntorch.ones(4_000_000).exp()\nprint('yes')",
    "widget": "import ipywidgets\nslider = ipywidgets.IntSlider(3)\ndisplay(slider)\nprint('yes')",
}


def test_ordinary_notebooks_run(inside):
    for name, cell in ORDINARY.items():
        said = inside.run(cell)
        assert "yes" in said.splitlines() or said == "Writing mine.py\n", (name, said)
    assert inside.run("exit").endswith("SystemExit")
    assert inside.run("input()").endswith("EOFError")


def test_a_cell_has_time_until_it_is_interrupted(inside):
    assert inside.run("while True: pass", seconds=0.5).endswith("TooSlow")
    assert inside.run("import time\ntry:\n    time.sleep(600)\nexcept Exception:\n    pass", seconds=0.5).endswith(
        "TooSlow"
    )
    assert inside.run("print('next')") == "next\n"


@pytest.mark.parametrize(("running", "may_take"), [(1, 10), (2, 10), (8, 40), (500, 100)])
def test_a_busy_machine_has_longer_limits(monkeypatch, tmp_path, running, may_take):
    monkeypatch.setattr(os, "getloadavg", lambda: (900, 0, 0))  # who waits for a disk or a child
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    for name in ("PRESSURE", "STAT"):
        monkeypatch.setattr(walls, name, tmp_path / name)
    monkeypatch.setattr(walls, "_looks", deque([0, 2 * running]))
    walls.STAT.write_text(f"ctxt 7\nprocs_running {running + 1}\n")
    assert walls.stretched(10) == may_take
    for waits, limit in ((60, may_take), (2, 10)):
        walls.PRESSURE.write_text(f"some avg10=1.00 avg60={waits:.2f} avg300=0.00\nfull avg60=90.00\n")
        assert walls.stretched(10) == limit


# start


def test_without_bubblewrap_the_error_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(platform, "machine", lambda: "arm64")  # as macOS calls it
    with pytest.raises(walls.SandboxError, match=r"apt-get install bubblewrap.*macOS.*--unsafe"):
        sandbox.Sandbox()


def _fake(tmp_path, monkeypatch, version, says):
    program = tmp_path / "bwrap"
    program.write_text(f"#!/bin/sh\n[ $1 = --version ] && echo bubblewrap {version} && exit\necho {says} >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def test_where_systemd_rules_each_sandbox_has_a_control_group(start, monkeypatch, tmp_path):
    program = tmp_path / "systemd-run"
    skips = "while [ $1 != env ] && [ $1 != true ]; do shift; done"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n{skips}\nexec "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    walls.group.cache_clear()
    try:
        within = start(limits=walls.Limits(memory=2**31, processes=50))
        assert within.run("import os\nprint('TOKEN' in os.environ)") == "False\n"
    finally:
        walls.group.cache_clear()
    assert "--property=MemoryMax=2147483648 --property=MemorySwapMax=0 --property=TasksMax=100 env -i" in (
        tmp_path / "asked"
    ).read_text()


def test_an_old_bubblewrap_is_a_missing_one(monkeypatch, tmp_path):
    _fake(tmp_path, monkeypatch, "0.6.1", "old")
    with pytest.raises(walls.SandboxError, match=r"0\.8"):
        sandbox.Sandbox()


def test_a_sandbox_that_does_not_start_is_an_error_with_its_words(monkeypatch, tmp_path):
    _fake(tmp_path, monkeypatch, "0.9.0", "setting up uid map: Permission denied")
    with pytest.raises(walls.SandboxError, match=r"nothing was graded.*uid map: Permission denied"):
        sandbox.Sandbox()


def test_a_course_directory_in_sight_is_refused():
    with pytest.raises(walls.SandboxError, match="Move it"):
        walls.view(walls.Limits(), secret=sys.prefix)


def test_a_python_behind_links_is_seen(monkeypatch, tmp_path):
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for name in ("real", "home"):
        (tmp_path / name / "bin").mkdir(parents=True)
    (tmp_path / "real/lib" / version).mkdir(parents=True)
    (tmp_path / "real/bin/python").touch()
    (tmp_path / "alias").symlink_to("real")
    (tmp_path / "home/bin/python").symlink_to("../../alias/bin/python")
    (tmp_path / "python").symlink_to(tmp_path / "home/bin/python")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    prefixes = walls._prefixes()
    assert str(tmp_path / "alias") in prefixes
    assert str(tmp_path / "home") not in prefixes  # no Python lives there: it is somebody's home


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_cannot_be_watched_is_ended(start, monkeypatch):
    unseen = start()
    monkeypatch.setattr(unseen.sandbox, "_usage", lambda: 1 / 0)
    unseen.sandbox._watcher.join(5)
    assert unseen.sandbox.reason == "It could not be watched."


def test_unsafe_takes_the_same_way_without_walls(start):
    assert start(unsafe=True).run("print(6 * 7)") == "42\n"


@pytest.mark.parametrize("shown", [name for name in walls.SHOWN if name.endswith(".py")])
def test_what_a_submission_sees_imports_only_what_it_sees(shown):
    """Or what is withheld, which is every other file at the top."""
    seen = {*walls.SHOWN, *(path.name for path in walls.PACKAGE.glob("*.py"))}
    path = walls.PACKAGE / shown
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parents[node.level - 1]
            names = [node.module.replace(".", "/")] if node.module else [alias.name for alias in node.names]
            for name in names:
                found = [folder / f"{name}.py", folder / name / "__init__.py", folder / "__init__.py"]
                assert next(each for each in found if each.exists()).relative_to(walls.PACKAGE).as_posix() in seen
