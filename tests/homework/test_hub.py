"""The homework on a JupyterHub, as the teacher's page has it: given out, fetched, worked on, handed in, given back."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import hub
import nbformat
import pytest

from diffusion_course.homework.grading import local
from diffusion_course.homework.prepare import make as prepare

pytest.importorskip("jupyterhub")
PAGE = prepare.shipped().with_name("LARGE.md").read_text(encoding="utf-8")
COMMANDS, FILES = (re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S) for kind in ("sh", "python"))
ROOT = Path(prepare.shipped()).parents[2]


@pytest.fixture
def place():
    """A folder that every account may read, in the place of /srv/hub."""
    folder = Path(tempfile.mkdtemp(prefix="hub-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def people(place):
    with hub.Accounts(place, "teacher", "ada", "alan") as accounts:
        yield accounts


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def worked_on(notebook, name, parts):
    """The student's notebook with an id and these cells filled in."""
    answers = {cell.id: cell.source for cell in local.source_cells()}
    for cell in notebook.cells:
        if cell.id == "student-id":
            cell.source = re.sub('"[^"]*"', f'"{name}"', cell.source, count=1)
        elif cell.id in parts:
            cell.source = answers[cell.id]
    return notebook


@pytest.mark.long
@pytest.mark.skipif(bool(hub.missing()), reason=hub.missing())
def test_the_round_trip_word_for_word(place, walled, people):
    make_folders, start, *commands = (each.replace("/srv/hub", str(place)) for each in COMMANDS)
    address, *inner = (free_address() for _ in range(3))
    subprocess.run(["bash", "-euc", make_folders], check=True)
    for name, text in zip(("nbgrader_config.py", "jupyterhub_config.py"), FILES, strict=True):
        (place / name).write_text(text.replace("/srv/hub", str(place)).replace("http://127.0.0.1:8000", address))
    with open(place / "jupyterhub_config.py", "a") as file:
        file.write(f"c.JupyterHub.hub_bind_url, c.ConfigurableHTTPProxy.api_url = {inner}\n")
        file.write("c.JupyterHub.pid_file = 'hub.pid'\nc.Spawner.start_timeout = c.Spawner.http_timeout = 300\n")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    server = hub.opened(["bash", "-euc", start], sys.base_prefix, sys.prefix, ROOT)
    with hub.Hub(server, place, address, environment):
        round_trip(people, address, *commands)


def round_trip(people, address, init, release, collect, give_back):
    teacher, ada, alan = (hub.Browser(address, people[each], people.passwords[each]) for each in people.names)
    teacher.shell(init)
    rows = "".join(f"{people[each]},{each},L\n" for each in ("ada", "alan"))
    teacher.shell(f"printf 'id,first_name,last_name\n{rows}' > spiral-2026/roster.csv")
    teacher.shell(release)
    for student, parts in ((ada, ["imports", "make-alpha-bar", "clock", "add-noise"]), (alan, [])):
        fetched = student.call("assignments/fetch", {"course_id": "spiral", "assignment_id": "spiral"})
        assert [each["status"] for each in fetched["value"]] == ["fetched"]
        work = nbformat.from_dict(student.call("api/contents/spiral/spiral.ipynb")["content"])
        body = {"type": "notebook", "format": "json", "content": worked_on(work, student.name, parts)}
        student.call("api/contents/spiral/spiral.ipynb", body, "PUT")
        assert student.run("import diffusion_course, os; print(os.path.expanduser('~'))").strip().endswith(student.name)
        handed_in = student.call("assignments/submit", {"course_id": "spiral", "assignment_id": "spiral"})
        assert "submitted" in [each["status"] for each in handed_in["value"]]
    told = teacher.shell(collect)
    assert "2 looked at now, 2 under submitted/, 2 students." in told
    teacher.shell(give_back)
    pages = {}
    for student in (ada, alan):
        student.call("assignments/fetch_feedback", {"course_id": "spiral", "assignment_id": "spiral"})
        pages[student] = student.shell("cat spiral/feedback/*/spiral.html")
        assert student.name in pages[student] and "of 12" in pages[student]
    assert "✓" in pages[ada] and pages[ada].count("✓") > pages[alan].count("✓")
    assert "Permission denied" in alan.run(f"open('../{ada.name}/spiral/spiral.ipynb')")
