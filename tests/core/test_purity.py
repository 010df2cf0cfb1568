"""The core imports nothing but what the arrays themselves need."""

import subprocess
import sys
import textwrap

import pytest

FRAMEWORKS = ["torch", "jax", "cvxpy", "scipy", "matplotlib", "sklearn", "rich", "typer", "pandas"]


def run(program):
    """Run a program in a fresh interpreter and give what it prints."""
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.split()


def modules_after(statements):
    loaded = run(f"import sys\n{statements}\nprint(*sorted(sys.modules))")
    return {name.partition(".")[0] for name in loaded}, set(loaded)


def test_importing_it_imports_no_framework():
    packages, modules = modules_after("import bargain")
    assert "bargain" in packages
    assert not packages & {*FRAMEWORKS, "jaxtyping", "beartype", "bargain_numpy", "bargain_cli"}
    allowed, _ = modules_after("import array_api_compat")
    extra = packages - allowed - {"bargain"} - set(sys.stdlib_module_names)
    assert not {name for name in extra if not name.startswith("__")}, extra
    assert "importlib.metadata" not in modules - modules_after("import array_api_compat")[1]


def test_numpy_is_imported_only_if_array_api_compat_does():
    with_compat = "numpy" in modules_after("import array_api_compat")[0]
    with_bargain = "numpy" in modules_after("import bargain")[0]
    assert with_bargain <= with_compat


def test_solving_a_numpy_game_loads_no_other_library():
    packages, _ = modules_after("import numpy, bargain\nbargain.nash(numpy.eye(2))")
    assert "bargain_numpy" in packages
    assert not packages & (set(FRAMEWORKS) - {"scipy"})


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_it_works_where_a_framework_is_missing(framework):
    program = f"""
        import sys
        sys.modules[{framework!r}] = None
        import numpy, bargain
        print(int(bargain.nash(numpy.eye(2)).status))
    """
    assert run(program) == ["0"]


def test_without_jaxtyping_shapes_cost_nothing():
    program = """
        import sys
        sys.modules["jaxtyping"] = None
        del sys.modules["jaxtyping"]
        import bargain.shapes
        print("jaxtyping" in sys.modules, bargain.shapes.Float["anything", "at all"])
    """
    assert run(program)[0] == "False"


def test_how_long_the_import_takes(capsys):
    """Printed, not asserted: other work on the machine would decide it."""
    program = """
        import time
        start = time.perf_counter()
        import numpy
        middle = time.perf_counter()
        import bargain
        print(1e3 * (middle - start), 1e3 * (time.perf_counter() - middle))
    """
    numpy, extra = min((tuple(map(float, run(program))) for _ in range(3)), key=lambda t: t[1])
    with capsys.disabled():
        print(f" [import numpy {numpy:.0f} ms, bargain {extra:.0f} ms on top] ", end="")
    assert extra > 0


def test_a_planted_import_would_be_found():
    packages, _ = modules_after("import scipy.linalg, bargain")
    assert packages & set(FRAMEWORKS)
