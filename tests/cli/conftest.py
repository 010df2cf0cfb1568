"""What the tests of the command line share: a way to run it, and files that hold games."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from bargain_cli.app import app

GRAM = [[4.0, 1.0, 0.0], [1.0, 2.0, -0.5], [0.0, -0.5, 1.0]]


@pytest.fixture
def run():
    """Run `bargain` with these arguments; an exception that is no exit fails the test.

    What there is on standard input is given as ``input``.
    """

    def invoke(*arguments, **typed):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], **typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def refused(run):
    """Run `bargain`, expect one sentence on standard error and status 2, and give the sentence."""

    def invoke(*arguments, **typed):
        result = run(*arguments, **typed)
        assert result.exit_code == 2, result.output
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1, result.stderr
        return result.stderr

    return invoke


@pytest.fixture
def write(tmp_path):
    """Write an array into a new file of the given name, whose ending decides how."""

    def save(name, content) -> Path:
        path = tmp_path / name
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif isinstance(content, bytes):
            path.write_bytes(content)
        elif path.suffix == ".npy":
            np.save(path, content)
        elif path.suffix == ".npz":
            np.savez(path, **(content if isinstance(content, dict) else {"gram": content}))
        elif path.suffix == ".json":
            path.write_text(json.dumps(content))
        else:
            np.savetxt(path, content, delimiter=",")
        return path

    return save


@pytest.fixture
def gram_file(write):
    return write("gram.npy", np.asarray(GRAM))
