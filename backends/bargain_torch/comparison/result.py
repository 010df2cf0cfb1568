"""What a comparison found: means, relative changes, ranks, and a table of them."""

from collections.abc import Mapping, Sequence
from math import inf, isnan, log, nan, sqrt
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from bargain_torch.comparison.run import Run
from bargain_torch.losses import listed

LEAST = 0.1
"""A figure of zero counts as this part of the smallest one that is not: its logarithm is needed."""


def choose(
    pairs: Sequence[tuple[int, float]], trials: Sequence[Run], higher: frozenset[str]
) -> tuple[int, float]:
    """Return the member and the rate whose trial has the best mean logarithm of its figures."""
    if len(pairs) == 1:
        return pairs[0]
    smallest: dict[str, float] = {}
    for run in trials:
        for name, value in run.metrics.items():
            if value > 0:
                smallest[name] = min(value, smallest.get(name, inf))

    def score(run: Run) -> float:
        if not run.metrics:
            return inf
        return fmean(
            (-1 if name in higher else 1) * log(max(value, LEAST * smallest.get(name, 1.0)))
            for name, value in run.metrics.items()
        )

    best = min(trials, key=score)
    return best.member, best.rate


class Comparison(NamedTuple):
    """What methods have reached under one budget.

    Parameters
    ----------
    runs : tuple of Run
        The evaluated trainings, a method and a seed each.
    trials : tuple of Run
        Those by which rates and members were chosen.
    higher : frozenset of str
        Names of the figures where higher is better.
    """

    runs: tuple[Run, ...]
    trials: tuple[Run, ...]
    higher: frozenset[str]

    def __repr__(self) -> str:
        return (
            f"<Comparison of {', '.join(self.methods)}: {len(self.runs)} runs, {len(self.trials)} "
            f"trials; print(comparison.table())>"
        )

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of the methods, in their order."""
        return tuple(dict.fromkeys(run.method for run in self.runs))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the figures of merit."""
        return tuple(dict.fromkeys(name for run in self.runs for name in run.metrics))

    def of(self, method: str) -> list[Run]:
        """Return the runs of a method, a run a seed.

        Parameters
        ----------
        method : str
            Its name.

        Returns
        -------
        list of Run
            In the order of the seeds.

        Raises
        ------
        ValueError
            There is no such method.
        """
        found = [run for run in self.runs if run.method == method]
        if not found:
            raise ValueError(f"method: expected one of {listed(self.methods)}, found {method!r}")
        return found

    def mean(self, method: str, metric: str) -> tuple[float, float]:
        """Return mean and standard deviation of a figure over the seeds.

        Parameters
        ----------
        method, metric : str
            Their names.

        Returns
        -------
        mean : float
            NaN if a run diverged.
        deviation : float
            Likewise; zero for a single run.

        Raises
        ------
        ValueError
            There is no such method or figure.
        """
        if metric not in self.metrics:
            raise ValueError(f"metric: expected one of {listed(self.metrics)}, found {metric!r}")
        return _spread([run.metrics.get(metric, nan) for run in self.of(method)])

    def delta(self, reference: str | Mapping[str, float]) -> dict[str, tuple[float, float]]:
        r"""Return the papers' :math:`\Delta m`, in per cent, of every method; lower is better.

        :math:`\Delta m = \frac{100}{n} \sum_i (-1)^{s_i} (M_i - B_i) / B_i`, where :math:`s_i` is
        one for figures where higher is better.

        Parameters
        ----------
        reference : str or dict of float
            The name of a method, whose means are B, or B for each figure.

        Returns
        -------
        dict
            Mean and standard deviation over the seeds for each method; NaN if a run diverged.

        Raises
        ------
        ValueError
            There is no such method, or a figure is missing or zero.
        """
        if isinstance(reference, str):
            base = {metric: self.mean(reference, metric)[0] for metric in self.metrics}
            if not base or any(map(isnan, base.values())):
                raise ValueError(
                    f"reference: expected a method all of whose trainings ended well, found "
                    f"{reference!r}, which diverged; name another one, or give numbers"
                )
        else:
            base = dict(reference)
        if set(base) != set(self.metrics) or not all(base.values()):
            raise ValueError(
                f"reference: expected numbers other than zero for {listed(self.metrics)}, found "
                f"{base}"
            )
        return {
            method: _spread([self._change(run, base) for run in self.of(method)])
            for method in self.methods
        }

    def mean_rank(self) -> dict[str, float]:
        """Return every method's rank among the methods, averaged over the figures.

        Returns
        -------
        dict
            One is best. Methods with equal means share a rank; those that diverged come last.
        """
        from scipy.stats import rankdata  # takes half a second to import

        if not self.metrics:
            return dict.fromkeys(self.methods, nan)
        means = np.asarray(
            [
                [
                    (-1 if metric in self.higher else 1) * self.mean(method, metric)[0]
                    for metric in self.metrics
                ]
                for method in self.methods
            ]
        )
        ranks = rankdata(np.nan_to_num(means, nan=inf), axis=0).mean(axis=1)
        return dict(zip(self.methods, ranks.tolist(), strict=True))

    def table(self, reference: str | Mapping[str, float] | None = None) -> str:
        """Return a table in Markdown.

        Parameters
        ----------
        reference : str or dict of float, optional
            For a column of :meth:`delta`.

        Returns
        -------
        str
            A row a method: each figure as mean and standard deviation, Δm, mean rank,
            learning rate, time of a step and the part of it that the bargaining solves take.
        """
        delta = None if reference is None else self.delta(reference)
        ranks = self.mean_rank()
        head = ["method", *self.metrics, *(["Δm %"] if delta else []), "mean rank", "rate"]
        rows = []
        for method in self.methods:
            runs = self.of(method)
            diverged = [run.note for run in runs if not run.metrics]
            figures = [in_words(*self.mean(method, metric)) for metric in self.metrics]
            if diverged:
                figures = [f"diverged, {len(diverged)} of {len(runs)}"] * len(figures)
            rows.append(
                [
                    method,
                    *figures,
                    *([in_words(*delta[method])] if delta else []),
                    f"{ranks[method]:.2f}",
                    f"{runs[0].rate:g}",
                    f"{1e3 * fmean(run.step_seconds for run in runs):.2f}",
                    f"{100 * fmean(run.solve_part for run in runs):.1f} %",
                ]
            )
        head += ["ms a step", "solves"]
        rule = [":---", *["---:"] * (len(head) - 1)]
        return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])

    def plot(self, path: Any, reference: str | Mapping[str, float] | None = None) -> None:
        """Draw the figures of every method, a panel each, into a file.

        Parameters
        ----------
        path : path
            The file; its ending says what kind of picture.
        reference : str or dict of float, optional
            For a panel of :meth:`delta`.

        Raises
        ------
        ModuleNotFoundError
            Matplotlib is not installed.
        """
        from bargain_torch.comparison.picture import draw

        draw(self, Path(path), reference)

    def _change(self, run: Run, base: Mapping[str, float]) -> float:
        changes = [
            (-1 if name in self.higher else 1) * (run.metrics.get(name, nan) - wanted) / wanted
            for name, wanted in base.items()
        ]
        return 100 * fmean(changes)


def _spread(values: Sequence[float]) -> tuple[float, float]:
    mean = fmean(values)
    square = sum((value - mean) ** 2 for value in values)
    return mean, sqrt(square / (len(values) - 1)) if len(values) > 1 else 0.0 * abs(mean)


def in_words(mean: float, deviation: float) -> str:
    """Return a mean with its deviation, to the digits that it has."""
    if mean != mean:
        return "diverged"
    size = max(abs(mean), deviation)
    digits = max(0, 2 - int(np.floor(np.log10(size)))) if size > 0 else 2
    return f"{mean:.{digits}f} ± {deviation:.{digits}f}"
