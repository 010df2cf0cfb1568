"""Means, Δm and ranks of a comparison, by hand; its table and its picture."""

import math

import pytest

from bargain_torch.comparison import Comparison, Run


def run(method, seed, note="", **metrics):
    rows = [[1.0]]
    return Run(method, 0, 0.1, seed, metrics, ["t"], rows, rows, [], 2e-3, 1e-5, 0.005, 1.0, note)


COMPARISON = Comparison(
    (
        run("old", 0, error=2.0, accuracy=0.5),
        run("old", 1, error=4.0, accuracy=0.5),
        run("new", 0, error=1.0, accuracy=0.6),
        run("new", 1, error=2.0, accuracy=0.8),
        run("bad", 0, error=3.0, accuracy=0.4),
        run("bad", 1, "step 3: the loss of t is NaN or infinite"),
    ),
    (),
    frozenset({"accuracy"}),
)


def test_means():
    assert COMPARISON.mean("old", "error") == pytest.approx((3.0, math.sqrt(2)))
    assert COMPARISON.mean("new", "accuracy") == pytest.approx((0.7, math.sqrt(0.02)))
    assert all(map(math.isnan, COMPARISON.mean("bad", "error")))


def test_delta():
    found = COMPARISON.delta("old")
    # by the seeds: error 1/3 and 2/3 of it, accuracy 1.2 and 1.6 times
    first, second = 50 * (-2 / 3 - 0.2), 50 * (-1 / 3 - 0.6)
    assert found["new"][0] == pytest.approx((first + second) / 2)
    assert found["new"][1] == pytest.approx(abs(first - second) / math.sqrt(2))
    assert found["old"][0] == pytest.approx(0.0)
    assert math.isnan(found["bad"][0])
    given = COMPARISON.delta({"error": 1.0, "accuracy": 1.0})
    assert given["old"][0] == pytest.approx(50 * (2.0 + 0.5))


def test_mean_rank():
    assert COMPARISON.mean_rank() == {"old": 2.0, "new": 1.0, "bad": 3.0}


def test_it_shows_itself_in_a_line():
    assert repr(COMPARISON).startswith("<Comparison of old, new, bad: 6 runs, 0 trials;")


def test_where_everything_diverged():
    lost = Comparison((run("bad", 0, "step 1: the loss of t is NaN or infinite"),), (), frozenset())
    assert math.isnan(lost.mean_rank()["bad"])
    assert "| bad | nan |" in lost.table()
    with pytest.raises(ValueError, match="which diverged"):
        lost.table("bad")


def test_table():
    table = COMPARISON.table("old").splitlines()
    assert table[0] == (
        "| method | error | accuracy | Δm % | mean rank | rate | ms a step | solves |"
    )
    assert table[2].startswith("| old | 3.00 ± 1.41 | 0.500 ± 0.000 | 0.0 ± 23.6 | ")
    assert "diverged, 1 of 2" in table[4]
    assert table[3].endswith("| 1.00 | 0.1 | 2.00 | 0.5 % |")


def test_a_run_each_has_no_deviation():
    """The reference's Δm is zero then, and others may be below it."""
    pair = Comparison((run("old", 0, error=2.0), run("new", 0, error=1.0)), (), frozenset())
    table = pair.table("old").splitlines()
    assert table[2].startswith("| old | 2.00 ± 0.00 | 0.00 ± 0.00 | ")
    assert table[3].startswith("| new | 1.00 ± 0.00 | -50.0 ± 0.0 | ")


def test_picture(tmp_path):
    from matplotlib.figure import Figure

    drawn = []
    save = Figure.savefig
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", lambda f, *a, **k: drawn.append(f) or save(f, *a, **k))
        COMPARISON.plot(tmp_path / "new" / "picture.svg", "old")
    assert (tmp_path / "new" / "picture.svg").stat().st_size > 5000
    titles = [axes.get_title() for axes in drawn[0].axes]
    assert titles == [
        "error (lower is better)",
        "accuracy (higher is better)",
        "Δm in % (lower is better)",
    ]
    names = [label.get_text() for label in drawn[0].axes[0].get_yticklabels()]
    assert names == ["old", "new", "bad"]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: COMPARISON.mean("nwe", "error"), "method: expected one of old, new, bad"),
        (lambda: COMPARISON.mean("new", "eror"), "metric: expected one of error, accuracy"),
        (lambda: COMPARISON.delta("nwe"), "method: expected one of"),
        (lambda: COMPARISON.delta("bad"), "reference: expected a method all of whose trainings"),
        (lambda: COMPARISON.delta({"error": 1.0}), "reference: expected numbers other than zero"),
    ],
)
def test_bad_names(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
