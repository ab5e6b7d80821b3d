"""Quality against evaluations: counted honestly, judged right at both ends, in a file that may stop anywhere."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from diffusion_course import schedule, shipped
from diffusion_course.models import SpiralMLP
from diffusion_course.run import quality, timing

PATH = Path(__file__).parent.parent / "benchmarks" / "quality_vs_nfe.py"
SPEC = importlib.util.spec_from_file_location("quality_vs_nfe", PATH)
benchmark = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(benchmark)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(quality, "SIZES", {"spiral": 50, "faces": 50, "fashion": 50})


@pytest.mark.parametrize("sampler", [name for name in quality.SAMPLERS if name != quality.STUDENT])
@pytest.mark.parametrize("n", [1, 2, 4, 10])
def test_evaluations_are_counted_and_never_more_than_asked(sampler, n):
    x, count = quality.walk("spiral", sampler, n, quality.static("spiral", 0))
    assert x.shape == (50, 2)
    assert count == benchmark.evaluated(sampler, n) <= n


def test_real_data_score_far_below_static_on_every_set():
    for dataset in quality.SIZES:
        low, high = (quality.measure(dataset, sampler) for sampler in (quality.REAL, quality.STATIC))
        assert low.evaluations == high.evaluations == 0
        assert low.score < 0.5 * high.score
    assert quality.measure("spiral", quality.REAL).score < 1e-6


def test_a_row_is_the_same_again_and_another_with_another_seed():
    first, again, other = (quality.measure("spiral", "DDPM", 4, seed) for seed in (0, 0, 1))
    assert first == again
    assert first.score != other.score


def test_pictures_of_another_batch_are_the_same_pictures(monkeypatch):
    xT = quality.static("faces", 0)[:3]
    whole, _ = quality.walk("faces", "DDIM", 2, xT)
    monkeypatch.setattr(quality, "BATCH", 1)
    parts, _ = quality.walk("faces", "DDIM", 2, xT)
    torch.testing.assert_close(whole, parts, atol=0.1, rtol=0)  # bfloat16, where the machine has it


# ---- the file ------------------------------------------------------------------------------------

HEADER = "dataset,sampler,evaluations,seed,score,second\n"
ROWS = "spiral,static,0,0,0.3,0.1\nspiral,real data,0,0,0,0.04\nspiral,Heun,3,0,0.8,0.6\nspiral,Heun,3,1,0.6,0.4\n"


def test_table_gathers_seeds_and_the_figure_tells_them(tmp_path):
    (tmp_path / "q.csv").write_text(HEADER + ROWS)
    cells = quality.table(tmp_path / "q.csv")
    np.testing.assert_allclose(cells["spiral", "Heun", 3], [[0.8, 0.6], [0.6, 0.4]])
    assert "spiral, Heun: 0.7 at 3" in quality.figure(cells).alt


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
    for dataset, sampler, _, _ in jobs:
        assert sampler != quality.STUDENT or f"{dataset}-student.safetensors" in shipped.SHA256
    assert {n for _, _, n, _ in jobs} == {0, 1, 2, 4, 8, 10, 20, 50, 100, 1000}


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
