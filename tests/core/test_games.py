"""A game that does not fit together says so: what was expected, what was found, what to do."""

import copy
import pickle

import numpy as np
import pytest

import bargain
from bargain import GradientGame
from tests.libraries import LIBRARIES, open_library

GRAM = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, -0.2], [0.0, -0.2, 3.0]])
ONES = np.ones(3)


@pytest.mark.parametrize("gram", [[[1.0]], 1.0, None, "gram", {"gram": GRAM}])
def test_a_gram_matrix_that_is_no_array_is_refused_when_solved(gram):
    sentence = rf"gram: expected an array .* found {type(gram).__name__}; convert it first"
    with pytest.raises(TypeError, match=sentence):
        bargain.nash(gram)
    with pytest.raises(TypeError, match=sentence):
        bargain.certify(GradientGame(gram), bargain.Nash(), bargain.nash(GRAM))


@pytest.mark.parametrize("game", [GRAM, (GRAM, ONES), None])
def test_only_games_are_solved(game):
    with pytest.raises(TypeError, match=r"game: expected a GradientGame, found .* bargain.nash"):
        bargain.solve(game)


@pytest.mark.parametrize("dtype", ["int64", "int32", "bool", "complex128", "uint8"])
def test_only_real_floating_types_are_taken(xp, dtype):
    sentence = rf"gram: expected a real floating-point type, found .*{dtype}; convert it"
    with pytest.raises(TypeError, match=sentence):
        GradientGame(xp.asarray(np.eye(2), dtype))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (5, 3, 2), (0, 3)])
def test_gram_matrices_are_square(xp, shape):
    found = str(shape).replace("(", r"\(").replace(")", r"\)")
    sentence = rf"gram: expected shape \(\*batch, K, K\), found {found}; .* bargain.gram"
    with pytest.raises(ValueError, match=sentence):
        GradientGame(xp.asarray(np.ones(shape)))


@pytest.mark.parametrize("shape", [(0, 0), (4, 0, 0)])
def test_there_is_a_player(xp, shape):
    with pytest.raises(ValueError, match=r"gram: expected at least one player, found .* K >= 1"):
        GradientGame(xp.asarray(np.ones(shape)))


@pytest.mark.parametrize("name", ["weights", "disagreement", "ideal", "active"])
@pytest.mark.parametrize("shape", [(), (2,), (1,), (4,), (3, 1), (2, 3), (1, 3)])
def test_companions_have_a_number_for_each_player(xp, name, shape):
    value = np.ones(shape, dtype=bool if name == "active" else float)
    sentence = rf"{name}: expected shape \(3,\) or one that broadcasts to it, found"
    with pytest.raises(ValueError, match=sentence):
        xp.game(GRAM, **{name: value})


@pytest.mark.parametrize("name", ["weights", "disagreement", "ideal"])
def test_lists_of_numbers_become_arrays_beside_the_gram_matrix(xp, name):
    gram = xp.asarray(GRAM, "float32")
    value = getattr(GradientGame(gram, **{name: [1, 2.5, 3]}), name)
    assert value.dtype == gram.dtype
    assert value.device == gram.device
    assert [float(value[k]) for k in range(3)] == [1.0, 2.5, 3.0]
    with pytest.raises(ValueError, match=f"{name}: expected shape"):
        GradientGame(gram, **{name: [1.0, 2.0]})


def test_lists_of_truth_values_become_arrays(xp):
    active = xp.game(GRAM, active=[True, False, True]).active
    assert xp.namespace.isdtype(active.dtype, "bool")
    assert [bool(active[k]) for k in range(3)] == [True, False, True]


@pytest.mark.parametrize("name", ["weights", "disagreement", "ideal"])
def test_companions_are_floating_too(xp, name):
    with pytest.raises(TypeError, match=f"{name}: expected a real floating-point type, found"):
        xp.game(GRAM, **{name: np.ones(3, dtype=np.int64)})


def test_absence_is_a_truth_value(xp):
    with pytest.raises(TypeError, match=r"active: expected booleans, found .* active > 0"):
        xp.game(GRAM, active=ONES)


@pytest.mark.parametrize("value", [3.0, "ones", {1.0}])
def test_companions_that_are_no_arrays_are_refused(value):
    with pytest.raises(TypeError, match=r"weights: expected a list of numbers.* convert it first"):
        GradientGame(GRAM, value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("weights", ["1", "2", "3"], "weights: expected a number for each player, found str"),
        ("disagreement", [None, 0.0, 0.0], "expected a number for each player, found NoneType"),
        ("active", [0, 1, 2], "active: expected True or False for each player, found int"),
        ("active", ["a", "b", "c"], "active: expected True or False for each player, found str"),
    ],
)
def test_lists_of_something_else_are_refused(name, value, words):
    with pytest.raises(TypeError, match=words):
        GradientGame(GRAM, **{name: value})


def test_lists_of_numbers_and_of_lists_will_do():
    game = GradientGame(np.stack([GRAM, GRAM]), [[1, 2.0, np.float32(3)], [1, 1, 1]])
    assert game.weights.tolist() == [[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]]


@pytest.mark.parametrize("ours", LIBRARIES)
@pytest.mark.parametrize("theirs", LIBRARIES)
@pytest.mark.parametrize("name", ["weights", "radius"])
def test_libraries_do_not_mix(ours, theirs, name):
    gram = open_library(ours).asarray(GRAM)
    value = open_library(theirs).asarray(ONES if name == "weights" else 2.0)
    if ours == theirs:
        GradientGame(gram, **{name: value})
        return
    with pytest.raises(TypeError, match=rf"{name}: expected an array of .*{ours}.*{theirs}"):
        GradientGame(gram, **{name: value})


@pytest.mark.parametrize("name", ["weights", "disagreement", "active", "radius"])
def test_devices_do_not_mix(name):
    strict = open_library("array_api_strict")
    value = {"active": ONES > 0, "radius": np.asarray(2.0)}.get(name, ONES)
    elsewhere = strict.module.asarray(value, device=strict.module.Device("CPU_DEVICE"))
    with pytest.raises(ValueError, match=rf"{name}: expected it on .*device1.* found .*CPU_DEVICE"):
        GradientGame(strict.asarray(GRAM), **{name: elsewhere})


def test_devices_of_torch_do_not_mix():
    torch = open_library("torch").module
    gram, weights = torch.asarray(GRAM), torch.ones(3, dtype=torch.float64, device="meta")
    with pytest.raises(ValueError, match=r"weights: expected it on cpu .* found it on meta"):
        GradientGame(gram, weights)


@pytest.mark.parametrize("radius", ["1", None, [1.0], (1.0,)])
def test_the_radius_is_a_number(radius):
    with pytest.raises(TypeError, match="radius: expected a number or an array, found"):
        GradientGame(GRAM, radius=radius)


def test_there_is_one_radius_for_each_game(xp):
    xp.game(np.stack([GRAM, GRAM]), radius=np.ones(2))
    for gram, shape in ((GRAM, (3,)), (GRAM, (1,)), (np.stack([GRAM, GRAM]), (3,))):
        with pytest.raises(ValueError, match=r"radius: expected shape .* one for each game"):
            xp.game(gram, radius=np.ones(shape))


@pytest.mark.parametrize(
    "radius", [2, 2.0, np.float64(2), np.float32(2), np.asarray(2.0), np.asarray(2)]
)
def test_any_number_will_do_for_a_radius(radius):
    outcome = bargain.nash(np.eye(1), radius=radius)
    assert float(outcome.utilities[0]) == 2.0


def test_a_changed_copy_is_checked_when_solved():
    game = GradientGame(GRAM)
    assert float(bargain.solve(game._replace(weights=2 * ONES)).coefficients[0]) > 0
    with pytest.raises(ValueError, match="weights: expected shape"):
        bargain.solve(game._replace(weights=np.ones(5)))


def test_games_are_copied_and_pickled():
    game = GradientGame(GRAM, ONES, radius=2.0)
    for twin in (copy.copy(game), copy.deepcopy(game), pickle.loads(pickle.dumps(game))):
        assert type(twin) is GradientGame
        np.testing.assert_array_equal(twin.gram, GRAM)
        assert twin.radius == 2.0


def test_games_are_pytrees_in_jax():
    jax = pytest.importorskip("jax")
    xp = open_library("jax")
    game = xp.game(GRAM, ONES)
    doubled = jax.tree.map(lambda leaf: 2 * leaf, game)
    assert type(doubled) is GradientGame
    assert float(doubled.gram[0, 0]) == 4.0
    assert doubled.radius == 2.0
    leaves, structure = jax.tree.flatten(game)
    assert len(leaves) == 3
    skeleton = jax.tree.unflatten(structure, range(3))
    assert skeleton == GradientGame(0, 1, None, 2)
    with pytest.raises(TypeError, match="gram: expected an array"):
        bargain.solve(skeleton)
    assert jax.tree.map(lambda _: None, game).gram is None


def test_games_are_pytrees_in_torch():
    pytree = pytest.importorskip("torch.utils._pytree")
    game = open_library("torch").game(GRAM, ONES)
    doubled = pytree.tree_map(lambda leaf: leaf if leaf is None else 2 * leaf, game)
    assert type(doubled) is GradientGame
    assert float(doubled.weights[0]) == 2.0
    leaves, structure = pytree.tree_flatten(game)
    skeleton = pytree.tree_unflatten(range(len(leaves)), structure)
    assert type(skeleton) is GradientGame
    assert skeleton.gram == 0


def test_skeletons_of_axes_pass():
    axes = GradientGame(0, None, radius=None)
    assert (axes.gram, axes.weights, axes.radius) == (0, None, None)


MASK = np.ma.array(ONES, mask=[True, False, False])


@pytest.mark.parametrize(
    ("name", "ask"),
    [
        ("gram", lambda: bargain.nash(np.ma.array(GRAM, mask=GRAM < 0))),
        ("weights", lambda: GradientGame(GRAM, MASK)),
        ("disagreement", lambda: GradientGame(GRAM, disagreement=MASK)),
        ("active", lambda: GradientGame(GRAM, active=MASK > 0)),
        ("ideal", lambda: GradientGame(GRAM, ideal=MASK)),
        ("radius", lambda: GradientGame(GRAM, radius=MASK[1:2].sum(keepdims=True))),
        ("start", lambda: bargain.nash(GRAM, start=MASK)),
        ("coefficients", lambda: bargain.rescale(MASK, GradientGame(GRAM))),
        ("gradients", lambda: bargain.gram(np.ma.array(GRAM))),
    ],
)
def test_masks_are_not_overlooked(name, ask):
    """NumPy lets masked arrays pass for plain ones, and what is masked would be read."""
    with pytest.raises(TypeError, match=f"{name}: expected a plain array, found a masked one"):
        ask()
