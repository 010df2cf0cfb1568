"""Solutions and solvers by their names on the command line."""

from enum import StrEnum

import bargain
from bargain.solutions import Solution
from bargain_cli.input_error import InputError


class SolutionName(StrEnum):
    """The solutions; Kalai and Smorodinsky's has a short name too."""

    NASH = "nash"
    ALPHA_FAIR = "alpha-fair"
    KALAI_SMORODINSKY = "kalai-smorodinsky"
    KS = "ks"
    EGALITARIAN = "egalitarian"
    UTILITARIAN = "utilitarian"


class SolverName(StrEnum):
    """The solvers."""

    NEWTON = "newton"
    FIXED_POINT = "fixed-point"
    CCP = "ccp"
    INTERIOR_POINT = "interior-point"


SOLUTIONS = {
    SolutionName.NASH: bargain.Nash,
    SolutionName.KALAI_SMORODINSKY: bargain.KalaiSmorodinsky,
    SolutionName.KS: bargain.KalaiSmorodinsky,
    SolutionName.EGALITARIAN: bargain.Egalitarian,
    SolutionName.UTILITARIAN: bargain.Utilitarian,
}
SOLVERS = {
    SolverName.NEWTON: bargain.Newton,
    SolverName.FIXED_POINT: bargain.FixedPoint,
    SolverName.CCP: bargain.CCP,
    SolverName.INTERIOR_POINT: bargain.InteriorPoint,
}
LABELS = {
    SolutionName.NASH: "Nash",
    SolutionName.ALPHA_FAIR: "α-fair",
    SolutionName.KALAI_SMORODINSKY: "Kalai–Smorodinsky",
    SolutionName.KS: "Kalai–Smorodinsky",
    SolutionName.EGALITARIAN: "egalitarian",
    SolutionName.UTILITARIAN: "utilitarian",
}


def choose_solution(name: SolutionName, alpha: float | None) -> Solution:
    """Return the solution asked for; ``alpha`` belongs to the α-fair one."""
    if (alpha is None) == (name is SolutionName.ALPHA_FAIR):
        raise InputError(
            "--alpha is needed by --solution alpha-fair, for example --alpha 2"
            if alpha is None
            else f"--alpha belongs to --solution alpha-fair, found --solution {name.value}"
        )
    return SOLUTIONS[name]() if alpha is None else bargain.AlphaFair(alpha)
