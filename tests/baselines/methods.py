"""The weightings under test by name, their matrices, and what a test asks of an answer."""

from functools import partial
from pathlib import Path

import numpy as np

from bargain import baselines

DATA = Path(__file__).parents[1] / "data" / "grams"
REAL = sorted(path.stem for path in DATA.glob("*.npz"))


def turns(gram):
    """An order for the methods that need one: everyone meets the others by number."""
    return list(range(gram.shape[-1]))


def gradvac(gram, order=None, **options):
    order = turns(gram) if order is None else order
    state = baselines.gradvac_init(gram, **options)
    return baselines.gradvac_update(gram, state, order=order, **options)[0]


#: name: from a Gram matrix, and perhaps its precision, to coefficients
WEIGHTINGS = {
    "linear": baselines.linear,
    "mgda": baselines.mgda,
    "mgda normalised": partial(baselines.mgda, normalised=True),
    "pcgrad": lambda gram, **options: baselines.pcgrad(gram, order=turns(gram), **options),
    "gradvac": gradvac,
    "cagrad": baselines.cagrad,
    "imtl_g": baselines.imtl_g,
    "config": baselines.config,
    "aligned_mtl": baselines.aligned_mtl,
    "upgrad": baselines.upgrad,
    "dualproj": baselines.dualproj,
    "fairgrad": baselines.fairgrad,
    "gcs": baselines.gcs,
}


def real(name, count):
    """Evenly spaced Gram matrices of a real training."""
    grams = np.load(DATA / f"{name}.npz")["grams"]
    return grams[:: max(1, len(grams) // count)][:count]


def drawn(seed, players, size=None, spread=0.0):
    """A Gram matrix of random gradients, with lengths over some decades."""
    rng = np.random.default_rng(seed)
    gradients = rng.normal(size=(players, size or 2 * players))
    gradients *= 10 ** (spread * rng.uniform(-1, 1, size=(players, 1)))
    return gradients @ gradients.T


def cosine_gram(angles, lengths):
    """The Gram matrix of vectors in the plane, by angle (degrees) and length."""
    angles = np.radians(np.asarray(angles, dtype=float))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.asarray(lengths)[:, None]
    return vectors @ vectors.T


def norm(coefficients, gram):
    return np.sqrt(max(coefficients @ gram @ coefficients, 0.0))


def apart(found, expected, gram):
    """How far two updates are apart, relative to the longer one."""
    size = max(norm(found, gram), norm(expected, gram))
    return norm(found - expected, gram) / size if size > 0 else 0.0


def gains(coefficients, gram):
    """What each player gains, as a cosine between his gradient and the update."""
    lengths = np.sqrt(np.diagonal(gram))
    lengths = np.where(lengths > 0, lengths, 1.0)
    size = norm(coefficients, gram)
    return gram @ coefficients / lengths / (size if size > 0 else 1.0)
