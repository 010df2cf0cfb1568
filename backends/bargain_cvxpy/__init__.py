"""CVXPY: a conic reference solver, the papers' procedure as published, and general convex games."""

try:
    import cvxpy as _cvxpy  # noqa: F401 - asked for here, where one sentence can say what is missing
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f'bargain_cvxpy needs {error.name}: run pip install "bargain-solvers[cvxpy]"',
        name=error.name,
    ) from None

from bargain_cvxpy.conic import Conic
from bargain_cvxpy.convex_game import ConvexGame
from bargain_cvxpy.convex_outcome import ConvexOutcome
from bargain_cvxpy.published_ccp import CCP
from bargain_cvxpy.runs import SolverError

__all__ = ["CCP", "Conic", "ConvexGame", "ConvexOutcome", "SolverError"]
