"""The JAX backend: compiled solves, derivatives, and training steps for several losses."""

from bargain_jax.aggregation import aggregate
from bargain_jax.backend import JaxBackend
from bargain_jax.direction import value_and_direction
from bargain_jax.gram_matrix import gram

backend = JaxBackend()

__all__ = ["JaxBackend", "aggregate", "backend", "gram", "value_and_direction"]
