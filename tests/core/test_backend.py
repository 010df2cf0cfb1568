"""Backends are found by the library's name, and do what the core relies on."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import bargain
from bargain import backend as registry
from bargain.backend import EagerBackend, backend_for
from bargain_numpy import NumpyBackend
from tests.libraries import as_numpy, open_library

NUMPY = NumpyBackend()


@pytest.fixture
def installed(monkeypatch):
    """Pretend that these entry points, and no others, are installed."""

    def install(*found):
        def entry_points(*, group, name):
            assert group == "bargain.backends"
            return [entry for entry in found if entry.name == name]

        metadata = SimpleNamespace(entry_points=entry_points)
        monkeypatch.setattr(registry, "import_module", lambda _: metadata)
        registry._loaded.clear()

    yield install
    monkeypatch.undo()
    registry._loaded.clear()


def entry(name, value, backend=None):
    return SimpleNamespace(name=name, value=value, load=lambda: backend)


def test_numpy_gets_its_backend():
    assert type(backend_for(np.ones(1))) is NumpyBackend
    assert backend_for(np.ones(1)) is backend_for(np.ones((2, 2)))


def test_a_library_without_a_backend_gets_plain_control_flow():
    strict = open_library("array_api_strict")
    assert type(backend_for(strict.asarray([1.0]))) is EagerBackend


@pytest.mark.parametrize("name", ["numpy", "array_api_strict", "torch", "jax"])
def test_a_stranger_may_bring_a_backend(installed, name):
    class Stranger(EagerBackend):
        pass

    array = open_library(name).asarray(np.eye(2))
    installed(entry(name, "stranger:backend", Stranger()), entry("other", "other:backend"))
    assert type(backend_for(array)) is Stranger
    assert int(bargain.nash(array).status) == 0


def test_the_strangers_linear_algebra_is_used(installed, no_shortcut):
    asked = []

    class Counting(EagerBackend):
        def solve_spd(self, matrix, rhs, /):
            asked.append(matrix.shape)
            return super().solve_spd(matrix, rhs)

        def while_loop(self, cond, body, state, max_steps):
            asked.append("loop")
            return super().while_loop(cond, body, state, max_steps)

    installed(entry("numpy", "counting:backend", Counting()))
    outcome = bargain.nash(
        np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.3], [0.0, 0.3, 1.0]]), [1.0, 2, 3]
    )
    assert asked[0] == "loop"
    assert asked.count((3, 3)) == int(outcome.steps) > 0


def test_two_backends_for_one_library_are_one_too_many(installed):
    installed(entry("numpy", "a:backend"), entry("numpy", "b:backend"))
    sentence = "expected one backend for numpy, found a:backend, b:backend; uninstall all but one"
    with pytest.raises(RuntimeError, match=sentence):
        bargain.nash(np.eye(2))


def test_a_shortcut_is_taken_where_there_is_one(installed):
    known = bargain.nash(np.eye(2))

    class Hasty(EagerBackend):
        def shortcut(self, game, solution, solver, /, **options):
            assert set(options) == {"start", "max_steps", "precision"}
            return known

    installed(entry("numpy", "hasty:backend", Hasty()))
    assert bargain.nash(np.eye(2)) is known


# The NumPy backend -----------------------------------------------------------------------------

GOOD = np.array([[2.0, 0.5], [0.5, 1.0]])
SINGULAR = np.ones((2, 2))
INDEFINITE = np.array([[1.0, 2.0], [2.0, 1.0]])
RHS = np.array([1.0, -2.0])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_positive_definite_systems_are_solved(dtype):
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(4, 6, 9))
    matrices = (factor @ factor.swapaxes(-1, -2)).astype(dtype)
    rhs = rng.normal(size=(4, 6)).astype(dtype)
    tolerance = 1e-9 if dtype == np.float64 else 1e-2
    together = NUMPY.solve_spd(matrices, rhs)
    assert together.dtype == dtype
    for k in range(4):
        alone = NUMPY.solve_spd(matrices[k], rhs[k])
        assert alone.dtype == dtype
        np.testing.assert_allclose(alone, together[k], rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(matrices[k] @ alone, rhs[k], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("matrix", [SINGULAR, INDEFINITE, -GOOD, np.zeros((2, 2))])
def test_a_single_system_that_is_not_positive_definite_gives_nan(matrix):
    assert np.isnan(NUMPY.solve_spd(matrix, RHS)).all()


def test_one_singular_system_in_a_batch_harms_no_other():
    found = NUMPY.solve_spd(np.stack([GOOD, SINGULAR, GOOD]), np.stack([RHS] * 3))
    assert np.isnan(found[1]).all()
    for k in (0, 2):
        np.testing.assert_allclose(GOOD @ found[k], RHS, rtol=1e-14)
    deep = NUMPY.solve_spd(np.stack([GOOD, SINGULAR]).reshape(1, 2, 2, 2), RHS * np.ones((1, 2, 1)))
    assert deep.shape == (1, 2, 2)
    assert np.isfinite(deep[0, 0]).all()


def test_systems_are_not_overwritten():
    matrix, rhs = np.asfortranarray(GOOD), RHS.copy()
    NUMPY.solve_spd(matrix, rhs)
    NUMPY.positive_definite(matrix)
    np.testing.assert_array_equal(matrix, GOOD)
    np.testing.assert_array_equal(rhs, RHS)


@pytest.mark.parametrize("backend", [NUMPY, EagerBackend()], ids=["numpy", "eager"])
def test_definiteness(backend):
    for matrix, expected in ((GOOD, True), (INDEFINITE, False), (-GOOD, False)):
        assert bool(backend.positive_definite(matrix)) is expected
    batch = np.stack([GOOD, INDEFINITE, GOOD])
    np.testing.assert_array_equal(backend.positive_definite(batch), [True, False, True])
    np.testing.assert_array_equal(backend.positive_definite(batch[::2]), [True, True])
    assert backend.positive_definite(batch.reshape(1, 3, 2, 2)).shape == (1, 3)


def test_plain_control_flow(xp):
    plain = EagerBackend()
    one = xp.asarray(1.0)
    doubled = plain.while_loop(lambda s: s < 100, lambda s: s * 2, one, 1000)
    assert float(doubled) == 128
    assert float(plain.while_loop(lambda s: s < 100, lambda s: s * 2, one, 3)) == 8
    assert float(plain.while_loop(lambda s: s < 0, lambda s: s * 2, one, 3)) == 1
    assert plain.concrete(one)
    assert plain.attach_derivative(math.sqrt) is math.sqrt
    solved = plain.solve_spd(xp.asarray(GOOD), xp.asarray(RHS))
    np.testing.assert_allclose(GOOD @ as_numpy(solved), RHS, rtol=1e-14)
