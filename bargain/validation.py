"""Sentences for numbers that no game can have.

Values are only looked at where they are concrete and where there is one game; in a batch a bad
game gets the status NONFINITE and its neighbours are left alone.
"""

from typing import Any, NoReturn, get_args

from array_api_compat import array_namespace, device

from bargain.backend import Backend
from bargain.canonical import Frame, symmetry_tolerance
from bargain.games import GradientGame
from bargain.narrowing import narrowed
from bargain.shapes import Array, Bool
from bargain.solutions import AlphaFair, KalaiSmorodinsky, Nash, Solution

SOLUTIONS = get_args(Solution)
SLACK = 16.0
"""Eigenvalues of the cosines may be this many times K times the precision below zero."""


def checked_solution(solution: Any, game: GradientGame) -> Solution:
    """Return the solution by its usual name; raise if games like this one have no such solution."""
    if type(solution) not in SOLUTIONS:
        names = ", ".join(kind.__name__ for kind in SOLUTIONS)
        raise TypeError(
            f"solution: expected one of {names}, found {solution!r}; make one, as in bargain.Nash()"
        )
    if isinstance(solution, Nash):
        return solution
    if isinstance(solution, AlphaFair):
        return Nash() if solution.alpha == 1 else AlphaFair(float(solution.alpha))
    return solution


def indefinite(frame: Frame, backend: Backend, precision: float) -> Bool[Array, "*batch"]:
    """Whether the cosines have an eigenvalue below zero, beyond rounding."""
    xp = array_namespace(frame.cosines)
    players = frame.cosines.shape[-1]
    identity = xp.eye(players, dtype=frame.cosines.dtype, device=device(frame.cosines))
    return ~backend.positive_definite(frame.cosines + SLACK * players * precision * identity)


def explain_invalid(
    game: GradientGame, frame: Frame, precision: float, solution: Solution = Nash()
) -> NoReturn:
    """Raise the error that says what is wrong with the numbers of one concrete, invalid game."""
    xp = array_namespace(game.gram)
    gram = game.gram
    if game.active is not None:
        gram = xp.where(game.active[:, None] & game.active[None, :], gram, 0.0)
    require_finite("gram", gram, "drop the player (active) or skip the step")
    for name in ("weights", "disagreement"):
        value = getattr(game, name)
        if value is not None:
            require_finite(name, value, "give a finite number for each player")
            _require_held(name, value, gram)
    if game.weights is not None:
        _explain_weights(game.weights, gram)
    radius, held = float(game.radius), float(narrowed(game.radius, gram))
    if not 0 < held < float("inf"):
        found = (
            radius if held == radius or radius != radius else f"{radius}, in {gram.dtype} {held}"
        )
        raise ValueError(f"radius: expected a positive, finite number, found {found}")
    if game.ideal is not None and isinstance(solution, KalaiSmorodinsky):
        _explain_ideal(game)
    _explain_gram(gram, frame, precision)


def _explain_weights(weights: Array, gram: Array) -> None:
    """Raise unless finite weights give someone a say, and nobody less than none."""
    xp = array_namespace(gram)
    if bool(xp.any(weights < 0)):
        raise ValueError(
            f"weights: expected bargaining weights of at least zero, found "
            f"{float(xp.min(weights)):.3g}; zero means that a player has no say"
        )
    if not bool(xp.any(weights > 0)):
        raise ValueError(
            "weights: expected at least one above zero, found only zeros; give someone a say"
        )
    if not bool(xp.any(narrowed(weights, gram) > 0)):
        raise ValueError(
            f"weights: expected at least one that is above zero in {gram.dtype} as gram is, found "
            f"{float(xp.max(weights)):.3g} at most; multiply all of them by the same number"
        )


def _explain_ideal(game: GradientGame) -> None:
    """Raise if the ideal payoffs of those who take part are not what anyone can hope for."""
    ideal, xp = narrowed(game.ideal, game.gram), array_namespace(game.gram)
    nothing = xp.zeros_like(xp.linalg.diagonal(game.gram))
    least = nothing if game.disagreement is None else game.disagreement + nothing
    # Who asks for something takes part even without a gradient.
    asked = (xp.linalg.diagonal(game.gram) > 0) | (least > 0)
    if game.active is not None:
        asked = asked & game.active
    if game.weights is not None:
        asked = asked & (game.weights > 0)
    gains = xp.where(asked, ideal - least, 1.0)
    bad = ~(xp.isfinite(gains) & (gains > 0))
    if not bool(xp.any(bad)):
        return
    worst = float(xp.min(xp.where(bad, ideal + nothing, xp.inf)))
    if game.disagreement is None:
        raise ValueError(
            f"ideal: expected positive, finite payoffs, found {worst:.3g}; give what each player "
            f"could hope for, or leave it out"
        )
    worst = float(xp.min(xp.where(bad, gains, xp.inf)))
    raise ValueError(
        f"ideal: expected finite payoffs above the disagreement point, found one that is "
        f"{worst:.3g} above it; give what each player could hope for, or leave it "
        f"out"
    )


def _explain_gram(gram: Array, frame: Frame, precision: float) -> NoReturn:
    xp = array_namespace(gram)
    diagonal = xp.linalg.diagonal(gram)
    if bool(xp.any(diagonal < 0)):
        raise ValueError(
            f"gram: expected squared norms on the diagonal, found {float(xp.min(diagonal)):.3g}; a "
            f"Gram matrix of gradients is positive semidefinite"
        )
    difference = xp.abs(gram - xp.matrix_transpose(gram))
    norms = frame.norms
    allowed = symmetry_tolerance(precision) * norms[:, None] * norms[None, :]
    if bool(xp.any(difference > allowed)):
        raise ValueError(
            f"gram: expected a symmetric matrix, found entries and their mirror images up to "
            f"{float(xp.max(difference)):.3g} apart; pass (gram + gram.T) / 2 if this is rounding"
        )
    if not bool(frame.valid):
        raise ValueError(
            "gram: expected a positive semidefinite matrix, found an entry larger than the product "
            "of the two norms on the diagonal; compute it with bargain.gram(gradients)"
        )
    smallest = float(xp.min(xp.linalg.eigvalsh(frame.cosines)))
    raise ValueError(
        f"gram: expected a positive semidefinite matrix, found one whose cosines have the "
        f"eigenvalue {smallest:.3g}; compute it with "
        f"bargain.gram(gradients), or pass precision= if it was computed in "
        f"lower precision than it is stored in"
    )


def require_finite(name: str, value: Array, remedy: str) -> None:
    """Raise unless concrete numbers are finite."""
    xp = array_namespace(value)
    bad = int(xp.sum(xp.astype(~xp.isfinite(value), xp.int32)))
    if bad:
        raise ValueError(
            f"{name}: expected finite numbers, found {bad} that are NaN or infinite; {remedy}"
        )


def _require_held(name: str, value: Array, gram: Array) -> None:
    """Raise unless finite numbers are finite in the type of the Gram matrix."""
    xp = array_namespace(value)
    lost = ~xp.isfinite(narrowed(value, gram))
    if bool(xp.any(lost)):
        raise ValueError(
            f"{name}: expected numbers that are finite in {gram.dtype} as gram is, found "
            f"{float(xp.max(xp.where(lost, xp.abs(value), 0.0))):.3g}; scale them, or give gram in "
            f"the type of {name}"
        )
