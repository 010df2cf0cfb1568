"""What the methods of a comparison write into .grad, next to formulas by hand."""

from typing import get_args

import numpy as np
import pytest
import torch

import bargain
from bargain import baselines
from bargain_torch.comparison import Fixed, GradientRule, LossRule
from bargain_torch.comparison.gradient_rules import GradientRuleName
from bargain_torch.comparison.stepping import Setting
from tests.backends.torch.comparison.problem import Model, losses

ROWS = torch.arange(32)


@pytest.fixture
def model():
    torch.manual_seed(1)
    return Model().eval()


def stepper_of(method, model):
    shared = list(model.trunk.parameters())
    return method.start(Setting(model, shared, lambda: losses(model, ROWS)))


def gradients_of(model, leaves):
    return [
        torch.autograd.grad(loss, leaves, retain_graph=True)
        for loss in losses(model, ROWS).values()
    ]


@pytest.mark.parametrize("heads", ["plain", "weighted"])
@pytest.mark.parametrize("name", ["mgda", "cagrad", "imtl_g", "config", "upgrad", "fairgrad"])
def test_gradient_rules_combine_gradients(model, name, heads):
    shared = list(model.trunk.parameters())
    gradients = gradients_of(model, shared)
    coefficients = getattr(baselines, name)(bargain.gram(gradients).double().numpy())
    wanted = bargain.combine(torch.as_tensor(coefficients).float(), gradients)
    found = stepper_of(GradientRule(name, heads=heads), model).backward(losses(model, ROWS))
    np.testing.assert_allclose(found, coefficients, rtol=1e-3)
    for leaf, gradient in zip(shared, wanted, strict=True):
        torch.testing.assert_close(leaf.grad, gradient, rtol=1e-3, atol=1e-4)
    head = model.heads["large"].weight
    plain = torch.autograd.grad(losses(model, ROWS)["large"], head)[0]
    factor = found[2].float() if heads == "weighted" else 1.0
    written = torch.zeros_like(head) if head.grad is None else head.grad  # its factor may be zero
    torch.testing.assert_close(written, factor * plain, rtol=1e-3, atol=1e-4)


def test_options_reach_the_rule(model):
    gram = bargain.gram(gradients_of(model, list(model.trunk.parameters()))).double().numpy()
    far = stepper_of(GradientRule("cagrad", {"distance": 0.9}), model).backward(losses(model, ROWS))
    np.testing.assert_allclose(far, baselines.cagrad(gram, distance=0.9), rtol=1e-3)


@pytest.mark.parametrize("name", get_args(GradientRuleName))
def test_a_task_that_is_the_sum_of_others(name):
    """In single precision rounding gives their Gram matrix an eigenvalue below zero."""
    torch.manual_seed(2)
    smallest = []
    for _ in range(20):
        model = Model().eval()
        tasks = losses(model, ROWS)
        tasks["middle"] = tasks["large"] + tasks["small"]
        leaves = list(model.trunk.parameters())
        rows = [torch.autograd.grad(loss, leaves, retain_graph=True) for loss in tasks.values()]
        smallest.append(torch.linalg.eigvalsh(cosines_of(bargain.gram(rows).double()))[0].item())
        assert stepper_of(GradientRule(name), model).backward(tasks).isfinite().all()
    assert min(smallest) < -1e-8


def cosines_of(gram):
    norms = gram.diagonal().sqrt()
    return gram / norms / norms[:, None]


@pytest.mark.parametrize("name", get_args(GradientRuleName))
def test_a_gradient_whose_square_vanishes_is_none(name):
    weight = torch.nn.Parameter(torch.ones(3))
    losses = {"left": weight[:2].sum(), "right": weight[1:].sum(), "faint": 1e-24 * weight.sum()}
    setting = Setting(torch.nn.Linear(1, 1), [weight], dict)
    assert torch.isfinite(GradientRule(name).start(setting).backward(losses)).all()


@pytest.mark.parametrize("name", ["config", "aligned_mtl", "upgrad", "dualproj"])
def test_weights_reach_the_rule(model, name):
    gram = bargain.gram(gradients_of(model, list(model.trunk.parameters()))).double().numpy()
    rule = GradientRule(name, {"weights": [1.0, 3.0, 2.0]})
    found = stepper_of(rule, model).backward(losses(model, ROWS))
    wanted = getattr(baselines, name)(gram, [1.0, 3.0, 2.0])
    np.testing.assert_allclose(found, wanted, rtol=1e-3)


def test_orders_are_thrown_and_go_on(model):
    torch.manual_seed(3)
    first = stepper_of(GradientRule("gradvac"), model)
    found = [first.backward(losses(model, ROWS)) for _ in range(3)]
    torch.manual_seed(3)
    second = stepper_of(GradientRule("gradvac"), model)
    again = [second.backward(losses(model, ROWS))]
    third = stepper_of(GradientRule("gradvac"), model)
    third.load_state_dict(second.state_dict())
    again += [third.backward(losses(model, ROWS)) for _ in range(2)]
    assert all(map(torch.equal, found, again))


@pytest.mark.parametrize("name", ["dwa", "uw", "famo"])
def test_what_loss_rules_remember_goes_on(model, name):
    def steps(stepper, count):
        found = []
        for step in range(count):
            now = losses(model, ROWS)
            found.append(stepper.backward(now))
            stepper.after_step(now, lambda: {k: 0.9 * v for k, v in losses(model, ROWS).items()})
            stepper.after_epoch({k: v.item() / (1 + step) ** k.count("l") for k, v in now.items()})
        return found

    whole = steps(stepper_of(LossRule(name), model), 4)
    first = stepper_of(LossRule(name), model)
    steps(first, 4)
    second = stepper_of(LossRule(name), model)
    second.load_state_dict(first.state_dict())
    assert torch.equal(steps(first, 1)[0], steps(second, 1)[0])
    assert not torch.equal(whole[0], whole[-1])  # it has learnt something


def test_losses_are_weighed(model):
    found = stepper_of(LossRule("si"), model).backward(losses(model, ROWS))
    values = torch.stack([*losses(model, ROWS).values()])
    torch.testing.assert_close(found.float(), 1 / values.detach())
    wanted = torch.autograd.grad(values.log().sum(), model.trunk[0].weight)[0]
    torch.testing.assert_close(model.trunk[0].weight.grad, wanted)


@pytest.mark.parametrize("weights", [{"large": 3.0, "small": 1.0, "middle": 0.0}, [1.0, 0.0, 3.0]])
def test_fixed_weights_by_name_or_in_order(model, weights):
    found = stepper_of(Fixed(weights), model).backward(losses(model, ROWS))
    assert found.tolist() == [1.0, 0.0, 3.0]
    assert not model.heads["middle"].weight.grad.any()


def test_weights_that_are_no_numbers_are_not_taken_for_losses_that_are_none(model):
    with pytest.raises(
        ValueError, match=r"weights: expected finite numbers, found 1\.0, nan, 1\.0"
    ):
        stepper_of(Fixed([1.0, float("nan"), 1.0]), model).backward(losses(model, ROWS))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: LossRule("IS"), "name: expected one of si, rlw, dwa, uw, famo, found 'IS'"),
        (lambda: GradientRule("graddrop"), "name: expected one of mgda, .* found 'graddrop'"),
        (lambda: GradientRule("mgda", heads="none"), "heads: expected one of plain, weighted"),
    ],
)
def test_names_are_checked(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
