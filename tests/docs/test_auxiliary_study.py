"""The study of a helpful and a harmful auxiliary task: what its page says, on fewer runs."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import bargain_jax
import bargain_torch
from bargain.preferences import audible
from bargain_jax.preferences import preference_gradient
from bargain_torch.preference_learner import PreferenceLearner

STEPS = 300  # half of the page's


@pytest.fixture(scope="module")
def study(modules):
    return modules("auxiliary")


@pytest.fixture(scope="module")
def problem(study):
    return study.make_problem(runs=24, seed=7)  # not the seed of the page


@pytest.fixture(scope="module")
def learned(study, problem):
    return study.train(study.LEARNED, problem, STEPS)


def test_harmful_task_loses_its_say(study, learned):
    shares = learned.weights[-1, :, study.HARMFUL]
    assert shares.mean() < 0.05
    assert (shares < 0.1).mean() >= 0.9


def test_silent_tasks_have_no_veto(learned):
    """With everybody heard, nearly half of these games end without an agreement."""
    assert learned.without_agreement < 0.42


def test_helpful_task_is_not_thrown_away(study, learned):
    shares = learned.weights[-1, :, study.HELPFUL]
    assert shares.mean() > 0.4
    assert (shares > 0.25).mean() >= 0.85


def test_learned_weights_beat_the_main_task_alone(study, problem, learned):
    found = study.distances(learned.points)
    alone = study.distances(problem.tasks[study.MAIN].best())
    assert found.mean() < 0.8 * alone.mean()
    assert (found < alone).mean() > 0.6


def test_learned_weights_beat_equal_ones(study, problem, learned):
    equal = study.train(study.Method("equal"), problem, STEPS)
    assert study.distances(learned.points).mean() < 0.6 * study.distances(equal.points).mean()


def shares_by_torch(study, data, run, steps):
    """The shares that learner and balancer come to in one run."""
    tasks = [[torch.from_numpy(part[run]) for part in sample] for sample in data.tasks]
    judges = [torch.from_numpy(part[run]) for part in data.held_out]
    point = torch.tensor(study.START, requires_grad=True)
    generator = torch.Generator().manual_seed(run)

    def error(inputs, labels):
        return (inputs @ point - labels).square().mean()

    def batch(inputs, labels):
        rows = torch.randperm(len(labels), generator=generator)[: study.BATCH]
        return inputs[rows], labels[rows]

    learner = PreferenceLearner(
        [point],
        study.TASKS,
        "main",
        lambda: dict(zip(study.TASKS, (error(*task) for task in tasks), strict=True)),
        validation=lambda: error(*judges),
        every=study.EVERY,
        update=study.LEARNED.update,
    )
    balancer = bargain_torch.Balancer([point], weights=learner.weights)
    optimizer = torch.optim.SGD([point], lr=study.RATE)
    for _ in range(steps):
        optimizer.zero_grad()
        losses = (error(*batch(*task)) for task in tasks)
        balancer.backward(dict(zip(study.TASKS, losses, strict=True)))
        optimizer.step()
        learner.step()
    weights = np.asarray([learner.weights[name] for name in study.TASKS])
    return weights / weights.sum()


def shares_by_jax(study, data, steps):
    """The same by JAX, all runs as one program."""
    update, silent_below = study.LEARNED.update, study.LEARNED.silent_below

    def errors(point, tasks):
        return jnp.stack([jnp.mean((x @ point - y) ** 2) for x, y in tasks])

    slope = preference_gradient(errors, study.MAIN, silent_below=silent_below)

    def train(tasks, judge, key):
        def one_step(carry, key):
            point, weights = carry
            rows = [
                jax.random.permutation(jax.random.fold_in(key, k), len(y))[: study.BATCH]
                for k, (_, y) in enumerate(tasks)
            ]
            batch = [(x[some], y[some]) for (x, y), some in zip(tasks, rows, strict=True)]
            step = bargain_jax.value_and_direction(errors, weights=weights)
            return (point - study.RATE * step(point, batch)[1], weights), None

        def one_lesson(carry, key):
            point, state = carry
            weights = audible(state.weights, silent_below)
            (point, _), _ = jax.lax.scan(
                one_step, (point, weights), jax.random.split(key, study.EVERY)
            )
            change, _ = slope(point, state.weights, (tasks,), ([judge] * len(tasks),))
            return (point, update.update(change, state)), None

        start = jnp.asarray(study.START), update.init(jnp.ones(len(tasks)))
        (_, state), _ = jax.lax.scan(one_lesson, start, jax.random.split(key, steps // study.EVERY))
        weights = audible(state.weights, silent_below)
        return weights / weights.sum()

    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(0), len(data.held_out.labels))
        return np.asarray(jax.jit(jax.vmap(train))(data.tasks, data.held_out, keys))


@pytest.mark.slow
@pytest.mark.parametrize("by", ["torch", "jax"])
def test_learners_find_the_same(study, by):
    """The statistics of the study, by what people train with."""
    runs, steps = 12, 200
    data = study.make_problem(runs, seed=3)
    if by == "torch":
        shares = np.stack([shares_by_torch(study, data, run, steps) for run in range(runs)])
    else:
        shares = shares_by_jax(study, data, steps)
    assert shares[:, study.HARMFUL].mean() < 0.05
    assert (shares[:, study.HARMFUL] < 0.1).mean() >= 0.9
    assert shares[:, study.HELPFUL].mean() > 0.4
    assert (shares[:, study.HELPFUL] > 0.25).mean() >= 0.85


def test_the_script_prints_its_table_and_draws(study, tmp_path, monkeypatch, capsys):
    picture = tmp_path / "pictures" / "auxiliary.svg"
    command = ["auxiliary.py", "--runs", "2", "--steps", "20", "--picture", str(picture)]
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.setenv("COLUMNS", "160")
    study.main()
    printed = capsys.readouterr().out
    for method in study.METHODS:
        assert method.name in printed
    assert f"main task alone, {study.LABELS} labels" in printed
    assert picture.stat().st_size > 10_000
