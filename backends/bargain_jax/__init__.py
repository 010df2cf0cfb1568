"""The JAX backend: compiled solves, derivatives, and Gram matrices of losses."""

from bargain_jax.backend import JaxBackend

backend = JaxBackend()

__all__ = ["JaxBackend", "backend"]
