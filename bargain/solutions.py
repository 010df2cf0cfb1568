"""Bargaining solutions: which agreement is meant.

A solution is a name with numbers, nothing else. It is a frozen dataclass of Python numbers, hence
static under compilation and safe to hash, compare and pickle.
"""

from dataclasses import dataclass


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


Solution = Nash
