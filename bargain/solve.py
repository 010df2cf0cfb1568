"""The driver: one loop for every solver, and the shorthand that most people need."""

from numbers import Integral
from typing import Any

from array_api_compat import array_namespace, is_array_api_obj

from bargain.backend import backend_for
from bargain.canonical import CanonicalGame, Frame, apply_cosines, canonicalise, precision_of
from bargain.certificate import Proof, certificate_of, prove, proves_agreement
from bargain.games import GradientGame, require_arrays
from bargain.interior_point import InteriorPoint
from bargain.loop import Search, select
from bargain.newton import Newton
from bargain.opening import opening, scaled, stretch
from bargain.outcome import Certificate, Outcome, Status
from bargain.shapes import Array, Bool, Float, Int
from bargain.solutions import Nash, Solution
from bargain.solver import Solver
from bargain.validation import explain_invalid, indefinite


def solve(
    game: GradientGame,
    solution: Solution = Nash(),
    solver: Solver | None = None,
    *,
    start: Float[Array, "*batch K"] | None = None,
    max_steps: int | None = None,
    precision: float | None = None,
) -> Outcome:
    """Solve a game, or a batch of games.

    Parameters
    ----------
    game : GradientGame
        The game; its arrays may have leading batch axes.
    solution : Nash
        Which agreement is meant.
    solver : Solver, optional
        How to find it. Default: :class:`bargain.Newton`, and with a disagreement point
        :class:`bargain.InteriorPoint`.
    start : Array, optional
        Shape ``(*batch, K)``: coefficients to start from, such as those of the step before. Games
        for which they are not positive and finite start cold.
    max_steps : int, optional
        Give up after so many steps; default: the solver's own ``patience``.
    precision : float, optional
        Relative precision of the entries of the Gram matrix; default: the machine epsilon of its
        type. Convex combinations of unit gradients shorter than ``(8 * K * precision) ** 0.5``
        count as zero, so in float32 gradients that are opposite up to an angle of about 3e-3
        cannot agree. Pass 1.2e-7 for a matrix that was computed in float32 and stored in float64.

    Returns
    -------
    Outcome
        Coefficients, utilities, shares, status and certificate.

    Raises
    ------
    TypeError
        The game is no game, or the solver does not solve such games.
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
    _check_game(game)
    backend = backend_for(game.gram)
    precision = precision_of(game.gram, precision)
    solver = _choose_solver(game, solver)
    max_steps = solver.patience if max_steps is None else max_steps
    if not isinstance(max_steps, Integral):
        raise TypeError(
            f"max_steps: expected a whole number, found {type(max_steps).__name__}; give an int"
        )
    if max_steps < 0:
        raise ValueError(f"max_steps: expected at least 0, found {max_steps}")

    quick = backend.shortcut(
        game, solution, solver, start=start, max_steps=max_steps, precision=precision
    )
    if quick is not None:
        return quick
    canonical, frame = canonicalise(game, precision=precision)
    valid = frame.valid & ~indefinite(frame, backend, precision)
    if game.gram.ndim == 2 and backend.concrete(valid) and not bool(valid):
        explain_invalid(game, frame, precision)
    search = Search(solver, solution, max_steps)
    origin = _canonical_start(game, canonical, frame, start)
    answer, steps = backend.attach_derivative(search)(canonical, origin, valid)
    proof = prove(canonical, frame, answer)

    # Whether the gradients cancel does not depend on the weights, but tiny weights can hide it
    # behind their rounding floor. Games without a proof are asked again with equal weights.
    uneven = array_namespace(valid).any(canonical.weights != 1, axis=-1)
    open_ = valid & uneven & ~proof.evidence.stationary & ~proves_agreement(proof, solver.tol)
    if not backend.concrete(open_) or bool(array_namespace(open_).any(open_)):
        proof, steps = _ask_again(search, canonical, frame, proof, steps, open_)
    return _conclude(canonical, frame, valid, proof, steps, solver.tol)


def nash(
    gram: Float[Array, "*batch K K"],
    weights: Float[Array, "*#batch K"] | None = None,
    *,
    disagreement: Float[Array, "*#batch K"] | None = None,
    radius: Any = 1.0,
    active: Bool[Array, "*#batch K"] | None = None,
    solver: Solver | None = None,
    start: Float[Array, "*batch K"] | None = None,
    max_steps: int | None = None,
    precision: float | None = None,
) -> Outcome:
    r"""Solve a gradient game for its (asymmetric) Nash bargaining solution.

    Without a disagreement point the coefficients satisfy :math:`M \alpha = w / \alpha`, as in
    Nash-MTL and AuxiNash. The parameters are those of :class:`bargain.GradientGame` and
    :func:`bargain.solve`.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``: inner products of gradients.
    weights : Array or sequence of float, optional
        Shape ``(*batch, K)``: bargaining weights; default: all one.
    disagreement : Array or sequence of float, optional
        See :class:`bargain.GradientGame`, also for the next two.
    radius : float or Array
        The longest update allowed.
    active : Array or sequence of bool, optional
        Who is there.
    solver : Solver, optional
        See :func:`bargain.solve`, also for the next three.
    start : Array, optional
        Coefficients to start from.
    max_steps : int, optional
        Give up after so many steps.
    precision : float, optional
        Relative precision of the entries of the Gram matrix.

    Returns
    -------
    Outcome
        Coefficients, utilities, shares, status and certificate.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` and :func:`bargain.solve` do.

    References
    ----------
    Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022, arXiv 2202.01017, claim
    3.1; Shamsian et al., "Auxiliary Learning as an Asymmetric Bargaining Game", ICML 2023, arXiv
    2301.13501.

    Examples
    --------
    >>> import numpy, bargain
    >>> outcome = bargain.nash(numpy.asarray([[4.0, 0.0], [0.0, 1.0]]), [1.0, 3.0])
    >>> outcome.shares
    array([0.25, 0.75])
    >>> outcome.coefficients.round(4)
    array([0.5   , 1.7321])
    """
    game = GradientGame(gram, weights, disagreement, radius, active)
    return solve(game, solver=solver, start=start, max_steps=max_steps, precision=precision)


def _choose_solver(game: GradientGame, solver: Solver | None) -> Solver:
    """Return the solver asked for, or the best for the game."""
    if isinstance(solver, type) or not (solver is None or hasattr(solver, "patience")):
        raise TypeError(
            f"solver: expected a solver such as bargain.Newton(), found {solver!r}; make one, or "
            f"leave solver out"
        )
    if game.disagreement is None:
        return Newton() if solver is None else solver
    if solver is None:
        return InteriorPoint()
    if solver.takes_disagreement:
        return solver
    raise TypeError(
        f"solver: expected InteriorPoint or another that takes a disagreement point, found "
        f"{type(solver).__name__}; leave solver out"
    )


def _check_game(game: Any) -> None:
    if not isinstance(game, GradientGame):
        raise TypeError(
            f"game: expected a GradientGame, found {type(game).__name__}; for a Gram matrix call "
            f"bargain.nash, or make one with bargain.GradientGame(gram)"
        )
    require_arrays(game)


def _canonical_start(
    game: GradientGame, canonical: CanonicalGame, frame: Frame, start: Array | None
) -> Array | None:
    """Return a positive point for every game: the given one, or where it will not do a cold one."""
    if start is None:
        return None
    if not is_array_api_obj(start):
        raise TypeError(
            f"start: expected an array like gram, found {type(start).__name__}; pass the "
            f"coefficients of an outcome"
        )
    shape = tuple(canonical.weights.shape)
    if tuple(start.shape) != shape:
        raise ValueError(
            f"start: expected shape {shape}, a coefficient for each player, found "
            f"{tuple(start.shape)}; pass the coefficients of an outcome of the same game"
        )
    xp = array_namespace(game.gram)
    usable = ~canonical.inside | (xp.isfinite(start) & (start > 0))
    usable = xp.all(usable, axis=-1)[..., None] & canonical.inside
    point = xp.where(usable, start * frame.units, opening(canonical))
    return scaled(canonical, point, stretch(canonical, point, apply_cosines(canonical, point)))


def _ask_again(
    search: Search,
    canonical: CanonicalGame,
    frame: Frame,
    proof: Proof,
    steps: Int[Array, "*batch"],
    open_: Bool[Array, "*batch"],
) -> tuple[Proof, Int[Array, "*batch"]]:
    """Look for a disagreement in games that are still open; leave everything else as it is."""
    xp = array_namespace(canonical.weights)
    equal = canonical._replace(weights=xp.ones_like(canonical.weights))
    answer, more = search(equal, None, open_)
    second = prove(canonical, frame, answer)
    found = open_ & second.evidence.stationary
    return select(found, second, proof), steps + more


def _conclude(
    canonical: CanonicalGame,
    frame: Frame,
    valid: Bool[Array, "*batch"],
    proof: Proof,
    steps: Int[Array, "*batch"],
    tol: float,
) -> Outcome:
    """Say in the status what has been proved."""
    xp = array_namespace(canonical.weights)
    refused = valid & proof.evidence.stationary
    agreed = valid & ~refused & proves_agreement(proof, tol)
    certificate = certificate_of(canonical, proof, agreed, refused, agreed | refused)
    status = xp.full_like(steps, int(Status.MAX_STEPS))
    status = xp.where(agreed, int(Status.AGREEMENT), status)
    status = xp.where(refused, int(Status.DISAGREEMENT), status)
    status = xp.where(valid, status, int(Status.NONFINITE))

    def numbers(values: Array, at_disagreement: Array | float = 0.0) -> Array:
        """Blank what a disagreement does not have and what an invalid game cannot have."""
        shown = valid if values.ndim == valid.ndim else valid[..., None]
        hidden = refused if values.ndim == valid.ndim else refused[..., None]
        return xp.where(shown, xp.where(hidden, at_disagreement, values), xp.nan)

    return Outcome(
        coefficients=numbers(proof.coefficients),
        utilities=numbers(proof.utilities),
        shares=numbers(proof.shares),
        status=status,
        gap=numbers(certificate.gap),
        residual=numbers(certificate.residual, certificate.residual),
        steps=steps,
        certificate=Certificate(
            multipliers=numbers(certificate.multipliers),
            stationary=numbers(certificate.stationary, certificate.stationary),
            gap=numbers(certificate.gap),
            residual=numbers(certificate.residual, certificate.residual),
            floor=numbers(certificate.floor),
            resolution=certificate.resolution,
            accepted=certificate.accepted,
        ),
    )
