"""A network with a shared trunk and one head a task, and its gradients by hand."""

from typing import NamedTuple

import numpy as np

__all__ = ["Gradients", "Layer", "Network", "evaluate", "new_network", "task_gradients"]

Layer = dict[str, np.ndarray]  # "weight" of shape (inputs, outputs) and "bias" of shape (outputs,)


class Network(NamedTuple):
    """One shared layer with rectified linear units, and a linear head for each of the K tasks."""

    trunk: Layer
    heads: list[Layer]


class Gradients(NamedTuple):
    """What one batch gives: the K losses' gradients, in the trunk and in each task's own head."""

    shared: list[Layer]
    heads: list[Layer]


def new_network(
    generator: np.random.Generator, *, inputs: int, width: int, classes: int, tasks: int = 2
) -> Network:
    """Draw the weights of a new network.

    Parameters
    ----------
    generator : np.random.Generator
        The source of chance.
    inputs, width, classes, tasks : int
        Pixels of an image, units of the trunk, outputs of a head, number K of heads.

    Returns
    -------
    Network
        Weights in float32, of variance 2 / inputs in the trunk and a quarter of that in the heads.
    """

    def layer(rows: int, columns: int, gain: float) -> Layer:
        weight = generator.normal(size=(rows, columns)) * gain / np.sqrt(rows)
        return {"weight": weight.astype(np.float32), "bias": np.zeros(columns, dtype=np.float32)}

    trunk = layer(inputs, width, gain=np.sqrt(2.0))
    return Network(trunk, [layer(width, classes, gain=np.sqrt(0.5)) for _ in range(tasks)])


def task_gradients(
    network: Network, pixels: np.ndarray, labels: np.ndarray, units: tuple[float, ...]
) -> Gradients:
    """Differentiate each task's loss, the mean cross-entropy over a batch.

    Parameters
    ----------
    network : Network
        The network.
    pixels : np.ndarray
        Images, shape (B, inputs).
    labels : np.ndarray
        The right classes, shape (B, K).
    units : tuple of float
        A factor on each task's loss, length K: the unit in which it is measured.

    Returns
    -------
    Gradients
        K gradients in the shared trunk, which is what the tasks bargain over, and K in the heads.
    """
    hidden = _hidden(network, pixels)
    shared, heads = [], []
    for head, truth, unit in zip(network.heads, labels.T, units, strict=True):
        # The gradient of cross-entropy in the scores is (probabilities - truth), one row an image.
        error = _probabilities(hidden @ head["weight"] + head["bias"])
        error[np.arange(len(truth)), truth] -= 1.0
        error *= unit / len(truth)
        heads.append({"weight": hidden.T @ error, "bias": error.sum(axis=0)})
        below = (error @ head["weight"].T) * (hidden > 0)
        shared.append({"weight": pixels.T @ below, "bias": below.sum(axis=0)})
    return Gradients(shared, heads)


def evaluate(
    network: Network, pixels: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Measure every task on a set of images.

    Parameters
    ----------
    network : Network
        The network.
    pixels : np.ndarray
        Images, shape (N, inputs).
    labels : np.ndarray
        The right classes, shape (N, K).

    Returns
    -------
    losses : np.ndarray
        Mean cross-entropy of each task in nats, shape (K,).
    accuracies : np.ndarray
        Part of the images that each task gets right, shape (K,).
    """
    hidden = _hidden(network, pixels)
    losses, accuracies = [], []
    for head, truth in zip(network.heads, labels.T, strict=True):
        scores = hidden @ head["weight"] + head["bias"]
        right = _probabilities(scores)[np.arange(len(truth)), truth]
        losses.append(-np.log(np.maximum(right, np.finfo(right.dtype).tiny)).mean())
        accuracies.append((scores.argmax(axis=1) == truth).mean())
    return np.asarray(losses, dtype=np.float64), np.asarray(accuracies)


def _hidden(network: Network, pixels: np.ndarray) -> np.ndarray:
    return np.maximum(pixels @ network.trunk["weight"] + network.trunk["bias"], 0.0)


def _probabilities(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
