"""Certificates: anyone can check an outcome, without the solver that found it."""

from typing import Any, overload

from array_api_compat import array_namespace

from bargain.backend import backend_for
from bargain.canonical import canonicalise, precision_of
from bargain.evidence import Answer
from bargain.games import GradientGame, payoffs_for, require_arrays
from bargain.ideal_point import with_ideal_point
from bargain.leximin import proposed_stages, refines
from bargain.outcome import Certificate, Outcome, Status
from bargain.proof import certificate_of, prove, proves_agreement
from bargain.solutions import Solution
from bargain.tally import tallies, tells_nothing
from bargain.terms import hopeful, terms_of, without_unread
from bargain.validation import checked_solution, indefinite


@overload
def certify(
    game: GradientGame,
    solution: Solution,
    outcome: Outcome,
    *,
    tol: float | None = None,
    precision: float | None = None,
) -> Certificate: ...
@overload
def certify(
    game: Any,
    solution: Solution,
    outcome: Any,
    *,
    tol: float | None = None,
    precision: float | None = None,
) -> Any: ...


def certify(
    game: Any,
    solution: Solution,
    outcome: Any,
    *,
    tol: float | None = None,
    precision: float | None = None,
) -> Any:
    r"""Check an outcome from the game and the outcome alone, with no solver code.

    For a Nash agreement: with :math:`s_i = \alpha_i (u_i - d_i)`, scaled to :math:`\sum s = \sum
    w`, weak duality bounds the (weighted, logarithmic) Nash product of every feasible point by that
    of the outcome plus

    .. math:: \text{gap} = \sum_i w_i \log \frac{w_i}{s_i},

    the Kullback-Leibler divergence of the shares from the weights. The coefficients of other
    agreements are the prices that bound what any update can be worth, see
    :class:`bargain.Certificate`. For a disagreement, by Gordan's
    alternative: a convex combination of gradients that vanishes (with a disagreement point: whose
    norm times the radius is at most its mean of :math:`d`), which no common improvement survives.

    The utilities and shares of the outcome have to be those of its coefficients (and with a
    disagreement point of its certificate's multipliers), up to rounding; at a disagreement
    coefficients, utilities and shares are zero. Gap, residual, floor and ``accepted`` are not read
    but computed afresh: those of the certificate that is returned count.

    Parameters
    ----------
    game : GradientGame
        The game. Those of ``bargain.payoffs`` go to :func:`bargain.payoffs.certify_payoffs`.
    solution : Nash, AlphaFair, KalaiSmorodinsky, Egalitarian or Utilitarian
        The solution meant.
    outcome : Outcome
        What to check. Its status says which of the two claims.
    tol : float, optional
        The largest residual to accept above the rounding floor; default: the square root of the
        machine epsilon.
    precision : float, optional
        Relative precision of the entries of the Gram matrix, as in :func:`bargain.solve`.

    Returns
    -------
    Certificate
        With ``accepted`` true where the numbers prove what ``outcome.status`` says.

    Raises
    ------
    TypeError
        The outcome is no Outcome, the solution no solution, or the game holds no arrays.
    ValueError
        The outcome is one of a game of another shape, or ``precision`` is out of range.

    Notes
    -----
    There are two exceptions to "no solver code", both with a disagreement point. An outcome holds
    no proof of the ideal point of the Kalai-Smorodinsky solution, and none of the later stages of a
    lexicographic refinement. They are searched for again (the ideal point unless the game gives
    it); the updates and prices found are only proposals, and gap and residual count what they do
    not prove.

    Examples
    --------
    >>> import numpy, bargain
    >>> game = bargain.GradientGame(numpy.asarray([[1.0, -0.5], [-0.5, 1.0]]))
    >>> outcome = bargain.solve(game)
    >>> bool(bargain.certify(game, bargain.Nash(), outcome).accepted)
    True
    >>> wrong = outcome._replace(coefficients=outcome.coefficients * numpy.asarray([1.0, 2.0]))
    >>> bool(bargain.certify(game, bargain.Nash(), wrong).accepted)
    False
    >>> boastful = outcome._replace(utilities=outcome.utilities * 2)
    >>> bool(bargain.certify(game, bargain.Nash(), boastful).accepted)
    False
    """
    payoffs = payoffs_for(game)
    if payoffs is not None:
        return payoffs.certify_payoffs(game, solution, outcome, tol=tol)
    require_arrays(game)
    solution = checked_solution(solution, game)
    if not isinstance(outcome, Outcome):
        raise TypeError(
            f"outcome: expected the Outcome to check, found {type(outcome).__name__}; pass what "
            f"solve returned"
        )
    expected = tuple(game.gram.shape[:-1])
    if tuple(outcome.coefficients.shape) != expected:
        raise ValueError(
            f"outcome: expected coefficients of shape {expected}, found "
            f"{tuple(outcome.coefficients.shape)}; pass what solve returned for this game"
        )
    xp = array_namespace(game.gram)
    precision = precision_of(game.gram, precision)
    canonical, frame = canonicalise(without_unread(game, solution), precision=precision)
    sound = hopeful(canonical, frame, solution)
    sound = sound & ~indefinite(frame, backend_for(game.gram), precision)
    frame = with_ideal_point(canonical, frame, solution, sound)
    agreed = outcome.status == int(Status.AGREEMENT)
    refused = outcome.status == int(Status.DISAGREEMENT)
    coefficients, prices = outcome.coefficients, outcome.certificate.multipliers
    if game.disagreement is None:
        prices = coefficients  # they support themselves, so no claim has to be trusted
    else:
        coefficients = coefficients / frame.radius[..., None]
    prices = xp.where(refused[..., None], outcome.certificate.stationary, prices)
    coefficients = xp.where(refused[..., None], prices, coefficients)
    # A combination is convex, and prices are not negative; without any of them nothing is claimed.
    claimed = xp.where(canonical.inside, prices, 0.0)
    legal = xp.all(claimed >= 0, axis=-1)
    legal = legal & xp.any((claimed > 0) | ~xp.any(canonical.inside, axis=-1)[..., None], axis=-1)
    answer = Answer(
        xp.where(canonical.inside, coefficients * frame.units, 0.0), claimed * frame.units
    )
    stages = None
    if refines(canonical, solution):
        stages = proposed_stages(terms_of(canonical, frame, solution), sound)
    proof = prove(canonical, frame, answer, solution, stages)
    bar = float(xp.finfo(game.gram.dtype).eps) ** 0.5 if tol is None else tol
    proven = xp.where(agreed, proves_agreement(proof, bar), proof.evidence.stationary)
    told = tallies(canonical, frame, answer, proof, outcome)
    told = xp.where(agreed, told, tells_nothing(outcome))
    accepted = sound & legal & proven & told & (agreed | refused)
    return certificate_of(canonical, proof, agreed, refused, accepted)
