"""The quality table: judged right at both ends, the same again, in a file that may stop anywhere."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from diffusion_course import schedule
from diffusion_course.base import files
from diffusion_course.models import SpiralMLP
from diffusion_course.run import quality, timing

PATH = Path(__file__).parent.parent / "benchmarks" / "quality_vs_nfe.py"
SPEC = importlib.util.spec_from_file_location("quality_vs_nfe", PATH)
benchmark = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(benchmark)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(quality, "SIZES", dict.fromkeys(quality.SIZES, 50))


@pytest.mark.parametrize("dataset", quality.SIZES)
def test_real_data_score_far_below_noise(dataset):
    low, high = (quality.measure(dataset, sampler) for sampler in (quality.REAL, quality.NOISE))
    assert low.evaluations == high.evaluations == 0
    assert low.score < 0.5 * high.score


def test_a_row_is_the_same_again_and_another_with_another_seed():
    first, again, other = (quality.measure("spiral", "DDPM", 4, seed) for seed in (0, 0, 1))
    assert first == again
    assert first.score != other.score


HEADER = "dataset,sampler,evaluations,seed,score,second\n"
ROWS = (
    "spiral,pure noise,0,0,0.3,0.1\nspiral,real data,0,0,0.1,0.04\n"
    "spiral,Heun,3,0,0.8,0.6\nspiral,Heun,3,1,0.6,0.4\nspiral,DDPM,1000,0,0.4,0.4\n"
)


@pytest.fixture
def cells(tmp_path):
    (tmp_path / "q.csv").write_text(HEADER + ROWS)
    return quality.table(tmp_path / "q.csv")


def test_a_sampler_that_is_no_label_is_refused_with_those():
    with pytest.raises(ValueError, match=r"'DDIM' or .* not 'ddim'"):
        quality.measure("spiral", "ddim", 10)


def test_table_gathers_seeds_and_the_figure_tells_them(cells):
    np.testing.assert_allclose(cells["spiral", "Heun", 3], [[0.8, 0.6], [0.6, 0.4]])
    figure = quality.figure(cells)
    told = "spiral: pure noise 0.3, real data 0.1, DDPM 0.4 at 1000 to 0.4 at 1000, Heun 0.7 at 3"
    assert told in figure.alt and figure.png().startswith(b"\x89PNG")


def test_the_table_that_ships_has_every_row_of_the_benchmark():
    rows = quality.table()
    for dataset, sampler, n, _ in benchmark.jobs(quality.SIZES):
        assert (dataset, sampler, benchmark.evaluated(sampler, n)) in rows


def test_a_row_that_was_cut_off_is_removed_and_measured_again(tmp_path):
    file = tmp_path / "q.csv"
    file.write_text(HEADER + ROWS + "spiral,Heun,7,0,0.1")
    assert ("spiral", "Heun", 7, 0) not in benchmark.done(file)
    assert ("spiral", "Heun", 3, 1) in benchmark.done(file)
    assert file.read_text() == HEADER + ROWS
    assert benchmark.done(tmp_path / "none.csv") == set()


def test_every_job_is_done_once_and_only_for_students_that_ship():
    jobs = list(benchmark.jobs(quality.SIZES))
    assert len(jobs) == len(set(jobs))
    students = {dataset for dataset, sampler, _, _ in jobs if sampler == "student"}
    assert students == {name for name in quality.SIZES if files.ships(f"{name}-student.safetensors")}


def test_spread_of_one_seed_is_none():
    assert quality.spread_of(np.array([3.0])) == 0
    assert quality.spread_of(np.array([1.0, 3.0])) == pytest.approx(2**0.5)


# ---- seconds -------------------------------------------------------------------------------------


def test_seconds_are_those_of_one_sample(monkeypatch):
    """With a clock that every call of the network advances by 1 s."""
    now = [0.0]
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])

    class Slow(SpiralMLP):
        def forward(self, xt, t, cond=None):
            now[0] += 1
            return super().forward(xt, t, cond)

    assert timing.seconds(Slow(schedule.cosine()), (2,), batch=4) == 0.25


def test_without_a_compiler_the_reason_is_told(monkeypatch):
    def broken(function):
        def call(*_):
            raise RuntimeError("no C++ compiler here\nand a long tail")

        return call

    monkeypatch.setattr(timing.torch, "compile", broken)
    fast, told = timing.compiled(SpiralMLP(schedule.cosine()))
    assert fast is None and told == "RuntimeError: no C++ compiler here"
