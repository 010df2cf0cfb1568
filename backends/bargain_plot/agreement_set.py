"""The picture of an agreement set: what can be agreed, and what each solution picks."""

from collections.abc import Iterable
from typing import Any

from bargain_plot.canvas import add_legend, open_axes
from bargain_plot.plane import draw_plane
from bargain_plot.region import region_of
from bargain_plot.scene import read_scene
from bargain_plot.space import draw_space


def agreements(
    game: Any,
    solutions: Any = None,
    /,
    *,
    names: Iterable[str] | None = None,
    contours: bool = True,
    axes: Any = None,
) -> Any:
    r"""Draw what two or three players can agree on, and what the solutions pick from it.

    Lotteries over outcomes fill the convex hull of the outcomes' payoffs, and players may be given
    less (a lighter shade); outcomes that cannot be mixed stay dots. In a gradient game the updates
    of bounded length fill an ellipse. Beside the solutions stand the disagreement point and the
    ideal point, and for two players, where Nash's solution is drawn, curves of equal Nash products
    :math:`\prod_i (u_i - d_i)^{w_i}`, the strong one through that solution, and the line from the
    disagreement point to the ideal point, where Kalai and Smorodinsky's solution is drawn.

    Parameters
    ----------
    game : PayoffGame, PolytopeGame, FiniteGame or GradientGame
        One game of two or three players, with arrays of any library.
    solutions : solution, sequence of solutions, or mapping, optional
        What to mark; in a mapping labels lead to solutions or to outcomes, which are then not
        solved again. Default: Nash, Kalai-Smorodinsky, egalitarian and utilitarian.
    names : sequence of str, optional
        The players' names. Default: player 1, player 2, ...
    contours : bool
        Whether to draw curves of equal Nash products (two players).
    axes : matplotlib.axes.Axes, optional
        Where to draw; with ``projection="3d"`` for three players. Default: a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    TypeError
        Something is no game, no solution, or no such axes.
    ValueError
        There are not two or three players, it is a batch of games, an outcome belongs to another
        game, or the game is no valid one.

    Notes
    -----
    Without an agreement the mark stands at the disagreement point, and the legend says so. An
    agreement belongs to a game in which its utilities follow from its coefficients or allocation;
    outcomes that have neither, such as those of a convex game, are drawn as they are.

    Examples
    --------
    >>> import bargain, bargain.plot, matplotlib, numpy
    >>> matplotlib.use("agg")
    >>> game = bargain.GradientGame(numpy.asarray([[1.0, 0.3], [0.3, 2.0]]))
    >>> axes = bargain.plot.agreements(game, names=["speed", "safety"])
    >>> axes.get_xlabel()
    'utility of speed'
    >>> matplotlib.pyplot.close(axes.figure)
    """
    scene = read_scene(game, solutions, names)
    players = len(scene.names)
    if players not in (2, 3):
        raise ValueError(
            f"game: expected two or three players, found {players}; bargain.plot.shares draws the "
            f"shares of any number"
        )
    region = region_of(scene)
    own = axes is None
    axes = open_axes(axes, space=players == 3)
    if players == 2:
        draw_plane(axes, scene, region, contours=contours)
    else:
        draw_space(axes, scene, region)
    add_legend(axes, own=own)
    return axes
