"""Gram matrices by mathematical class, in plain NumPy.

Every game is built from unit gradients whose geometry is known, so that a test knows the right
answer before any solver runs. Lengths are applied after the inner products,
M_ij = s_i c_ij s_j, hence a change of scale never changes the angles by more than rounding.
A case is rebuilt from the call that its name spells.

The one number that decides a game is its margin: the distance from the origin to the convex hull
of the unit gradients, or, with a disagreement point d and radius r, the largest t for which some
update of length r or less gives every player d_i + t r ||g_i||.
"""

import math
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class GramCase:
    """A gradient game in NumPy with what is known about it; its arrays are read-only.

    ``margin`` is a lower bound if positive, exact stationarity if zero, infeasibility if negative,
    unknown if NaN; ``blockers`` are the players whose gradients alone make the game stationary.
    """

    gram: np.ndarray
    weights: np.ndarray
    name: str
    margin: float
    blockers: frozenset[int] = frozenset()
    disagreement: np.ndarray | None = None
    radius: float = 1.0
    active: np.ndarray | None = None

    def __post_init__(self):
        for field in ("gram", "weights", "disagreement", "active"):
            if getattr(self, field) is not None:
                array = np.array(getattr(self, field))
                array.flags.writeable = False
                object.__setattr__(self, field, array)

    def __repr__(self):
        return f"GramCase({self.name}; margin={self.margin:.3g}, {self.gram.dtype})"

    @property
    def players(self) -> int:
        return self.gram.shape[-1]

    @property
    def lengths(self) -> np.ndarray:
        return np.sqrt(np.diagonal(self.gram))

    @property
    def bargaining(self) -> np.ndarray:
        """The players that take part: present, positive weight, a gradient that is not zero."""
        present = True if self.active is None else self.active
        return present & (self.weights > 0) & (np.diagonal(self.gram) > 0)

    @property
    def solvable(self) -> bool | None:
        """Whether an agreement exists; None where rounding may decide, or nothing is known.

        Rounding puts a floor of at most eps W / (w_min margin^2) under the residual, so a positive
        margin decides only when that floor is small.
        """
        if self.margin <= 0:
            return False
        weights = self.weights[self.bargaining].astype(float)
        floor = np.finfo(self.gram.dtype).eps * weights.sum() / weights.min()
        return True if self.margin**2 >= 100 * self.players * floor else None


# Unit gradients ------------------------------------------------------------------------------


def _units(rng: np.random.Generator, count: int, dimensions: int) -> np.ndarray:
    vectors = rng.normal(size=(count, dimensions)).astype(np.longdouble)
    return vectors / np.sqrt((vectors**2).sum(axis=1, keepdims=True))


def _balanced(rng: np.random.Generator, count: int) -> np.ndarray:
    """Unit vectors with the origin in the relative interior of their hull."""
    vectors = _units(rng, count, int(rng.integers(1, count)))
    vectors *= rng.uniform(0.5, 1.5, size=(count, 1))
    vectors[-1] = -vectors[:-1].sum(axis=0)
    return vectors / np.sqrt((vectors**2).sum(axis=1, keepdims=True))


def _leaning(vectors: np.ndarray, lean: np.ndarray | float) -> np.ndarray:
    """Turn unit vectors towards a new axis until they have the inner product ``lean`` with it."""
    lean = np.broadcast_to(np.asarray(lean, dtype=np.longdouble), len(vectors))[:, None]
    return np.concatenate([lean, np.sqrt(1 - lean**2) * vectors], axis=1)


def _beside(rng: np.random.Generator, core: np.ndarray, others: int) -> np.ndarray:
    """``core`` (first axis is its common direction) and players who gain along that axis."""
    dimensions = core.shape[1] - 1 + int(rng.integers(0, others + 1))
    padding = np.zeros((len(core), dimensions + 1 - core.shape[1]), dtype=np.longdouble)
    bystanders = _leaning(_units(rng, others, dimensions), rng.uniform(0.2, 0.9, size=others))
    return np.concatenate([np.concatenate([core, padding], axis=1), bystanders])


def _case(rng, vectors: np.ndarray, name: str, margin: float, blockers: int = 0) -> GramCase:
    """The game of unit gradients in random order; the first ``blockers`` are stationary."""
    order = rng.permutation(len(vectors))
    cosines = (vectors[order] @ vectors[order].T).astype(float)
    cosines = np.clip((cosines + cosines.T) / 2, -1, 1)
    np.fill_diagonal(cosines, 1.0)
    blocked = frozenset(np.flatnonzero(order < blockers).tolist())
    return GramCase(cosines, np.ones(len(order)), name, margin, blocked)


# Classes: players, seed (and a margin) -> a game of unit gradients and equal weights -----------


def full_rank(players: int, seed: int) -> GramCase:
    """Linearly independent gradients."""
    rng = np.random.default_rng(seed)
    vectors = _units(rng, players, players + int(rng.integers(0, players + 1)))
    case = _case(rng, vectors, f"full_rank({players}, {seed})", math.nan)
    smallest = max(float(np.linalg.eigvalsh(case.gram)[0]), 0.0)
    return replace(case, margin=math.sqrt(smallest / players) or math.nan)


def rank_deficient(players: int, seed: int) -> GramCase:
    """Linearly dependent gradients with a common improving direction (rank 1: all identical)."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, players))
    lean = rng.uniform(0.1, 0.9, size=players) if rank > 1 else np.ones(players)
    vectors = _leaning(_units(rng, players, max(rank - 1, 1)), lean)
    return _case(rng, vectors, f"rank_deficient({players}, {seed})", float(lean.min()))


def strongly_conflicting(players: int, seed: int, margin: float) -> GramCase:
    """The whole hull is at distance ``margin`` from the origin, and every player holds it there."""
    rng = np.random.default_rng(seed)
    vectors = _leaning(_balanced(rng, players), margin)
    return _case(rng, vectors, f"strongly_conflicting({players}, {seed}, {margin!r})", margin)


def nearly_opposite_pair(players: int, seed: int, margin: float) -> GramCase:
    """Two gradients at an angle of pi - 2 margin, the others at ease."""
    rng = np.random.default_rng(seed)
    vectors = _beside(rng, _leaning(np.array([[1.0], [-1.0]]), margin), players - 2)
    return _case(rng, vectors, f"nearly_opposite_pair({players}, {seed}, {margin!r})", margin)


def stationary(players: int, seed: int) -> GramCase:
    """The origin lies in the relative interior of the hull of all gradients."""
    rng = np.random.default_rng(seed)
    return _case(rng, _balanced(rng, players), f"stationary({players}, {seed})", 0.0, players)


def stationary_subset(players: int, seed: int) -> GramCase:
    """The origin lies in the hull of some of the gradients; the others share a direction."""
    rng = np.random.default_rng(seed)
    blockers = int(rng.integers(2, players))
    vectors = _beside(rng, _leaning(_balanced(rng, blockers), 0.0), players - blockers)
    return _case(rng, vectors, f"stationary_subset({players}, {seed})", 0.0, blockers)


def opposite_pair(players: int, seed: int) -> GramCase:
    """g and -c g (c comes with the lengths), the others at ease."""
    rng = np.random.default_rng(seed)
    vectors = _beside(rng, _leaning(np.array([[1.0], [-1.0]]), 0.0), players - 2)
    return _case(rng, vectors, f"opposite_pair({players}, {seed})", 0.0, 2)


def duplicated(players: int, seed: int) -> GramCase:
    """Independent gradients of which some occur several times."""
    distinct = full_rank((players + 1) // 2, seed)
    owner = np.random.default_rng(seed + 1).integers(0, distinct.players, size=players)
    copies, name = distinct.gram[np.ix_(owner, owner)], f"duplicated({players}, {seed})"
    return replace(distinct, gram=copies, weights=np.ones(players), name=name)
