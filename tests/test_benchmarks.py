"""Benchmarks run and keep what they found; nothing here depends on how fast."""

import importlib
import json

import pytest

pytest.importorskip("rich")
pytest.importorskip("threadpoolctl")
pytest.importorskip("cvxpy")

from benchmarks import bench_nash, report

QUICK = ["batch", "gram", "import", "nash", "payoffs", "solvers", "torch_solve"]
COMPILING = ["jax", "torch_step"]
"""These start processes or compile for long."""
ON_CUDA = ["cuda_solve", "cuda_step"]


@pytest.mark.parametrize(
    "name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in COMPILING)]
)
@pytest.mark.filterwarnings("ignore:Dynamo detected a call:UserWarning")
def test_smallest_setting_runs_and_is_kept(name, tmp_path):
    found = importlib.import_module(f"benchmarks.bench_{name}").run(quick=True)

    assert found.rows
    assert {len(row) for row in found.rows} == {len(found.columns)}
    report.save(found, tmp_path, readme=tmp_path / "README.md")
    kept = json.loads((tmp_path / f"{found.name}.json").read_text())
    assert kept["records"] == json.loads(json.dumps(found.records))
    assert f"| {found.columns[0]} |" in (tmp_path / f"{found.name}.md").read_text()


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("cuda_solve", "cpu"),
        pytest.param("cuda_step", "cpu", marks=pytest.mark.slow),
        *(pytest.param(name, "cuda", marks=pytest.mark.cuda) for name in ON_CUDA),
    ],
)
@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")  # TorchJD's vmap
def test_what_is_measured_on_a_gpu_runs(name, device):
    torch = pytest.importorskip("torch")
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no NVIDIA GPU")
    found = importlib.import_module(f"benchmarks.bench_{name}").run(quick=True, device=device)

    assert found.rows
    assert {len(row) for row in found.rows} == {len(found.columns)}
    assert found.notes.startswith(f"On one {found.title.partition('one ')[2]}")


@pytest.mark.parametrize("warm", [False, True])
def test_nash_solves_every_game_that_it_is_timed_on(warm):
    grams = bench_nash.random_grams(3, 5)
    figures = bench_nash.measure(bench_nash.Ours(3, warm), grams, 1)

    assert figures["failures"] == 0
    assert figures["worst_residual"] < 1e-10


def test_wrong_answers_and_exceptions_count_as_failures():
    def refuses(gram):
        raise ArithmeticError("no")

    grams = bench_nash.random_grams(3, 2)
    assert bench_nash.measure(refuses, grams, 1)["failures"] == 2
    assert bench_nash.measure(lambda gram: gram[0] * 0 + 1, grams, 1)["failures"] == 2


def test_summary_goes_between_the_marks_of_the_readme(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.START}\nold\n{report.END}\nafter\n")
    found = report.Report("x", "t", ["a"], [["1"]], "n", [], (["a", "b"], [["1", "2"]], "what"))

    report.save(found, tmp_path / "results", readme)
    table = report.markdown(["a", "b"], [["1", "2"]])
    assert readme.read_text() == f"before\n{report.START}\n{table}\nwhat\n{report.END}\nafter\n"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(2.5, "2.5 s"), (0.25, "250 ms"), (1.234e-3, "1.2 ms"), (9.87e-5, "98.7 µs"), (0, "0.00 µs")],
)
def test_times_are_written_in_fitting_units(seconds, written):
    assert report.in_units(seconds) == written


@pytest.mark.parametrize(
    ("residual", "written"), [(1.4e-15, "1e-15"), (2.2e-5, "2e-5"), (0.62, "0.6"), (13.1, "13.1")]
)
def test_residuals_are_written_with_one_digit(residual, written):
    assert report.in_powers(residual) == written


@pytest.mark.parametrize(
    ("ratio", "written"), [(0.5, "0.50×"), (1, "1.0×"), (12.3, "12×"), (5678.9, "5,700×")]
)
def test_ratios_are_written_with_about_two_digits(ratio, written):
    assert report.times(ratio) == written
