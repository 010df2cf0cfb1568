"""The error of input that the command line cannot work with."""

__all__ = ["InputError"]


class InputError(Exception):
    """Input that the command line cannot work with.

    The message is one sentence: what was expected, what was found and what to do. The commands
    print it on standard error, without a traceback, and end with status 2.
    """
