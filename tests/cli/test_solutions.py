"""Every solution by its name, and the order of the α-fair one."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import bargain
from bargain_cli.app import app

GRAM = np.asarray([[4.0, 1.0, 0.0], [1.0, 2.0, -0.5], [0.0, -0.5, 1.0]])
EXPECTED = {
    ("nash",): bargain.Nash(),
    ("kalai-smorodinsky",): bargain.KalaiSmorodinsky(),
    ("ks",): bargain.KalaiSmorodinsky(),
    ("KS",): bargain.KalaiSmorodinsky(),
    ("egalitarian",): bargain.Egalitarian(),
    ("utilitarian",): bargain.Utilitarian(),
    ("alpha-fair", "--alpha", "2"): bargain.AlphaFair(2.0),
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "gram.csv"
    np.savetxt(path, GRAM, delimiter=",")
    return str(path)


@pytest.mark.parametrize("words", EXPECTED, ids=lambda words: words[0])
def test_the_command_solves_for_the_solution_named(file, words):
    result = CliRunner().invoke(app, ["solve", file, "--json", "--solution", *words])
    assert result.exit_code == 0, result.output
    expected = bargain.solve(bargain.GradientGame(GRAM), EXPECTED[words])
    np.testing.assert_allclose(json.loads(result.output)["utilities"], expected.utilities)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--solution", "alpha-fair"], "--alpha is needed by --solution alpha-fair"),
        (["--alpha", "2"], "--alpha belongs to --solution alpha-fair, found --solution nash"),
        (["--solution", "alpha-fair", "--alpha", "-1"], "alpha: expected a positive number"),
    ],
)
def test_the_order_belongs_to_one_solution(file, words, sentence):
    result = CliRunner().invoke(app, ["solve", file, *words])
    assert result.exit_code == 2
    assert sentence in result.output
