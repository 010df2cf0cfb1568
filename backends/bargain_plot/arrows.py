"""The picture of gradients: arrows, the updates that help everybody, and the solutions' updates."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps

import bargain
from bargain_plot.arrays import as_numpy
from bargain_plot.canvas import FAINT, INK, add_legend, open_axes
from bargain_plot.cones import draw_cones
from bargain_plot.scene import Scene, read_scene

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Told apart by the colour-blind as well (Okabe and Ito)."""
UNEQUAL = 15.0
"""Where norms differ by more than this factor, short arrows would not be seen."""
LENGTHS = ("auto", "natural", "equal")


class Plane(NamedTuple):
    """Gradients in the plane of the picture.

    Attributes
    ----------
    arrows
        Shape ``(K, 2)``: the tips.
    divisors
        Shape ``(K,)``: what the gradients were divided by, their norms or ones.
    labels
        What the two axes show.
    """

    arrows: np.ndarray
    divisors: np.ndarray
    labels: tuple[str, str]


def gradients(
    game: Any,
    solutions: Any = None,
    /,
    *,
    coordinates: Any = None,
    lengths: str = "auto",
    names: Iterable[str] | None = None,
    axes: Any = None,
) -> Any:
    r"""Draw the gradients of a game as arrows, with the updates of the solutions.

    Shaded are the cone that the gradients span, and the cone of updates that help every player who
    has a say. The updates of the solutions end on a circle: only their directions are compared.

    A game knows the gradients by their Gram matrix alone, and that is enough to draw them in the
    plane of their two leading directions; the label of the axis says how much of their squared
    lengths that plane holds. All of it for two players; for more the picture is a projection,
    updates that leave the plane end inside the circle, and the shaded cone is a slice.

    Parameters
    ----------
    game : GradientGame
        One game of any number of players, with arrays of any library.
    solutions : solution, sequence of solutions, or mapping, optional
        Whose updates to draw; in a mapping labels lead to solutions or to outcomes. Default: Nash,
        Kalai-Smorodinsky, egalitarian and utilitarian.
    coordinates : Array, optional
        Shape ``(K, 2)``: the gradients themselves, if there are two parameters; they are then drawn
        in the plane of the parameters.
    lengths : {"auto", "natural", "equal"}
        Whether arrows are as long as the gradients, or all of length one. Default: natural, unless
        norms differ by more than a factor of 15.
    names : sequence of str, optional
        The players' names. Default: player 1, player 2, ...
    axes : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    TypeError
        It is no gradient game, something is no solution, or no such axes.
    ValueError
        The coordinates are not those of the game's gradients, an outcome belongs to another game,
        an argument is out of range, or the game is no valid one.

    Examples
    --------
    >>> import bargain, bargain.plot, matplotlib, numpy
    >>> matplotlib.use("agg")
    >>> rows = numpy.asarray([[3.0, 0.0, 1.0], [-1.0, 2.0, 0.0], [0.0, 1.0, 2.0]])
    >>> axes = bargain.plot.gradients(bargain.GradientGame(bargain.gram(rows)), bargain.Nash())
    >>> print(axes.get_xlabel())
    first leading direction of the gradients
    (this plane holds 92 % of their squared lengths)
    >>> matplotlib.pyplot.close(axes.figure)
    """
    if not isinstance(game, bargain.GradientGame):
        raise TypeError(
            f"game: expected a GradientGame, found {type(game).__name__}; bargain.plot.agreements "
            f"draws what can be agreed in other games"
        )
    if lengths not in LENGTHS:
        raise ValueError(f"lengths: expected one of {', '.join(LENGTHS)}, found {lengths!r}")
    scene = read_scene(game, solutions, names)
    plane = _plane(scene, _checked(coordinates, game), lengths)
    own = axes is None
    axes = open_axes(axes)
    _draw(axes, scene, plane)
    add_legend(axes, own=own)
    return axes


def _checked(coordinates: Any, game: bargain.GradientGame) -> np.ndarray | None:
    """Check that the coordinates make the game's Gram matrix; return those of who is there."""
    if coordinates is None:
        return None
    coordinates, gram = as_numpy(coordinates), as_numpy(game.gram)
    expected = (len(gram), 2)
    if coordinates.shape != expected:
        raise ValueError(
            f"coordinates: expected shape {expected}, found {coordinates.shape}; leave them out, "
            f"and gradients of more parameters are drawn in the plane of their leading directions"
        )
    here = np.ones(len(gram), bool) if game.active is None else as_numpy(game.active)
    coordinates, gram = coordinates[here], gram[np.ix_(here, here)]
    norms = np.sqrt(np.diagonal(gram))
    error = np.abs(coordinates @ coordinates.T - gram) - 1e-4 * np.outer(norms, norms)
    if not (error <= 0).all():
        raise ValueError(
            "coordinates: expected the gradients whose Gram matrix the game holds, found others; "
            "make the game with bargain.gram(coordinates)"
        )
    return coordinates.astype(float)


def _plane(scene: Scene, coordinates: np.ndarray | None, lengths: str) -> Plane:
    """Choose the plane of the picture."""
    gram = np.asarray(scene.game.gram, float)
    norms = np.sqrt(np.diagonal(gram))
    present = norms[norms > 0]
    unequal = present.size > 0 and present.max() > UNEQUAL * present.min()
    equal = lengths == "equal" or (lengths == "auto" and unequal)
    divisors = np.where(norms > 0, norms, 1.0) if equal else np.ones_like(norms)
    note = "arrows show directions, not lengths" if equal else ""
    if coordinates is not None:
        first = "first parameter" + (f"\n({note})" if note else "")
        return Plane(coordinates / divisors[:, None], divisors, (first, "second parameter"))
    values, vectors = np.linalg.eigh(gram / divisors[:, None] / divisors)
    values = np.maximum(values[::-1], 0.0)
    leading = np.zeros((len(gram), 2))
    kept = min(len(gram), 2)
    leading[:, :kept] = vectors[:, ::-1][:, :kept] * np.sqrt(values[:kept])
    # The sign of a direction is arbitrary: let most arrows point to the right and up.
    leading *= np.where(leading.sum(axis=0) < 0, -1.0, 1.0)
    part = values[:2].sum() / values.sum() if values.sum() > 0 else 1.0
    held = f"this plane holds {100 * part:.0f} % of their squared lengths"
    inside = f"({held})" if not note else f"({held};\n{note})"
    first = f"first leading direction of the gradients\n{inside}"
    return Plane(leading, divisors, (first, "second leading direction"))


def _draw(axes: Any, scene: Scene, plane: Plane) -> None:
    reach = np.linalg.norm(plane.arrows, axis=1).max() or 1.0
    radius = 1.12 * reach
    seen = [np.zeros(2), *plane.arrows]
    seen += draw_cones(axes, plane.arrows, scene.weights > 0, radius)
    colors = _colors(len(plane.arrows))
    for name, tip, color in zip(scene.names, plane.arrows, colors, strict=True):
        # A polygon in the plane itself: its tip is the gradient, however the picture is resized.
        axes.quiver(
            0,
            0,
            *tip,
            angles="xy",
            scale_units="xy",
            scale=1,
            width=0.008,
            color=color,
            label=name,
            zorder=3,
        )
    turn = np.linspace(0, 2 * np.pi, 361)
    axes.plot(
        radius * np.cos(turn), radius * np.sin(turn), color=FAINT, linewidth=0.8, linestyle=":"
    )
    for result in scene.results:
        if result.agreed and result.coefficients is not None:
            end = radius * _direction(result.coefficients, scene.game.gram, plane)
            seen.append(end)
            style = result.mark.drawing | {"linestyle": "--", "markevery": [1]}
            axes.plot(
                *np.stack([np.zeros(2), end]).T,
                **style,
                color=result.mark.color,
                linewidth=1.2,
                label=f"update: {result.label}",
                zorder=4,
            )
        else:
            axes.plot([], [], " ", label=result.label)
    axes.plot(0, 0, "o", color=INK, markersize=3, zorder=5)
    low, high = np.min(seen, axis=0) - 0.08 * radius, np.max(seen, axis=0) + 0.08 * radius
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    axes.set_xlabel(plane.labels[0])
    axes.set_ylabel(plane.labels[1])


def _direction(coefficients: np.ndarray, gram: Any, plane: Plane) -> np.ndarray:
    """Return the part in the plane of the update of length one."""
    scale = np.abs(coefficients).max()
    parts = np.asarray(coefficients, float) / (scale or 1.0)
    length = np.sqrt(max(parts @ np.asarray(gram, float) @ parts, 0.0))
    return (parts * plane.divisors) @ plane.arrows / (length or 1.0)


def _colors(players: int) -> list[Any]:
    if players <= len(COLORS):
        return list(COLORS[:players])
    return list(colormaps["turbo"](np.linspace(0.05, 0.95, players)))
