"""What the core needs from NumPy beyond the standard."""

from typing import Any

import numpy as np
from scipy.linalg import get_lapack_funcs

from bargain.backend import EagerBackend
from bargain.min_norm import MinNorm
from bargain_numpy.single_game import solve_single
from bargain_numpy.single_length import rescale_single
from bargain_numpy.single_min_norm import solve_min_norm
from bargain_numpy.single_silent import solve_silent


class NumpyBackend(EagerBackend):
    """LAPACK's Cholesky routines; a system that is not positive definite gives NaN, no exception.

    In a batch one bad system must not harm its neighbours, so exceptions will not do.
    """

    def solve_spd(self, matrix: Any, rhs: Any, /) -> Any:
        if matrix.ndim == 2 and rhs.ndim == 1:
            (solve,) = get_lapack_funcs(("posv",), (matrix, rhs))
            _, solution, info = solve(matrix, rhs)
            return solution if info == 0 else np.full_like(rhs, np.nan)
        try:
            return np.linalg.solve(matrix, rhs[..., None])[..., 0]
        except np.linalg.LinAlgError:
            shape = np.broadcast_shapes(matrix.shape[:-1], rhs.shape)
            solutions = np.empty(shape, rhs.dtype)
            for index in np.ndindex(*shape[:-1]):
                solutions[index] = self.solve_spd(matrix[index], rhs[index])
            return solutions

    def positive_definite(self, matrix: Any, /) -> Any:
        if matrix.ndim == 2:
            (factorise,) = get_lapack_funcs(("potrf",), (matrix,))
            return np.asarray(factorise(matrix)[1] == 0)
        try:
            np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            return np.linalg.eigvalsh(matrix).min(axis=-1) > 0
        return np.ones(matrix.shape[:-2], dtype=bool)

    def shortcut(self, game: Any, solution: Any, solver: Any, /, **options: Any) -> Any:
        if type(solver) is MinNorm:
            return solve_min_norm(game, solution, solver, **options)
        quick = solve_single(game, solution, solver, **options)
        return solve_silent(game, solution, solver, **options) if quick is None else quick

    def shortcut_rescale(self, coefficients: Any, game: Any, length: str, /, **options: Any) -> Any:
        return rescale_single(coefficients, game, length, **options)
