"""The implicit derivative in PyTorch: by finite differences, by closed form, at the edges."""

import numpy as np
import pytest

import bargain
from tests import strategies

torch = pytest.importorskip("torch")
bargain_torch = pytest.importorskip("bargain_torch")

DECIDED = ("coefficients", "utilities", "shares")


def drawn(players, device="cpu", seed=0, batch=(), dtype=torch.float64):
    """Any square matrix that makes a game by ``game_matrix``, and weights."""
    rng = np.random.default_rng(seed)
    gradients = rng.normal(size=(*batch, players, players + 3))
    weights = rng.uniform(0.5, 2.0, size=(*batch, players))
    tensors = (
        torch.from_numpy(gradients @ np.swapaxes(gradients, -1, -2)),
        torch.from_numpy(weights),
    )
    return tuple(tensor.to(device, dtype).requires_grad_() for tensor in tensors)


def game_matrix(entries):
    """Finite differences change one entry at a time; a Gram matrix is symmetric."""
    return (entries + entries.mT) / 2


def decided(entries, weights=None, **options):
    outcome = bargain.nash(game_matrix(entries), weights, **options)
    return tuple(getattr(outcome, name) for name in DECIDED)


@pytest.mark.parametrize("batch", [(), (3,), (2, 2)])
def test_first_and_second_derivatives(batch, device):
    entries, weights = drawn(3, device, batch=batch)
    assert torch.autograd.gradcheck(decided, (entries, weights))
    assert torch.autograd.gradgradcheck(decided, (entries, weights))


def test_weights_and_radius_that_broadcast(device):
    entries, _ = drawn(3, device, batch=(2,))
    _, weights = drawn(3, device)
    radius = torch.tensor(1.7, dtype=torch.float64, device=device, requires_grad=True)

    def solve(entries, weights, radius):
        return decided(entries, weights, radius=radius)

    assert torch.autograd.gradcheck(solve, (entries, weights, radius))
    assert torch.autograd.gradgradcheck(solve, (entries, weights, radius))


def test_players_without_a_say_move_nothing_but_their_own_utility(device):
    entries, weights = drawn(5, device)
    weights = weights.detach().clone()
    weights[1] = 0.0
    active = torch.tensor([True, True, True, False, True], device=device)

    def solve(entries):
        return decided(entries, weights, active=active)

    assert torch.autograd.gradcheck(solve, (entries,))
    assert torch.autograd.gradgradcheck(solve, (entries,))
    (slope,) = torch.autograd.grad(solve(entries)[0].sum(), entries)
    assert not slope[[1, 3]].any()
    (slope,) = torch.autograd.grad(solve(entries)[1][1], entries)
    assert slope[1].any()


def test_nan_of_an_absent_player_stays_out_of_the_derivative(device):
    entries, weights = drawn(3, device)
    full = torch.full((4, 4), torch.nan, dtype=torch.float64, device=device)
    full[:3, :3] = entries.detach()
    full.requires_grad_()
    loads = torch.cat([weights.detach(), torch.ones_like(weights[:1])])
    active = torch.tensor([True, True, True, False], device=device)
    bargain.nash(full, loads, active=active).coefficients.sum().backward()
    bargain.nash(entries, weights).coefficients.sum().backward()
    torch.testing.assert_close(full.grad[:3, :3], entries.grad)
    assert not full.grad[3].any()
    assert not full.grad[:, 3].any()


def test_two_players_in_closed_form(device):
    """For two equally strong players a_i = 1 / (||g_i|| sqrt(1 + c)) with the cosine c."""
    entries = torch.tensor([[4.0, -1.0], [-1.0, 9.0]], dtype=torch.float64, device=device)
    entries.requires_grad_()
    lengths = entries.diagonal().sqrt()
    cosine = entries[0, 1] / lengths.prod()
    direction = torch.tensor([1.0, -0.3], dtype=torch.float64, device=device)
    (expected,) = torch.autograd.grad((direction / (lengths * (1 + cosine).sqrt())).sum(), entries)
    (found,) = torch.autograd.grad((direction * bargain.nash(entries).coefficients).sum(), entries)
    torch.testing.assert_close(found, game_matrix(expected), rtol=1e-12, atol=1e-14)


def test_the_solution_moves_with_the_derivative():
    """Through NumPy, which knows nothing of it."""
    entries, weights = drawn(6, seed=3)
    rng = np.random.default_rng(4)
    tangent, shift = rng.normal(size=(6, 6)), rng.normal(size=6)
    tangent, step = tangent + tangent.T, 1e-6
    cotangent = torch.from_numpy(rng.normal(size=6))
    slopes = torch.autograd.grad(
        (cotangent * bargain.nash(entries, weights).coefficients).sum(), (entries, weights)
    )
    ends = [
        bargain.nash(
            entries.detach().numpy() + sign * step * tangent,
            weights.detach().numpy() + sign * step * shift,
        ).coefficients
        for sign in (1, -1)
    ]
    expected = cotangent.numpy() @ (ends[0] - ends[1]) / (2 * step)
    found = float(
        (slopes[0] * torch.from_numpy(tangent)).sum() + slopes[1] @ torch.from_numpy(shift)
    )
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_disagreement_has_the_derivative_zero(device):
    case = strategies.stationary(4, 1)
    gram = torch.from_numpy(case.gram.copy()).to(device).requires_grad_()
    outcome = bargain.nash(gram)
    assert int(outcome.status) == bargain.Status.DISAGREEMENT
    (outcome.coefficients.sum() + outcome.utilities.sum() + outcome.shares.sum()).backward()
    assert torch.equal(gram.grad, torch.zeros_like(gram))


def test_a_bad_game_keeps_its_nan_from_its_neighbours(device):
    entries, _ = drawn(3, device, batch=(2,))
    bad = torch.full((1, 3, 3), torch.nan, device=device)
    spoilt = torch.cat([entries.detach(), bad]).requires_grad_()
    outcome = bargain.nash(spoilt)
    assert outcome.status.tolist() == [0, 0, bargain.Status.NONFINITE]
    outcome.coefficients[:2].sum().backward()
    bargain.nash(entries).coefficients.sum().backward()
    torch.testing.assert_close(spoilt.grad[:2], entries.grad)
    assert not spoilt.grad[2].any()


def test_the_derivative_scales_with_the_gradients(device):
    """Lengths over 12 decades: no entry overflows or drowns in another."""
    entries, _ = drawn(4, device, seed=5)
    lengths = torch.logspace(-6, 6, 4, dtype=torch.float64, device=device)
    stretched = (lengths[:, None] * entries.detach() * lengths).requires_grad_()
    direction = torch.tensor([1.0, 2.0, -1.0, 0.5], dtype=torch.float64, device=device)
    (direction * bargain.nash(entries).coefficients).sum().backward()
    (direction * lengths * bargain.nash(stretched).coefficients).sum().backward()
    torch.testing.assert_close(
        stretched.grad * lengths[:, None] * lengths, entries.grad, rtol=1e-9, atol=0
    )


def test_single_precision(device):
    entries, weights = drawn(5, device, dtype=torch.float32)
    exact = [values.detach().double().requires_grad_() for values in (entries, weights)]
    for pair in ((entries, weights), exact):
        torch.cat(decided(*pair)).sum().backward()
    for rough, sharp in zip((entries, weights), exact, strict=True):
        assert rough.grad.dtype == torch.float32
        torch.testing.assert_close(rough.grad.double(), sharp.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("place", ["host", "device"])
def test_autocast_takes_no_digits(place, device):
    gram, weights = (values.detach() for values in drawn(5, device, dtype=torch.float32))

    def slopes(**options):
        entries = gram.clone().requires_grad_()
        outcome = bargain.nash(entries, weights, **options)
        return outcome.utilities, *torch.autograd.grad(outcome.utilities.sum(), entries)

    for options in ({}, {"solver": bargain.FixedPoint()}):
        with bargain_torch.solve_on(place):
            expected = slopes(**options)
            with torch.autocast(device, dtype=torch.bfloat16):
                found = slopes(**options)
        for ours, theirs in zip(found, expected, strict=True):
            assert torch.equal(ours, theirs)


def test_the_proof_has_no_derivative():
    entries, weights = drawn(3)
    outcome = bargain.nash(entries, weights)
    assert all(getattr(outcome, name).requires_grad for name in DECIDED)
    proof = (outcome.gap, outcome.residual, *outcome.certificate)
    assert not any(values.requires_grad for values in proof)


def test_no_derivative_where_none_is_asked_for(device):
    entries, weights = drawn(3, device)
    with torch.no_grad():
        assert not bargain.nash(entries, weights).coefficients.requires_grad
    assert not bargain.nash(entries.detach()).coefficients.requires_grad
    (slope,) = torch.autograd.grad(bargain.nash(entries, weights).coefficients.sum(), weights)
    assert slope.shape == weights.shape


def test_a_disagreement_point_solves_and_says_that_it_has_no_derivative(device):
    entries, _ = drawn(3, device)
    outcome = bargain.nash(entries, disagreement=[0.01, 0.0, 0.02])
    assert int(outcome.status) == bargain.Status.AGREEMENT
    with pytest.raises(NotImplementedError, match=r"without a disagreement point.*detach"):
        outcome.coefficients.sum().backward()


@pytest.mark.parametrize(
    "solution",
    [
        bargain.AlphaFair(2.0),
        bargain.KalaiSmorodinsky(),
        bargain.Egalitarian(),
        bargain.Utilitarian(),
    ],
    ids=str,
)
def test_other_solutions_say_that_they_have_no_derivative(device, solution):
    entries, _ = drawn(3, device)
    outcome = bargain.solve(bargain.GradientGame(game_matrix(entries)), solution)
    assert int(outcome.status) == bargain.Status.AGREEMENT
    with pytest.raises(NotImplementedError, match=f"found the solution {type(solution).__name__}"):
        outcome.utilities.sum().backward()


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")  # torch's own, inside
def test_forward_mode_is_an_error_and_not_a_zero():
    entries, _ = drawn(3)
    entries = entries.detach()

    def solve(gram):
        return bargain.nash(gram).coefficients

    with pytest.raises(NotImplementedError, match="forward mode"):
        torch.func.jvp(solve, (entries,), (entries,))
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(entries, entries)
        with pytest.raises(NotImplementedError, match="forward mode"):
            solve(dual)
