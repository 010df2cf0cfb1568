"""Train one model by many methods under one budget, and say what came of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bargain_torch.comparison.execution import check_problem, train_all
from bargain_torch.comparison.plan import Family, candidates, read_methods
from bargain_torch.comparison.result import Comparison, choose
from bargain_torch.comparison.run import Entry, Policy, Problem, Schedule
from bargain_torch.losses import listed
from bargain_torch.options import check_option

METHODS = ("ls", "si", "nash", "ks")


def compare(
    make_model: Callable[[], torch.nn.Module],
    losses: Callable[[torch.nn.Module, Any], Mapping[Any, Tensor]],
    data: Callable[[], Iterable[Any]],
    *,
    shared: Callable[[torch.nn.Module], Iterable[Tensor]],
    evaluate: Callable[[torch.nn.Module], Mapping[str, float]],
    validate: Callable[[torch.nn.Module], Mapping[str, float]] | None = None,
    higher: Iterable[str] = (),
    methods: Any = METHODS,
    rates: Sequence[float] = (1e-3,),
    trials: int | None = None,
    trial_epochs: int | None = None,
    seeds: int | Iterable[int] = 3,
    epochs: int = 10,
    optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
    schedule: Schedule = "cosine",
    nonfinite: Policy = "stop",
    folder: Any = "comparison",
    workers: int = 1,
    threads: int = 1,
) -> Comparison:
    """Train your model with several ways to combine its losses, and compare what they reach.

    Every method gets the same number of trials, in which its learning rate (and, where a method is
    a list, its best member) is chosen on validation data; then every method is trained once from
    each seed, and evaluated. Runs are kept in a folder, checkpoints after every epoch, so a
    comparison that was killed goes on where it was when it is called again, bit for bit; a method
    or a seed more costs its own runs only.

    Parameters
    ----------
    make_model : callable
        Takes nothing and returns a new model; called after the seed was set.
    losses : callable
        Takes the model and a batch, and returns K scalar losses in a dict by the tasks' names.
    data : callable
        Takes nothing and returns the training batches, as a ``DataLoader``, a list or anything that
        can be passed over again and again, once an epoch. Whatever shuffles has to draw from the
        global generators of torch, NumPy or Python; their state is part of a checkpoint.
    shared : callable
        Takes the model and returns the parameters that the tasks share.
    evaluate : callable
        Takes the model, in evaluation mode, and returns the figures of merit in a dict by name.
        Numbers of at least zero; lower is better unless named in ``higher``. A training after
        which one of them is NaN or infinite counts as diverged.
    validate : callable, optional
        The same figures on other data, by which trials are judged; ``higher`` goes for them as
        well. Default: ``evaluate``, which flatters every method that has several trials.
    higher : iterable of str
        The names of figures where higher is better.
    methods : sequence of str, or dict
        Names: ``"ls"``, ``"si"``, ``"nash"``, ``"ks"``, or those of the rules of
        :class:`~bargain_torch.comparison.LossRule` and
        :class:`~bargain_torch.comparison.GradientRule`. Or a dict from names of your own to these
        two, :class:`~bargain_torch.comparison.Fixed`, :class:`~bargain_torch.comparison.Bargain` or
        :class:`~bargain_torch.comparison.Learned`, or to lists of them, of which the best counts: a
        grid of fixed weights is a list of ``Fixed``.
    rates : sequence of float
        Learning rates to try.
    trials : int, optional
        How many pairs of a member and a rate every method may try; drawn by lot where there are
        more, so a long list is only sampled. Default: all of them, which are more for lists.
    trial_epochs : int, optional
        How long trials are. Default: as long as the others.
    seeds : int or iterable of int
        How many seeds, or which. Trials use the first.
    epochs : int
        How often the data are passed over.
    optimizer : callable
        Takes the parameters and ``lr``.
    schedule : {"cosine", "constant"}
        How the learning rate falls, from epoch to epoch.
    nonfinite : {"stop", "skip", "raise"}
        What to do about a loss or gradient that is NaN or infinite: ``"stop"``, that training ends
        and counts as diverged; ``"skip"``, leave that step out; ``"raise"``.
    folder : path
        Where runs are kept. One folder, one problem: another one is told by the number of its
        parameters and by the losses of the first batch. What these do not show, a change of
        ``evaluate`` or of later batches say, is not noticed, and old figures are returned.
    workers : int
        How many processes train at the same time.
    threads : int
        How many threads each may use.

    Returns
    -------
    Comparison
        All runs, with means, Δm, ranks, a table and a picture.

    Raises
    ------
    ModuleNotFoundError
        The extra ``compare`` is not installed.
    TypeError, ValueError
        An argument is out of range or of the wrong type, or the folder holds another problem.

    Notes
    -----
    Members and rates are judged by the mean logarithm of the figures, so no unit matters.

    For single-task training as a reference, compare a model that is made of a network for each
    task, by ``Fixed()``: optimisers such as Adam work parameter by parameter, so the sum of the
    losses trains each network by itself.

    References
    ----------
    Navon et al., "Multi-Task Learning as a Bargaining Game", arXiv 2202.01017, for Δm and mean
    rank; Xin et al., "Do Current Multi-Task Optimization Methods in Deep Learning Even Help?",
    arXiv 2209.11379, for why every method deserves the same tuning.

    Examples
    --------
    >>> import tempfile, torch
    >>> from bargain_torch.comparison import compare
    >>> inputs = torch.linspace(-1, 1, 32)[:, None]
    >>> wanted = {"line": inputs, "steep": 100 * inputs**3}
    >>> def losses(model, batch):
    ...     return {name: (model(inputs) - y).square().mean() for name, y in wanted.items()}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     comparison = compare(
    ...         lambda: torch.nn.Linear(1, 1),
    ...         losses,
    ...         lambda: [None] * 5,
    ...         shared=lambda model: model.parameters(),
    ...         evaluate=lambda model: {k: loss.item() for k, loss in losses(model, None).items()},
    ...         methods=["ls", "nash"],
    ...         seeds=1,
    ...         folder=folder,
    ...     )
    >>> len(comparison.runs), sorted(comparison.delta("ls"))
    (2, ['ls', 'nash'])
    """
    problem = Problem(
        make_model,
        losses,
        data,
        shared,
        evaluate,
        evaluate if validate is None else validate,
        optimizer,
        schedule,
        nonfinite,
        threads,
    )
    if isinstance(higher, str):
        raise TypeError(
            f"higher: expected a list of names, found {higher!r}; put a single one into a list"
        )
    counts = {"epochs": epochs, "workers": workers, "trials": trials, "trial_epochs": trial_epochs}
    _check(problem, counts)
    chosen = _numbers(
        "seeds", range(seeds) if isinstance(seeds, Integral) else seeds, Integral, int
    )
    chosen = list(dict.fromkeys(chosen))
    rates = _numbers("rates", rates, Real, float)
    if not all(rate > 0 for rate in rates):
        raise ValueError(f"rates: expected positive numbers, found {listed(rates)}")
    families = read_methods(methods)
    better = frozenset(higher)
    place = Path(folder)
    check_problem(place, problem, chosen[0])

    def plan(family: Family, pairs: Any, seeds: Sequence[int], epochs: int, trial: bool) -> Any:
        return [
            Entry(family.name, member, family.members[member], rate, seed, epochs, trial)
            for member, rate in pairs
            for seed in seeds
        ]

    tried = [candidates(family, rates, trials) for family in families]
    trial_runs = train_all(
        place,
        problem,
        [
            entry
            for family, pairs in zip(families, tried, strict=True)
            if len(pairs) > 1
            for entry in plan(family, pairs, chosen[:1], trial_epochs or epochs, True)
        ],
        workers,
        "trials",
    )
    best = [
        choose(pairs, [run for run in trial_runs if run.method == family.name], better)
        for family, pairs in zip(families, tried, strict=True)
    ]
    runs = train_all(
        place,
        problem,
        [
            entry
            for family, pair in zip(families, best, strict=True)
            for entry in plan(family, [pair], chosen, epochs, False)
        ],
        workers,
        "runs",
    )
    comparison = Comparison(tuple(runs), tuple(trial_runs), better)
    if comparison.metrics and not better <= set(comparison.metrics):
        raise ValueError(
            f"higher: expected names of figures, {listed(comparison.metrics)}, found "
            f"{listed(sorted(better))}"
        )
    return comparison


def _numbers(name: str, values: Any, kind: Any, make: Callable[[Any], Any]) -> list[Any]:
    """Return numbers of Python's, at least one."""
    found = list(values) if isinstance(values, Iterable) else [None]
    if isinstance(values, str) or not all(isinstance(value, kind) for value in found):
        what = "whole numbers" if kind is Integral else "numbers"
        raise TypeError(f"{name}: expected a list of {what}, found {values!r}")
    if not found:
        raise ValueError(f"{name}: expected at least one, found none")
    return [make(value) for value in found]


def _check(problem: Problem, counts: Mapping[str, int | None]) -> None:
    for name, value in problem._asdict().items():
        if name not in ("schedule", "nonfinite", "threads") and not callable(value):
            raise TypeError(
                f"{name}: expected a function, found {type(value).__name__}; wrap it, as in "
                f"{name}=lambda: ..."
            )
    check_option("schedule", problem.schedule, Schedule)
    check_option("nonfinite", problem.nonfinite, Policy)
    for name, count in {**counts, "threads": problem.threads}.items():
        if count is None and name in ("trials", "trial_epochs"):
            continue
        if type(count) is not int or count < 1:
            raise ValueError(f"{name}: expected a whole number of at least 1, found {count!r}")
