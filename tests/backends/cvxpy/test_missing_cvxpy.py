"""Without the extra: one sentence that says how to install it."""

import importlib
import sys

import pytest


def test_one_sentence(monkeypatch):
    for name in list(sys.modules):
        if name.partition(".")[0] == "bargain_cvxpy":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cvxpy", None)
    with pytest.raises(
        ModuleNotFoundError, match=r'needs cvxpy: run pip install "bargain-solvers\[cvxpy\]"$'
    ):
        importlib.import_module("bargain_cvxpy")
