"""What makes a game harder: lengths, weights, demands, absences.

Each modifier takes a case and returns one whose margin is still known. A disagreement point needs
gradients that are not zero and comes after the lengths, in whose units it is given. Absences leave
NaN behind and come last.
"""

import math
from dataclasses import replace

import numpy as np

from .gram_classes import GramCase


def rescaled(case: GramCase, seed: int, decades: float, centre: float = 0.0) -> GramCase:
    """Multiply gradient i by 10**uniform(centre - decades/2, centre + decades/2)."""
    spread = np.random.default_rng(seed).uniform(-decades / 2, decades / 2, size=case.players)
    lengths = 10.0 ** (centre + spread)
    name = f"rescaled({case.name}, {seed}, {decades!r}, {centre!r})"
    return replace(case, gram=np.outer(lengths, lengths) * case.gram, name=name)


def weighted(case: GramCase, seed: int, decades: float) -> GramCase:
    """Multiply the weights by 10**uniform(-decades, 0)."""
    factors = 10.0 ** np.random.default_rng(seed).uniform(-decades, 0, size=case.players)
    name = f"weighted({case.name}, {seed}, {decades!r})"
    return replace(case, weights=case.weights * factors, name=name)


def _some(case: GramCase, seed: int) -> tuple[np.ndarray, float]:
    """A random set of players that leaves one in the game, and the margin without them."""
    rng = np.random.default_rng(seed)
    chosen = rng.random(case.players) < rng.uniform(0.1, 0.6)
    chosen[rng.choice(np.flatnonzero(case.bargaining))] = False
    broken = not case.blockers.isdisjoint(np.flatnonzero(chosen).tolist())
    return chosen, math.nan if broken else case.margin


def with_silent_players(case: GramCase, seed: int) -> GramCase:
    """Give some players the weight zero."""
    silent, margin = _some(case, seed)
    name = f"with_silent_players({case.name}, {seed})"
    return replace(case, weights=np.where(silent, 0, case.weights), name=name, margin=margin)


def with_zero_gradients(case: GramCase, seed: int) -> GramCase:
    """Replace some gradients by zero."""
    zero, margin = _some(case, seed)
    gram = np.where(zero[:, None] | zero, 0, case.gram)
    name = f"with_zero_gradients({case.name}, {seed})"
    return replace(case, gram=gram, name=name, margin=margin)


def with_attainable_disagreement(
    case: GramCase, seed: int, slack: float, radius: float
) -> GramCase:
    """Disagreement below what some update gives, by slack r ||g_i|| or more.

    That update has any length up to r: from a point where nobody gains only short ones may help.
    """
    rng, lengths = np.random.default_rng(seed), case.lengths
    cosines = case.gram / lengths[:, None] / lengths
    direction = rng.normal(size=case.players)
    square = max(direction @ cosines @ direction, np.finfo(float).tiny)
    reach = min(1.0, rng.uniform(0.0, 2.0)) / math.sqrt(square)
    fractions = cosines @ direction * reach - slack * rng.uniform(1.0, 5.0, size=case.players)
    name = f"with_attainable_disagreement({case.name}, {seed}, {slack!r}, {radius!r})"
    margin = min(case.margin, slack) if case.margin > 0 else slack
    asked = {"disagreement": fractions * radius * lengths, "radius": radius}
    return replace(case, name=name, margin=margin, blockers=frozenset(), **asked)


def with_unattainable_disagreement(
    case: GramCase, seed: int, excess: float, radius: float
) -> GramCase:
    """Disagreement that asks for more than any update of length r can give, by a known excess."""
    rng, lengths = np.random.default_rng(seed), case.lengths
    cosines = case.gram / lengths[:, None] / lengths
    multipliers = rng.uniform(0.1, 1.0, size=case.players) * case.bargaining
    multipliers /= multipliers.sum()
    # multipliers . fractions = ||sum multipliers_i g_i / ||g_i|| || + excess: Gordan's alternative.
    bound = math.sqrt(max(multipliers @ cosines @ multipliers, 0.0)) + excess
    fractions = rng.uniform(-0.5, 0.5, size=case.players)
    fractions += bound - multipliers @ fractions
    name = f"with_unattainable_disagreement({case.name}, {seed}, {excess!r}, {radius!r})"
    blockers = frozenset(np.flatnonzero(multipliers).tolist())
    asked = {"disagreement": fractions * radius * lengths, "radius": radius}
    return replace(case, name=name, margin=-excess, blockers=blockers, **asked)


def with_absent_players(case: GramCase, seed: int) -> GramCase:
    """Mark some players as absent; their rows of the Gram matrix then hold NaN."""
    absent, margin = _some(case, seed)
    gram = np.where(absent[:, None] | absent, math.nan, case.gram)
    name = f"with_absent_players({case.name}, {seed})"
    return replace(case, gram=gram, name=name, margin=margin, active=~absent)


def in_float32(case: GramCase) -> GramCase:
    """The same game rounded to single precision."""
    single = {
        field: getattr(case, field).astype(np.float32)
        for field in ("gram", "weights", "disagreement")
        if getattr(case, field) is not None
    }
    return replace(case, name=f"in_float32({case.name})", **single)
