"""Sharded parameters and data: the same direction as on one device, without gathering gradients."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("jax")

# XLA counts the host's devices once, so this needs a process of its own.
PROGRAM = """
import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P

import bargain
import bargain_jax

assert len(jax.devices()) == 4
kind = getattr(AxisType, sys.argv[1])
mesh = jax.make_mesh((2, 2), ("data", "model"), axis_types=(kind, kind))
out = {"out_sharding": NamedSharding(mesh, P("data", None))} if kind == AxisType.Explicit else {}
rng = np.random.default_rng(0)
params = {"first": rng.normal(size=(8, 64)), "second": rng.normal(size=(64, 3)) / 8}
batch = {"x": rng.normal(size=(16, 8)), "y": rng.normal(size=(16, 3))}
params, batch = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), (params, batch))


def losses(params, batch):
    here = out if not jax.typeof(params["first"]).sharding.mesh.empty else {}
    hidden = jnp.tanh(batch["x"] @ params["first"])
    outputs = jnp.einsum("bh,ho->bo", hidden, params["second"], **here)
    return jnp.mean((outputs - batch["y"]) ** 2, axis=0)


def place(tree, specs):
    return {name: jax.device_put(tree[name], NamedSharding(mesh, specs[name])) for name in tree}


sharded = place(params, {"first": P(None, "model"), "second": P("model", None)})
spread = place(batch, {"x": P("data"), "y": P("data")})
for method in ("rows", "products"):
    step = bargain_jax.value_and_direction(losses, weights=[1.0, 2.0, 3.0], method=method)
    values, expected, alone = jax.jit(step)(params, batch)
    compiled = jax.jit(step).lower(sharded, spread).compile()
    # Outside jax.jit explicit shardings would need a mesh for every operation.
    for run in (compiled, step) if kind == AxisType.Auto else (compiled,):
        found, direction, outcome = run(sharded, spread)
        np.testing.assert_allclose(found, values, rtol=1e-5)
        np.testing.assert_allclose(outcome.coefficients, alone.coefficients, rtol=1e-4)
        for name in params:
            np.testing.assert_allclose(direction[name], expected[name], rtol=1e-3, atol=1e-5)
    # Every device has computed the same game.
    _, direction, outcome = compiled(sharded, spread)
    copies = [np.asarray(shard.data) for shard in outcome.coefficients.addressable_shards]
    assert len(copies) == 4 and all((copy == copies[0]).all() for copy in copies)
    assert direction["first"].sharding.is_equivalent_to(sharded["first"].sharding, 2)
    # What crosses between devices of the model axis is products, never gradients of the tasks.
    text = compiled.as_text()
    assert "all-reduce" in text
    gathered = re.findall(r"f32\\[([\\d,]+)\\][^=]*? all-gather\\(", text)
    sizes = [int(np.prod([int(n) for n in shape.split(",")])) for shape in gathered]
    assert max(sizes, default=0) < 3 * 64, (method, gathered)

if kind == AxisType.Auto:
    # Solves of a batch that lies on several devices stay there.
    grams = np.stack([g @ g.T for g in rng.normal(size=(8, 3, 9))]).astype(np.float32)
    there = jax.device_put(grams, NamedSharding(mesh, P(("data", "model"))))
    outcome = jax.jit(jax.vmap(bargain.nash))(there)
    np.testing.assert_allclose(outcome.coefficients, bargain.nash(grams).coefficients, rtol=1e-4)
    assert not outcome.coefficients.sharding.is_fully_replicated
    np.testing.assert_allclose(bargain.nash(there).shares, 1 / 3, rtol=1e-4)
print("sharded")
"""


@pytest.mark.parametrize("kind", ["Auto", "Explicit"])
def test_sharded_steps(kind):
    environment = os.environ | {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
        "JAX_PLATFORMS": "cpu",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, kind],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "sharded\n"
