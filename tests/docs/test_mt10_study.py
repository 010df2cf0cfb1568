"""The study of ten tasks of a robot arm: its experts, its losses, and the script on two tasks."""

import sys

import numpy as np
import pytest
import torch

REACH, CLOSE = "reach-v3", "drawer-close-v3"


@pytest.fixture(scope="module")
def study(modules):
    return modules("mt10")


@pytest.fixture(scope="module")
def simulator(modules):
    return modules("mt10_simulator")


@pytest.fixture(scope="module")
def installed(simulator):
    """The simulator's side of the study, if there is a simulator."""
    pytest.importorskip("metaworld", reason=simulator.MISSING)
    return simulator


@pytest.fixture
def made(simulator):
    """Demonstrations of three tasks, in episodes of 20 steps, made by dice."""
    rng = np.random.default_rng(0)
    episodes = np.repeat(np.arange(6), 20)
    return {
        task: simulator.Demonstrations(
            rng.normal(size=(120, 39)).astype(np.float32),
            rng.uniform(-1, 1, size=(120, 4)).astype(np.float32),
            episodes,
        )
        for task in simulator.TASKS[:3]
    }


def test_a_missing_simulator_is_said_in_a_sentence(study, monkeypatch):
    monkeypatch.setitem(sys.modules, "metaworld", None)
    monkeypatch.setattr(sys, "argv", ["mt10.py"])
    with pytest.raises(SystemExit, match=r'run pip install "bargain-solvers\[studies-rl\]"'):
        study.main()


def test_the_last_episodes_are_held_out(made):
    demonstrations = made[REACH]
    train, held_out = demonstrations.split(2)
    assert set(train.episodes) == {0, 1, 2, 3}
    assert set(held_out.episodes) == {4, 5}
    np.testing.assert_array_equal(held_out.actions, demonstrations.actions[80:])


def test_rescaled_losses_are_natural_ones_times_fixed_factors(study, made):
    torch.manual_seed(0)
    natural, rescaled = (study.Imitation(made, study.Sizes(), units) for units in study.UNITS)
    model, batch = natural.make_model(), next(iter(natural.data()))
    plain, scaled = natural.losses(model, batch), rescaled.losses(model, batch)
    factors = np.asarray([(scaled[task] / plain[task]).item() for task in made])
    assert (np.abs(np.log10(factors)) <= 1.5).all()
    assert np.ptp(np.log10(factors)) > 0.5
    assert natural.validate(model) == rescaled.validate(model)


def test_validation_errors_are_not_taken_for_rates_of_success(study, made, monkeypatch, tmp_path):
    """These have the tasks' names, and of those higher is better."""
    validate = study.Imitation.validate
    rates_of_success = dict.fromkeys(made, 1.0)
    monkeypatch.setattr(
        study.Imitation, "evaluate", lambda self, m: {**validate(self, m), **rates_of_success}
    )
    monkeypatch.setattr(study, "METHODS", {"LS": study.Fixed()})
    sizes = study.Sizes(validation=2, steps=20)
    budget = {"rates": (1e-9, 1e-2), "seeds": 1, "epochs": 2}  # the first learns nothing
    found = study.run(made, sizes, tmp_path, parts=["natural"], **budget)["natural"]
    errors = {run.rate: sum(run.metrics.values()) for run in found.trials}
    assert found.runs[0].rate == min(errors, key=errors.get)


def test_losses_are_mean_squared_errors_of_the_tasks_own_head(study, made):
    problem = study.Imitation(made, study.Sizes(), "natural")
    model, batch = problem.make_model(), next(iter(problem.data()))
    with torch.no_grad():
        for k, head in enumerate(model.heads):
            head.weight.zero_()
            head.bias.fill_(0.1 * k)
    for k, loss in enumerate(problem.losses(model, batch).values()):
        torch.testing.assert_close(loss, (batch[k][1] - 0.1 * k).square().mean())


@pytest.mark.parametrize("together", [True, False])
def test_only_separate_networks_have_trunks_of_their_own(study, made, together):
    problem = study.Imitation(made, study.Sizes(), "natural")
    model = problem.make_model() if together else problem.make_separate()
    losses = problem.losses(model, next(iter(problem.data())))
    weights = [trunk[1].weight for trunk in model.trunks]
    found = torch.autograd.grad(list(losses.values())[-1], weights, allow_unused=True)
    assert [gradient is not None for gradient in found] == ([True] if together else [0, 0, 1])


def test_experts_succeed_and_the_idle_do_not(installed):
    scene = installed.Scene(CLOSE, installed.TEST_GOALS)
    assert scene.success_rate(installed.expert_in(CLOSE), 3) == 1
    assert scene.success_rate(lambda seen: np.zeros(4), 2) == 0


def test_an_episode_depends_on_its_goal_and_not_on_the_one_before(installed):
    scene = installed.Scene(REACH, installed.TEST_GOALS)

    def policy(seen):
        return np.tanh(seen[:4])

    first = scene.play(policy, 1)
    scene.play(policy, 0)
    again = scene.play(policy, 1)
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(scene.play(policy, 2)[1], first[1])


def test_goals_to_train_on_and_to_test_on_differ(installed):
    sets = [
        {goal.data for goal in installed.Scene(CLOSE, seed).goals}
        for seed in (installed.TRAINING_GOALS, installed.TEST_GOALS)
    ]
    assert len(sets[0]) == len(sets[1]) == 50
    assert not sets[0] & sets[1]


def test_demonstrations_are_what_the_expert_did_and_are_made_once(installed, tmp_path, monkeypatch):
    (made,) = installed.load(tmp_path, [CLOSE], 2).values()
    assert set(made.episodes) == {0, 1}
    scene = installed.Scene(CLOSE, installed.TRAINING_GOALS)
    actions = iter(made.actions[made.episodes == 1])
    succeeded, observations, _ = scene.play(lambda seen: next(actions), 1)
    assert succeeded
    expected = made.observations[made.episodes == 1]
    np.testing.assert_allclose(observations, expected, rtol=1e-3, atol=1e-3)

    monkeypatch.setattr(installed, "demonstrate", None)
    (read,) = installed.load(tmp_path, [CLOSE], 2).values()
    np.testing.assert_array_equal(read.actions, made.actions)


def test_the_script_prints_its_tables_and_draws(study, installed, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(installed, "HORIZON", 80)  # enough for these two experts
    picture = tmp_path / "pictures" / "mt10.svg"
    command = ["mt10.py", "--quick", "--seeds", "1", "--epochs", "1", "--tasks", REACH, CLOSE]
    paths = ["--folder", str(tmp_path / "runs"), "--picture", str(picture)]
    monkeypatch.setattr(sys, "argv", [*command, *paths])
    study.main()
    printed = capsys.readouterr().out
    for method in ("single-task", *study.METHODS):
        assert printed.count(f"| {method} |") == 3
    assert "| method | reach | drawer-close |" in printed
    assert picture.stat().st_size > 10_000
