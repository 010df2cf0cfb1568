"""The study of two losses in the plane: its landscape, its front, and what its page says."""

import sys

import numpy as np
import pytest

import bargain
from bargain import baselines


@pytest.fixture(scope="module")
def study(modules):
    return modules("landscape")


@pytest.fixture(scope="module")
def scales(study):
    return np.stack(list(study.SCALES.values()))


@pytest.fixture(scope="module")
def nash(study, scales):
    paths = study.descend(study.METHODS["Nash"], scales, steps=1000, rate=0.03)
    return study.findings(paths, study.pareto_front())


@pytest.fixture(scope="module")
def added(study, scales):
    paths = study.descend(study.METHODS["LS"], scales, steps=9000, rate=4e-3)
    return study.findings(paths, study.pareto_front())


def test_gradients_are_those_of_the_losses(study):
    points = np.random.default_rng(0).uniform(-10, 10, size=(400, 2))
    width = 1e-6
    # Where the logarithms and the crease are far enough away for finite differences.
    inner = np.stack(
        [
            -(points[:, 0] + 7) / 2 + np.tanh(points[:, 1]),
            (3 - points[:, 0]) / 2 - np.tanh(points[:, 1]) + 2,
        ]
    )
    smooth = (np.abs(inner) > 0.01).all(axis=0) & (np.abs(points[:, 1]) > 0.01)
    points = points[smooth]
    assert len(points) > 350
    moves = width * np.eye(2)
    numeric = np.stack(
        [(study.losses(points + move) - study.losses(points - move)) / 2 / width for move in moves],
        axis=-1,
    )
    assert np.allclose(study.gradients(points), numeric, rtol=1e-5, atol=1e-6)


def test_losses_are_those_of_the_paper(study):
    """Worked out on paper, at points where tanh is one or where a bowl has its centre."""
    above = study.losses(np.asarray([1.0, 40.0]))
    assert np.allclose(above, [np.log(3.0) + 6, np.log(2.0) + 6])
    below = study.losses(np.asarray([7.0, -8.0]))
    assert np.allclose(below, np.tanh(4.0) * np.asarray([-20.0, -0.4]))


def test_on_the_logarithm_the_gradient_is_finite(study):
    assert np.isfinite(study.gradients(np.asarray([-7 + 2 * np.tanh(2.0), 2.0]))).all()


def test_nobody_does_better_than_the_front(study):
    front = study.losses(study.pareto_front(201))
    axis = np.linspace(-12, 12, 241)
    grid = study.losses(np.stack(np.meshgrid(axis, axis), axis=-1)).reshape(-1, 2)
    better = (grid[None] <= front[:, None]).all(axis=-1)
    better &= (grid[None] < front[:, None] - 1e-9).any(axis=-1)
    assert not better.any()
    # And each point of the front is paid for: one loss rises along it, the other falls.
    assert (np.diff(front[:, 0]) < 0).all()
    assert (np.diff(front[:, 1]) > 0).all()


def test_on_the_front_there_is_no_agreement(study):
    inner = study.gradients(study.pareto_front(51)[1:-1])
    outcome = bargain.nash(bargain.gram(inner))
    assert (outcome.status == bargain.Status.DISAGREEMENT).all()


def test_nash_reaches_the_front_from_everywhere(study, nash):
    assert nash.reached.all()
    assert np.ptp(nash.places[0]) > 5


def test_nash_does_not_see_the_scale(study, nash):
    assert nash.moved.max() < 0.05


def test_the_sum_gets_stuck_and_follows_the_louder_loss(study, added):
    assert not added.reached.all()
    both = (added.distances < 0.3).all(axis=0)
    assert both.any()
    assert (added.moved[1][both] > 4).all()


def test_of_two_tasks_others_bargain_alike(study):
    """The page says that this example cannot tell them apart."""
    points = np.random.default_rng(1).uniform(-10, 10, size=(200, 2))
    rows = study.gradients(points)
    gram = bargain.gram(rows)
    turned = []
    for coefficients in (
        bargain.nash(gram).coefficients,
        bargain.kalai_smorodinsky(gram).coefficients,
        baselines.mgda(gram, normalised=True),
        baselines.imtl_g(gram),
    ):
        update = bargain.combine(coefficients, rows)
        turned.append(update / np.linalg.norm(update, axis=-1, keepdims=True))
    for other in turned[1:]:
        assert np.allclose(turned[0], other, atol=1e-6)


def test_the_script_prints_its_table_and_draws(study, tmp_path, monkeypatch, capsys):
    picture = tmp_path / "pictures" / "landscape.svg"
    command = ["landscape.py", "--steps", "400", "--rate", "0.01", "--quick"]
    monkeypatch.setattr(sys, "argv", [*command, "--picture", str(picture)])
    monkeypatch.setenv("COLUMNS", "160")
    study.main()
    printed = capsys.readouterr().out
    for method in study.METHODS:
        assert printed.count(f"│ {method} ") == len(study.SCALES)
    assert f"Sums with {len(study.RATIOS)} weights" in printed
    assert picture.stat().st_size > 10_000
