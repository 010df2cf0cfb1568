"""Least squares with a positive semidefinite matrix."""

from typing import NamedTuple

from array_api_compat import array_namespace

from bargain.shapes import Array, Bool, Float


class Spectrum(NamedTuple):
    """Eigenvalues and eigenvectors, and which eigenvalues are more than rounding.

    Attributes
    ----------
    values
        Shape ``(*batch, K)``; one where the eigenvalue counts as zero.
    vectors
        Shape ``(*batch, K, K)``, a column each.
    present
        Shape ``(*batch, K)``.
    """

    values: Float[Array, "*batch K"]
    vectors: Float[Array, "*batch K K"]
    present: Bool[Array, "*batch K"]


def spectrum(matrix: Float[Array, "*batch K K"], precision: float, /) -> Spectrum:
    """Decompose a matrix; eigenvalues under K precisions of the largest one count as zero."""
    xp = array_namespace(matrix)
    values, vectors = xp.linalg.eigh(matrix)
    largest = xp.max(values, axis=-1)[..., None]
    floor = matrix.shape[-1] * precision * largest
    present = (values > floor) & (values > 0)
    return Spectrum(xp.where(present, values, 1.0), vectors, present)


def transform(
    parts: Spectrum, factors: Float[Array, "*batch K"], vector: Float[Array, "*batch K"], /
) -> Float[Array, "*batch K"]:
    """Multiply a vector by the matrix with these eigenvectors and with factors as eigenvalues.

    Parameters
    ----------
    parts
        The eigenvectors.
    factors
        Shape ``(*batch, K)``; they count as zero where the eigenvalue does.
    vector
        Shape ``(*batch, K)``.

    Returns
    -------
    Array
        Shape ``(*batch, K)``.
    """
    xp = array_namespace(vector)
    inside = (xp.matrix_transpose(parts.vectors) @ vector[..., None])[..., 0]
    scaled = xp.where(parts.present, factors * inside, 0.0)
    return (parts.vectors @ scaled[..., None])[..., 0]


def pseudo_solve(
    matrix: Float[Array, "*batch K K"], rhs: Float[Array, "*batch K"], precision: float, /
) -> Float[Array, "*batch K"]:
    """Return the shortest of all least-squares solutions of a system.

    Parameters
    ----------
    matrix
        Shape ``(*batch, K, K)``, symmetric positive semidefinite.
    rhs
        Shape ``(*batch, K)``.
    precision
        Relative precision of the matrix's entries.

    Returns
    -------
    Array
        Shape ``(*batch, K)``.
    """
    parts = spectrum(matrix, precision)
    return transform(parts, 1 / parts.values, rhs)
