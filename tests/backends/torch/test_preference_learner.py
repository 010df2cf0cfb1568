"""Weights that learn during training: right gradients, the right schedule, resumed bit for bit."""

import io

import numpy as np
import pytest
import torch
from torch import nn

import bargain
import bargain_torch
from bargain.preferences import ClippedSGD, ConjugateGradients, MirrorDescent, Neumann, OneStep
from bargain_torch.preference_learner import PreferenceLearner

TASKS = ("main", "near", "far")


class Model(nn.Module):
    """A trunk with a head for each task, and batches that never run out."""

    def __init__(self, device, seed=0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        self.trunk = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        self.heads = nn.ModuleDict({name: nn.Linear(2, 1) for name in TASKS})
        self.generator = generator
        self.double().to(device)

    @property
    def shared(self):
        return list(self.trunk.parameters())

    def batch(self):
        inputs = torch.randn(6, 3, generator=self.generator, dtype=torch.float64)
        return inputs.to(self.shared[0].device)

    def losses(self, inputs=None):
        inputs = self.batch() if inputs is None else inputs
        features = self.trunk(inputs)
        targets = {"main": inputs[:, :1], "near": inputs[:, :1] + 0.1, "far": -2 * inputs[:, 1:2]}
        return {
            name: (self.heads[name](features) - targets[name]).square().mean() for name in TASKS
        }


@pytest.fixture
def model(device):
    return Model(device)


@pytest.fixture
def batches(model):
    return model.batch(), model.batch()


def learner_on(model, batches, **options):
    """A learner whose losses stay the same."""
    training, validation = batches
    return PreferenceLearner(
        model.shared,
        TASKS,
        "main",
        lambda: model.losses(training),
        validation=lambda: model.losses(validation)["main"],
        **options,
    )


def flat(gradients):
    return torch.cat([part.flatten() for part in gradients])


def gradient_of(loss, model):
    return flat(torch.autograd.grad(loss, model.shared, retain_graph=True))


def rows_of(model, inputs):
    return torch.stack([gradient_of(loss, model) for loss in model.losses(inputs).values()])


def dense_hessian(model, inputs, coefficients):
    """The Hessian of the weighted losses over the trunk, number by number."""
    losses = model.losses(inputs)
    total = sum(c * losses[name] for c, name in zip(coefficients, TASKS, strict=True))
    slope = flat(torch.autograd.grad(total, model.shared, create_graph=True))
    rows = [flat(torch.autograd.grad(part, model.shared, retain_graph=True)) for part in slope]
    return torch.stack(rows).detach()


def coefficients_of(gram, weights):
    game = bargain.GradientGame(gram, weights)
    return bargain.rescale(bargain.solve(game).coefficients, game, "mean")


START = np.asarray([0.5, 1.6, 0.9])


def series(hessian, gradient):
    """Neumann's, with two terms after the first."""
    rest = torch.eye(len(gradient)).to(hessian) - 0.1 * hessian
    return gradient + rest @ gradient + rest @ rest @ gradient


def damped(hessian, gradient):
    """The solution with a damping of 30 times the curvature along the gradient."""
    damping = 30 * (gradient @ hessian @ gradient).abs() / (gradient @ gradient)
    return torch.linalg.solve(hessian + damping * torch.eye(len(gradient)).to(hessian), gradient)


@pytest.mark.parametrize(
    ("inverse", "apply"),
    [
        (OneStep(), lambda hessian, gradient: gradient),
        (Neumann(terms=2, step=0.1), series),
        (ConjugateGradients(steps=60, damping=30.0), damped),
    ],
)
def test_gradient_is_the_slope_of_the_main_loss(model, batches, inverse, apply):
    learner = learner_on(model, batches, inverse=inverse, weights=START.tolist())
    lesson = learner.learn()
    rows = rows_of(model, batches[0])
    gram = (rows @ rows.T).cpu().numpy()
    hessian = dense_hessian(model, batches[0], coefficients_of(gram, START))
    wanted = gradient_of(model.losses(batches[1])["main"], model)
    products = (rows @ apply(hessian, wanted)).cpu().numpy()
    np.testing.assert_allclose(lesson.products, products, rtol=1e-7)
    expected = [
        -products @ (coefficients_of(gram, START + way) - coefficients_of(gram, START - way)) / 2e-5
        for way in 1e-5 * np.eye(3)
    ]
    np.testing.assert_allclose(lesson.gradient, expected, rtol=1e-5, atol=1e-9)


def test_published_series_points_where_one_step_does(model, batches):
    one, series = (
        learner_on(model, batches, inverse=inverse).learn().gradient
        for inverse in (OneStep(), Neumann())
    )
    torch.testing.assert_close(series / 4, one, rtol=1e-2, atol=1e-6)


def test_weights_follow_the_gradient(model, batches):
    learner = learner_on(model, batches, update=MirrorDescent(rate=0.1))
    lesson = learner.learn()
    order = np.argsort([learner.weights[name] for name in TASKS])
    np.testing.assert_array_equal(order, np.argsort(-lesson.gradient.numpy()))
    assert sum(learner.weights.values()) == pytest.approx(3)


def test_gradients_and_parameters_are_left_alone(model, batches):
    marks = [torch.full_like(p, 7.0) for p in model.parameters()]
    for parameter, mark in zip(model.parameters(), marks, strict=True):
        parameter.grad = mark.clone()
    before = [parameter.clone() for parameter in model.parameters()]
    for inverse in (OneStep(), ConjugateGradients()):
        learner_on(model, batches, inverse=inverse).learn()
    for parameter, mark, old in zip(model.parameters(), marks, before, strict=True):
        assert torch.equal(parameter.grad, mark)
        assert torch.equal(parameter, old)


def test_schedule(model, batches):
    learner = learner_on(model, batches, every=3)
    found = [learner.step() is not None for _ in range(7)]
    assert found == [False, False, True, False, False, True, False]
    assert learner.counts == {"steps": 7, "updates": 2, "undecided": 0}


class Published:
    """The published schedule, by what PyTorch brings: SGD with momentum, and its clip."""

    def __init__(self, count):
        self.weights = torch.ones(count, dtype=torch.float64, requires_grad=True)
        self.optimizer = torch.optim.SGD([self.weights], lr=5e-3, momentum=0.9)

    def update(self, gradient):
        self.weights.grad = gradient.clone()
        torch.nn.utils.clip_grad_norm_([self.weights], max_norm=1.0)
        self.optimizer.step()
        with torch.no_grad():
            clipped = self.weights.clamp(min=1e-4)
            self.weights.copy_(len(clipped) * clipped / clipped.sum())


def test_published_updates_come_every_25_steps(model):
    learner = PreferenceLearner(
        model.shared,
        TASKS,
        "main",
        model.losses,
        update=ClippedSGD(),
        inverse=Neumann(),
        silent_below=0.0,
    )
    balancer = bargain_torch.Balancer(model.shared, weights=learner.weights)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    published, norms = Published(3), []
    for step in range(1, 301):
        optimizer.zero_grad()
        balancer.backward(model.losses())
        optimizer.step()
        lesson = learner.step()
        assert (lesson is not None) == (step % 25 == 0)
        if lesson is not None:
            norms.append(lesson.gradient.norm())
            published.update(lesson.gradient)
        # PyTorch's clip adds 1e-6 to the norm.
        np.testing.assert_allclose(
            [*learner.weights.values()], published.weights.detach(), rtol=1e-6
        )
    assert min(norms) < 1 < max(norms)  # with and without the clip
    assert learner.counts == {"steps": 300, "updates": 12, "undecided": 0}


def test_published_updates_end_on_their_floor():
    update, published = ClippedSGD(), Published(3)
    state = update.init(torch.ones(3, dtype=torch.float64))
    lowest = 1.0
    for gradient in torch.tensor([[-1.0, 0.5, 3.0]] * 60 + [[0.0, 0.0, -0.1]] * 40).double():
        state = update.update(gradient, state)
        published.update(gradient)
        lowest = min(lowest, state.weights.min().item())
        torch.testing.assert_close(state.weights, published.weights.detach(), rtol=1e-4, atol=0)
    assert lowest == pytest.approx(1e-4, rel=0.1)
    assert state.weights[2] > 2e-4


def test_validation_is_another_batch_of_training_by_default(model):
    learner = PreferenceLearner(model.shared, TASKS, "main", model.losses)
    state = model.generator.get_state()
    lesson = learner.learn()
    model.generator.set_state(state)
    first, second = model.batch(), model.batch()
    again = learner_on(model, (first, second)).learn()
    assert torch.equal(lesson.gradient, again.gradient)


def test_order_of_losses_does_not_matter(model, batches):
    training, validation = batches
    expected = learner_on(model, batches, weights=START.tolist()).learn()
    learner = PreferenceLearner(
        model.shared,
        TASKS,
        "main",
        lambda: dict(reversed(model.losses(training).items())),
        validation=lambda: model.losses(validation),
        weights=dict(zip(TASKS, START.tolist(), strict=True)),
    )
    torch.testing.assert_close(learner.learn().gradient, expected.gradient)


def test_lists_of_losses(model, batches):
    expected = learner_on(model, batches).learn()
    learner = PreferenceLearner(
        model.shared,
        range(3),
        0,
        lambda: [*model.losses(batches[0]).values()],
        validation=lambda: [*model.losses(batches[1]).values()],
    )
    assert torch.equal(learner.learn().gradient, expected.gradient)
    assert set(learner.weights) == {0, 1, 2}


def test_absent_tasks_keep_their_say_among_themselves(model, batches):
    def losses():
        return {**model.losses(batches[0]), "far": None}

    learner = PreferenceLearner(
        model.shared, TASKS, "main", losses, validation=lambda: model.losses(batches[1])["main"]
    )
    lesson = learner.learn()
    assert lesson.gradient[2] == 0
    assert lesson.gradient[:2].abs().min() > 0
    assert len(lesson.outcome.shares) == 2


def test_balancer_reads_the_present_weights(model, batches):
    learner = learner_on(model, batches, every=1, update=MirrorDescent(rate=0.2))
    balancer = bargain_torch.Balancer(model.shared, weights=learner.weights)
    seen = []
    for _ in range(3):
        step = balancer.backward(model.losses(batches[0]))
        expected = np.asarray([learner.weights[name] for name in TASKS]) / 3
        np.testing.assert_allclose(step.outcome.shares, expected, rtol=1e-6)
        seen.append(expected)
        learner.step()
    assert np.abs(seen[2] - seen[0]).max() > 0.05


@pytest.mark.parametrize("update", [MirrorDescent(rate=0.1), ClippedSGD(rate=0.1)])
def test_resumes_bit_for_bit(update, device):
    def make():
        model = Model(device)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        learner = PreferenceLearner(
            model.shared, TASKS, "main", model.losses, every=2, update=update
        )
        balancer = bargain_torch.Balancer(model.shared, weights=learner.weights, every=3)
        return model, optimizer, learner, balancer

    def train(model, optimizer, learner, balancer, steps):
        found = []
        for _ in range(steps):
            optimizer.zero_grad()
            balancer.backward(model.losses())
            optimizer.step()
            learner.step()
            found.append([*learner.weights.values()])
        return found

    whole = train(*make(), 11)
    model, optimizer, learner, balancer = first = make()
    half = train(*first, 5)
    parts = (model, optimizer, learner, balancer)
    file = io.BytesIO()
    torch.save([part.state_dict() for part in parts] + [model.generator.get_state()], file)
    train(*first, 2)  # what is saved must not change afterwards
    file.seek(0)
    *states, generator = torch.load(file, weights_only=True)
    model, *_ = second = make()
    for part, state in zip(second, states, strict=True):
        part.load_state_dict(state)
    model.generator.set_state(generator)
    assert half + train(*second, 6) == whole


def test_what_is_saved_does_not_change(model, batches):
    learner = learner_on(model, batches)
    state = learner.state_dict()
    learner.learn()
    assert state["state"]["weights"].tolist() == [1, 1, 1]
    assert state["counts"]["updates"] == 0


def plane(optima):
    """Losses that pull one point towards several others."""
    point = torch.zeros(2, dtype=torch.float64, requires_grad=True)

    def losses():
        return {name: (point - torch.tensor(at)).square().sum() for name, at in optima.items()}

    return point, losses


def test_tasks_that_cannot_agree_teach_nothing():
    point, losses = plane({"main": [1.0, 0.0], "foe": [-1.0, 0.0]})
    learner = PreferenceLearner([point], ("main", "foe"), "main", losses, weights=[1.0, 0.5])
    before = dict(learner.weights)
    assert torch.isnan(learner.learn().gradient).all()
    assert learner.weights == before
    assert learner.counts["undecided"] == 1


def test_silent_tasks_have_no_veto_and_no_weight():
    point, losses = plane({"main": [1.0, 0.0], "friend": [1.0, 0.5], "foe": [-1.0, 0.0]})
    options = {"weights": [1.0, 1.0, 0.01], "silent_below": 0.1}
    learner = PreferenceLearner([point], ("main", "friend", "foe"), "main", losses, **options)
    assert learner.weights["foe"] == 0
    lesson = learner.learn()
    assert lesson.gradient[2] == 0
    assert lesson.gradient[0] < 0 < lesson.gradient[1]
    bargain_torch.backward(losses(), [point], weights=learner.weights)
    assert point.grad[0] < 0


@pytest.mark.parametrize("inverse", [OneStep(), ConjugateGradients()])
def test_numbers_that_are_not_finite_teach_nothing(model, batches, inverse):
    for broken in batches:
        learner = learner_on(model, batches, inverse=inverse)
        saved, broken[0, 0] = broken[0, 0].clone(), torch.nan
        lesson = learner.learn()
        assert torch.isnan(lesson.gradient).all()
        # Only the game of the training losses can be none.
        expected = bargain.Status.NONFINITE if broken is batches[0] else bargain.Status.AGREEMENT
        assert int(lesson.outcome.status) == expected
        assert bool(lesson.outcome.certificate.accepted) == (broken is batches[1])
        assert dict(learner.weights) == dict.fromkeys(TASKS, 1.0)
        broken[0, 0] = saved


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"main": "mian"}, ValueError, "main: expected one of main, near, far, found 'mian'"),
        ({"tasks": ["main"]}, ValueError, "tasks: expected two or more"),
        ({"tasks": ["main", "main"]}, ValueError, "tasks: expected two or more"),
        ({"losses": {}}, TypeError, "losses: expected a function"),
        ({"validation": 3}, TypeError, "validation: expected a function"),
        ({"every": 0}, ValueError, "every: expected"),
        ({"update": MirrorDescent}, TypeError, "update: expected one of bargain.preferences"),
        ({"inverse": "neumann"}, TypeError, "inverse: expected one of bargain.preferences"),
        ({"weights": [1.0, 2.0]}, ValueError, "weights: expected one for each of main"),
        ({"weights": {"main": 1.0}}, ValueError, "weights: expected one for each of main"),
        ({"weights": [1.0, 0.0, 1.0]}, ValueError, "weights: expected positive"),
        ({"silent_below": 1.0}, ValueError, "silent_below: expected"),
        ({"length": "short"}, ValueError, "length: expected"),
        ({"method": "quick"}, ValueError, "method: expected"),
        ({"shared": []}, ValueError, "shared: expected"),
    ],
)
def test_bad_arguments(model, changes, error, says):
    given = {"shared": model.shared, "tasks": TASKS, "main": "main", "losses": model.losses}
    with pytest.raises(error, match=says):
        PreferenceLearner(**(given | changes))


@pytest.mark.parametrize(
    "wrong", [dict, lambda: torch.ones(2), lambda: torch.tensor(1.0), lambda: 1.0]
)
def test_a_validation_that_returns_no_loss(model, wrong):
    learner = PreferenceLearner(model.shared, TASKS, "main", model.losses, validation=wrong)
    with pytest.raises(ValueError, match="validation: expected a scalar loss of 'main'"):
        learner.learn()


@pytest.mark.parametrize("inverse", [OneStep(), ConjugateGradients()])
def test_a_validation_that_has_nothing_to_do_with_the_model(model, inverse):
    stranger = torch.ones(1, requires_grad=True)
    learner = PreferenceLearner(
        model.shared, TASKS, "main", model.losses, validation=stranger.sum, inverse=inverse
    )
    with pytest.raises(ValueError, match="validation: expected a loss that depends on the shared"):
        learner.learn()


def test_losses_of_other_tasks(model):
    learner = PreferenceLearner(model.shared, ("main", "near"), "main", model.losses)
    with pytest.raises(ValueError, match="losses: expected the tasks main, near, found main, near"):
        learner.learn()


def test_states_of_others(model, batches):
    learner = learner_on(model, batches)
    with pytest.raises(ValueError, match="state: expected what state_dict"):
        learner.load_state_dict({"weights": [1, 2]})
    with pytest.raises(ValueError, match="learner with MirrorDescent"):
        learner.load_state_dict(learner_on(model, batches, update=ClippedSGD()).state_dict())
    other = PreferenceLearner(model.shared, range(3), 0, model.losses)
    with pytest.raises(ValueError, match="state: expected the tasks main"):
        learner.load_state_dict(other.state_dict())
