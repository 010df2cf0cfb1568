"""`bargain verify`: tables, counter-examples, exit statuses, and what it refuses."""

import subprocess
import sys

import pytest

MINE = '''
import numpy as np

def equal(game):
    """Everybody gains the same."""
    table = game.payoffs - (0 if game.disagreement is None else game.disagreement)
    return table.min(axis=1).max() * np.ones(table.shape[1]) + (
        0 if game.disagreement is None else game.disagreement
    )

number = 3

def broken(game):
    raise RuntimeError("not today")
'''


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_rules.py").write_text(MINE, encoding="utf-8")
    (tmp_path / "sick.py").write_text("1 / 0", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_rules", raising=False)


def test_a_solution_that_holds(run):
    result = run("verify", "my_rules:equal", "--axiom", "feasibility", "--examples", "12")
    assert result.exit_code == 0
    assert "✓" in result.stdout
    assert "holds so far, in 12 games" in result.stdout


def test_axioms_are_named_in_any_case(run):
    words = ("verify", "my_rules:equal", "--examples", "5", "--axiom")
    shown = run(*words, "pAREto").stdout
    assert shown == run(*words, "Pareto").stdout
    assert "weak Pareto" in shown
    assert "symmetry" not in shown


def test_a_solution_that_does_not(run):
    result = run(
        "verify", "my_rules:equal", "--axiom", "Pareto", "--axiom", "symmetry", "--seed", "1"
    )
    assert result.exit_code == 1
    assert result.stdout.count("✗") >= 1
    assert "from my_rules import equal" in result.stdout
    assert "outcomes" in result.stdout
    assert "Nobody gets less" not in result.stdout


def test_a_function_that_fails(run):
    result = run("verify", "my_rules:broken", "--axiom", "symmetry")
    assert result.exit_code == 1
    assert "the function raised RuntimeError: not today" in result.stdout


def test_gradients_and_weights(run):
    result = run(
        "verify",
        "bargain.testing.rules:nash",
        "--gradients",
        "--weights",
        "--axiom",
        "covariance",
        "--examples",
        "10",
    )
    assert result.exit_code == 0
    assert "covariance (gradients)" in result.stdout
    weighted = ("verify", "bargain.testing.rules:egalitarian", "--axiom", "symmetry", "--weights")
    assert run(*weighted).exit_code == 1
    assert run(*weighted[:-1], "--examples", "10").exit_code == 0


def test_all(run, monkeypatch):
    """One column of each table here; the whole is what the slow tests examine."""
    from bargain_cli.verify_cells import TABLES

    payoffs, gradients = TABLES.values()
    egalitarian = payoffs[0][4]
    monkeypatch.setitem(TABLES, "payoff games", ((egalitarian,), payoffs[1][2:4]))
    monkeypatch.setitem(TABLES, "gradient games", (gradients[0][:1], gradients[1][3:4]))
    result = run("verify", "--all", "--examples", "10", "--jobs", "1")
    assert result.exit_code == 0, result.output
    assert "Every verdict is what theory says." in result.stdout
    assert "egalitarian: strong Pareto" in result.stdout
    monkeypatch.setattr(egalitarian.__class__, "grants", lambda column, axiom: True)
    result = run("verify", "--all", "--examples", "10", "--jobs", "1")
    assert result.exit_code == 1
    assert "theory grants strong Pareto, but: falsified" in result.stdout


def test_two_processes_find_what_one_finds():
    """Verdicts and counter-examples, wherever and in whatever order cells are filled."""
    from bargain_cli.verify_cells import cells

    wanted = [("payoff games", 0, 11), ("gradient games", 5, 3), ("payoff games", 4, 2)]
    alone, together = (dict(cells(wanted, 10, 0, jobs)) for jobs in (1, 2))
    assert [bool(alone[place].example) for place in wanted] == [True, True, False]
    assert together == alone


@pytest.mark.slow
def test_two_processes_print_what_one_prints(run):
    """Of so few games not every verdict is right, but it is the same."""
    outputs = [
        run("verify", "--all", "--examples", "2", "--jobs", jobs).stdout for jobs in ("1", "2")
    ]
    assert outputs[0].count("✗") > 40
    assert outputs[0] == outputs[1]


def test_as_many_processes_as_cores(run, monkeypatch):
    from bargain_cli import verify

    asked = []

    def one_cell(wanted, examples, seed, jobs):
        asked.append(jobs)
        yield from ((place, verify.Cell("✓", "", "")) for place in wanted)

    monkeypatch.setattr(verify, "cells", one_cell)
    monkeypatch.setattr(verify, "cores", lambda: 3)
    run("verify", "--all")
    run("verify", "--all", "--jobs", "2")
    assert asked == [3, 2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "expected either MODULE:FUNCTION or --all"),
        (("my_rules:equal", "--all"), "expected either MODULE:FUNCTION or --all"),
        (("my_rules",), "Expected MODULE:FUNCTION"),
        (("my_rules.py:equal",), "leave out .py"),
        (("no_such_module:equal",), "cannot be imported (ModuleNotFoundError"),
        (("sick:equal",), "cannot be imported (ZeroDivisionError"),
        (("my_rules:unequal",), "There is no 'unequal' in 'my_rules'"),
        (("my_rules:number",), "is no function, but int"),
        (("my_rules:equal", "--axiom", "parity"), "There is no axiom 'parity'"),
    ],
)
def test_refusals(refused, arguments, words):
    assert words in refused("verify", *arguments)


def test_without_hypothesis():
    program = (
        "import sys; sys.modules['hypothesis'] = None; sys.argv = ['bargain', 'verify', '--all']; "
        "import bargain_cli; bargain_cli.main()"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert found.returncode == 2
    assert 'pip install "bargain-solvers[cli,testing]"' in found.stderr
    assert found.stderr.count("\n") == 1
