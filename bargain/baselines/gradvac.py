"""GradVac: gradients are turned until their cosines reach what they have been on average."""

from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from bargain.baselines.reading import read_gram, read_order, write
from bargain.shapes import Array, Float


class GradVacState(NamedTuple):
    """What GradVac remembers.

    Parameters
    ----------
    targets : Array
        Shape ``(*batch, K, K)``: running averages of cosines, of player i's gradient as turned
        so far with player j's.
    """

    targets: Float[Array, "*batch K K"]


def gradvac_init(gram: Array, /, *, precision: float | None = None) -> GradVacState:
    """Return the state to start from: targets of zero.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``; only its shape, type and device matter.
    precision : float, optional
        Relative precision of the matrix's entries, as in :func:`bargain.solve`.

    Returns
    -------
    GradVacState
        Zeros.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` does; and where one matrix is no Gram matrix.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> baselines.gradvac_init(numpy.eye(2)).targets
    array([[0., 0.],
           [0., 0.]])
    """
    read_gram(gram, precision=precision)
    return GradVacState(array_namespace(gram).zeros_like(gram))


def gradvac_update(
    gram: Array,
    state: GradVacState,
    /,
    *,
    order: Any,
    rate: float = 0.5,
    precision: float | None = None,
) -> tuple[Float[Array, "*batch K"], GradVacState]:
    r"""Weigh gradients by gradient vaccine.

    Player i's gradient meets the others' in a random order. Where the cosine :math:`\phi_{ij}` is
    below its target :math:`\hat\phi_{ij}`, it is turned towards the other until it reaches it,

    .. math:: g_i' = g_i + \frac{\|g_i\| (\hat\phi \sqrt{1 - \phi^2} - \phi \sqrt{1 -
        \hat\phi^2})}{\|g_j\| \sqrt{1 - \hat\phi^2}}\, g_j ,

    and then :math:`\hat\phi_{ij} \leftarrow (1 - \beta) \hat\phi_{ij} + \beta \phi_{ij}`. The
    update is the sum of the turned gradients. With targets of zero this is PCGrad.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``, in u²: inner products of the gradients.
    state : GradVacState
        The state of the step before, or :func:`gradvac_init`'s.
    order : Array or sequence of int
        As in :func:`bargain.baselines.pcgrad`.
    rate : float
        How much a new cosine counts in the running average, between 0 and 1; the paper's
        :math:`\beta`.
    precision : float, optional
        Relative precision of the matrix's entries, as in :func:`bargain.solve`.

    Returns
    -------
    Array
        Shape ``(*batch, K)``: the coefficients; NaN where a matrix of a batch is no Gram matrix.
    GradVacState
        The state for the next step; unchanged where the coefficients are NaN.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` does; where one matrix is no Gram matrix; where the state
        has another shape; where the order does not consist of permutations; where the rate leaves
        its interval.

    Notes
    -----
    A target of one, which no finite multiple reaches, turns nothing. The cosine of a gradient that
    is zero counts as zero.

    The paper groups parameters, by layer say; call this once for each group. TorchJD averages as
    here, at every pair; LibMTL and the code of Aligned-MTL average only where they turn.

    References
    ----------
    Wang, Tsvetkov, Firat and Cao, "Gradient Vaccine: Investigating and Improving Multi-task
    Optimization in Massively Multilingual Models", ICLR 2021, arXiv 2010.05874, algorithm 1.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> gram = numpy.asarray([[4.0, -1.0], [-1.0, 1.0]])
    >>> state = baselines.gradvac_init(gram)
    >>> coefficients, state = baselines.gradvac_update(gram, state, order=[0, 1])
    >>> coefficients.round(6)
    array([1.25, 2.  ])
    >>> state.targets
    array([[ 0.  , -0.25],
           [-0.25,  0.  ]])
    """
    reading = read_gram(gram, precision=precision)
    visits = read_order(order, gram)
    if not 0 <= rate <= 1:
        raise ValueError(f"rate: expected a number between 0 and 1, found {rate}")
    targets = state.targets
    if tuple(targets.shape) != tuple(gram.shape):
        raise ValueError(
            f"state: expected targets of shape {tuple(gram.shape)} as gram has, found "
            f"{tuple(targets.shape)}; start anew with gradvac_init where the players change"
        )
    xp = array_namespace(gram)
    players = gram.shape[-1]
    moving = reading.moving[..., None, :]
    rows = xp.eye(players, dtype=gram.dtype, device=device(gram)) * xp.ones_like(reading.cosines)
    for turn in range(players):
        products = rows @ reading.cosines
        power = xp.sum(rows * products, axis=-1)[..., None]
        there = power > 0
        length = xp.sqrt(xp.where(there, power, 1.0))
        cosine = xp.clip(xp.where(there & moving, products / length, 0.0), -1.0, 1.0)
        aside, aside_wished = xp.sqrt(1 - cosine**2), xp.sqrt(1 - targets**2)
        reachable = there & (aside_wished > 0)
        factor = (targets * aside - cosine * aside_wished) / xp.where(reachable, aside_wished, 1.0)
        now = visits[..., turn, :, :]
        turned = now & (cosine < targets) & reachable
        rows = rows + xp.where(turned, length * factor, 0.0)
        learned = now & reading.valid[..., None, None]
        targets = xp.where(learned, (1 - rate) * targets + rate * cosine, targets)
    total = xp.sum(reading.lengths[..., :, None] * rows, axis=-2)
    coefficients = write(reading, xp.where(reading.moving, total / reading.divisors, 1.0))
    return coefficients, GradVacState(targets)
