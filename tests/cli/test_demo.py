"""`bargain demo`: the network's gradients, the data, and the demonstration from end to end."""

import re

import numpy as np
import pytest
from matplotlib.image import imread

from bargain_cli.demo.adam import Adam
from bargain_cli.demo.data import Digits, overlay
from bargain_cli.demo.log import Log
from bargain_cli.demo.network import Network, evaluate, new_network, task_gradients
from bargain_cli.demo.summary import front_size


def in_double_precision(network):
    def double(layer):
        return {name: array.astype(np.float64) for name, array in layer.items()}

    return Network(double(network.trunk), [double(head) for head in network.heads])


def difference_quotient(loss, array):
    """Differentiate a function of no arguments in the entries of an array that it reads."""
    gradient = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        entry = array[place]
        array[place] = entry + 1e-6
        above = loss()
        array[place] = entry - 1e-6
        below = loss()
        array[place] = entry
        gradient[place] = (above - below) / 2e-6
    return gradient


@pytest.mark.parametrize("task", [0, 1])
def test_gradients_by_hand_agree_with_difference_quotients(task):
    generator = np.random.default_rng(1)
    network = in_double_precision(new_network(generator, inputs=5, width=4, classes=3))
    pixels, labels = generator.normal(size=(7, 5)), generator.integers(3, size=(7, 2))
    units = (1.0, 10.0)
    gradients = task_gradients(network, pixels, labels, units)

    def loss():
        return units[task] * evaluate(network, pixels, labels)[0][task]

    for layer, found in (
        (network.trunk, gradients.shared[task]),
        (network.heads[task], gradients.heads[task]),
    ):
        for name, array in layer.items():
            expected = difference_quotient(loss, array)
            assert np.abs(expected).max() > 1e-3  # there is something to compare
            np.testing.assert_allclose(found[name], expected, atol=1e-7)
    other_head = network.heads[1 - task]["weight"]
    assert not difference_quotient(loss, other_head).any()


def test_evaluation_of_a_network_that_is_always_sure():
    head = {"weight": np.asarray([[0.0, 50.0, 0.0]]), "bias": np.zeros(3)}
    network = Network({"weight": np.ones((1, 1)), "bias": np.zeros(1)}, [head, head])
    labels = np.asarray([[1, 1], [1, 2]])
    losses, accuracies = evaluate(network, np.ones((2, 1)), labels)
    np.testing.assert_allclose(accuracies, [1.0, 0.5])
    np.testing.assert_allclose(losses, [0.0, 25.0], atol=1e-12)


def test_adam_moves_by_its_rate_against_the_direction():
    layer = {"weight": np.zeros((2, 2), dtype=np.float32)}
    optimiser = Adam(layer)
    direction = {"weight": np.asarray([[1e-3, -1e-3], [5.0, 0.0]], dtype=np.float32)}
    for _ in range(3):  # a constant direction: every step has the length of the rate
        optimiser.step(direction, rate=0.1)
    np.testing.assert_allclose(layer["weight"], [[-0.3, 0.3], [-0.3, 0.0]], rtol=1e-3)


def test_overlaid_digits_keep_their_places_and_their_sides():
    # Each digit bears its number, a bit a square of 2 x 2 pixels, where the other digit overlaps.
    pixels = np.zeros((1_300, 28, 28), dtype=np.float32)
    for number in range(1_300):
        for bit in range(11):
            pixels[number, 2 * bit : 2 * bit + 2, 10:12] = number >> bit & 1
    labels = np.arange(1_300) % 10
    dataset = overlay(Digits(pixels, labels), seed=0, train=300, test=200)
    np.testing.assert_allclose(dataset.train.pixels.mean(axis=0), 0, atol=1e-4)
    background = dataset.train.pixels.min(axis=0)

    def numbers(images):
        bits = ((images.pixels - background).reshape(-1, 18, 18) > 1.0).astype(int)
        return bits[:, 0:11, 5] @ 2 ** np.arange(11), bits[:, 4:15, 9] @ 2 ** np.arange(11)

    for images, count in ((dataset.train, 300), (dataset.test, 200)):
        assert images.pixels.shape == (count, 324)
        assert images.pixels.dtype == np.float32
        np.testing.assert_array_equal(images.labels, labels[np.stack(numbers(images), axis=1)])
    trained, tested = np.stack(numbers(dataset.train)), np.stack(numbers(dataset.test))
    assert len(np.unique(trained)) > 200
    assert not np.isin(tested, trained).any()


def test_log_tells_harm_and_conflict():
    log = Log(3)
    log.grams[:] = [[[1, 0], [0, 4]], [[1, -1], [-1, 4]], [[1, -1], [-1, 4]]]
    log.coefficients[:] = [[1, 1], [1, 2], [0, 0]]
    log.coefficients[1] = [1, 2]  # gains -1 and 7: the first task is harmed
    run = log.summary(np.zeros(2), np.zeros(2), seconds=1.0)
    assert run.conflicts == pytest.approx(2 / 3)
    assert run.harms == pytest.approx(1 / 3)
    assert run.disagreements == 1
    np.testing.assert_allclose(run.shares, [(1 / 5 - 1 / 13) / 2, (4 / 5 + 14 / 13) / 2])


def test_front_size_counts_points_that_no_other_beats():
    assert front_size(np.asarray([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])) == 3
    assert front_size(np.asarray([[1.0, 1.0], [2.0, 3.0], [3.0, 1.0]])) == 1
    assert front_size(np.asarray([[1.0, 1.0], [1.0, 1.0]])) == 2


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory):
    from typer.testing import CliRunner

    from bargain_cli.app import app

    picture = tmp_path_factory.mktemp("demo") / "front.png"
    result = CliRunner().invoke(app, ["demo", "--quick", "--output", str(picture)])
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split()), result.stdout, picture


def test_demo_draws_a_picture(demonstration):
    image = imread(demonstration[2])
    assert image.shape[0] > 500
    assert image.shape[1] > 1_000
    assert len(np.unique(image.reshape(-1, image.shape[2]), axis=0)) > 50


def test_demo_sweep_traces_a_front(demonstration):
    text = demonstration[0]
    assert "5 of 5 mean points are not dominated" in text
    assert "left loss -1.00" in text
    assert "right loss +1.00" in text


def test_demo_shares_are_the_weights_and_nobody_is_harmed(demonstration):
    rows = [
        line.split() for line in demonstration[1].splitlines() if re.match(r" \S+ : \S+ ", line)
    ]
    bargained = rows[1:]
    assert len(bargained) == 5
    for weight, _, _, *numbers in bargained:
        share, harm = float(numbers[4]), numbers[7]
        assert share == pytest.approx(float(weight), abs=1e-3)
        assert harm == "0"


def test_demo_units_move_only_added_gradients(demonstration):
    [(added, bargained)] = re.findall(
        r"up to (\S+) where gradients are added, and by up to (\S+) where", demonstration[0]
    )
    assert float(added) > 0.1
    assert float(bargained) < 1e-3


def test_demo_says_what_it_measured(demonstration):
    for words in ("4,000 training and 1,000 test images", "seed 0", "one run each", "µs a solve"):
        assert words in demonstration[0]


def test_demo_refuses_a_place_for_the_picture_before_it_trains(refused, tmp_path):
    assert "no folder" in refused("demo", "--output", tmp_path / "nowhere" / "front.png")
    assert "must end in one of" in refused("demo", "--output", tmp_path / "front.docx")
    (tmp_path / "front.png").mkdir()
    assert "is a folder" in refused("demo", "--output", tmp_path / "front.png")
