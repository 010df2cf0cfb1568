r"""The terms on which a canonical game is played for a solution that is not covariant.

The Nash solution does not see the lengths of gradients; the others do, all in the same way: as a
number for each player that takes the place of his weight. With unit gradients, utilities
:math:`\hat u = u / \|g\|` and :math:`w, I` the weights and the ideal point,

=================== ============================================= =========================
solution            its condition on the canonical game           weights there
=================== ============================================= =========================
Nash                :math:`C b = w / b`                           :math:`w`
α-fair, order a     :math:`b_i = v_i \hat u_i^{-a}`               :math:`v = w \|g\|^{1-a}`
utilitarian         :math:`b = v`                                 :math:`v = w \|g\|`
egalitarian         largest :math:`\min_i \hat u_i / v_i`         :math:`v = w / \|g\|`
Kalai-Smorodinsky   the same                                      :math:`v = I / \|g\|`
=================== ============================================= =========================

With a disagreement point gains :math:`u - d` take the place of utilities, and the Kalai-Smorodinsky
solution weighs by :math:`(I - d) / \|g\|`.

Only ratios matter, so the largest becomes one. For orders above one the number is
:math:`v^{1/a}`, which cannot overflow.
"""

from array_api_compat import array_namespace

from bargain.canonical import CanonicalGame, Frame
from bargain.games import GradientGame
from bargain.narrowing import narrowed
from bargain.shapes import Array, Bool, Float
from bargain.solutions import (
    AlphaFair,
    Egalitarian,
    KalaiSmorodinsky,
    Nash,
    Solution,
    Utilitarian,
)


def terms_of(game: CanonicalGame, frame: Frame, solution: Solution, /) -> CanonicalGame:
    """Return the canonical game with the weights that a solution plays it for.

    Parameters
    ----------
    game, frame
        The canonical game, with the weights of the players, and what leads back.
    solution
        Which agreement is meant.
    """
    if isinstance(solution, Nash):
        return game
    xp = array_namespace(game.weights)
    # In logarithms: high powers of lengths over hundreds of decades hold in nothing else.
    lengths = xp.log(xp.where(game.inside, frame.units, 1.0))
    weights = xp.log(game.weights)
    match solution:
        case AlphaFair(order):
            terms = (weights + (1 - order) * lengths) / max(1.0, order)
        case Utilitarian():
            terms = weights + lengths
        case Egalitarian():
            terms = weights - lengths
        case KalaiSmorodinsky():
            terms = _hopes(game, frame)
        case _:
            raise AssertionError(solution)
    largest = xp.max(xp.where(game.inside, terms, -xp.inf), axis=-1)[..., None]
    terms = xp.exp(terms - xp.where(largest > -xp.inf, largest, 0.0))
    least = xp.finfo(terms.dtype).smallest_normal
    terms = xp.where(terms > least, terms, least)
    return game._replace(weights=xp.where(game.inside, terms, 1.0))


def hopeful(game: CanonicalGame, frame: Frame, solution: Solution, /) -> Bool[Array, "*batch"]:
    """Whether the ideal point, where the solution reads one, can be an ideal point."""
    xp = array_namespace(game.weights)
    if frame.ideal is None or not isinstance(solution, KalaiSmorodinsky):
        return frame.valid
    _, usable = _ideal_gains(game, frame)
    return frame.valid & xp.all(usable | ~game.inside, axis=-1)


def without_unread(game: GradientGame, solution: Solution, /) -> GradientGame:
    """Leave out what a solution does not read: the largest sum asks nobody whether he gains.

    The zeros that remain are those of finite numbers only, and keep the update's length decided.
    """
    if game.disagreement is None or not isinstance(solution, Utilitarian):
        return game
    nothing = game.disagreement * 0.0
    return GradientGame(game.gram, game.weights, nothing, game.radius, game.active, game.ideal)


def _hopes(game: CanonicalGame, frame: Frame) -> Float[Array, "*batch K"]:
    """Return the logarithms of the ideal gains in units of the gradients' lengths."""
    xp = array_namespace(game.weights)
    if frame.ideal is None:
        return xp.zeros_like(game.weights)  # the radius times the length, for everyone
    gains, usable = _ideal_gains(game, frame)
    if game.disagreement is not None:
        return xp.log(xp.where(usable, gains, 1.0))
    ideal = xp.where(usable, narrowed(frame.ideal, game.weights), 1.0)
    return xp.log(ideal) - xp.log(xp.where(usable, frame.units, 1.0))


def _ideal_gains(
    game: CanonicalGame, frame: Frame
) -> tuple[Float[Array, "*batch K"], Bool[Array, "*batch K"]]:
    """Return what the ideal point gives over the disagreement point, and who can hope for it.

    Without a disagreement point only who can hope is decided, in u: the quotient might vanish.
    """
    xp = array_namespace(game.weights)
    ideal = narrowed(frame.ideal, game.weights)
    known = game.inside & xp.isfinite(ideal)
    gains = xp.where(known, ideal, 0.0)
    if game.disagreement is not None:
        gains = gains / frame.units / frame.radius[..., None] - game.disagreement
    return gains, known & (gains > 0)
