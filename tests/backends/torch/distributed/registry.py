"""The checks by name, each with the number of ranks that it takes."""

CHECKS: dict[str, tuple[int, object]] = {}


def on(size):
    """Have a check run by so many ranks."""

    def register(check):
        CHECKS[check.__name__] = (size, check)
        return check

    return register
