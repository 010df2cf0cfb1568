"""The driver: from a game to its outcome, whatever the solution and the solver."""

from collections.abc import Callable
from numbers import Integral
from typing import Any, overload

from array_api_compat import array_namespace

from bargain.backend import backend_for
from bargain.canonical import CanonicalGame, Frame, apply_cosines, canonicalise, precision_of
from bargain.common_level import CommonLevel
from bargain.conclusion import conclude
from bargain.games import GradientGame, payoffs_for, require_arrays, require_coefficients
from bargain.ideal_point import with_ideal_point
from bargain.interior_point import InteriorPoint
from bargain.min_norm import MinNorm
from bargain.newton import Newton
from bargain.opening import opening, scaled, stretch
from bargain.outcome import Outcome
from bargain.play import play
from bargain.shapes import Array, Float
from bargain.solutions import AlphaFair, Egalitarian, KalaiSmorodinsky, Nash, Solution, Utilitarian
from bargain.solver import Solver
from bargain.terms import hopeful, without_unread
from bargain.validation import checked_solution, explain_invalid, indefinite
from bargain.weighted_sum import WeightedSum

USUAL: dict[type[Solution], Callable[[], Solver]] = {
    Nash: Newton,
    AlphaFair: Newton,
    Utilitarian: WeightedSum,
    Egalitarian: MinNorm,
    KalaiSmorodinsky: MinNorm,
}
"""The solver of each solution, without a disagreement point."""

USUAL_APART: dict[type[Solution], Callable[[], Solver]] = {
    Nash: InteriorPoint,
    AlphaFair: InteriorPoint,
    Utilitarian: WeightedSum,
    Egalitarian: CommonLevel,
    KalaiSmorodinsky: CommonLevel,
}
"""The same with one."""


@overload
def solve(
    game: GradientGame,
    solution: Solution = Nash(),
    solver: Solver | None = None,
    *,
    start: Float[Array, "*batch K"] | None = None,
    max_steps: int | None = None,
    precision: float | None = None,
) -> Outcome: ...
@overload
def solve(
    game: Any,
    solution: Solution = Nash(),
    solver: Solver | None = None,
    *,
    start: Any = None,
    max_steps: int | None = None,
    precision: float | None = None,
) -> Any: ...


def solve(
    game: Any,
    solution: Solution = Nash(),
    solver: Solver | None = None,
    *,
    start: Float[Array, "*batch K"] | None = None,
    max_steps: int | None = None,
    precision: float | None = None,
) -> Any:
    """Solve a game, or a batch of games.

    Parameters
    ----------
    game : GradientGame
        The game; its arrays may have leading batch axes. Games of ``bargain.payoffs`` go to
        :func:`bargain.payoffs.solve_payoffs`.
    solution : Nash, AlphaFair, KalaiSmorodinsky, Egalitarian or Utilitarian
        Which agreement is meant.
    solver : Solver, optional
        How to find it. Default: for Nash and α-fair solutions :class:`bargain.Newton` (with a
        disagreement point :class:`bargain.InteriorPoint`), for Kalai-Smorodinsky and egalitarian
        :class:`bargain.MinNorm` (with a disagreement point :class:`bargain.CommonLevel`),
        for utilitarian :class:`bargain.WeightedSum`.
    start : Array, optional
        Shape ``(*batch, K)``: coefficients to start from, such as those of the step before. Games
        for which they are not positive and finite start cold.
    max_steps : int, optional
        Give up after so many steps; default: the solver's own ``patience``.
    precision : float, optional
        Relative precision of the entries of the Gram matrix; default: the machine epsilon of its
        type. Convex combinations of unit gradients shorter than ``(8 * K * precision) ** 0.5``
        (but at most ``0.5 * K ** -0.5``) count as zero, so in float32 gradients that are opposite
        up to an angle of about 3e-3 cannot agree. Pass 1.2e-7 for a matrix that was computed in
        float32 and stored in float64.

    Returns
    -------
    Outcome
        Coefficients, utilities, shares, status and certificate.

    Raises
    ------
    TypeError
        The game is no game, the solution no solution, or the solver does not solve such games.
    ValueError
        The shape of ``start`` does not fit, ``max_steps`` or ``precision`` is out of range; for one
        concrete game also: NaN, infinity, a negative weight, only zero weights, or a Gram matrix
        that is not symmetric or not positive semidefinite. In a batch, and while tracing, such a
        game gets the status NONFINITE and its neighbours are left alone.

    Examples
    --------
    >>> import numpy, bargain
    >>> gradients = numpy.asarray([[1.0, 0.0, 1.0], [-0.5, 2.0, 0.0]])
    >>> outcome = bargain.solve(bargain.GradientGame(bargain.gram(gradients)))
    >>> bargain.Status(int(outcome.status)).name, outcome.shares
    ('AGREEMENT', array([0.5, 0.5]))
    """
    payoffs = payoffs_for(game)
    if payoffs is not None:
        if precision is not None:
            raise TypeError(
                f"precision: expected none for a {type(game).__name__}, found {precision!r}; leave "
                f"it out, it is that of a Gram matrix"
            )
        return payoffs.solve_payoffs(game, solution, solver, start=start, max_steps=max_steps)
    _check_game(game)
    backend = backend_for(game.gram)
    precision = precision_of(game.gram, precision)
    solution = checked_solution(solution, game)
    solver = _choose_solver(game, solution, solver)
    max_steps = solver.patience if max_steps is None else max_steps
    if not isinstance(max_steps, Integral):
        raise TypeError(
            f"max_steps: expected a whole number, found {type(max_steps).__name__}; give an int"
        )
    if max_steps < 0:
        raise ValueError(f"max_steps: expected at least 0, found {max_steps}")

    if start is not None:
        require_coefficients("start", start, tuple(game.gram.shape)[:-1])
    quick = backend.shortcut(
        game, solution, solver, start=start, max_steps=max_steps, precision=precision
    )
    if quick is not None:
        return quick
    canonical, frame = canonicalise(without_unread(game, solution), precision=precision)
    valid = hopeful(canonical, frame, solution) & ~indefinite(frame, backend, precision)
    if game.gram.ndim == 2 and backend.concrete(valid) and not bool(valid):
        explain_invalid(game, frame, precision, solution)
    frame = with_ideal_point(canonical, frame, solution, valid)
    origin = _canonical_start(game, canonical, frame, start)
    proof, steps = play(
        canonical, frame, solution, solver, start=origin, valid=valid, max_steps=max_steps
    )
    return conclude(canonical, valid, proof, steps, solver.tol)


def _choose_solver(game: GradientGame, solution: Solution, solver: Solver | None) -> Solver:
    """Return the solver asked for, or the best for the game."""
    if isinstance(solver, type) or not (solver is None or hasattr(solver, "patience")):
        raise TypeError(
            f"solver: expected a solver such as bargain.Newton(), found {solver!r}; make one, or "
            f"leave solver out"
        )
    apart = game.disagreement is not None
    if solver is None:
        return (USUAL_APART if apart else USUAL)[type(solution)]()
    # A solver that does not say is one for the Nash solution.
    if not isinstance(solution, getattr(solver, "solutions", (Nash,))):
        raise TypeError(
            f"solver: expected one for the solution {type(solution).__name__}, found "
            f"{type(solver).__name__}; leave solver out"
        )
    if apart and not solver.takes_disagreement:
        raise TypeError(
            f"solver: expected InteriorPoint or another that takes a disagreement point, found "
            f"{type(solver).__name__}; leave solver out"
        )
    return solver


def _check_game(game: Any) -> None:
    if not isinstance(game, GradientGame):
        remedy = "for a Gram matrix call bargain.nash, or make one with bargain.GradientGame(gram)"
        if hasattr(game, "nash"):  # a ConvexGame of bargain_cvxpy, or its class
            remedy = "a convex game has a method for that, as in game.solve(bargain.Nash())"
        raise TypeError(f"game: expected a GradientGame, found {type(game).__name__}; {remedy}")
    require_arrays(game)


def _canonical_start(
    game: GradientGame, canonical: CanonicalGame, frame: Frame, start: Array | None
) -> Array | None:
    """Return a positive point for every game: the given one, or where it will not do a cold one."""
    if start is None:
        return None
    xp = array_namespace(game.gram)
    usable = ~canonical.inside | (xp.isfinite(start) & (start > 0))
    usable = xp.all(usable, axis=-1)[..., None] & canonical.inside
    point = xp.where(usable, start * frame.units, opening(canonical))
    return scaled(canonical, point, stretch(canonical, point, apply_cosines(canonical, point)))
