"""Which trainings a comparison consists of, and under which names they are kept."""

import hashlib
import inspect
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from itertools import product
from types import CodeType, FunctionType
from typing import Any, NamedTuple, get_args

import numpy as np
import torch
from torch import Tensor

import bargain
from bargain_torch.comparison.bargains import Bargain
from bargain_torch.comparison.gradient_rules import GradientRule, GradientRuleName
from bargain_torch.comparison.loss_rules import Fixed, LossRule, LossRuleName
from bargain_torch.comparison.run import Entry
from bargain_torch.comparison.stepping import Method
from bargain_torch.losses import listed

BUILT_IN: dict[str, Method] = {
    "ls": Fixed(),
    **{name: LossRule(name) for name in get_args(LossRuleName)},
    **{name: GradientRule(name) for name in get_args(GradientRuleName)},
    "nash": Bargain(),
    "ks": Bargain(bargain.KalaiSmorodinsky()),
}
"""Methods by the names that ``methods=`` takes."""


class Family(NamedTuple):
    """A method of the comparison: one, or several of which the best counts."""

    name: str
    members: tuple[Method, ...]


def read_methods(methods: Any) -> list[Family]:
    """Return the families that were asked for."""
    if isinstance(methods, str) or not isinstance(methods, Iterable):
        raise TypeError(
            f"methods: expected a dict of methods or a list of names, found {methods!r}"
        )
    if not isinstance(methods, Mapping):
        if not all(isinstance(name, str) for name in methods):
            raise TypeError(
                f"methods: expected a list of names, found {listed(methods)}; give other methods "
                f"in a dict, such as {{'ours': Bargain(every=10), 'nash': 'nash'}}"
            )
        methods = {name: name for name in methods}
    families = [Family(str(name), _members(given)) for name, given in methods.items()]
    empty = [family.name for family in families if not family.members]
    if not families or empty:
        raise ValueError(
            f"methods: expected at least one{f' for {listed(empty)}' if empty else ''}, found none"
        )
    for family in families:
        for member in family.members:
            if isinstance(member, type) or not hasattr(member, "start"):
                raise TypeError(
                    f"methods: expected methods such as Bargain() or Fixed(), found {member!r} for "
                    f"{family.name}"
                )
            # Runs are kept under what the fields say.
            if not is_dataclass(member):
                raise TypeError(
                    f"methods: expected a frozen dataclass, found {type(member).__name__} for "
                    f"{family.name}; decorate it with @dataclass(frozen=True)"
                )
    return families


def _members(given: Any) -> tuple[Any, ...]:
    """Return the members of a family: one method, its name, or several of these."""
    several = isinstance(given, Sequence) and not isinstance(given, str)
    members = tuple(given) if several else (given,)
    unknown = [name for name in members if isinstance(name, str) and name not in BUILT_IN]
    if unknown:
        raise ValueError(
            f"methods: expected names among {listed(BUILT_IN)}, found {listed(unknown)}; give "
            f"others in a dict, such as {{'ours': Bargain(every=10)}}"
        )
    return tuple(BUILT_IN[one] if isinstance(one, str) else one for one in members)


def candidates(
    family: Family, rates: Sequence[float], trials: int | None
) -> list[tuple[int, float]]:
    """Return the members and rates that a family may try, drawn by lot if there are too many."""
    pairs = list(product(range(len(family.members)), rates))
    if trials is None or trials >= len(pairs):
        return pairs
    return sorted(random.Random(0).sample(pairs, trials))


def file_name(entry: Entry, rest: Any) -> str:
    """Return a name that is the same for the same training, and for no other."""
    told = _spelt((entry._replace(name="", member=0), rest))
    mark = hashlib.sha256(told.encode()).hexdigest()[:12]
    slug = re.sub(r"[^a-z0-9]+", "-", entry.name.lower()).strip("-") or "method"
    return f"{slug}-{mark}"


def _spelt(value: Any) -> str:
    """Return text that says what a value is; the same in every process."""
    if is_dataclass(value) and not isinstance(value, type):
        inside = {field.name: getattr(value, field.name) for field in fields(value)}
        return f"{type(value).__qualname__}{_spelt(inside)}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_spelt(k)}:{_spelt(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "(" + ",".join(map(_spelt, value)) + ")"
    if isinstance(value, partial):
        return f"partial{_spelt((value.func, value.args, value.keywords))}"
    if isinstance(value, FunctionType):
        inside = value.__code__, value.__defaults__, value.__kwdefaults__, _captured(value)
        return f"{value.__qualname__}{_spelt(inside)}"
    if isinstance(value, CodeType):
        return hashlib.sha256(value.co_code).hexdigest() + _spelt((value.co_names, value.co_consts))
    if isinstance(value, set | frozenset):
        return f"set{_spelt(tuple(sorted(map(_spelt, value))))}"
    if isinstance(value, Tensor):
        value = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    if isinstance(value, np.ndarray):
        return hashlib.sha256(value.tobytes()).hexdigest()
    told = getattr(value, "__qualname__", repr(value))
    # An address is another one in every process.
    return type(value).__qualname__ if " at 0x" in told else told


def _captured(function: FunctionType) -> tuple[Any, ...]:
    """Return what a function has captured, of other functions only their names."""
    found = inspect.getclosurevars(function).nonlocals
    return tuple(
        getattr(value, "__qualname__", value) if isinstance(value, FunctionType) else value
        for _, value in sorted(found.items())
    )
