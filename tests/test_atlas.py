"""Every exercise: right is right, blank is calm, each known mistake gets its own name; all 20 are there."""

import itertools
import re
import subprocess
import sys

import numpy as np
import pytest

from diffusion_course import denoisers, models, samplers, training
from diffusion_course.check import engine
from diffusion_course.check.atlas import ATLAS, exercises
from diffusion_course.check.engine import Mistake
from diffusion_course.check.learning import embed_time, train_step
from diffusion_course.check.sampling import MEAN, SCHEDULE, SPREAD, ddim_step, ddpm_step, walk

EXERCISES = exercises()
FAULTS = [pytest.param(e, f, id=f"{e.name}: {f.name}") for e in EXERCISES for f in e.faults]
each_exercise = pytest.mark.parametrize("exercise_", EXERCISES, ids=lambda e: e.name)
each_fault = pytest.mark.parametrize(("exercise_", "fault"), FAULTS)


def message(exercise_, attempt):
    with pytest.raises(Mistake) as caught:
        exercise_(attempt)
    return caught.value


def test_all_twenty_are_there():
    assert set(ATLAS) == set(range(1, 21))
    assert all(fault.atlas == number for number, pairs in ATLAS.items() for _, fault in pairs)


def test_names_are_unique():
    names = [e.name for e in EXERCISES]
    assert len(names) == len(set(names))
    for e in EXERCISES:
        assert len({f.name for f in e.faults}) == len(e.faults)


@each_fault
def test_fault_is_named(exercise_, fault):
    mistake = message(exercise_, fault.mutant)
    assert mistake.fault == fault.name
    assert str(mistake).startswith(f"{exercise_.name}: {fault.name}. ")
    symptom = str(mistake).removeprefix(f"{exercise_.name}: {fault.name}. ")
    assert len(symptom) > 15 and symptom[-1] in ".?"
    assert not re.search(r"\blambda\b|\breturn \w+ \*|\*\*|np\.(exp|sqrt|where)", symptom)  # a hint, no code


@each_fault
def test_symptom_is_measured_on_the_learners_function(exercise_, fault):
    """A text that is made from a function quotes a number, and asks that function for it."""
    if callable(fault.symptom):
        assert re.search(r"\d", fault.message(fault.mutant))
        calls = []
        fault.message(lambda *given: calls.append(given) or fault.mutant(*given))
        assert calls


@each_exercise
def test_reference_passes_and_is_finite(exercise_, capsys):
    exercise_(exercise_.reference)
    assert capsys.readouterr().out == f"✓ {exercise_.name}: right on all {len(exercise_.probes)} probes.\n"
    for probe in exercise_.probes:
        answer = exercise_.measure(exercise_.reference(*engine._fresh(probe)))
        parts = answer if isinstance(answer, tuple) else (answer,)
        assert all(np.isfinite(np.asarray(part, dtype=float)).all() for part in parts)


@each_exercise
def test_blank_is_no_error(exercise_, capsys):
    def blank(*_):
        raise NotImplementedError

    exercise_(blank)
    assert capsys.readouterr().out.startswith(f"○ {exercise_.name}: not attempted yet.")


@each_exercise
def test_probes_tell_the_faults_apart(exercise_):
    answers = {f.name: [exercise_._faulty(f.mutant, p) for p in exercise_.probes] for f in exercise_.faults}
    for (one, a), (other, b) in itertools.combinations(answers.items(), 2):
        assert not exercise_._agree(a, b), f"{one} and {other} look the same"


def test_checks_do_not_load_torch():
    code = (
        "import sys, diffusion_course.check, diffusion_course.check.atlas; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("eta", [None, 0.0, 0.5, 1.0])
def test_steps_are_what_the_samplers_do(eta):
    """The reference stroke, walked with the sampler's own noise, is the sampler."""
    model, rng = denoisers.GaussianDenoiser(MEAN, SPREAD, SCHEDULE), np.random.default_rng(0)
    xT = rng.standard_normal((2000, 1))
    if eta is None:
        *_, sampled = samplers.ddpm(model, SCHEDULE, xT, rng=rng)
        own = walk(lambda xt, t, s, eps, z: ddpm_step.reference(xt, t, s, eps, SCHEDULE, z))
    else:
        *_, sampled = samplers.ddim(model, SCHEDULE, xT, steps=50, eta=eta, rng=rng)
        own = walk(lambda xt, t, s, eps, z: ddim_step.reference(xt, t, s, eps, SCHEDULE, eta, z))
    np.testing.assert_allclose(own, sampled, atol=1e-9)
    # four standard errors of 2000 samples; T = 50 strokes add a little to the spread's error
    assert abs(own.mean() - MEAN) < 0.045 and abs(own.std() - SPREAD) < 0.05


def test_average_is_that_of_training():
    torch = pytest.importorskip("torch")
    layer, average = torch.nn.Linear(3, 1), torch.nn.Linear(3, 1)
    before, step = average.weight.detach().clone(), 40
    _, expected = train_step.reference(
        layer.weight.detach(), before, 0.0, 1.0, 1 / (training.EMA_MEMORY * step)
    )
    training.average(average, layer, step)
    torch.testing.assert_close(average.weight.detach(), expected)


def test_embedding_is_that_of_the_models():
    sines = models.time_embedding(np.array([1.0]))[0, : models.FREQUENCIES]
    frequencies = np.arcsin(sines)  # all below π/2
    values = np.linspace(-15, 15, 31)
    expected = embed_time.reference(values, frequencies)
    np.testing.assert_allclose(models.time_embedding(values), expected, atol=1e-12)
    assert len(np.unique(models.time_embedding(values).round(9), axis=0)) == len(values)
