"""`bargain solve`: what it prints for a game."""

import json
import re

import numpy as np
import pytest

import bargain


def outcome_of(result):
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return json.loads(result.stdout)


@pytest.mark.parametrize("name", ["gram.npy", "gram.npz", "gram.csv", "gram.json"])
def test_every_format_gives_the_answer_of_the_library(run, write, name):
    gram = [[4.0, 1.0, 0.0], [1.0, 2.0, -0.5], [0.0, -0.5, 1.0]]
    printed = outcome_of(run("solve", write(name, gram), "--json"))
    np.testing.assert_allclose(printed["coefficients"], bargain.nash(np.asarray(gram)).coefficients)


def test_json_holds_every_field(run, gram_file):
    printed = outcome_of(run("solve", gram_file, "--json", "--weights", "1,2,3"))
    outcome = bargain.nash(np.load(gram_file), np.asarray([1.0, 2.0, 3.0]))
    assert set(printed) == {"names", "weights", *outcome._fields}
    assert set(printed["certificate"]) == set(outcome.certificate._fields)
    assert printed["status"] == "AGREEMENT"
    assert printed["certificate"]["accepted"] is True
    assert printed["steps"] == int(outcome.steps)
    for field in ("coefficients", "utilities", "shares"):
        np.testing.assert_allclose(printed[field], getattr(outcome, field))
    np.testing.assert_allclose(printed["shares"], [1 / 6, 2 / 6, 3 / 6])


def test_table_shows_the_players_and_the_proof(run, gram_file):
    result = run("solve", gram_file, "--names", "speed,cost,[red]safety", "--weights", "1,1,2")
    assert result.exit_code == 0
    rows = {
        line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line.strip()
    }
    outcome = bargain.nash(np.load(gram_file), np.asarray([1.0, 1.0, 2.0]))
    gradient_norms = np.sqrt(np.diagonal(np.load(gram_file)))
    for player, name in enumerate(("speed", "cost", "[red]safety")):
        weight, coefficient, utility, share, percent, cosine = rows[name]
        assert float(weight) == (1, 1, 2)[player]
        assert float(coefficient) == pytest.approx(outcome.coefficients[player], rel=1e-5)
        assert float(utility) == pytest.approx(outcome.utilities[player], rel=1e-5)
        assert (float(share), percent) == ((25, 25, 50)[player], "%")
        expected = outcome.utilities[player] / gradient_norms[player]  # of an update of length 1
        assert float(cosine) == pytest.approx(expected, abs=1e-4)
    text = " ".join(result.stdout.split())
    assert "update of length 2; the utilities are those of one of length 1." in text
    for word in ("AGREEMENT", "gap", "residual", "floor", "steps", "time"):
        assert word in text


def test_gradients_are_turned_into_their_gram_matrix(run, write):
    gradients = np.asarray([[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, -1.0, 3.0]])
    file = write("gradients.csv", gradients)
    printed = outcome_of(run("solve", file, "--gradients", "--json"))
    expected = bargain.nash(gradients @ gradients.T)
    np.testing.assert_allclose(printed["coefficients"], expected.coefficients)


def test_integers_are_converted(run, write):
    printed = outcome_of(run("solve", write("gram.npy", np.asarray([[2, 0], [0, 8]])), "--json"))
    np.testing.assert_allclose(printed["coefficients"], [2**-0.5, 8**-0.5])


def test_big_endian_numbers_are_read(run, write):
    file = write("gram.npy", np.asarray([[2.0, 0.0], [0.0, 8.0]], dtype=">f8"))
    np.testing.assert_allclose(
        outcome_of(run("solve", file, "--json"))["coefficients"], [2**-0.5, 8**-0.5]
    )


def test_single_precision_is_kept_so_that_its_rounding_is_known(run, write):
    vectors = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    gram = vectors @ vectors.T  # rank two: indefinite by rounding in single precision
    printed = outcome_of(run("solve", write("gram.npy", gram), "--json"))
    resolution = printed["certificate"]["resolution"]
    assert resolution == pytest.approx(float(bargain.nash(gram).certificate.resolution))
    assert resolution > 1e-5


def test_precision_makes_room_for_numbers_that_were_rounded(run, refused, write):
    file = write("gram.csv", "1,0.70711,0\n0.70711,1,0.70711\n0,0.70711,1\n")  # of rank two
    assert "semidefinite" in refused("solve", file)
    printed = outcome_of(run("solve", file, "--precision", 1e-5, "--json"))
    assert printed["status"] == "AGREEMENT"


@pytest.mark.parametrize("name", ["gram.csv", "gram.json"])
def test_a_byte_order_mark_is_no_number(run, write, name):
    text = {"gram.csv": "2,0\n0,8\n", "gram.json": "[[2, 0], [0, 8]]"}[name]
    file = write(name, b"\xef\xbb\xbf" + text.encode())
    assert outcome_of(run("solve", file, "--json"))["status"] == "AGREEMENT"


def test_weights_and_disagreement_come_from_files(run, write, gram_file):
    weights = write("weights.csv", "1\n2\n3\n")
    disagreement = write("disagreement.json", [0.1, 0.0, 0.05])
    printed = outcome_of(
        run(
            *("solve", gram_file, "--weights", weights, "--disagreement", disagreement),
            *("--radius", 2, "--json"),
        )
    )
    expected = bargain.nash(
        np.load(gram_file),
        np.asarray([1.0, 2.0, 3.0]),
        disagreement=np.asarray([0.1, 0.0, 0.05]),
        radius=2.0,
    )
    np.testing.assert_allclose(printed["utilities"], expected.utilities, rtol=1e-6)
    assert printed["weights"] == [1.0, 2.0, 3.0]


def test_one_array_of_several_and_one_matrix_of_a_stack(run, write):
    stack = np.asarray([np.eye(2), [[2.0, 0.0], [0.0, 8.0]]])
    file = write("stacks.npz", {"other": np.ones(3), "grams": stack})
    printed = outcome_of(run("solve", file, "--key", "grams", "--index", 1, "--json"))
    np.testing.assert_allclose(printed["coefficients"], [2**-0.5, 8**-0.5])


@pytest.mark.parametrize("solver", ["newton", "fixed-point", "ccp"])
def test_every_solver_gives_the_same_answer(run, gram_file, solver):
    printed = outcome_of(run("solve", gram_file, "--solver", solver, "--json"))
    kinds = {"newton": bargain.Newton, "fixed-point": bargain.FixedPoint, "ccp": bargain.CCP}
    expected = bargain.nash(np.load(gram_file), solver=kinds[solver]())
    assert printed["steps"] == int(expected.steps)
    exact = bargain.nash(np.load(gram_file)).coefficients
    np.testing.assert_allclose(printed["coefficients"], exact, rtol=1e-6)


def test_disagreement_prints_its_certificate(run, write):
    file = write("gram.json", [[1.0, -2.0], [-2.0, 4.0]])  # gradients g and -2 g
    result = run("solve", file, "--names", "a,b")
    assert result.exit_code == 0
    assert result.stderr == ""
    text = " ".join(result.stdout.split())
    assert "No agreement" in text
    assert "DISAGREEMENT" in text
    rows = {
        line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line.strip()
    }
    assert float(rows["a"][-1]) == pytest.approx(2 / 3, abs=1e-5)
    assert float(rows["b"][-1]) == pytest.approx(1 / 3, abs=1e-5)
    [(length, norms)] = re.findall(
        r"\|sum of beta g\| = (\S+), where sum of beta \|g\| = (\S+),", text
    )
    assert float(length) < 1e-7
    assert float(norms) == pytest.approx(4 / 3, rel=1e-2)


def test_no_gradients_at_all(run, write):
    result = run("solve", write("gram.csv", "0,0\n0,0\n"))
    assert result.exit_code == 0
    assert "the gradients are zero" in result.stdout


def test_disagreement_over_too_much_to_beat(run, gram_file):
    result = run("solve", gram_file, "--disagreement", "9,9,9")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    [(gain, has)] = re.findall(
        r"g\| = (\S+) by it, but they have sum of beta d = (\S+) already", text
    )
    assert float(has) == pytest.approx(9.0)
    assert float(gain) <= float(has)


def test_disagreement_as_json(run, write):
    file = write("gram.json", [[1.0, -1.0], [-1.0, 1.0]])
    printed = outcome_of(run("solve", file, "--json"))
    assert printed["status"] == "DISAGREEMENT"
    assert printed["coefficients"] == [0.0, 0.0]
    np.testing.assert_allclose(printed["certificate"]["stationary"], [0.5, 0.5])


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_too_few_steps_are_no_answer(run, gram_file, options):
    result = run("solve", gram_file, "--weights", "1,1e-6,5", "--max-steps", 1, *options)
    assert result.exit_code == 1
    assert "MAX_STEPS" in result.stdout
    assert "no answer" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_player_without_a_gradient_has_no_cosine(run, write):
    result = run("solve", write("gram.csv", "1,0\n0,0\n"))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[4].split()[-1] == "–"


def test_extreme_scales_print_without_overflow(run, write):
    result = run("solve", write("gram.json", [[1e250, 0.0], [0.0, 1e-250]]))
    assert result.exit_code == 0
    assert result.stdout.count("50.00 %") == 2
    assert result.stdout.count("0.7071") == 2


def test_version(run):
    result = run("--version")
    assert result.exit_code == 0
    assert re.fullmatch(r"bargain \d+\.\d+\.\d+\S*\n", result.stdout)


def test_help_shows_an_example(run):
    assert "solve" in run("-h").output
    assert "bargain solve gram.csv --weights" in run("solve", "--help").output
    assert "bargain demo --output" in run("demo", "--help").output


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("# names: a, b\n4, 1\r\n1, 2\n\n", ()),
        ("\ufeff4,1\n1,2\n", ()),
        (" [[4, 1], [1, 2]]", ()),
        ('{"first": [[1]], "gram": [[4, 1], [1, 2]]}', ("--key", "gram")),
        ("[[[9]], [[4]]]", ("--index", "1")),
    ],
)
def test_standard_input(run, text, options):
    printed = outcome_of(run("solve", "-", "--json", *options, input=text))
    gram = [[4.0]] if "--index" in options else [[4.0, 1.0], [1.0, 2.0]]
    expected = bargain.nash(np.asarray(gram)).coefficients
    np.testing.assert_allclose(printed["coefficients"], expected)


def test_gradients_on_standard_input(run):
    printed = outcome_of(run("solve", "-", "--gradients", "--json", input="1,2,0\n0,1,-1\n"))
    rows = np.asarray([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0]])
    np.testing.assert_allclose(printed["utilities"], bargain.nash(rows @ rows.T).utilities)
