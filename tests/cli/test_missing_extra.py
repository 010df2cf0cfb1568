"""Without the extras: one sentence that says how to install them, and status 2."""

import importlib
import sys

import pytest

import bargain_cli


@pytest.fixture
def without(monkeypatch):
    """Make a package look as if it were not installed, to modules that are imported afresh."""

    def hide(package):
        for name in list(sys.modules):
            if name.partition(".")[0] == package or name.startswith("bargain_cli."):
                monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)

    return hide


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_command_line(without, capsys, package):
    without(package)
    with pytest.raises(SystemExit) as exit_:
        bargain_cli.main()
    assert exit_.value.code == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert package in errors
    assert 'pip install "bargain-solvers[cli]"' in errors


@pytest.mark.parametrize("package", ["matplotlib", "mlxtend", "threadpoolctl"])
def test_demo(without, package, monkeypatch, capsys):
    without(package)
    importlib.import_module("bargain_cli.app")
    monkeypatch.setattr(sys, "argv", ["bargain", "demo"])
    with pytest.raises(SystemExit) as exit_:
        bargain_cli.main()
    assert exit_.value.code == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert package in errors
    assert 'pip install "bargain-solvers[demo]"' in errors


def test_a_defect_of_our_own_is_not_taken_for_a_missing_extra(without):
    without("bargain_cli.report")
    with pytest.raises(ModuleNotFoundError, match="report"):
        bargain_cli.main()
