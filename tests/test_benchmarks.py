"""What the benchmarks share: times in turn, slopes, and the seconds that the lessons' openings tell."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import bench
import course
import gpu
import gpu_parts
import measure


def test_calls_take_turns_and_the_first_round_does_not_count():
    seen = []
    taken = measure.in_turn({"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}, 3)
    assert "".join(seen) == "ab" + 3 * "ab"
    assert {name: len(seconds) for name, seconds in taken.items()} == {"a": 3, "b": 3}


def test_a_limit_ends_the_rounds_and_leaves_one():
    taken = measure.in_turn({"a": list}, 1000, limit=-1)
    assert len(taken["a"]) == 1


def test_the_ratio_is_that_of_the_turns_not_of_the_means():
    taken = {"ours": np.array([1.0, 1.0, 10.0]), "theirs": np.array([3.0, 3.0, 30.0])}
    assert measure.times_ours(taken, "theirs") == 3
    taken["theirs"][2] = 300.0  # one turn that something else disturbed
    assert measure.times_ours(taken, "theirs") == 3


def test_slope_is_the_power():
    x = np.array([1.0, 2.0, 4.0])
    assert measure.slope(x, 5 * x**1.7) == pytest.approx(1.7)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (1, "5 seconds"), (5, "5 seconds"), (5.1, "10 seconds"), (50, "50 seconds"), (50.1, "a minute"),
        (74, "a minute"), (76, "one and a half minutes"), (121, "two minutes"), (150, "two and a half minutes"),
    ],
)  # fmt: skip
def test_seconds_in_words(seconds, told):
    assert course.words(seconds) == told


OPENING = "**Time**: 75 minutes. All code cells together take about {} on two CPU cores{}, most of them in the race."


def test_seconds_go_into_the_opening_with_and_without_a_gpu():
    alone = course.said(OPENING.format("an age", ""), 31)
    assert alone == OPENING.format("35 seconds", "")
    both = course.said(alone, 12, gpu=True)
    assert both == OPENING.format("35 seconds", ", about 15 seconds with a GPU")
    assert course.said(both, 121) == OPENING.format("two minutes", ", about 15 seconds with a GPU")
    assert course.said(both, 3, gpu=True) == OPENING.format("35 seconds", ", about 5 seconds with a GPU")
    unlike = OPENING.format("35 seconds", "; a GPU makes no difference")
    assert course.said(unlike, 31) == unlike
    assert course.said(unlike, 12, gpu=True) == both


def test_an_opening_without_seconds_is_refused():
    with pytest.raises(ValueError, match="All code cells together"):
        course.said("Fifty minutes.", 31)


def test_quick_benchmarks_exist_and_end_within_ten_minutes():
    assert sum(bench.LIMITS.values()) <= 600
    assert all((Path(bench.__file__).with_name(f"{name}.py")).exists() for name in bench.LIMITS)


@pytest.mark.long
def test_a_class_writes_the_solution_in_ways_of_its_own(tmp_path):
    pytest.importorskip("pydantic")  # comes with the homework, which cannot be on Colab
    import class_of_300

    made = class_of_300.set_up(tmp_path / "course", 3)
    solution = class_of_300.solution(made)
    found = [class_of_300.in_one_of_the_ways(solution, np.random.default_rng(seed)) for seed in range(3)]
    assert found[0] != found[1] != found[2] and found[0].keys() == solution.keys()
    assert len(list((made.root / "submitted").glob("*.ipynb"))) == 3


# ---- gpu.py: each part a process of its own ------------------------------------------------------

ROWS = 'print(\'{"what": "a, batch 1", "number": 500, "unit": "steps/s", "goal": ["\\u2265", 400]}\', flush=True)\n'
ENDS = {  # what the process does after its row: seconds that it has, what is said
    "": (60, None),
    "import time; time.sleep(60)": (5, "left out after 5 seconds"),
    "raise SystemExit(3)": (60, "ended with 3"),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_part_that_ends_early_costs_only_its_rest(end, tmp_path, monkeypatch, capsys):
    seconds, failed = ENDS[end]
    out = tmp_path / "new" / "rows.jsonl"
    monkeypatch.setattr(gpu, "PARTS", tmp_path / "parts.py")
    gpu.PARTS.write_text(f"import sys\n{ROWS}if sys.argv[1] == 'second':\n    {end or 'pass'}\n")
    monkeypatch.setattr(gpu, "LIMITS", dict.fromkeys(("first", "second", "third"), seconds))
    gpu.measure(gpu.LIMITS, tiny=False, minutes=9, out=out)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["part"] for row in rows if row.get("number") == 500] == ["first", "second", "third"]
    told = [(row["part"], row["failed"]) for row in rows if "failed" in row]
    assert told == [] if failed is None else (len(told) == 1 and told[0][0] == "second" and failed in told[0][1])
    assert capsys.readouterr().out.count("reached") == 3


def test_parts_that_no_time_is_left_for_are_named(tmp_path, capsys):
    gpu.measure(["quality"], tiny=False, minutes=0.1, out=tmp_path / "rows.jsonl")
    assert "quality    left out: 0.1 minutes are over" in capsys.readouterr().out


def lesson(**more):
    return {"part": "lessons", "what": "x", "number": 12.0, "notebook": "x.ipynb", "gpu": True, "tiny": False, **more}


def test_seconds_measured_on_another_machine_are_written(tmp_path):
    (tmp_path / "x.ipynb").write_text(OPENING.format("35 seconds", ""), encoding="utf-8")
    gpu.write([{"part": "training", "what": "a", "number": 1}, lesson()], tmp_path)
    told = (tmp_path / "x.ipynb").read_text(encoding="utf-8")
    assert told == OPENING.format("35 seconds", ", about 15 seconds with a GPU")


@pytest.mark.parametrize("rows", [[], [lesson(), lesson(gpu=False)], [lesson(tiny=True)]])
def test_seconds_of_a_rehearsal_are_not_written(rows, tmp_path):
    with pytest.raises(ValueError, match="measure there first"):
        gpu.write(rows, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("part", ["training", "sampling", "estimate"])
def test_the_parts_run_in_the_small(part):
    """The others take longer; `gpu.py --tiny` runs all of them."""
    if part in ("training", "sampling") and find_spec("diffusers") is None:  # which is not imported with torchvision
        pytest.skip("needs diffusers")
    rows = list(gpu_parts.PARTS[part](gpu_parts.Sizes(tiny=True, until=0)))
    assert rows and all(np.isfinite(row["number"]) and json.dumps(row) for row in rows)
