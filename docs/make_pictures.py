"""Draw the pictures of the README and of the theory page: `python docs/make_pictures.py`."""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Wedge

import bargain

FOLDER = Path(__file__).parent / "pictures"
PLAYERS = ("#0072b2", "#d55e00", "#009e73")  # told apart by the colour-blind as well
NASH, SUM, FAINT, SHADE = "#111111", "#8a8a8a", "#e9e4d4", "#8a7b4d"

# Three tasks: a loud one, one that gets along with everybody, and a quiet one with its own mind.
GRADIENTS = np.asarray([[3.2, 0.2], [0.8, 1.1], [-0.9, 0.7]])
WEIGHTS = np.asarray([1.0, 1.0, 4.0])


def main() -> None:
    matplotlib.use("svg")
    # The same bytes from the same numbers.
    plt.rcParams.update({"svg.hashsalt": "bargain", "font.size": 10, "axes.titlesize": 11})
    FOLDER.mkdir(exist_ok=True)
    for name, figure in {
        "nash": nash_against_sum(),
        "agreements": agreements(),
        "alternative": alternative(),
    }.items():
        figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None})


def nash_against_sum() -> Figure:
    """Gradients with both directions, and whose share of the update is how large."""
    figure, (plane, bars) = panels(9.0, 3.9, ratios=(1.0, 1.15))
    bare(plane, x=(-1.5, 3.7), y=(-0.55, 2.75))
    plane.set_title("one update for three tasks")
    shade_common_cone(plane, GRADIENTS, radius=2.6)
    for k, (gradient, colour) in enumerate(zip(GRADIENTS, PLAYERS, strict=True)):
        arrow(plane, gradient, colour)
        at = gradient + ((-0.15, -0.32), (0.12, 0.1), (-0.42, 0.1))[k]
        plane.text(*at, f"$g_{k + 1}$", color=colour, fontsize=13)
    total = GRADIENTS.sum(axis=0)
    nash = direction(bargain.nash(bargain.gram(GRADIENTS)), GRADIENTS)
    arrow(plane, 2.3 * total / np.linalg.norm(total), SUM, width=2.6, style="--")
    arrow(plane, 2.3 * nash, NASH, width=3.2)
    plane.text(2.05, 1.3, "plain sum:\nharms task 3", color="#5f5f5f", va="center")
    plane.text(1.72, 2.42, "Nash: helps all", color=NASH, va="center")
    plane.text(1.72, 2.08, "(as all of the\nshaded cone)", color=SHADE, va="center")

    columns = {
        "plain sum": shares_of(np.ones(3)),
        "Nash": shares_of(bargain.nash(bargain.gram(GRADIENTS)).coefficients),
        "Nash, weights 1 : 1 : 4": shares_of(
            bargain.nash(bargain.gram(GRADIENTS), WEIGHTS).coefficients
        ),
    }
    bars.set_title("whose update is it? each task's share")
    for k, colour in enumerate(PLAYERS):
        heights = [100 * shares[k] for shares in columns.values()]
        places = np.arange(3) + 0.27 * (k - 1)
        bars.bar(places, heights, 0.25, color=colour, label=f"task {k + 1}")
        for place, height in zip(places, heights, strict=True):
            above = height >= 0
            bars.text(
                place,
                height + (2 if above else -2),
                f"{height:.0f} %".replace("-", "−"),
                ha="center",
                va="bottom" if above else "top",
                fontsize=9,
            )
    bars.axhline(0, color="black", linewidth=0.8)
    bars.set_xticks(range(3), list(columns))
    bars.set_ylim(-26, 100)
    bars.set_yticks([])
    bars.tick_params(length=0)
    bars.spines[:].set_visible(False)
    bars.legend(frameon=False, ncols=3, loc="upper right")
    return figure


def agreements() -> Figure:
    """What two players can agree on, with the Nash solution, and an agreement inside the radius."""
    figure, (left, right) = panels(9.0, 4.2, ratios=(1.0, 1.0))
    gradients = np.asarray([[1.6, 0.0], [0.35, 0.9]])
    game = bargain.GradientGame(bargain.gram(gradients))
    outcome = bargain.solve(game)
    angles = np.linspace(0, 2 * np.pi, 400)
    border = gradients @ np.stack([np.cos(angles), np.sin(angles)])
    utility_axes(left, x=(-1.9, 2.3), y=(-1.4, 1.6))
    left.set_title("without a disagreement point ($d = 0$)")
    left.fill(*border, color="#dbe8f3")
    left.plot(*border, color=PLAYERS[0], linewidth=1)
    level_line(left, outcome.utilities, np.zeros(2), reach=2.25)
    mark(left, np.zeros(2), "$d$", (-0.22, -0.2), SUM)
    mark(left, outcome.utilities, "Nash", (0.1, 0.09), NASH)
    left.text(
        -1.9, -1.38, "all updates with $\\|\\Delta\\| \\leq r$", color=PLAYERS[0], va="bottom"
    )
    left.text(0.92, 1.36, "$u_1 u_2$ constant", color=PLAYERS[1])

    opposite = np.asarray([[1.0, 0.0], [-1.0, 0.0]])
    fallback = np.asarray([-1.0, -0.5])
    game = bargain.GradientGame(bargain.gram(opposite), disagreement=fallback)
    outcome = bargain.solve(game)
    utility_axes(right, x=(-1.5, 1.45), y=(-1.3, 1.45))
    right.set_title("opposite gradients, $d = (-1, -\\frac{1}{2})$")
    right.plot([-1, 1], [1, -1], color="#a9c8e2", linewidth=7, solid_capstyle="round")
    level_line(right, outcome.utilities, fallback, reach=1.2)
    mark(right, fallback, "$d$", (-0.14, -0.2), SUM)
    mark(right, outcome.utilities, "Nash, of length ¼", (-0.1, -0.14), NASH, side="right")
    right.text(0.95, -0.78, "$r = 1$", color=PLAYERS[0])
    right.text(0.1, 0.95, "$(u_1 + 1)(u_2 + \\frac{1}{2})$ constant", color=PLAYERS[1])
    return figure


def alternative() -> Figure:
    """Gordan's alternative: a common direction, or a combination that vanishes."""
    figure, (left, right) = panels(9.0, 3.6, ratios=(1.0, 1.0))
    for axes in (left, right):
        bare(axes, x=(-2.1, 2.1), y=(-1.35, 1.85))
    left.set_title("agreement: a cone of common improvement")
    agreeing = np.asarray([[1.7, 0.2], [0.5, 1.2], [-1.0, 0.7]])
    shade_common_cone(left, agreeing, radius=1.55)
    nash = direction(bargain.nash(bargain.gram(agreeing)), agreeing)
    arrow(left, 1.5 * nash, NASH, width=3)
    left.text(0.38, 1.6, "Nash", color=NASH, ha="center")
    label_all(left, agreeing, ((0.08, 0.05), (0.1, 0.05), (-0.32, 0.05)))

    right.set_title("disagreement: $\\sum_i \\beta_i g_i = 0$")
    clashing = np.asarray([[1.5, 0.5], [-1.2, 1.0], [-0.2, -1.1]])
    beta = bargain.nash(bargain.gram(clashing)).certificate.stationary
    right.fill(*clashing.T, color=FAINT, zorder=0)
    right.text(0.42, -0.52, "zero lies in the\nconvex hull", color=SHADE, va="center")
    label_all(right, clashing, ((0.08, 0.05), (-0.2, 0.1), (-0.36, -0.14)))
    right.text(
        0.0,
        1.45,
        "$\\beta$ = (" + ", ".join(f"{part:.2f}" for part in beta) + ")",
        color=NASH,
        ha="center",
    )
    return figure


def direction(outcome: bargain.Outcome, gradients: np.ndarray) -> np.ndarray:
    update = bargain.combine(outcome.coefficients, gradients)
    return update / np.linalg.norm(update)


def shares_of(coefficients: np.ndarray) -> np.ndarray:
    gram = bargain.gram(GRADIENTS)
    return coefficients * (gram @ coefficients) / (coefficients @ gram @ coefficients)


def panels(
    width: float, height: float, *, ratios: tuple[float, float]
) -> tuple[Figure, list[Axes]]:
    figure, axes = plt.subplots(1, 2, figsize=(width, height), width_ratios=ratios)
    figure.set_layout_engine("constrained")
    return figure, axes


def bare(axes: Axes, *, x: tuple[float, float], y: tuple[float, float]) -> None:
    """A plane without frame or ticks."""
    axes.set(xlim=x, ylim=y, aspect="equal")
    axes.axis("off")


def utility_axes(axes: Axes, *, x: tuple[float, float], y: tuple[float, float]) -> None:
    """The plane of two utilities, its axes through the origin."""
    axes.set(xlim=x, ylim=y, aspect="equal", xticks=[], yticks=[])
    axes.spines[["top", "right"]].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_position("zero")
        axes.spines[side].set_color(SUM)
    axes.text(x[1], -0.03, "$u_1$", ha="right", va="top")
    axes.text(0.04, y[1], "$u_2$", ha="left", va="top")


def shade_common_cone(axes: Axes, gradients: np.ndarray, *, radius: float) -> None:
    """Shade the directions that help every player."""
    angles = np.degrees(np.arctan2(gradients[:, 1], gradients[:, 0]))
    axes.add_patch(Wedge((0, 0), radius, angles.max() - 90, angles.min() + 90, color=FAINT))


def arrow(axes: Axes, tip: np.ndarray, colour: str, *, width: float = 2, style: str = "-") -> None:
    axes.plot([0, 0.93 * tip[0]], [0, 0.93 * tip[1]], style, color=colour, linewidth=width)
    axes.annotate(
        "",
        xy=tip,
        xytext=0.9 * tip,
        arrowprops={"arrowstyle": "-|>", "color": colour, "mutation_scale": 9 + 3 * width},
    )


def label_all(axes: Axes, gradients: np.ndarray, offsets: tuple[tuple[float, float], ...]) -> None:
    for k, (gradient, colour) in enumerate(zip(gradients, PLAYERS, strict=True)):
        arrow(axes, gradient, colour)
        axes.text(*(gradient + offsets[k]), f"$g_{k + 1}$", color=colour, fontsize=13)


def level_line(axes: Axes, point: np.ndarray, fallback: np.ndarray, *, reach: float) -> None:
    """The other utilities with the same product of gains."""
    product = float(np.prod(point - fallback))
    gains = np.geomspace(product / reach / 1.6, reach, 200)
    line = np.stack([fallback[0] + gains, fallback[1] + product / gains])
    inside = line[1] < axes.get_ylim()[1] - 0.1
    axes.plot(*line[:, inside], color=PLAYERS[1], linewidth=1.5)


def mark(
    axes: Axes,
    point: np.ndarray,
    name: str,
    offset: tuple[float, float],
    colour: str,
    side: str = "left",
) -> None:
    axes.plot(*point, "o", color=colour, markersize=7, zorder=3)
    axes.text(*(point + offset), name, color=colour, ha=side)


if __name__ == "__main__":
    main()
