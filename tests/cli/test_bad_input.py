"""Bad input to `bargain solve`: one clear sentence, status 2, and never a traceback."""

import numpy as np
import pytest

GOOD = np.asarray([[2.0, 0.5], [0.5, 1.0]])


def test_missing_file(refused, tmp_path):
    assert "no file" in refused("solve", tmp_path / "nowhere.npy")


def test_folder(refused, tmp_path):
    (tmp_path / "games.csv").mkdir()
    assert "is a folder" in refused("solve", tmp_path / "games.csv")


def test_unreadable_file(refused, write, monkeypatch):
    file = write("gram.csv", GOOD)

    def deny(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", deny)  # a mode of 000 does not stop the superuser
    assert "cannot be read (Permission denied)" in refused("solve", file)


@pytest.mark.parametrize("name", ["gram.txt", "gram"])
def test_wrong_ending(refused, write, name):
    sentence = refused("solve", write(name, "1,0\n0,1\n"))
    assert "must end in one of .npy, .npz, .csv, .json" in sentence


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("gram.npy", "1,0\n0,1\n", "not a NumPy .npy file"),
        ("gram.npy", b"", "not a NumPy .npy file"),
        ("gram.npy", b"\x93NUMPY\x01\x00", "not a NumPy .npy file"),
        ("gram.npz", "1,0\n0,1\n", "not a NumPy .npz archive"),
        ("gram.npz", b"", "not a NumPy .npz archive"),
        ("gram.json", "[[1, 0], [0", "not a JSON file"),
        ("gram.json", "[" * 100_000, "not a JSON file"),
        ("gram.json", b"\xff\xfe\xfa", "not a JSON file"),
        ("gram.csv", b"\xff\xfe\xfa", "not a text file"),
        ("gram.csv", "", "holds no numbers"),
        ("gram.json", "[]", "holds no numbers"),
        ("gram.json", "{}", "holds 0 arrays (none)"),
        ("gram.csv", "a,b\n1,2\n", "line 1 holds 'a'"),
        ("gram.csv", "1,2\n3,\n", "line 2 holds ''"),
        ("gram.csv", "1,2\n3\n", "line 2 holds 1 numbers, the first row 2"),
        ("gram.json", "[[1, 2], [3]]", "lists differ in length"),
        ("gram.json", '[["a", "b"], ["c", "d"]]', "must hold real numbers"),
        ("gram.json", "[[1, null], [null, 1]]", "must hold real numbers"),
        ("gram.json", "[[true, false], [false, true]]", "must hold real numbers"),
        ("gram.json", "7", "array of shape ()"),
        ("gram.csv", "1,2,3\n", "shape (1, 3)"),
    ],
)
def test_content_that_is_no_matrix(refused, write, name, content, expected):
    assert expected in refused("solve", write(name, content))


def test_complex_numbers(refused, write):
    assert "must hold real numbers" in refused("solve", write("gram.npy", GOOD + 1j))


def test_pickled_objects_are_not_loaded(refused, write):
    content = np.asarray([[object()]])
    assert "not a NumPy .npy file" in refused("solve", write("gram.npy", content))
    assert "not a NumPy .npz archive" in refused("solve", write("gram.npz", content))


def test_several_arrays_without_a_choice(refused, write):
    file = write("many.npz", {"first": GOOD, "second": GOOD})
    assert "(first, second); choose one with --key" in refused("solve", file)
    assert "holds no array 'third'" in refused("solve", file, "--key", "third")


def test_a_key_for_a_file_without_names(refused, write):
    for name in ("gram.npy", "gram.csv", "gram.json"):
        assert "leave out --key" in refused("solve", write(name, GOOD.tolist()), "--key", "gram")


def test_stack_without_a_choice(refused, write):
    file = write("stack.npy", np.stack([GOOD, GOOD]))
    assert "stack of 2 matrices" in refused("solve", file)
    assert "between 0 and 1" in refused("solve", file, "--index", 2)
    assert "not a stack" in refused("solve", write("one.npy", GOOD), "--index", 0)


def test_matrix_that_is_not_square(refused, write):
    sentence = refused("solve", write("gram.npy", np.ones((2, 3))))
    assert "shape (2, 3)" in sentence
    assert "--gradients" in sentence


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[2.0, 0.5], [0.1, 1.0]], "symmetric"),
        ([[1.0, 2.0], [2.0, 1.0]], "semidefinite"),
        ([[1.0, 0.0], [0.0, -1.0]], "negative|semidefinite"),
        ([[np.nan, 0.0], [0.0, 1.0]], "NaN|finite"),
        ([[np.inf, 0.0], [0.0, 1.0]], "infinit|finite"),
    ],
)
def test_matrix_that_is_no_gram_matrix(refused, write, matrix, expected):
    sentence = refused("solve", write("gram.npy", np.asarray(matrix)))
    assert any(word in sentence for word in expected.split("|")), sentence


def test_gradients_whose_products_overflow(refused, write):
    file = write("gradients.csv", "1e200,1e200\n1,2\n")
    assert "too large for float64" in refused("solve", file, "--gradients")


def test_gradients_that_are_not_finite(refused, write):
    file = write("gradients.csv", "nan,1\n1,2\n")
    assert "finite" in refused("solve", file, "--gradients")


def test_nan_in_text(refused, write):
    assert "finite" in refused("solve", write("gram.csv", "nan,0\n0,1\n"))


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ("1,2,3", "each of the 2 players, but holds 3"),
        ("1,-2", "weights"),
        ("0,0", "weights"),
        ("1,nan", "weights"),
        ("one,two", "numbers separated by commas"),
        ("nowhere.csv", "numbers separated by commas"),
        ("", "numbers separated by commas"),
    ],
)
def test_bad_weights(refused, gram_file, write, weights, expected):
    assert expected in refused("solve", write("gram.npy", GOOD), "--weights", weights)


def test_weights_from_a_matrix(refused, write):
    file = write("gram.npy", GOOD)
    assert "one row or one column" in refused("solve", file, "--weights", file)


def test_bad_disagreement(refused, write):
    file = write("gram.npy", GOOD)
    assert "each of the 2 players" in refused("solve", file, "--disagreement", "1")
    assert "disagreement" in refused("solve", file, "--disagreement", "nan,0")


@pytest.mark.parametrize("radius", ["-1", "nan", "inf"])
def test_bad_radius(refused, write, radius):
    sentence = refused(
        "solve", write("gram.npy", GOOD), "--disagreement", "0.1,0", "--radius", radius
    )
    assert "radius" in sentence


def test_wrong_number_of_names(refused, write):
    assert "--names must name 2" in refused("solve", write("gram.npy", GOOD), "--names", "a,b,c")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--solver", "magic"),
        ("--solution", "magic"),
        ("--max-steps", "0"),
        ("--radius", "wide"),
        ("--nonsense",),
    ],
)
def test_options_that_do_not_exist(run, gram_file, arguments):
    result = run("solve", gram_file, *arguments)
    assert result.exit_code == 2
    assert arguments[0] in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("", (), "standard input holds no numbers"),
        ("1,2\n3\n", (), "standard input is not a table: line 2"),
        ("1,x\n", (), "standard input must hold numbers separated by commas"),
        ("[[1, 0], [0", (), "standard input is not a JSON file"),
        ("[[1, 2], [3]]", (), "standard input must hold rows of equal length"),
        ('{"a": [[1]], "b": [[1]]}', (), "standard input holds 2 arrays (a, b)"),
        ("1,0\n0,1\n", ("--key", "a"), "standard input holds one table without a name"),
        ("1,0\n0,1\n", ("--index", "0"), "standard input holds one matrix"),
        ("[[[1]], [[2]]]", (), "standard input holds a stack of 2 matrices"),
        ("[[[1]], [[2]]]", ("--index", "2"), "since standard input holds 2 matrices"),
        ("1,2,3\n", (), "standard input holds a matrix of shape (1, 3)"),
        ("1e200,1\n1,2\n", ("--gradients",), "standard input holds gradients whose"),
        (b"\x93NUMPY\xff", (), "standard input must be text"),
    ],
)
def test_standard_input_that_is_no_game(refused, content, options, expected):
    assert expected in refused("solve", "-", *options, input=content)
