"""Games on a GPU: solved on the host, or where they are."""

from typing import Any

import torch

import bargain
import bargain_torch
from bargain_torch.place import goes_to_host
from benchmarks.device_gauges import device_name, device_time
from benchmarks.games import SPREAD
from benchmarks.report import Report, in_units, times

PLAYERS = (3, 11, 50)
GAMES = (1, 100, 1_000, 10_000, 100_000)
TRIES = 3
LONGEST = 3e7
"""Numbers in a batch of Gram matrices that are not sent to the host: that takes many seconds."""


def run(quick: bool = False, device: str = "cuda") -> Report:
    """Time batches of games in float64 that lie on a GPU."""
    sizes = [(3, 1), (3, 10)] if quick else [(k, count) for k in PLAYERS for count in GAMES]
    records = [record for size in sizes for record in _batch(*size, device)]
    return Report(
        name="cuda_solve",
        title=f"bargain.nash on games that lie on one {device_name(device)}",
        columns=["games", "on the host", "on the device", "device / host", "chosen"],
        rows=[_row(*records[k : k + 2]) for k in range(0, len(records), 2)],
        notes=f"On one {device_name(device)}, in float64, random games. Time on the clock from a "
        "device that has nothing else to do until all numbers of the outcome are on the device "
        "again, the fastest of three. Chosen: where solve_on('auto') sends them.",
        records=records,
    )


def _batch(players: int, count: int, device: str) -> list[dict[str, Any]]:
    grams = random_games(players, count, device)
    records = []
    for place in ("host", "device"):
        record = {"players": players, "games": count, "place": place}
        if place == "device" or grams.numel() < LONGEST:
            with bargain_torch.solve_on(place):
                outcome = bargain.nash(grams)
                tries = range(TRIES if count < 10_000 else 2)
                seconds = min(device_time(lambda: bargain.nash(grams), device) for _ in tries)
            record |= {"seconds": seconds, "steps": int(outcome.steps.max())}
            if bool((outcome.status != bargain.Status.AGREEMENT).any()):
                raise AssertionError(f"expected agreements, found others for {record}")
        records.append(record | {"chosen": goes_to_host(grams) == (place == "host")})
    return records


def random_games(players: int, count: int, device: str, chunk: int = 2_000) -> torch.Tensor:
    """Return Gram matrices of normal gradients in 500 dimensions with log-normal scales."""
    generator = torch.Generator(device).manual_seed(0)
    options: dict[str, Any] = {"generator": generator, "device": device, "dtype": torch.float64}
    grams = []
    for begin in range(0, count, chunk):
        number = min(chunk, count - begin)
        scales = (SPREAD * torch.randn(number, players, 1, **options)).exp()
        gradients = scales * torch.randn(number, players, 500, **options)
        grams.append(gradients @ gradients.mT)
    return torch.cat(grams) if count > 1 else grams[0][0]


def _row(host: dict[str, Any], device: dict[str, Any]) -> list[str]:
    measured = "seconds" in host
    return [
        f"{host['games']:,} of K = {host['players']}",
        in_units(host["seconds"]) if measured else "not tried",
        in_units(device["seconds"]),
        times(device["seconds"] / host["seconds"]) if measured else "",
        "host" if host["chosen"] else "device",
    ]
