"""Solves under the transforms of ``torch.func``."""

import pytest

import bargain
from bargain import Status
from tests.backends.torch.test_solve_derivative import decided, drawn, game_matrix

torch = pytest.importorskip("torch")
bargain_torch = pytest.importorskip("bargain_torch")


def loss(entries, weights=None):
    """A number that depends on everything that has a derivative."""
    factors = torch.arange(1.0, entries.shape[-1] + 1, dtype=entries.dtype, device=entries.device)
    return sum((factors * part).sum() for part in decided(entries, weights))


def slopes(entries, weights):
    leaves = [values.detach().requires_grad_() for values in (entries, weights)]
    return torch.autograd.grad(loss(*leaves), leaves)


def assert_all_close(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.fixture
def games(device):
    entries, weights = drawn(4, device, batch=(3,))
    return entries.detach(), weights.detach()


@pytest.mark.parametrize("in_dims", [(0, 0), (0, None), (None, 0), (1, 1)])
def test_vmap_is_the_loop(games, in_dims):
    chosen = [
        values[0] if axis is None else values.movedim(0, axis)
        for values, axis in zip(games, in_dims, strict=True)
    ]
    found = torch.func.vmap(decided, in_dims)(*chosen)
    for k in range(3):
        one = [
            values if axis is None else values.select(axis, k)
            for values, axis in zip(chosen, in_dims, strict=True)
        ]
        assert_all_close([part[k] for part in found], decided(*one))


def test_vmap_in_vmap_over_matrices_and_weights(games):
    entries, weights = games
    inner = torch.func.vmap(decided, (None, 0))
    found = torch.func.vmap(inner, (0, None))(entries, weights)
    assert found[0].shape == (3, 3, 4)
    assert_all_close([part[2, 1] for part in found], decided(entries[2], weights[1]))


def test_vmap_over_companions(games):
    entries, _ = games
    active = torch.eye(4, dtype=torch.bool, device=entries.device).logical_not()

    def solve(active, radius):
        outcome = bargain.nash(game_matrix(entries[0]), active=active, radius=radius)
        return outcome.coefficients, outcome.utilities

    radius = torch.linspace(0.5, 2.0, 4, dtype=torch.float64, device=entries.device)
    found = torch.func.vmap(solve)(active, radius)
    for k in range(4):
        assert_all_close([part[k] for part in found], solve(active[k], radius[k]))


def test_an_invalid_game_in_vmap_is_a_status(games):
    entries = torch.cat([games[0], torch.full_like(games[0][:1], torch.nan)])
    status = torch.func.vmap(lambda gram: bargain.nash(gram).status)(entries)
    assert status.tolist() == [0, 0, 0, Status.NONFINITE]


def test_functional_gradients(games):
    entries, weights = games[0][0], games[1][0]
    found = torch.func.grad(loss, argnums=(0, 1))(entries, weights)
    assert_all_close(found, slopes(entries, weights))


def test_vmap_of_gradients_and_gradients_of_vmap(games):
    entries, weights = games
    expected = [slopes(*pair) for pair in zip(entries, weights, strict=True)]
    found = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1)))(entries, weights)
    for k in range(3):
        assert_all_close([part[k] for part in found], expected[k])

    def total(entries, weights):
        return torch.func.vmap(loss)(entries, weights).sum()

    found = torch.func.grad(total, argnums=(0, 1))(entries, weights)
    for k in range(3):
        assert_all_close([part[k] for part in found], expected[k])


def test_autograd_sees_through_vmap(games):
    entries, weights = (values.clone().requires_grad_() for values in games)
    torch.func.vmap(loss)(entries, weights).sum().backward()
    assert_all_close((entries.grad[1], weights.grad[1]), slopes(games[0][1], games[1][1]))


def test_second_derivatives(games):
    entries, weights = games[0][0], games[1][0]
    found = torch.func.jacrev(torch.func.jacrev(loss, argnums=1), argnums=1)(entries, weights)
    expected = torch.autograd.functional.hessian(lambda weights: loss(entries, weights), weights)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_the_operator_keeps_torchs_rules(games):
    """Its shapes without values, its types, and that it changes no argument."""
    from bargain_torch.recipe import write_recipe

    recipe = write_recipe(bargain.Newton(), bargain.Nash(), 200, 2.2e-16, (), False)
    for gram in (game_matrix(games[0][0]), game_matrix(games[0]).float()):
        torch.library.opcheck(
            torch.ops.bargain.solve.default,
            (gram, None, None, None, recipe),
            test_utils=("test_schema", "test_faketensor"),
        )
