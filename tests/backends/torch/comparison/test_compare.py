"""compare(): the trainings it plans, their results, and what it does about a kill."""

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

import bargain_torch
from bargain_torch.comparison import BUILT_IN, Bargain, Fixed, Learned, Memoryless, compare
from tests.backends.torch.comparison import killed
from tests.backends.torch.comparison.problem import (
    BATCH,
    INPUTS,
    PROBLEM,
    SIZE,
    TARGETS,
    UNITS,
    Data,
    Model,
    evaluate,
    losses,
)

ROOT = Path(__file__).parents[4]
ONE = Model()


class Plain:
    """A method that nothing can be kept under."""

    def start(self, setting): ...


TIMES = {"step_seconds", "solve_seconds", "solve_part", "seconds"}


@pytest.fixture
def run(tmp_path):
    def run(**options):
        given = {"seeds": 1, "epochs": 2, "folder": tmp_path, "rates": [1e-2], **options}
        return compare(**{**PROBLEM, **given})

    return run


def figures(comparison):
    """All that does not depend on the clock."""
    return [
        {name: value for name, value in one._asdict().items() if name not in TIMES}
        for one in comparison.runs
    ]


def test_every_built_in_method_trains(run):
    comparison = run(methods=list(BUILT_IN), epochs=12)
    assert comparison.methods == tuple(BUILT_IN)
    start = evaluate(Model())
    for one in comparison.runs:
        assert one.note == ""
        assert one.tasks == list(UNITS)
        assert len(one.losses) == len(one.coefficients) == 12
        improved = [one.metrics[name] < start[name] for name in UNITS]
        assert sum(improved) >= 2, one.method


def test_fixed_is_the_plain_loop(run):
    comparison = run(methods={"sum": Fixed()}, schedule="constant", seeds=[5])
    torch.manual_seed(5)
    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(2):
        for rows in Data():
            optimizer.zero_grad()
            sum(losses(model, rows).values()).backward()
            optimizer.step()
    model.eval()
    assert comparison.runs[0].metrics == pytest.approx(evaluate(model), rel=1e-5)


def test_nash_is_the_loop_of_the_guide(run):
    comparison = run(methods=["nash"], schedule="constant", seeds=[5])
    torch.manual_seed(5)
    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(2):
        for rows in Data():
            optimizer.zero_grad()
            bargain_torch.backward(losses(model, rows), model.trunk.parameters())
            optimizer.step()
    model.eval()
    assert comparison.runs[0].metrics == pytest.approx(evaluate(model), rel=1e-4)


def test_separate_networks_are_single_tasks(run):
    """The recipe of the docstring: the sum of the losses trains every network by itself."""

    class Separate(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.nets = torch.nn.ModuleDict({name: torch.nn.Linear(4, 1) for name in UNITS})

    def losses_of(model, rows, names=tuple(UNITS)):
        order = list(UNITS)
        return {
            name: UNITS[name]
            * (model.nets[name](INPUTS[rows])[:, 0] - TARGETS[rows, order.index(name)])
            .square()
            .mean()
            for name in names
        }

    def judge(model):
        return {k: loss.item() for k, loss in losses_of(model, torch.arange(SIZE)).items()}

    together = run(
        make_model=Separate,
        losses=losses_of,
        shared=lambda model: model.parameters(),
        evaluate=judge,
        methods={"single": Fixed()},
        seeds=[3],
    )
    torch.manual_seed(3)
    model = Separate()
    optimizer = torch.optim.Adam(model.nets["middle"].parameters(), lr=1e-2)
    for factor in (1.0, 0.5):
        optimizer.param_groups[0]["lr"] = factor * 1e-2
        for rows in Data():
            optimizer.zero_grad()
            losses_of(model, rows, ["middle"])["middle"].backward()
            optimizer.step()
    assert together.runs[0].metrics["middle"] == pytest.approx(judge(model)["middle"], rel=1e-5)


def test_learned_weights_are_in_the_log(run):
    comparison = run(methods={"learned": Learned("small", every=1)}, epochs=4)
    weights = torch.tensor(comparison.runs[0].weights)
    assert weights.shape == (4, 3)
    assert not torch.equal(weights[0], weights[-1])
    assert comparison.runs[0].solve_seconds > 0
    assert 0 < comparison.runs[0].solve_part < 1


def test_games_in_between_count_in_the_part_of_the_solves(run):
    comparison = run(methods={"each": Bargain(), "fifth": Bargain(every=3)}, epochs=6)
    each, third = comparison.runs
    per_game = [one.solve_part * one.step_seconds / one.solve_seconds for one in (each, third)]
    assert per_game[1] < 0.6 * per_game[0]


def test_every_method_has_the_same_number_of_trials(run):
    grid = [Fixed({"small": a, "middle": b, "large": 1.0}) for a in (1, 100) for b in (1, 10)]
    comparison = run(
        methods={"grid": grid, "nash": Bargain()}, rates=[1e-4, 1e-3, 1e-2], trials=3, epochs=3
    )
    names = [one.method for one in comparison.trials]
    assert names.count("grid") == names.count("nash") == 3
    assert {one.rate for one in comparison.trials if one.method == "nash"} == {1e-4, 1e-3, 1e-2}
    assert len(run(methods={"grid": grid}, rates=[1e-3, 1e-2], epochs=1).trials) == 8


def test_the_best_trial_on_validation_data_is_trained(run, tmp_path):
    def upside_down(model):
        return {name: 1 / value for name, value in evaluate(model).items()}

    def chosen(name, **options):
        rates = [1e-6, 1e-1]
        folder = tmp_path / name
        return run(methods=["ls"], rates=rates, epochs=5, folder=folder, **options).runs[0].rate

    assert chosen("as evaluated") == 1e-1
    assert chosen("other data", validate=upside_down) == 1e-6
    assert chosen("higher is better", validate=upside_down, higher=UNITS.keys()) == 1e-1


def test_processes_find_the_same(run, tmp_path):
    options = {"methods": ["nash", "pcgrad", "uw"], "seeds": 2}
    alone = run(**options, folder=tmp_path / "alone")
    beside = run(**options, folder=tmp_path / "beside", workers=2)
    assert figures(alone) == figures(beside)


def test_a_second_call_trains_nothing(run):
    first = run(methods=["nash"], seeds=2)

    def forbidden(model, rows):
        raise AssertionError("trained again")

    def once(model, rows):
        forbidden.calls = getattr(forbidden, "calls", 0) + 1
        return losses(model, rows) if forbidden.calls == 1 else forbidden(model, rows)

    assert run(methods=["nash"], seeds=2, losses=once).runs == first.runs
    forbidden.calls = 0
    with pytest.raises(AssertionError, match="trained again"):
        run(methods=["nash"], seeds=3, losses=once)


@pytest.mark.parametrize("steps", [9, 41])
def test_a_killed_comparison_goes_on_bit_for_bit(tmp_path, steps):
    command = [sys.executable, "-m", killed.__name__, str(tmp_path / "killed"), str(steps)]
    assert subprocess.run(command, check=False, cwd=ROOT).returncode == 9
    kept = {file.name: file.read_bytes() for file in (tmp_path / "killed").glob("*.json")}
    assert list((tmp_path / "killed").glob("*.pt"))
    options = {**PROBLEM, "methods": killed.METHODS, "seeds": 2, "epochs": 4}
    resumed = compare(**options, folder=tmp_path / "killed")
    whole = compare(**options, folder=tmp_path / "whole")
    assert figures(resumed) == figures(whole)
    # What was finished was not trained again, and nothing else is left.
    assert all((tmp_path / "killed" / name).read_bytes() == kept[name] for name in kept)
    assert not [*(tmp_path / "killed").glob("*.pt"), *(tmp_path / "killed").glob("*.part")]


def test_data_loaders_resume_too(run, tmp_path):
    def loader():
        rows = torch.utils.data.TensorDataset(torch.arange(SIZE))
        return torch.utils.data.DataLoader(rows, BATCH, shuffle=True)

    def of_loader(model, batch, broken=False):
        if broken and of_loader.left == 0:
            raise KeyboardInterrupt
        of_loader.left -= 1
        return losses(model, batch[0])

    options = {"methods": ["nash"], "data": loader, "epochs": 4}
    of_loader.left = 8
    with pytest.raises(KeyboardInterrupt):
        run(**options, losses=lambda model, batch: of_loader(model, batch, True))
    resumed = run(**options, losses=of_loader)
    assert figures(resumed) == figures(run(**options, losses=of_loader, folder=tmp_path / "whole"))


def test_what_diverges_is_said(run):
    def breaking(model, rows):
        breaking.calls += 1
        found = losses(model, rows)
        if breaking.calls == 6:
            found["middle"] = found["middle"] * float("nan")
        return found

    breaking.calls = 0
    stopped = run(methods=["ls"], losses=breaking, epochs=3)
    assert stopped.runs[0].metrics == {}
    assert stopped.runs[0].note == "step 5: the loss of middle is NaN or infinite"
    breaking.calls = 0
    skipped = run(methods=["nash"], losses=breaking, epochs=3, nonfinite="skip")
    assert skipped.runs[0].metrics
    assert skipped.runs[0].note == "1 of 9 steps left out, not finite"
    breaking.calls = 0
    with pytest.raises(ValueError, match="si, seed 0, step 5: the loss of middle is NaN"):
        run(methods=["si"], losses=breaking, epochs=3, nonfinite="raise")


class Half:
    def backward(self, losses):
        sum(losses.values()).backward()
        return [1.0] * len(losses)


@dataclass(frozen=True)
class Own:
    base: type = Memoryless

    def start(self, setting):
        return type("Stepper", (Half, self.base), {})()


def test_a_method_of_ones_own(run):
    own, fixed = figures(run(methods={"own": Own(), "fixed": Fixed()}))
    assert own["metrics"] == fixed["metrics"]
    assert own["coefficients"] == fixed["coefficients"]
    with pytest.raises(TypeError, match=r"own\.start to return a stepper, found Stepper without"):
        run(methods={"own": Own(object)})


def test_a_figure_of_zero_does_not_decide(run):
    def judge(model):
        return {**evaluate(model), "nothing": 0.0}

    rates = (1e-9, 1e-2)
    assert run(methods=["ls"], rates=rates, evaluate=judge, epochs=4).runs[0].rate == 1e-2


def sgd(momentum):
    return lambda leaves, lr: torch.optim.SGD(leaves, lr=lr, momentum=momentum)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        tuple({"optimizer": partial(torch.optim.SGD, momentum=m)} for m in (0.0, 0.9)),
        tuple({"optimizer": sgd(momentum)} for momentum in (0.0, 0.9)),
        ({"optimizer": lambda p, lr: torch.optim.SGD(p, lr / 2)},
         {"optimizer": lambda p, lr: torch.optim.SGD(p, lr / 4)}),
        tuple({"methods": {"own": Fixed(np.asarray([1.0, factor, 1.0]))}} for factor in (1.0, 2.0)),
        tuple({"methods": {"own": Learned("small", judge, every=1)}} for judge in (
            lambda model: losses(model, torch.arange(4))["small"],
            lambda model: losses(model, torch.arange(8))["small"],
        )),
    ],
)  # fmt: skip
def test_other_trainings_are_other_files(run, one, other):
    first = run(**{"methods": ["ls"], **one})
    second = run(**{"methods": ["ls"], **other})
    assert figures(first) != figures(second)
    assert figures(run(**{"methods": ["ls"], **one})) == figures(first)


def test_policies_are_told_apart(run):
    def breaking(model, rows):
        breaking.calls += 1
        return {
            k: v * (float("nan") if breaking.calls == 6 else 1)
            for k, v in losses(model, rows).items()
        }

    found = []
    for policy in ("stop", "skip"):
        breaking.calls = 0
        found.append(run(methods=["ls"], losses=breaking, nonfinite=policy).runs[0].note)
    assert found[0] != found[1]


def test_a_file_that_is_no_run(run, tmp_path):
    run(methods=["ls"])
    (file,) = tmp_path.glob("ls-*.json")
    file.write_text(file.read_text()[:50])
    with pytest.raises(ValueError, match=r"expected a finished run in .*ls-.*\.json"):
        run(methods=["ls"])


@pytest.mark.parametrize("lost", ["nan", "inf"])
def test_a_figure_that_is_lost_is_said(run, lost):
    def judge(model):
        judge.calls += 1
        return {**evaluate(model), "middle": float(lost) if judge.calls > 2 else 1.0}

    judge.calls = 0  # the untrained model is judged twice
    found = run(methods=["ls"], evaluate=judge)
    assert found.runs[0].metrics == {}
    assert found.runs[0].note == "evaluate: middle is NaN or infinite"


def test_dependent_gradients_are_no_accident(run):
    """Their Gram matrix is singular up to the rounding of float32."""

    def dependent(model, rows):
        found = losses(model, rows)
        return {**found, "both": found["small"] + found["middle"]}

    for one in run(methods=["nash", "ks", "mgda"], losses=dependent).runs:
        assert not one.note
        assert set(one.metrics) == set(UNITS)


def test_a_learner_that_never_began(run):
    def broken(model, rows):
        return {name: loss * float("nan") for name, loss in losses(model, rows).items()}

    found = run(methods={"learned": Learned("small")}, losses=broken)
    assert found.runs[0].note.startswith("step 1: the loss of small, middle, large is NaN")


def test_numbers_of_numpy_will_do(run):
    found = run(methods=["ls"], rates=np.asarray([1e-2], np.float32), seeds=np.arange(1))
    assert found.runs[0].rate == float(np.float32(1e-2))


@pytest.mark.parametrize("method", ["ls", "nash"])
def test_tasks_have_to_stay_the_same(run, method):
    def changing(model, rows):
        changing.calls += 1
        found = losses(model, rows)
        return {"small": found["small"]} if changing.calls == 6 else found

    changing.calls = 0
    with pytest.raises(ValueError, match="in every batch, found small in step 5"):
        run(methods=[method], losses=changing)


@pytest.mark.parametrize("method", ["si", "famo"])
def test_a_loss_of_zero_ends_what_takes_its_logarithm(run, method):
    def vanishing(model, rows):
        vanishing.calls += 1
        found = losses(model, rows)
        # FAMO looks at every batch twice, first before the step and then after it.
        return {**found, "middle": found["middle"] * float(vanishing.calls < 5)}

    vanishing.calls = 0
    found = run(methods=[method, "ls"], losses=vanishing).runs
    assert found[0].metrics == {}
    assert "the loss of middle is zero, and its logarithm is infinite" in found[0].note
    assert found[1].metrics


def test_a_factor_that_no_number_holds(run):
    """A loss may be so small, and above zero, that its inverse overflows."""

    def vanishing(model, rows):
        return {**losses(model, rows), "middle": (model.trunk[0].weight * 1e-20).square().mean()}

    found = run(methods=["si", "ls"], losses=vanishing, nonfinite="stop").runs
    assert "the loss of middle gets a factor of" in found[0].note
    assert found[1].metrics


@pytest.mark.parametrize("method", ["mgda", "nash"])
def test_gradients_that_are_not_finite_are_seen(run, method):
    def steep(model, rows):
        found = losses(model, rows)
        weight = model.trunk[0].weight
        found["small"] = found["small"] + ((weight - weight.detach()).sum() * 1e30) * 1e30
        return found

    assert "step 1: " in run(methods=[method], losses=steep).runs[0].note


def test_another_problem_needs_another_folder(run):
    run(methods=["ls"])
    with pytest.raises(ValueError, match="name another folder"):
        run(methods=["ls"], losses=lambda m, b: {k: 2 * v for k, v in losses(m, b).items()})


def test_another_set_of_shared_parameters_is_another_problem(run):
    run(methods=["ls"])
    with pytest.raises(ValueError, match=r"shared parameters 40, .* name another folder"):
        run(methods=["ls"], shared=lambda model: [model.trunk[0].weight])


def test_names_stand_for_methods_in_a_dict_too(run):
    named = run(methods={"bargain": "nash", "either": ["ls", "si"]}, rates=[1e-2])
    assert named.methods == ("bargain", "either")
    assert [one.method for one in named.trials] == ["either", "either"]
    assert figures(named)[0] == {**figures(run(methods=["nash"]))[0], "method": "bargain"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"methods": "nash"}, "methods: expected a dict of methods or a list of names"),
        ({"methods": ["nsah"]}, "methods: expected names among ls, .* found nsah"),
        ({"methods": {}}, "methods: expected at least one"),
        ({"methods": {"empty": []}}, "methods: expected at least one for empty, found none"),
        ({"methods": {"ours": "nsah"}}, "methods: expected names among ls, .* found nsah"),
        ({"methods": ["ls", [Fixed()]]}, "methods: expected a list of names, .* give other"),
        ({"higher": "small"}, "higher: expected a list of names"),
        ({"rates": 1e-3}, "rates: expected a list of numbers, found 0.001"),
        ({"rates": "fast"}, "rates: expected a list of numbers, found 'fast'"),
        ({"seeds": [0.5]}, "seeds: expected a list of whole numbers, found"),
        ({"evaluate": lambda m: {"a": -1.0}}, "evaluate: expected figures of at least zero"),
        ({"data": Data()}, "data: expected a function, found Data; wrap it, as in data=lambda"),
        ({"shared": None}, "shared: expected a function, found NoneType"),
        ({"make_model": lambda: ONE}, "make_model: expected a new model at every"),
        ({"losses": lambda m, b: [*losses(m, b).values()]}, "losses: expected a dict of scalar"),
        ({"evaluate": lambda m: torch.zeros(3)}, "evaluate: expected a dict of numbers .* Tensor"),
        ({"validate": lambda m: {}}, "validate: expected a dict of numbers .* found an empty one"),
        ({"evaluate": lambda m: {"a": torch.zeros(3)}}, "evaluate: expected one number for each"),
        ({"methods": {"ours": Plain()}}, "methods: expected a frozen dataclass, found Plain"),
        ({"methods": {"ours": Fixed({"a": 1.0})}}, "weights: expected a factor for each of small"),
        ({"losses": lambda m, b: {**losses(m, b), "small": None}}, "found None for small; leave"),
        ({"data": list}, "data: expected at least one batch, found none"),
        ({"methods": {"ours": Bargain}}, r"methods: expected methods such as Bargain\(\)"),
        ({"epochs": 0}, "epochs: expected a whole number of at least 1, found 0"),
        ({"trials": 1.5}, "trials: expected a whole number"),
        ({"workers": None}, "workers: expected a whole number"),
        ({"rates": [0.0]}, "rates: expected positive numbers, found 0.0"),
        ({"seeds": []}, "seeds: expected at least one"),
        ({"higher": ["accuracy"]}, "higher: expected names of figures, small, .* found accuracy"),
        ({"schedule": "linear"}, "schedule: expected one of cosine, constant, found 'linear'"),
        ({"nonfinite": "drop"}, "nonfinite: expected one of stop, skip, raise"),
        ({"data": lambda: iter(Data())}, "data: expected a batch with finite losses"),
    ],
)
def test_bad_input_gets_a_sentence(run, options, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        run(**{"methods": ["ls"], **options})


def test_files_are_readable_by_people(run, tmp_path):
    run(methods=["nash"])
    (file,) = tmp_path.glob("nash-*.json")
    assert json.loads(file.read_text())["method"] == "nash"
