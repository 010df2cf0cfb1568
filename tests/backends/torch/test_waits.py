"""How often a step waits for a GPU, and on which device numbers are that have a say in it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import nn

import bargain
import bargain_torch
from tests.backends.torch.test_backward import Model as Perceptron
from tests.backends.torch.test_precision import Words
from tests.backends.torch.test_preference_learner import TASKS
from tests.backends.torch.test_preference_learner import Model as Learning

on_cuda = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU"),
]


class Pictures(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 8, 3), nn.Flatten()
        )
        self.heads = nn.ModuleList([nn.Linear(8 * 16, 1) for _ in range(3)])

    def losses(self, inputs):
        features = self.trunk(inputs)
        return [(head(features) - k).square().mean() for k, head in enumerate(self.heads)]

    @property
    def shared(self):
        return list(self.trunk.parameters())


TRAININGS = {
    "perceptron": (Perceptron, lambda: torch.randn(5, 4)),
    "pictures": (Pictures, lambda: torch.randn(2, 3, 8, 8)),
    "words": (Words, lambda: torch.randint(50, (4, 16))),
}
WAIT = "called a synchronizing CUDA operation"


@contextmanager
def waits() -> Iterator[list[str]]:
    """Note where the host waits for the device."""
    found: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield found
        finally:
            torch.cuda.set_sync_debug_mode("default")
            found += [
                f"{warning.filename}:{warning.lineno}"
                for warning in caught
                if WAIT in str(warning.message)
            ]


@pytest.mark.parametrize("name", TRAININGS)
class TestWaits:
    pytestmark = on_cuda

    @pytest.mark.parametrize("method", ["auto", "sequential", "batched", "ghost"])
    def test_a_step_waits_for_losses_and_for_the_gram_matrix(self, name, method):
        build, draw = TRAININGS[name]
        model, inputs = build().cuda(), draw().cuda()
        bargain_torch.backward(model.losses(inputs), model.shared, method=method)
        losses = model.losses(inputs)
        with waits() as found:
            bargain_torch.backward(losses, model.shared, method=method)
        assert len(found) == 2, found

    def test_between_games_only_for_the_losses(self, name):
        build, draw = TRAININGS[name]
        model, inputs = build().cuda(), draw().cuda()
        balancer = bargain_torch.Balancer(model.shared, every=3)
        for _ in range(2):
            balancer.backward(model.losses(inputs))
        losses = model.losses(inputs)
        with waits() as found:
            assert not balancer.backward(losses).fresh
        assert len(found) == 1, found

    def test_a_gram_matrix_waits_for_nothing(self, name):
        build, draw = TRAININGS[name]
        model, inputs = build().cuda(), draw().cuda()
        bargain_torch.gram(model.losses(inputs), model.shared)
        losses = model.losses(inputs)
        with waits() as found:
            bargain_torch.gram(losses, model.shared)
        assert not found

    def test_games_for_groups_wait_once(self, name):
        build, draw = TRAININGS[name]
        model, inputs = build().cuda(), draw().cuda()
        groups = {"first": model.shared[:2], "rest": model.shared[2:]}
        bargain_torch.backward_by_group(model.losses(inputs), groups)
        losses = model.losses(inputs)
        with waits() as found:
            bargain_torch.backward_by_group(losses, groups)
        assert len(found) == 1, found


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
