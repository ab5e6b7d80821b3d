"""How a training step is computed: nothing read back, number formats, threads, wrapped networks."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_training import (
    CASES,
    COSINE,
    POINTS,
    Affine,
    forced,
    fresh,
    generator,
    losses,
    pictures,
    pictures_network,
    run,
)
from torch import nn

from diffusion_course import forward, models, samplers, training
from diffusion_course.machine import hardware

ON_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


# ---- on the device -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "weight"), [*((case, None) for case in CASES), ("points", "v"), ("points", torch.linspace(0, 1, 101))]
)
def test_the_loss_compiles_whole_and_agrees(case, weight):
    torch._dynamo.reset()
    make, x0, cond, _ = CASES[case]
    model, clean = make(), torch.as_tensor(x0[:16])
    t, eps = training.spread_times(16, 100, generator()), forward.randn_like(clean, generator())
    batch = clean, t, eps, None if cond is None else model.check_cond(cond[:16]), weight
    compiled = torch.compile(training.loss, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(model, *batch), training.loss(model, *batch), rtol=0, atol=1e-6)


@ON_GPU
@pytest.mark.parametrize("case", CASES)
def test_on_a_gpu_no_step_makes_the_host_wait(case, monkeypatch):
    """Fifty plain steps after the first, and a sampler."""
    make, x0, cond, weight = CASES[case]
    monkeypatch.setattr(training, "stepper", lambda step, run: step)
    records = run(make().cuda(), x0, cond, weight=weight, steps=49 + training.CHECK_EVERY)
    next(records)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(training.CHECK_EVERY - 2):
            record = next(records)
        xT = torch.zeros(8, *x0.shape[1:], device="cuda")
        list(zip(range(20), samplers.ddim(record.ema, COSINE, xT, steps=20), strict=False))
    finally:
        torch.cuda.set_sync_debug_mode("default")


@ON_GPU
@pytest.mark.parametrize("case", CASES)
def test_on_a_gpu_the_captured_step_is_the_plain_one(case, monkeypatch):
    make, x0, cond, weight = CASES[case]
    captured = list(run(make().cuda(), x0, cond, weight=weight, steps=100))
    monkeypatch.setattr(training, "stepper", lambda step, run: step)
    plain = losses(run(make().cuda(), x0, cond, weight=weight, steps=100))
    np.testing.assert_allclose(losses(captured), plain, rtol=1e-3)
    resumed = run(make().cuda(), x0, cond, weight=weight, steps=100, resume=captured[-1].run.state())
    assert list(resumed) == []


# ---- the machine ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_learns_as_well(dtype, monkeypatch):
    """Losses beside those of float32; weights and average stay float32, gradients of float16 are scaled up."""
    forced(monkeypatch, dtype=torch.float32)
    exact = losses(run(pictures_network(), pictures(), steps=10, batch=8, weight="v"))
    forced(monkeypatch, dtype=dtype)
    *first, record = run(pictures_network(), pictures(), steps=10, batch=8, weight="v")
    assert losses([*first, record]) == pytest.approx(exact, rel=0.1) and losses(first) != exact[:-1]
    assert {weight.dtype for weight in record.ema.parameters()} == {torch.float32}
    scale = record.run.state().about["scaler"].get("scale")
    assert scale == (2**16 if dtype == torch.float16 else None)


def test_gradients_that_overflow_float16_are_left_out_and_the_scale_falls(monkeypatch):
    forced(monkeypatch, dtype=torch.float16)
    model = Affine()
    records = run(model, x0=5 * POINTS, steps=3)
    next(records).run.scaler._scale.fill_(2.0**127)
    before = model.weight.item()
    record = next(records)
    assert model.weight.item() == before and record.run.state().about["scaler"]["scale"] == 2.0**126
    assert record.loss.isfinite()


def test_threads_are_given_back_between_steps_and_after():
    before = torch.get_num_threads()
    inside = []
    model = fresh()
    model.register_forward_hook(lambda *_: inside.append(torch.get_num_threads()))
    records = run(model)
    assert next(records).machine == "cpu, 1 thread, float32"
    assert torch.get_num_threads() == before
    records.close()
    assert torch.get_num_threads() == before and inside == [1]


CARDS = {  # multiplies bfloat16 itself, compute capability: the format of pictures
    "H100": (True, (9, 0), torch.bfloat16),
    "T4": (False, (7, 5), torch.float16),
    "P100": (False, (6, 0), torch.float32),
}


@pytest.mark.parametrize("card", CARDS)
def test_pictures_are_computed_in_the_format_that_the_card_multiplies(card, monkeypatch):
    native, capability, expected = CARDS[card]
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native or including_emulation)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    pictures_there, points_there = (
        SimpleNamespace(device=torch.device("cuda"), dtype=torch.float32, ndim=ndim) for ndim in (4, 2)
    )
    chosen = hardware.choose_machine(pictures_there)
    assert (chosen.dtype, chosen.layout, chosen.most) == (expected, torch.channels_last, 1)
    assert hardware.choose_machine(points_there).dtype == torch.float32
    exact = SimpleNamespace(device=torch.device("cuda"), dtype=torch.float64, ndim=4)
    assert hardware.choose_machine(exact).dtype == torch.float64


@pytest.mark.parametrize("supported", [True, False])
def test_a_cpu_that_multiplies_bfloat16_uses_it(supported, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: supported, raising=False)
    expected = torch.bfloat16 if supported else torch.float32
    assert hardware.choose_machine(torch.zeros(1, 3, 16, 16)).dtype == expected


def test_pictures_may_use_every_thread():
    chosen = training.choose_machine(torch.zeros(1, 3, 16, 16))
    assert chosen.most == torch.get_num_threads()
    assert chosen.layout == torch.contiguous_format


# ---- wrapped networks ----------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [nn.DataParallel, lambda model: torch.compile(model, backend="eager")])
def test_a_wrapped_network_trains_and_is_put_away_as_the_network_itself(wrap):
    torch._dynamo.reset()
    device = hardware.choose_device()  # to which nn.DataParallel takes a network
    plain, wrapped = (list(run(model.to(device), steps=3)) for model in (fresh(), wrap(fresh())))
    assert losses(wrapped) == pytest.approx(losses(plain), rel=1e-5)
    assert type(wrapped[-1].ema) is models.SpiralMLP
    assert wrapped[-1].run.state().tensors.keys() == plain[-1].run.state().tensors.keys()
