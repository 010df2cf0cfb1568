"""The NumPy backend: LAPACK for positive definite systems, and a fast way through single games."""

from bargain_numpy.backend import NumpyBackend

backend = NumpyBackend()

__all__ = ["NumpyBackend", "backend"]
