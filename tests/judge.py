"""An independent judge of outcomes: exact arithmetic, and no code in common with any solver.

Every number that an outcome claims is recomputed from the game without rounding, and compared
within the rounding errors that a careful float computation may commit. What is wrong raises
AssertionError with a sentence that says what was claimed and what is true.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np

from tests.exact import exact_dot, exact_products, exact_root, rounded
from tests.exact_bargain import Bargain, nash_bargain, norm_uncertainty

FLOOR_ALLOWANCE = 16
"""How many times the bare rounding floor an outcome may claim as its floor."""
ROUNDINGS = 16
"""How many roundings, beside those of a sum over the players, a claimed number may carry."""
WORST_RESIDUAL = 0.5
"""Beyond this not even the signs of the gains are certain, whatever the floor."""
RESOLUTION_ALLOWANCE = 4
"""How many times sqrt(K eps) an outcome may claim as its resolution."""


def nash_residual(gram, weights, coefficients) -> float:
    """Return max_i |a_i (M a)_i / w_i - 1| over players with weight and gradient, exactly."""
    return nash_bargain(gram, weights, coefficients).residual


def rounding_floor(gram, weights, coefficients, epsilon: float) -> float:
    """Return epsilon max_i a_i sum_j |M_ij| a_j / w_i: what rounding leaves of the residual."""
    return float(nash_bargain(gram, weights, coefficients, epsilon).floors.max())


def check_disagreement(
    gram,
    beta,
    resolution: float,
    disagreement=None,
    radius: float = 1.0,
    weights=None,
    active=None,
) -> None:
    """Raise unless ``beta`` proves by Gordan's alternative that not everyone can be better off.

    It must be a convex combination over players with a say for which r ||sum beta_i g_i|| is at
    most sum beta_i d_i, up to the resolution times sum beta_i (r ||g_i|| + |d_i|).
    """
    epsilon = float(np.finfo(np.asarray(gram).dtype).eps)
    gram, weights, asked, present = _plain(gram, weights, disagreement, active)
    beta, lengths = np.asarray(beta, float), np.sqrt(np.diagonal(gram))
    asked = np.zeros(len(beta)) if asked is None else asked
    assert np.isfinite(beta).all(), f"the certificate is not finite: {beta}"
    assert (beta >= 0).all(), f"the certificate has a negative entry, {beta.min()!r}"
    drift = abs(beta.sum() - 1)
    assert drift <= 4 * len(beta) * epsilon, f"the certificate sums to {beta.sum()!r}, not to one"
    strangers = np.flatnonzero(
        (beta > 0) & ~(present & (weights > 0) & ((lengths > 0) | (asked > 0)))
    )
    assert not len(strangers), f"the certificate leans on players without a say: {strangers}"
    honest = RESOLUTION_ALLOWANCE * math.sqrt(len(beta) * epsilon)
    assert 0 < resolution <= honest, f"the resolution {resolution} is dishonest: above {honest}"

    norm = exact_root(exact_dot(beta, exact_products(gram, beta)))
    excess = rounded(Fraction(radius) * norm - exact_dot(beta, [Fraction(d) for d in asked]))
    combined = float(beta @ lengths)
    size = radius * combined + float(beta @ np.abs(asked))
    blur = radius * norm_uncertainty(len(beta), epsilon, combined, rounded(norm))
    assert excess <= resolution * size + blur, (
        f"the certificate proves nothing: its combination is {excess / size:.3e} (relative) above "
        f"zero, and the resolution is {resolution:.3e}"
    )


def check_agreement(case: Any, claim: Any, tolerance: float | None = None) -> None:
    """Raise unless every number that an agreement claims is what the game says it is."""
    epsilon = float(np.finfo(case.gram.dtype).eps)
    gram, weights, asked, present = _plain(case.gram, case.weights, case.disagreement, case.active)
    inside, proof = present & (weights > 0) & (np.diagonal(gram) > 0), claim.certificate
    for name, values in (("coefficients", claim.coefficients), ("multipliers", proof.multipliers)):
        assert np.isfinite(values).all(), f"the {name} are not finite: {values}"
        assert not np.any(values[~inside]), f"the {name} of players without a say are not zero"
        if name == "multipliers" or asked is None:
            assert (values[inside] > 0).all(), f"the {name} are not positive: {values[inside]}"
    if asked is not None:
        owed = np.flatnonzero(present & (weights > 0) & ~inside & (asked > 0))
        assert not len(owed), f"players {owed} ask for something and have no gradient"

    bargain = Bargain(
        gram[np.ix_(inside, inside)],
        weights[inside],
        np.asarray(claim.coefficients, float)[inside],
        np.asarray(proof.multipliers, float)[inside],
        None if asked is None else asked[inside],
        float(case.radius),
        epsilon,
    )
    _check_residual(bargain, claim, tolerance or (1e-4 if epsilon > 1e-10 else 1e-10))
    _check_utilities(bargain, claim, gram, inside)
    _check_shares(bargain, np.asarray(claim.shares, float), inside)
    _check_gap(bargain, claim)


def judge_outcome(case: Any, outcome: Any, *, tolerance: float | None = None) -> None:
    """Raise unless the outcome of one game, in arrays that NumPy reads, is right in every number.

    ``case`` has the fields of ``GramCase``: gram, weights, disagreement, radius, active, solvable.
    ``tolerance`` is the residual allowed where the floor is lower: 1e-10, in float32 1e-4. Running
    out of steps is accepted only where the class of the game does not decide the answer.
    """
    claim = _as_numpy(outcome)
    status = _status_name(claim.status)
    expected = {True: "AGREEMENT", False: "DISAGREEMENT", None: status}[case.solvable]
    try:
        assert status == expected, f"expected {expected}, found {status}"
        assert status != "NONFINITE", "a sound game was called NONFINITE"
        found = claim.coefficients.dtype
        assert found == case.gram.dtype, f"expected {case.gram.dtype} answers, found {found}"
        if status == "MAX_STEPS":
            return
        assert bool(claim.certificate.accepted), f"the certificate of {status} was not accepted"
        if status == "AGREEMENT":
            check_agreement(case, claim, tolerance)
            return
        for name in ("coefficients", "utilities", "shares"):
            assert not np.any(getattr(claim, name)), f"the {name} of a disagreement are not zero"
        beta, resolution = claim.certificate.stationary, float(claim.certificate.resolution)
        game = (case.disagreement, float(case.radius), case.weights, case.active)
        check_disagreement(case.gram, beta, resolution, *game)
    except AssertionError as objection:
        raise AssertionError(f"{case!r}: {objection}") from None


def _check_residual(bargain: Bargain, claim: Any, tolerance: float) -> None:
    proof, exact = claim.certificate, bargain.residual
    floor, blur = float(bargain.floors.max()), float(_blurs(bargain).max())
    claimed, claimed_floor = float(claim.residual), float(proof.floor)
    assert claimed == float(proof.residual), "outcome and certificate claim different residuals"
    # With a disagreement point the answer comes through a factor of the cosines, whose errors grow
    # with the players, and the pressure of the radius is a square root.
    through_factor = 0 if bargain.disagreement is None else len(bargain.weights)
    explained = (FLOOR_ALLOWANCE + through_factor) * floor + 2 * bargain.slack[1]
    assert 0 <= claimed_floor <= explained, (
        f"the floor {claimed_floor:.3e} is dishonest: rounding explains {explained:.3e}"
    )
    bar = min(max(tolerance, claimed_floor), WORST_RESIDUAL)
    assert exact <= bar, f"the residual is {exact:.3e}, above {bar:.3e}; claimed was {claimed:.3e}"
    assert abs(claimed - exact) <= blur + bargain.slack[1], (
        f"the residual is {exact:.3e}, claimed was {claimed:.3e}"
    )


def _check_utilities(bargain: Bargain, claim: Any, gram: np.ndarray, inside: np.ndarray) -> None:
    """Everyone's utility is what the update gives him; the update is no longer than the radius."""
    epsilon = _roundings(bargain) * bargain.epsilon
    lengths, coefficients = np.sqrt(np.diagonal(gram)), bargain.coefficients
    cosines = (
        np.abs(gram[:, inside]) / np.where(lengths > 0, lengths, 1.0)[:, None] / bargain.lengths
    )
    magnitudes = lengths * (cosines @ (bargain.lengths * np.abs(coefficients)))
    cancelled, length = np.abs(coefficients) @ bargain.magnitudes, rounded(bargain.length)
    scale, wobble = Fraction(1), 0.0
    if bargain.disagreement is None:
        scale = Fraction(bargain.radius) / bargain.length
        wobble = bargain.residual + epsilon * cancelled / length**2
    else:
        longest = math.sqrt(bargain.radius**2 * (1 + 8 * bargain.epsilon) + epsilon * cancelled)
        assert length <= longest, (
            f"the update has length {length!r}, the radius is {bargain.radius}"
        )
    exact = [rounded(scale * u) for u in exact_products(gram[:, inside], coefficients)]
    allowed = wobble * np.abs(exact) + epsilon * magnitudes * rounded(scale)
    off = np.abs(np.asarray(claim.utilities, float) - exact)
    assert (off <= allowed).all(), f"the utilities are {exact}, claimed were {claim.utilities}"
    if bargain.disagreement is None:
        prices = bargain.multipliers * np.array(exact)[inside] / bargain.weights
        allowed = 2 * (bargain.residual + wobble) + _blurs(bargain)
        assert (np.abs(prices - 1) <= allowed).all(), "the multipliers do not support the update"


def _check_shares(bargain: Bargain, shares: np.ndarray, inside: np.ndarray) -> None:
    assert abs(shares.sum() - 1) <= _roundings(bargain) * bargain.epsilon, (
        f"the shares sum to {shares.sum()!r}, not to one"
    )
    assert not np.any(shares[~inside]), "players without a say have shares"
    gains = bargain.weights * (1 + bargain.deviations)
    exact, blurs = gains / gains.sum(), _blurs(bargain)
    allowed = exact * (2 * blurs + 2 * (bargain.weights @ blurs) / gains.sum())
    off = np.abs(shares[inside] - exact)
    assert (off <= allowed).all(), f"the shares are {exact}, claimed were {shares[inside]}"


def _check_gap(bargain: Bargain, claim: Any) -> None:
    claimed, exact = float(claim.gap), bargain.gap
    assert claimed == float(claim.certificate.gap), "outcome and certificate claim different gaps"
    total, blur = float(bargain.weights.sum()), float(_blurs(bargain).max())
    allowed = total * (2 * blur * (bargain.residual + blur) + bargain.slack[1])
    assert abs(claimed - exact) <= allowed + 1e-3 * exact, (
        f"the gap is {exact:.3e}, claimed was {claimed:.3e}"
    )


def _roundings(bargain: Bargain) -> int:
    return ROUNDINGS + len(bargain.weights)


def _blurs(bargain: Bargain) -> np.ndarray:
    """How far the relative deviations may be off if computed with care in floats."""
    return _roundings(bargain) * (bargain.floors + bargain.epsilon)


def _plain(gram, weights, disagreement, active) -> tuple:
    """Give the game as float64, without what the absent players brought; and who is present."""
    gram = np.asarray(gram, float)
    present = np.ones(len(gram), bool) if active is None else np.asarray(active, bool)
    gram = np.where(present[:, None] & present, gram, 0.0)
    weights = np.ones(len(gram)) if weights is None else np.asarray(weights, float)
    asked = None if disagreement is None else np.where(present, disagreement, 0.0).astype(float)
    return gram, weights, asked, present


def _as_numpy(value: Any) -> Any:
    return type(value)(*map(_as_numpy, value)) if isinstance(value, tuple) else np.asarray(value)


def _status_name(status: np.ndarray) -> str:
    from bargain.outcome import Status

    return Status(int(status)).name
