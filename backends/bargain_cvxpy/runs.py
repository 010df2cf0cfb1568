"""How problems reach a conic solver: installed or not, solved or not, and never an old answer."""

import warnings
from collections.abc import Mapping
from typing import Any

import cvxpy
from cvxpy import settings as statuses
from cvxpy.constraints.exponential import ExpCone
from cvxpy.reductions.solvers.defines import SOLVER_MAP_CONIC

SOLVED = frozenset({cvxpy.OPTIMAL, cvxpy.OPTIMAL_INACCURATE})
"""Statuses that come with numbers; what the numbers are worth is for a certificate to say."""
INFEASIBLE = frozenset({cvxpy.INFEASIBLE, cvxpy.INFEASIBLE_INACCURATE})
UNBOUNDED = frozenset(
    {cvxpy.UNBOUNDED, cvxpy.UNBOUNDED_INACCURATE, statuses.INFEASIBLE_OR_UNBOUNDED}
)


class SolverError(RuntimeError):
    """A conic solver ended without an answer; the message names the solver and its status."""


def require_installed(solver: str) -> None:
    """Raise unless this is an installed solver of exponential cones."""
    installed = [name for name in cvxpy.installed_solvers() if _takes_exponential_cones(name)]
    if solver in installed:
        return
    choice = ", ".join(installed)
    if solver in SOLVER_MAP_CONIC and solver not in cvxpy.installed_solvers():
        raise ImportError(
            f"solver: {solver} is not installed; install it, as in pip install {solver.lower()}, "
            f"or choose one of {choice}"
        )
    raise ValueError(
        f"solver: expected one that CVXPY knows and that takes exponential cones, found "
        f"{solver!r}; installed are {choice}"
    )


def _takes_exponential_cones(solver: str) -> bool:
    known = SOLVER_MAP_CONIC.get(solver)
    return known is not None and ExpCone in known.SUPPORTED_CONSTRAINTS


def run(problem: cvxpy.Problem, solver: str, options: Mapping[str, Any]) -> str:
    """Solve a problem from a cold start, and return a status that is solved or a proof of none.

    Raises
    ------
    SolverError
        The solver gave up, or does not take such problems.
    """
    with warnings.catch_warnings():
        # The certificate is the judge of inaccurate answers.
        warnings.filterwarnings("ignore", "Solution may be inaccurate", UserWarning)
        warnings.filterwarnings("ignore", ".*INFEASIBLE or UNBOUNDED", UserWarning)
        warnings.filterwarnings("ignore", "Power atom", UserWarning)
        # CVXPY evaluates the objective at the point that a solver was stopped at.
        warnings.filterwarnings("ignore", "(invalid value|divide by zero)", RuntimeWarning)
        try:
            problem.solve(solver=solver, warm_start=False, **options)
        except cvxpy.SolverError as error:
            raise SolverError(
                f"{solver}: expected an answer, found solver_error ({str(error).rstrip('.')}); "
                f"choose another solver of second-order and exponential cones"
            ) from error
    status = problem.status
    if status in SOLVED | INFEASIBLE | UNBOUNDED:
        return status
    raise failure(solver, status)


def run_to_optimum(problem: cvxpy.Problem, solver: str, options: Mapping[str, Any]) -> None:
    """Solve a problem that has an optimum; anything else is the solver's failure."""
    status = run(problem, solver, options)
    if status not in SOLVED:
        raise failure(solver, status)


def failure(solver: str, status: str) -> SolverError:
    """Return the error that names a solver and the status it ended with."""
    return SolverError(
        f"{solver}: expected an optimal solution, found the status {status!r}; choose another "
        f"solver, or give it more iterations or looser tolerances in options"
    )
