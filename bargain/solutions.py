"""Bargaining solutions: which agreement is meant.

A solution is a name with numbers, nothing else. It is a frozen dataclass of Python numbers, hence
static under compilation and safe to hash, compare and pickle. Weights, disagreement point and ideal
point belong to the game.
"""

from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True)
class Nash:
    r"""The (asymmetric) Nash bargaining solution.

    The agreement that maximises :math:`\sum_i w_i \log(u_i - d_i)`, where the weights
    :math:`w` and the disagreement point :math:`d` belong to the game. Equal weights give Nash's
    symmetric solution.

    References
    ----------
    Nash, "The Bargaining Problem", Econometrica 18 (1950) 155-162. In multi-task learning: Navon
    et al., arXiv 2202.01017, eq. 1 (Nash-MTL); Shamsian et al., arXiv 2301.13501 (AuxiNash).

    Examples
    --------
    >>> import bargain
    >>> bargain.Nash()
    Nash()
    """


@dataclass(frozen=True)
class AlphaFair:
    r"""The α-fair solution: a family from the utilitarian over Nash to the egalitarian.

    The agreement that maximises :math:`\sum_i w_i (u_i - d_i)^{1 - a} / (1 - a)`. Order 1 is the
    Nash solution; towards 0 it becomes the utilitarian one, towards infinity the egalitarian one
    (without weights, which lose their influence there).

    Parameters
    ----------
    alpha : float
        The order a, a positive number.

    Raises
    ------
    ValueError
        The order is not positive or not finite.

    References
    ----------
    Mo and Walrand, "Fair End-to-End Window-Based Congestion Control", IEEE/ACM Transactions on
    Networking 8 (2000) 556-567. In multi-task learning: Ban and Ji, arXiv 2402.15638 (FairGrad).

    Examples
    --------
    >>> import bargain
    >>> bargain.AlphaFair(2.0)
    AlphaFair(alpha=2.0)
    """

    alpha: float

    def __post_init__(self) -> None:
        if not (isfinite(self.alpha) and self.alpha > 0):
            raise ValueError(
                f"alpha: expected a positive number, found {self.alpha}; for 0 take Utilitarian(), "
                f"for infinity Egalitarian()"
            )


@dataclass(frozen=True)
class KalaiSmorodinsky:
    r"""The Kalai-Smorodinsky solution: equal parts of what each player could hope for.

    The agreement that maximises :math:`\min_i (u_i - d_i) / (I_i - d_i)`, where the ideal point
    :math:`I` is the game's, or each player's best payoff among the agreements with :math:`u \ge d`.
    (In a gradient game without a disagreement point it is ``radius * ||g_i||``, what he could get
    on his own.)

    Parameters
    ----------
    leximin : bool
        Where the maximum leaves a choice, raise the second-smallest part as well, then the third.

    References
    ----------
    Kalai and Smorodinsky, "Other Solutions to Nash's Bargaining Problem", Econometrica 43 (1975)
    513-518; with leximin: Imai, "Individual Monotonicity and Lexicographic Maxmin Solution",
    Econometrica 51 (1983) 389-401. With baseline and ideal by the user: Han, Banerjee and Sun's
    maximin relative improvement.

    Examples
    --------
    >>> import bargain
    >>> bargain.KalaiSmorodinsky()
    KalaiSmorodinsky(leximin=False)
    """

    leximin: bool = False


@dataclass(frozen=True)
class Egalitarian:
    r"""The (weighted) egalitarian solution: equal gains.

    The agreement that maximises :math:`\min_i (u_i - d_i) / w_i`.

    Parameters
    ----------
    leximin : bool
        Where the maximum leaves a choice, raise the second-smallest gain as well, then the third.

    References
    ----------
    Kalai, "Proportional Solutions to Bargaining Situations", Econometrica 45 (1977) 1623-1630. In
    multi-task learning: Désidéri (2012), Sener and Koltun, arXiv 1810.04650 (MGDA).

    Examples
    --------
    >>> import bargain
    >>> bargain.Egalitarian()
    Egalitarian(leximin=False)
    """

    leximin: bool = False


@dataclass(frozen=True)
class Utilitarian:
    r"""The (weighted) utilitarian solution: the largest sum.

    The agreement that maximises :math:`\sum_i w_i u_i`, whether or not everyone gains. It does not
    read the disagreement point of a gradient game.

    References
    ----------
    Harsanyi, "Cardinal Welfare, Individualistic Ethics, and Interpersonal Comparisons of Utility",
    Journal of Political Economy 63 (1955) 309-321. In multi-task learning: linear scalarisation.

    Examples
    --------
    >>> import bargain
    >>> bargain.Utilitarian()
    Utilitarian()
    """


Solution = Nash | AlphaFair | KalaiSmorodinsky | Egalitarian | Utilitarian
