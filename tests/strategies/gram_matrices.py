"""Hypothesis strategies for gradient games; examples shrink on players, seed and knobs."""

from collections.abc import Iterable

from hypothesis import strategies as st

from . import gram_classes as classes
from . import modifiers
from .gram_classes import GramCase

SEEDS = st.integers(0, 2**32 - 1)

#: name: (constructor, fewest players, takes a margin)
_CLASSES = {
    "full_rank": (classes.full_rank, 1, False),
    "rank_deficient": (classes.rank_deficient, 2, False),
    "strongly_conflicting": (classes.strongly_conflicting, 2, True),
    "nearly_opposite_pair": (classes.nearly_opposite_pair, 2, True),
    "duplicated": (classes.duplicated, 1, False),
    "stationary": (classes.stationary, 2, False),
    "stationary_subset": (classes.stationary_subset, 3, False),
    "opposite_pair": (classes.opposite_pair, 2, False),
}
SOLVABLE = (
    "full_rank",
    "rank_deficient",
    "strongly_conflicting",
    "nearly_opposite_pair",
    "duplicated",
)
STATIONARY = ("stationary", "stationary_subset", "opposite_pair")
ALL = SOLVABLE + STATIONARY


def powers_of_ten(lowest: float, highest: float) -> st.SearchStrategy[float]:
    """Numbers whose logarithm is drawn, from the highest down."""
    return st.floats(0.0, highest - lowest).map(lambda drop: 10.0 ** (highest - drop))


def player_counts(fewest: int = 1, most: int = 200) -> st.SearchStrategy[int]:
    """Numbers of players, mostly small."""
    limits = sorted({min(limit, most) for limit in (5, 12, 40, 200)})
    return st.one_of([st.integers(fewest, limit) for limit in limits if limit >= fewest])


def plain_cases(names: Iterable[str] = ALL, *, most: int = 200) -> st.SearchStrategy[GramCase]:
    """Unit gradients of the named classes, equal weights."""

    def of_class(name: str) -> st.SearchStrategy[GramCase]:
        construct, fewest, takes_margin = _CLASSES[name]
        knobs = {"margin": powers_of_ten(-5, -1)} if takes_margin else {}
        return st.builds(construct, player_counts(fewest, most), SEEDS, **knobs)

    return st.one_of([of_class(name) for name in names if _CLASSES[name][1] <= most])


def single_player_cases() -> st.SearchStrategy[GramCase]:
    """One player with any length that float64 can square."""
    return badly_scaled_cases(plain_cases(["full_rank"], most=1), decades=250)


def badly_scaled_cases(
    cases: st.SearchStrategy[GramCase] | None = None, *, decades: float = 24
) -> st.SearchStrategy[GramCase]:
    """Gradients whose lengths spread over up to ``decades`` decades."""
    spread = st.floats(0.0, decades)
    return st.builds(modifiers.rescaled, plain_cases() if cases is None else cases, SEEDS, spread)


def extreme_cases(cases: st.SearchStrategy[GramCase] | None = None) -> st.SearchStrategy[GramCase]:
    """Gram entries from 1e-250 to 1e250, in one matrix or all at one end."""
    cases = plain_cases() if cases is None else cases
    ends = st.builds(modifiers.rescaled, cases, SEEDS, st.just(0.0), st.floats(-125.0, 125.0))
    return st.one_of(badly_scaled_cases(cases, decades=250), ends)


def weighted_cases(
    cases: st.SearchStrategy[GramCase] | None = None, *, decades: float = 8
) -> st.SearchStrategy[GramCase]:
    """Weights between 10**-decades and 1."""
    cases = plain_cases() if cases is None else cases
    return st.builds(modifiers.weighted, cases, SEEDS, st.floats(0.0, decades))


def silent_player_cases(
    cases: st.SearchStrategy[GramCase] | None = None,
) -> st.SearchStrategy[GramCase]:
    """Some weights are zero."""
    return st.builds(
        modifiers.with_silent_players, plain_cases() if cases is None else cases, SEEDS
    )


def zero_gradient_cases(
    cases: st.SearchStrategy[GramCase] | None = None,
) -> st.SearchStrategy[GramCase]:
    """Some gradients are zero."""
    return st.builds(
        modifiers.with_zero_gradients, plain_cases() if cases is None else cases, SEEDS
    )


def absent_player_cases(
    cases: st.SearchStrategy[GramCase] | None = None,
) -> st.SearchStrategy[GramCase]:
    """Some players are absent and their rows hold NaN."""
    return st.builds(
        modifiers.with_absent_players, plain_cases() if cases is None else cases, SEEDS
    )


def float32_cases(cases: st.SearchStrategy[GramCase] | None = None) -> st.SearchStrategy[GramCase]:
    """Single precision: lengths over 24 decades still fit."""
    cases = badly_scaled_cases() if cases is None else cases
    return cases.map(modifiers.in_float32)


def attainable_disagreement_cases(
    cases: st.SearchStrategy[GramCase] | None = None,
) -> st.SearchStrategy[GramCase]:
    """Games of any class whose disagreement point leaves a known slack."""
    cases = plain_cases(most=40) if cases is None else cases
    knobs = powers_of_ten(-4, -0.5), powers_of_ten(-3, 3)
    return st.builds(modifiers.with_attainable_disagreement, cases, SEEDS, *knobs)


def unattainable_disagreement_cases(
    cases: st.SearchStrategy[GramCase] | None = None,
) -> st.SearchStrategy[GramCase]:
    """Games of any class whose disagreement point asks for too much by a known excess."""
    cases = plain_cases(most=40) if cases is None else cases
    knobs = powers_of_ten(-3, 0), powers_of_ten(-3, 3)
    return st.builds(modifiers.with_unattainable_disagreement, cases, SEEDS, *knobs)


@st.composite
def gram_cases(draw, names: Iterable[str] = ALL, *, most: int = 200) -> GramCase:
    """Anything at d = 0: a class, then any mixture of lengths, weights and absent players."""
    cases = plain_cases(names, most=most)
    hardenings = (weighted_cases, silent_player_cases, zero_gradient_cases)
    for harden in hardenings:
        if draw(st.booleans()):
            cases = harden(cases)
    lengthen = draw(st.sampled_from([None, badly_scaled_cases, extreme_cases]))
    return draw(cases if lengthen is None else lengthen(cases))
