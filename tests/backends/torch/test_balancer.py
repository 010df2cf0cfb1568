"""Memory between steps: what is reused, what is averaged, what is counted, what is saved."""

import io

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import bargain
from bargain_torch.backward import backward
from bargain_torch.balancer import Balancer, scalars_of
from bargain_torch.memory import RunningGram
from tests.backends.torch.test_backward import Model, rows_of, written


@pytest.fixture
def model(device):
    torch.manual_seed(0)
    return Model().double().eval().to(device)


def batches(count, device):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(5, 4, generator=generator).double().to(device) for _ in range(count)]


def train(model, balancer, data):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    steps = []
    for inputs in data:
        optimizer.zero_grad()
        steps.append(balancer.backward(model.losses(inputs)))
        optimizer.step()
    return steps


def test_every_step_by_default(model, device):
    balancer = Balancer(model.shared)
    for inputs in batches(3, device):
        model.zero_grad()
        balancer.backward(model.losses(inputs))
        found = written(model.parameters())
        model.zero_grad()
        backward(model.losses(inputs), model.shared)
        torch.testing.assert_close(found, written(model.parameters()))
    assert balancer.counts["games"] == 3 == balancer.counts["agreements"]


def test_coefficients_are_used_again(model, device):
    balancer = Balancer(model.shared, every=3)
    first, second, third, fourth = batches(4, device)
    step = balancer.backward(model.losses(first))
    for inputs in (second, third):
        model.zero_grad()
        losses = model.losses(inputs)
        rows = rows_of(losses, model.shared)
        plain = rows_of(losses, list(model.heads.parameters())).sum(0)
        again = balancer.backward(losses)
        assert not again.fresh
        assert torch.equal(again.coefficients, step.coefficients)
        torch.testing.assert_close(written(model.shared), step.coefficients.to(rows) @ rows)
        torch.testing.assert_close(written(model.heads.parameters()), plain)
    assert balancer.backward(model.losses(fourth)).fresh
    assert balancer.counts["steps"] == 4
    assert balancer.counts["games"] == 2


@pytest.mark.parametrize("heads", ["plain", "weighted"])
@pytest.mark.parametrize("kind", ["heads", "skips", "part", "checkpoint"])
def test_using_coefficients_again_writes_what_playing_would(model, heads, kind, device):
    """On the same batch there is no difference, wherever the tasks enter the trunk."""
    inputs = batches(1, device)[0]
    shared = model.shared[2:] if kind == "part" else model.shared

    def losses():
        y = model.trunk[0](inputs)
        if kind == "checkpoint":
            return model.losses(y, lambda y: checkpoint(model.trunk[1:], y, use_reentrant=True))
        found = model.losses(y, model.trunk[1:])
        return [found[0] + y.square().mean(), *found[1:]] if kind == "skips" else found

    balancer = Balancer(shared, every=2, heads=heads)
    balancer.backward(losses())
    expected = written(model.parameters())
    model.zero_grad()
    assert not balancer.backward(losses()).fresh
    torch.testing.assert_close(written(model.parameters()), expected)


def test_other_tasks_play_anew(model, device):
    balancer = Balancer(model.shared, every=10)
    inputs = batches(1, device)[0]
    balancer.backward(model.losses(inputs))
    everyone, some = [True] * 3, [True, False, True]
    fresh = [
        balancer.backward(model.losses(inputs), active=active).fresh
        for active in (everyone, some, some, everyone, everyone)
    ]
    assert fresh == [False, True, False, True, False]


def test_a_disagreement_is_not_used_again(model, device):
    balancer = Balancer(model.shared, every=10)
    loss = model.losses(batches(1, device)[0])[0]
    for _ in range(2):
        assert balancer.backward([loss, -loss], retain_graph=True).fresh
    assert balancer.counts["disagreements"] == 2


def test_skipped_steps_are_counted_and_forgotten(model, device):
    balancer = Balancer(model.shared, every=10, nonfinite="skip")
    losses = model.losses(batches(1, device)[0])
    step = balancer.backward(losses, retain_graph=True)
    assert balancer.backward([losses[0] * torch.nan, *losses[1:]], retain_graph=True).skipped
    again = balancer.backward(losses)
    assert torch.equal(again.coefficients, step.coefficients)
    assert balancer.counts == {
        "steps": 3,
        "games": 1,
        "agreements": 1,
        "disagreements": 0,
        "unproved": 0,
        "skipped": 1,
    }


def test_the_running_average_decides(model, device):
    balancer = Balancer(model.shared, decay=0.75)
    grams = [balancer.backward(model.losses(inputs)).gram for inputs in batches(3, device)]
    factors = [0.75**2, 0.75, 1.0]
    average = torch.tensordot(torch.tensor(factors).double(), torch.stack(grams), 1) / sum(factors)
    expected = bargain.nash(average.numpy())
    assert balancer.last is not None
    np.testing.assert_allclose(balancer.last.outcome.coefficients, expected.coefficients)


def test_the_running_average_stays_semidefinite_when_tasks_are_absent():
    generator = torch.Generator().manual_seed(0)
    running = RunningGram(0.5)
    for k in range(50):
        rows = torch.randn(4, 2, generator=generator, dtype=torch.float64)
        present = torch.rand(4, generator=generator) > 0.5
        rows = rows * present[:, None]
        average = running.blend(tuple(range(4)), rows @ rows.T, present.tolist())
        assert torch.linalg.eigvalsh(average).min() > -1e-12, k
    same = RunningGram(0.5)
    for _ in range(5):
        average = same.blend(("a", "b"), 2 * torch.eye(2, dtype=torch.float64), [True, False])
    torch.testing.assert_close(average[0, 0], torch.tensor(2.0, dtype=torch.float64))


def test_the_running_average_belongs_to_names(model, device):
    first, second = (dict(zip("abc", model.losses(x), strict=True)) for x in batches(2, device))
    turned = {name: second[name] for name in "cab"}
    steps = []
    for losses in (second, turned):
        balancer = Balancer(model.shared, decay=0.75)
        balancer.backward(first, retain_graph=True)
        steps.append(balancer.backward(losses, retain_graph=True))
    found, expected = (step.by_task(step.coefficients) for step in reversed(steps))
    assert found == pytest.approx(expected, rel=1e-9)
    # Other tasks have nothing to remember.
    balancer = Balancer(model.shared, decay=0.75)
    balancer.backward(first, retain_graph=True)
    others = {name.upper(): loss for name, loss in second.items()}
    found = balancer.backward(others, retain_graph=True).coefficients
    fresh = Balancer(model.shared).backward(others).coefficients
    torch.testing.assert_close(found, fresh)


def test_a_gradient_whose_square_vanishes_is_none(device):
    """Its products with others do not vanish, and that would be no Gram matrix."""
    weight = torch.nn.Parameter(torch.ones(3, device=device))
    losses = {"left": weight[:2].sum(), "right": weight[1:].sum(), "faint": 1e-24 * weight.sum()}
    step = Balancer([weight], length="natural").backward(losses)
    assert step.status is bargain.Status.AGREEMENT
    assert step.coefficients.tolist() == pytest.approx([3**-0.5, 3**-0.5, 0])
    assert float(step.gram[0, 2]) > 0 == float(step.gram[2, 2])


def test_long_directions_are_shortened(model, device):
    inputs = batches(1, device)[0]
    lengths = []
    for maximum in (None, 1e-3, 1e3):
        step = Balancer(model.shared, maximum=maximum).backward(model.losses(inputs))
        lengths.append(float(step.coefficients @ step.gram @ step.coefficients) ** 0.5)
    plain, short, long = lengths
    assert plain == pytest.approx(long)
    assert short == pytest.approx(1e-3)


@pytest.mark.parametrize("every", [1, 4])
def test_resuming_bit_for_bit(every, device):
    data = batches(11, device)

    def fresh():
        torch.manual_seed(0)
        model = Model().double().eval().to(device)
        return model, Balancer(model.shared, every=every, decay=0.5)

    whole, balancer = fresh()
    train(whole, balancer, data[:6])
    saved = {name: value.clone() for name, value in whole.state_dict().items()}
    file = io.BytesIO()
    torch.save(balancer.state_dict(), file)
    rest = train(whole, balancer, data[6:])

    resumed, second = fresh()
    resumed.load_state_dict(saved)
    file.seek(0)
    second.load_state_dict(torch.load(file, weights_only=True))
    steps = train(resumed, second, data[6:])
    for one, other in zip(rest, steps, strict=True):
        assert torch.equal(one.coefficients, other.coefficients)
        assert torch.equal(one.outcome.utilities, other.outcome.utilities)
        assert one.fresh == other.fresh
    assert torch.equal(written_state(whole), written_state(resumed))
    assert balancer.counts == second.counts


def written_state(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_games_do_not_depend_on_earlier_ones(model, device):
    other, inputs = batches(2, device)
    fresh, used = Balancer(model.shared), Balancer(model.shared)
    used.backward(model.losses(other))
    expected, found = (balancer.backward(model.losses(inputs)) for balancer in (fresh, used))
    assert torch.equal(found.coefficients, expected.coefficients)
    assert int(found.outcome.steps) == int(expected.outcome.steps)


def test_hooks(model, device):
    balancer = Balancer(model.shared)
    seen = []
    remove = balancer.add_hook(seen.append)
    first, second = (dict(zip("abc", model.losses(x), strict=True)) for x in batches(2, device))
    step = balancer.backward(first)
    remove()
    remove()
    balancer.backward(second)
    assert seen == [step]
    scalars = scalars_of(step, "task")
    assert scalars["task/share/b"] == pytest.approx(1 / 3)
    assert scalars["task/norm/a"] == pytest.approx(float(step.gram[0, 0]) ** 0.5)
    assert scalars["task/fresh"] == 1.0
    assert len(scalars) == 11


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every: expected a whole number of at least 1, found 0"),
        ({"maximum": 0.0}, "maximum: expected a positive number, found 0.0"),
        ({"every": 2.5}, "every: expected a whole number"),
        ({"decay": 1.0}, "decay: expected at least 0 and less than 1, found 1.0"),
        ({"decay": -0.1}, "decay"),
        ({"heads": "none"}, "heads"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        Balancer(nn.Linear(1, 1).parameters(), **options)


def test_bad_state(model):
    with pytest.raises(ValueError, match="what state_dict"):
        Balancer(model.shared).load_state_dict({"steps": 1})
