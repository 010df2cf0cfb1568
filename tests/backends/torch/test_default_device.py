"""What is made during a step is made where it is needed, whatever torch's default device is."""

import pytest
import torch

import bargain
import bargain_torch
from tests.backends.torch.test_preference_learner import TASKS
from tests.backends.torch.test_preference_learner import Model as Learning
from tests.backends.torch.test_waits import TRAININGS


@pytest.fixture
def nowhere():
    """Whatever is made without saying where is lost, so that nobody can compute with it."""
    torch.set_default_device("meta")
    yield
    torch.set_default_device(None)


def built(make):
    with torch.device("cpu"):
        return make()


@pytest.mark.parametrize("method", ["auto", "sequential", "batched", "ghost"])
@pytest.mark.parametrize("name", TRAININGS)
def test_the_default_device_has_no_say(nowhere, name, method):
    """Many a program begins with ``torch.set_default_device("cuda")``."""
    build, draw = TRAININGS[name]
    model, inputs = built(build), built(draw)
    balancer = bargain_torch.Balancer(
        model.shared, method=method, decay=0.5, nonfinite="drop", weights=[1.0, 2.0, 1.0]
    )
    for spoilt in (False, True):
        losses = model.losses(inputs)
        losses = [*losses[:2], losses[2] * (torch.nan if spoilt else 1.0)]
        step = balancer.backward(losses)
        assert step.status is bargain.Status.AGREEMENT
        assert {part.device.type for part in (step.gram, step.coefficients)} == {"cpu"}
    skipping = bargain_torch.Balancer(model.shared, nonfinite="skip")
    assert skipping.backward([*losses[:0], *(torch.nan * x for x in model.losses(inputs))]).skipped


def test_the_default_device_has_no_say_in_learned_weights(nowhere):
    model = built(lambda: Learning("cpu"))
    with torch.device("cpu"):
        batch = model.batch()
    learner = bargain_torch.PreferenceLearner(
        model.shared, TASKS, "main", lambda: model.losses(batch), weights=[1.0, 2.0, 1.0]
    )
    assert torch.isfinite(learner.learn().gradient).all()
    bargain_torch.backward_by_group(model.losses(batch), {"all": model.shared})


def test_the_default_device_has_no_say_in_a_solve(nowhere):
    with torch.device("cpu"):
        gram = torch.eye(3, dtype=torch.float64).requires_grad_()
    for place in ("host", "device"):
        with bargain_torch.solve_on(place):
            outcome = bargain.nash(gram, [1.0, 2.0, 1.0], radius=2.0)
        outcome.coefficients.sum().backward()
        assert int(outcome.status) == bargain.Status.AGREEMENT
