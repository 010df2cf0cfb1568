"""From a file and options to the game that they describe."""

from pathlib import Path

import numpy as np

import bargain
from bargain_cli.input_error import InputError
from bargain_cli.reading import name_of, read_array, read_vector

__all__ = ["make_game", "player_names", "read_matrix"]


def read_matrix(
    file: Path, *, gradients: bool = False, key: str | None = None, index: int | None = None
) -> np.ndarray:
    """Read what a game is made from.

    Parameters
    ----------
    file : Path
        Where the Gram matrix, shape (K, K), or the gradients lie; ``-`` is the standard input.
    gradients : bool
        Whether the file holds gradients, shape (K, P).
    key : str, optional
        Which array of a file that holds several.
    index : int, optional
        Which matrix of a stack, shape (N, K, K) or (N, K, P).

    Returns
    -------
    np.ndarray
        Shape (K, K), or (K, P) for gradients.

    Raises
    ------
    InputError
        If the file cannot be read or its array has the wrong shape.
    """
    source = name_of(file)
    matrix = _take(read_array(file, key), index, source)
    if not gradients and matrix.shape[0] != matrix.shape[1]:
        raise InputError(
            f"{source} holds a matrix of shape {matrix.shape}, but a Gram matrix has shape (K, K); "
            "if its rows are the players' gradients, add --gradients."
        )
    return matrix


def make_game(
    matrix: np.ndarray,
    file: Path,
    *,
    gradients: bool = False,
    weights: str | None = None,
    disagreement: str | None = None,
    radius: float = 1.0,
) -> bargain.GradientGame:
    """Make a gradient game.

    Parameters
    ----------
    matrix : np.ndarray
        A Gram matrix, shape (K, K), or gradients.
    file : Path
        Where it came from.
    gradients : bool
        Whether it holds gradients, shape (K, P).
    weights, disagreement : str, optional
        K numbers separated by commas, or a file of K numbers.
    radius : float
        The greatest length of an update.

    Returns
    -------
    bargain.GradientGame
        The game, all its arrays of one type.

    Raises
    ------
    InputError
        If a file cannot be read or its array has the wrong shape. What the numbers must satisfy
        (a symmetric matrix, positive weights and so on) is the game's own to check.
    """
    if gradients:
        matrix = _gram(matrix, name_of(file))
    players = matrix.shape[0]
    return bargain.GradientGame(
        matrix,
        weights=_vector(weights, "--weights", players, matrix.dtype),
        disagreement=_vector(disagreement, "--disagreement", players, matrix.dtype),
        radius=radius,
    )


def player_names(text: str | None, players: int) -> list[str]:
    """Split the names that the user gave, or number the players.

    Parameters
    ----------
    text : str, optional
        Names separated by commas.
    players : int
        How many there must be.

    Returns
    -------
    list of str
        One name a player.

    Raises
    ------
    InputError
        If there are more or fewer names than players.
    """
    if text is None:
        return [str(player) for player in range(1, players + 1)]
    names = [name.strip() for name in text.split(",")]
    if len(names) != players:
        raise InputError(f"--names must name {players} players, but names {len(names)}.")
    return names


def _gram(gradients: np.ndarray, source: str) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        gram = bargain.gram(gradients)
    if np.isfinite(gradients).all() and not np.isfinite(gram).all():
        raise InputError(
            f"{source} holds gradients whose inner products are too large for {gram.dtype}; divide "
            "all gradients by a common factor, which changes no agreement."
        )
    return gram


def _take(array: np.ndarray, index: int | None, source: str) -> np.ndarray:
    if array.ndim == 3 and index is not None:
        if not -len(array) <= index < len(array):
            raise InputError(
                f"--index must lie between 0 and {len(array) - 1}, since {source} holds "
                f"{len(array)} matrices, but is {index}."
            )
        return array[index]
    if array.ndim == 3:
        raise InputError(
            f"{source} holds a stack of {len(array)} matrices, shape {array.shape}; choose one "
            f"with --index N, from 0 to {len(array) - 1}."
        )
    if array.ndim != 2:
        raise InputError(
            f"{source} holds an array of shape {array.shape}, but a matrix is expected."
        )
    if index is not None:
        raise InputError(f"{source} holds one matrix, not a stack; leave out --index.")
    return array


def _vector(text: str | None, option: str, players: int, dtype: np.dtype) -> np.ndarray | None:
    if text is None:
        return None
    vector = read_vector(text, option)
    if vector.size != players:
        raise InputError(
            f"{option} must hold one number for each of the {players} players, but holds "
            f"{vector.size}."
        )
    return vector.astype(dtype)
