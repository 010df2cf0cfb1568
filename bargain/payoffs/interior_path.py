"""The loop around the primal-dual steps: when to stop, and what to keep."""

from dataclasses import dataclass
from math import log
from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from bargain.backend import backend_for
from bargain.loop import select
from bargain.payoffs.newton_step import step
from bargain.payoffs.point import Point, portions, residual_of
from bargain.payoffs.products import apply_transposed, inner
from bargain.payoffs.program import Program
from bargain.shapes import Array

PATIENCE = 10
"""Steps without progress after which a run ends."""
PROGRESS = 0.8
"""The error has to fall below this part of the least so far to count as progress."""
FAR = -1.25
"""Columns larger than this power of the machine epsilon, about 4e19, belong to no solution."""
ROUNDING = 4.0
"""Rounding errors of a sum of products, in units of the machine epsilon."""


class Run(NamedTuple):
    """A run: the current point and the best so far.

    Attributes
    ----------
    point, best
        The iterate, and the one of least error.
    least, nearest
        Shape ``(*batch)``: the least error, and the least that the equations were missed by.
    idle, steps
        Shape ``(*batch)``: steps since there was progress, and all steps.
    running
        Shape ``(*batch)``.
    """

    point: Point
    best: Point
    least: Array
    nearest: Array
    idle: Array
    steps: Array
    running: Array


@dataclass(frozen=True)
class Path:
    """How to follow the path.

    A frozen dataclass, so that compilers may keep what they made of it.

    Attributes
    ----------
    tol
        Stop where the error, relative to the objective, is at most this.
    max_steps
        Stop after so many steps at the latest.
    order
        The order of an α-fair welfare; of no meaning in a linear program.
    strict
        Whether a welfare's equations have to hold to the tolerance, too. Elsewhere its tolerance is
        for the objective, to which a small error of the surpluses matters by its square.
    """

    tol: float
    max_steps: int
    order: float = 1.0
    strict: bool = False

    def __call__(self, program: Program, start: Point, running: Array) -> tuple[Point, Array]:
        """Follow the path in each problem asked for, and count the steps."""
        xp = array_namespace(start.columns)
        sizes = xp.max(xp.abs(program.matrix), axis=-1)
        error, missed, bar = _weigh(program, start, self, sizes)
        steps = xp.zeros(error.shape, dtype=xp.int32, device=device(start.columns))
        first = Run(start, start, error, missed, steps, steps, running & ~(error <= bar))

        def any_running(run: Any) -> Any:
            return xp.any(run.running)

        def advance(run: Any) -> Any:
            point = step(program, run.point, self.order)
            error, missed, bar = _weigh(program, point, self, sizes)
            better, nearer = error < run.least, missed < run.nearest
            gained = (error <= PROGRESS * run.least) | (missed <= PROGRESS * run.nearest)
            idle = xp.where(gained, xp.zeros_like(run.idle), run.idle + 1)
            new = Run(
                point=point,
                best=select(better, point, run.best),
                least=xp.where(better, error, run.least),
                nearest=xp.where(nearer, missed, run.nearest),
                idle=idle,
                steps=run.steps + 1,
                running=(error > bar) & (idle < PATIENCE) & _sane(point),
            )
            return select(run.running, new, run) if run.running.ndim else new

        run = backend_for(start.columns).while_loop(any_running, advance, first, self.max_steps)
        return run.best, run.steps


def _sane(point: Point) -> Array:
    """Whether the point is not on its way to infinity, nor lost; comparisons with NaN are false."""
    xp = array_namespace(point.columns)
    limits = xp.finfo(point.columns.dtype)
    products = xp.min(point.columns * point.slopes, axis=-1)
    sizes = xp.max(point.columns, axis=-1), xp.max(point.slopes, axis=-1)
    far = float(limits.eps) ** FAR
    return (products > limits.smallest_normal**0.5) & (sizes[0] < far) & (sizes[1] < far)


def _weigh(program: Program, point: Point, path: Path, sizes: Array) -> tuple[Array, Array, Array]:
    """Return how far the objective may be off, by what the equations are missed, and a bar.

    The bar is where the error is good enough: at the tolerance, or at rounding.
    """
    xp = array_namespace(point.columns)
    x, z, p = point.columns, point.slopes, point.prices
    residual = xp.abs(residual_of(program, point))
    missed = xp.sum(residual, axis=-1)
    dual = inner(x, xp.abs(apply_transposed(program.matrix, p) + z))
    floor = ROUNDING * xp.finfo(x.dtype).eps * inner(xp.abs(p), sizes) * xp.sum(x, axis=-1)
    if program.depths is None:
        # Prices of what is missed may still have to rise.
        error = missed * xp.max(xp.abs(p), axis=-1) + dual + inner(x, z)
        bar = path.tol * xp.abs(point.number)
        return error, missed, xp.where(bar > floor, bar, floor)
    off = xp.sum(_off(program, point, path.order), axis=-1)
    primal = inner(xp.abs(p), residual)
    error = (primal if path.strict else primal**2) + dual + off
    return error, missed, xp.where(floor > path.tol, floor, path.tol)


def _off(program: Program, point: Point, order: float) -> Array:
    """Return how far products are from where they should be, by what that means for the welfare."""
    xp = array_namespace(point.columns)
    products, goal = point.columns * point.slopes, portions(program, point, order)
    off = xp.abs(products - goal)
    if order <= 1:
        return off
    # High orders look at who has least, however small the portions are.
    least = xp.finfo(off.dtype).smallest_normal
    short = xp.log(xp.where(goal > least, goal, least)) - xp.log(
        xp.where(products > least, products, least)
    )
    most = log(float(xp.finfo(off.dtype).max)) / 4
    return off * xp.exp(xp.clip((order - 1) * short, 0.0, most))
