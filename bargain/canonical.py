"""The canonical form of a gradient game: unit gradients, weights of mean one.

With ``D = diag(||g_i||)`` the Gram matrix ``M`` becomes the matrix of cosines ``C = D^-1 M D^-1``
and coefficients ``a`` become ``b = D a``. The Nash solution is covariant, so this removes every
difference in the scale of gradients exactly, before a solver sees the game. Solvers read canonical
games only: every entry of ``C`` lies between -1 and 1 and everyone has a say.
"""

from functools import cache
from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from bargain.games import GradientGame
from bargain.narrowing import narrowed
from bargain.shapes import Array, Bool, Float

SMALLEST_SAY = 16
"""Weights that are smaller than the largest by more than this many times K times the smallest
normal number count as so much, lest their players lose their say."""


class CanonicalGame(NamedTuple):
    """A gradient game in its canonical form.

    Players without a say (weight zero, absent, or without a gradient) stay in the arrays, so that
    shapes do not depend on values, but are cut off from the others: their cosines are zero and the
    solution of their own one-player game is the number one.

    Attributes
    ----------
    cosines
        Shape ``(*batch, K, K)``.
    weights
        Shape ``(*batch, K)``, positive, of mean one over the players inside. (For solutions other
        than Nash's, solvers get the numbers of ``bargain.terms`` in their place.)
    disagreement
        Shape ``(*batch, K)``, in units of each player's ideal payoff; or None.
    inside
        Shape ``(*batch, K)``, whether the player takes part.
    resolution
        Shape ``(*batch)``: the relative length of a combination of gradients that counts as zero.
    """

    cosines: Float[Array, "*batch K K"]
    weights: Float[Array, "*batch K"]
    disagreement: Float[Array, "*batch K"] | None
    inside: Bool[Array, "*batch K"]
    resolution: Float[Array, "*batch"]


class Frame(NamedTuple):
    """What leads back from the canonical form to the game that it came from.

    Attributes
    ----------
    norms
        Shape ``(*batch, K)``, in u: the gradients' norms, zero for absent players.
    units
        Shape ``(*batch, K)``, in u, positive: what the canonical form divides by. The norms, or
        for a player without a gradient what he asks for, or one.
    cosines
        Shape ``(*batch, K, K)``: cosines between all gradients present, whether or not their
        players have a say.
    mean_weight
        Shape ``(*batch)``: the mean weight of the players inside.
    radius
        Shape ``(*batch)``, in u of the update.
    stuck
        Shape ``(*batch, K)``: who has a say and no gradient, and does not already have more than
        he asks for.
    content
        Shape ``(*batch)``: whether nobody bargains because everyone has more than he asks for.
    valid
        Shape ``(*batch)``: whether the numbers can belong to a game at all.
    ideal
        Broadcasts to shape ``(*batch, K)``: the ideal point, as it was given, unchecked, or as
        ``bargain.ideal_point`` found it; or None.
    ideal_residual, ideal_floor
        Shape ``(*batch)``: the part of an ideal gain that was not proved, and what rounding makes
        unavoidable of it; or None for an ideal point that nobody had to find.
    """

    norms: Float[Array, "*batch K"]
    units: Float[Array, "*batch K"]
    cosines: Float[Array, "*batch K K"]
    mean_weight: Float[Array, "*batch"]
    radius: Float[Array, "*batch"]
    stuck: Bool[Array, "*batch K"]
    content: Bool[Array, "*batch"]
    valid: Bool[Array, "*batch"]
    ideal: Float[Array, "*#batch K"] | None = None
    ideal_residual: Float[Array, "*batch"] | None = None
    ideal_floor: Float[Array, "*batch"] | None = None


def resolution_of(precision: float, players: int) -> float:
    """Return the length under which a convex combination of K unit gradients counts as zero.

    Its square is a sum of rounding errors of about K times the precision; the factor lets it be
    recognised before the rounding floor of an agreement drowns the signs of the gains. But the mean
    of K orthogonal unit gradients has the length ``K ** -0.5``, and those certainly agree. So half
    of that is the most that counts as zero, however coarse the numbers are; what cancels up to
    rounding only and is longer then ends without a proof.
    """
    return min((8 * players * precision) ** 0.5, 0.5 * players**-0.5)


def precision_of(gram: Array, precision: float | None) -> float:
    """Return the relative precision of a Gram matrix: as given, or what its type can hold."""
    if precision is None:
        return _epsilon(array_namespace(gram), gram.dtype)
    if not 0 < precision < 1:
        raise ValueError(
            f"precision: expected a number between 0 and 1, found {precision}; for a matrix "
            f"computed in float32 and stored in float64 pass 1.2e-7"
        )
    return precision


@cache
def _epsilon(namespace: Any, dtype: Any) -> float:
    """Return the machine epsilon of a type; looking it up takes longer than to remember it."""
    return float(namespace.finfo(dtype).eps)


def symmetry_tolerance(precision: float) -> float:
    """Return how far two cosines that should be equal may differ."""
    return precision**0.5


def canonicalise(game: GradientGame, /, *, precision: float) -> tuple[CanonicalGame, Frame]:
    """Bring a gradient game into its canonical form.

    Parameters
    ----------
    game
        The game.
    precision
        Relative precision of the entries of the Gram matrix.

    Returns
    -------
    CanonicalGame
        What solvers read.
    Frame
        What leads back. Where ``frame.valid`` is false the canonical game is a harmless stand-in.
    """
    xp = array_namespace(game.gram)
    players, batch = game.gram.shape[-1], tuple(game.gram.shape)[:-2]
    dtype, place = game.gram.dtype, device(game.gram)
    identity = xp.eye(players, dtype=dtype, device=place)
    ones = xp.ones((*batch, players), dtype=dtype, device=place)

    gram = game.gram
    present = ones > 0
    if game.active is not None:
        present = present & game.active
        gram = xp.where(present[..., :, None] & present[..., None, :], gram, 0.0)
    # In their own type: ratios of weights may be held where the weights are not.
    weights = ones if game.weights is None else xp.broadcast_to(game.weights, (*batch, players))
    radius = narrowed(game.radius, gram) * ones[..., 0]
    disagreement = None
    if game.disagreement is not None:
        disagreement = xp.where(present, narrowed(game.disagreement, gram), 0.0)

    diagonal = xp.linalg.diagonal(gram)
    usable = xp.isfinite(diagonal) & (diagonal >= 0)
    # Only roots of what is positive: the slope of the root at zero would poison derivatives.
    moving = usable & (diagonal > 0)
    norms = xp.where(moving, xp.sqrt(xp.where(moving, diagonal, 1.0)), 0.0)
    units = xp.where(moving, norms, 1.0)
    # By Cauchy and Schwarz. A NaN fails it too, and what passes it cannot overflow below.
    reach = norms[..., :, None] * norms[..., None, :]
    slack = xp.finfo(dtype).smallest_normal
    bounded = xp.abs(gram) <= (1 + symmetry_tolerance(precision)) * reach + slack
    # Divide twice: the product of two norms may vanish where their quotients do not.
    cosines = xp.where(bounded, gram, 0.0) / units[..., :, None] / units[..., None, :]
    mirrored = xp.matrix_transpose(cosines)
    symmetric = xp.abs(cosines - mirrored) <= symmetry_tolerance(precision)
    held = narrowed(weights, gram)
    weights_usable = xp.isfinite(held) & (weights >= 0)
    valid = (
        xp.all(usable & weights_usable, axis=-1)
        & xp.all(symmetric & bounded, axis=(-2, -1))
        & xp.any(held > 0, axis=-1)
        & xp.isfinite(radius)
        & (radius > 0)
    )
    if disagreement is not None:
        valid = valid & xp.all(xp.isfinite(disagreement), axis=-1)

    usable_cosines = xp.where(valid[..., None, None], (cosines + mirrored) / 2, identity)
    cosines = xp.where(
        identity > 0, xp.astype(moving, dtype)[..., None, :] * identity, usable_cosines
    )
    safe_weights = xp.where(valid[..., None], weights, 1.0)
    safe_radius = xp.where(valid, radius, 1.0)
    eligible = present & (safe_weights > 0)
    inside = eligible & moving
    stuck = eligible & ~moving

    scaled = None
    if disagreement is not None:
        wishes = xp.where(valid[..., None], disagreement, 0.0)
        # Without a gradient the utility is zero: no obstacle to d <= 0, and d > 0 is out of reach.
        stuck = stuck & (wishes >= 0)
        hopeless = stuck & (wishes > 0)
        inside = inside | hopeless
        units = xp.where(hopeless, wishes / safe_radius[..., None], units)
        scaled = wishes / units / safe_radius[..., None]

    count = xp.sum(xp.astype(inside, dtype), axis=-1)
    least = players * SMALLEST_SAY * slack
    largest = xp.max(xp.where(inside, safe_weights, 0.0), axis=-1)
    largest = xp.where(largest > 0, largest, 1.0)
    relative = narrowed(xp.where(inside, safe_weights, 0.0) / largest[..., None], gram)
    # Whoever has a say keeps a part of it that can be divided by, twice.
    relative = xp.where(inside, xp.where(relative > least, relative, least), 0.0)
    mean = xp.where(count > 0, xp.sum(relative, axis=-1) / xp.where(count > 0, count, 1.0), 1.0)
    own = xp.where(inside, xp.linalg.diagonal(cosines), 1.0 if scaled is None else 0.0)
    pair = inside[..., :, None] & inside[..., None, :]
    canonical = CanonicalGame(
        cosines=xp.where(identity > 0, own[..., None, :] * identity, xp.where(pair, cosines, 0.0)),
        weights=xp.where(inside, relative / mean[..., None], 1.0),
        disagreement=None if scaled is None else xp.where(inside, scaled, -1.0),
        inside=inside,
        resolution=xp.full(batch, resolution_of(precision, players), dtype=dtype, device=place),
    )
    content = xp.any(eligible, axis=-1) & ~xp.any(inside | stuck, axis=-1)
    mean = mean * narrowed(largest, gram)
    mean = xp.where(mean > slack, mean, slack)
    frame = Frame(norms, units, cosines, mean, safe_radius, stuck, content, valid, game.ideal)
    return canonical, frame


def total_weight(game: CanonicalGame) -> Float[Array, "*batch"]:
    """Return the sum of the weights of the players inside; one where nobody is."""
    xp = array_namespace(game.weights)
    total = xp.sum(xp.where(game.inside, game.weights, 0.0), axis=-1)
    return xp.where(total > 0, total, 1.0)


def apply_cosines(game: CanonicalGame, point: Float[Array, "*batch K"]) -> Float[Array, "*batch K"]:
    """Multiply by the matrix of cosines."""
    return (game.cosines @ point[..., None])[..., 0]
