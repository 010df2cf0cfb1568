"""How time and memory are taken.

Where everything compared runs in one thread it is the processor's time, so that other work on the
machine does not count; where threads are welcome it is the time on the clock. Of several tries the
fastest counts, for everyone.
"""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import threadpool_limits


def processor_time(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds of processor time that a call took, and its result."""
    begin = time.process_time()
    result = call()
    return time.process_time() - begin, result


def clock_time(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a call took, and its result."""
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result


def fastest(call: Callable[[], Any], tries: int, clock: Callable = clock_time) -> tuple[float, Any]:
    """Return the fewest seconds out of several tries after a first one, and the last result."""
    call()
    results = [clock(call) for _ in range(tries)]
    return min(seconds for seconds, _ in results), results[-1][1]


def peak_memory(call: Callable[[], Any]) -> int:
    """Return the most bytes held at once during a call, beyond those before it."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep linear algebra to one thread."""
    with threadpool_limits(1):
        yield
