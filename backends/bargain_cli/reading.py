"""From a file to an array of floating-point numbers, or to one sentence that says why not."""

import csv
import io
import json
import os
import sys
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from bargain_cli.input_error import InputError

__all__ = ["name_of", "read_array", "read_vector"]

STANDARD_INPUT = Path("-")


def name_of(path: Path) -> str:
    """Return what sentences call a file: ``-`` is the standard input."""
    return "standard input" if path == STANDARD_INPUT else str(path)


def read_array(path: Path, key: str | None = None) -> np.ndarray:
    """Read the array that a file holds.

    Parameters
    ----------
    path : Path
        A ``.npy``, ``.npz``, ``.csv`` or ``.json`` file. A CSV file holds numbers only, a row a
        line; empty lines and lines that begin with ``#`` are skipped. A JSON file holds nested
        lists, or an object of such lists. The path ``-`` is the standard input, which holds either
        of these two: what begins with a bracket or a brace is JSON.
    key : str, optional
        Which array to take from a file that holds several (``.npz``, or a JSON object).

    Returns
    -------
    np.ndarray
        The array in float32 where the file says float32, since then its numbers are only that
        exact, and in float64 otherwise (integers are converted).

    Raises
    ------
    InputError
        If there is no such file, it cannot be read, or it does not hold numbers.
    """
    if path == STANDARD_INPUT:
        return _floating(_read_standard_input(key), name_of(path))
    readers = {".npy": _read_npy, ".npz": _read_npz, ".csv": _read_csv, ".json": _read_json}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        found = f"the ending {path.suffix!r}" if path.suffix else "no ending"
        raise InputError(f"{path} has {found}, but a file must end in one of {', '.join(readers)}.")
    if not os.path.exists(path):
        raise InputError(f"There is no file {path}; check the path.")
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it.")
    try:
        array = reader(path, key)
    except (OSError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or error or "not enough memory"
        raise InputError(f"{path} cannot be read ({reason}).") from None
    return _floating(array, str(path))


def read_vector(text: str, meaning: str) -> np.ndarray:
    """Read a vector that the user wrote as ``1,2,3``, or that lies in a file.

    Parameters
    ----------
    text : str
        Numbers separated by commas, or the path of a file that `read_array` reads.
    meaning : str
        What the numbers are, for the sentence of a refusal; for instance ``"--weights"``.

    Returns
    -------
    np.ndarray
        The numbers, shape (K,), float64.

    Raises
    ------
    InputError
        If the text is neither, or the file holds something other than one row or one column.
    """
    try:
        return np.asarray([float(entry) for entry in text.split(",")])
    except ValueError:
        pass
    path = Path(text)
    if not text.strip() or not os.path.exists(path):
        raise InputError(
            f"{meaning} must be numbers separated by commas, such as 1,2,3, or the path of a file, "
            f"but found {text!r}."
        )
    array = read_array(path)
    if array.ndim == 0 or max(array.shape) != array.size:
        raise InputError(
            f"{meaning} must be one row or one column of numbers, but {path} holds an array of "
            f"shape {array.shape}."
        )
    return array.reshape(-1).astype(np.float64)


def _read_npy(path: Path, key: str | None) -> np.ndarray:
    if key is not None:
        raise InputError(f"{path} holds one array without a name; leave out --key.")
    try:
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, EOFError):
        raise InputError(f"{path} is not a NumPy .npy file of numbers.") from None


def _read_npz(path: Path, key: str | None) -> np.ndarray:
    try:
        with zipfile.ZipFile(path):  # np.load would take anything for a pickle and speak of that
            pass
        with np.load(path, allow_pickle=False) as archive:
            return archive[_choose(str(path), archive.files, key)]
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError):
        raise InputError(f"{path} is not a NumPy .npz archive of numbers.") from None


def _read_standard_input(key: str | None) -> np.ndarray:
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            "standard input must be text, as in a .csv or a .json file; name a file of any other "
            "kind."
        ) from None
    if text.lstrip().startswith(("[", "{")):
        return _from_json(text, name_of(STANDARD_INPUT), key)
    return _from_csv(io.StringIO(text, newline=""), name_of(STANDARD_INPUT), key)


def _read_csv(path: Path, key: str | None) -> np.ndarray:
    with path.open(newline="", encoding="utf-8-sig") as lines:
        return _from_csv(lines, str(path), key)


def _from_csv(lines: Iterable[str], source: str, key: str | None) -> np.ndarray:
    if key is not None:
        raise InputError(f"{source} holds one table without a name; leave out --key.")
    rows: list[list[float]] = []
    reader = csv.reader(lines)
    try:
        for entries in reader:
            if not any(entry.strip() for entry in entries) or entries[0].startswith("#"):
                continue
            rows.append([_number(source, reader.line_num, entry) for entry in entries])
            if len(rows[-1]) != len(rows[0]):
                raise InputError(
                    f"{source} is not a table: line {reader.line_num} holds {len(rows[-1])} "
                    f"numbers, the first row {len(rows[0])}."
                )
    except (UnicodeDecodeError, csv.Error):
        raise InputError(f"{source} is not a text file of numbers separated by commas.") from None
    return np.asarray(rows, dtype=np.float64)


def _number(source: str, line: int, entry: str) -> float:
    try:
        return float(entry)
    except ValueError:
        raise InputError(
            f"{source} must hold numbers separated by commas and nothing else, but line {line} "
            f"holds {entry.strip()!r}."
        ) from None


def _read_json(path: Path, key: str | None) -> np.ndarray:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not a JSON file.") from None
    return _from_json(text, str(path), key)


def _from_json(text: str, source: str, key: str | None) -> np.ndarray:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"{source} is not a JSON file.") from None
    if isinstance(content, dict):
        content = content[_choose(source, list(content), key)]
    elif key is not None:
        raise InputError(f"{source} holds one list without a name; leave out --key.")
    try:
        return np.asarray(content)
    except ValueError:
        raise InputError(
            f"{source} must hold rows of equal length, but its lists differ in length."
        ) from None


def _choose(source: str, names: list[str], key: str | None) -> str:
    """Find the one array that is meant among those of a file that names them."""
    if key is None and len(names) == 1:
        return names[0]
    known = ", ".join(names) or "none"
    if key is None:
        raise InputError(
            f"{source} holds {len(names)} arrays ({known}); choose one with --key NAME."
        )
    if key not in names:
        raise InputError(f"{source} holds no array {key!r}; it holds: {known}.")
    return key


def _floating(array: np.ndarray, source: str) -> np.ndarray:
    if array.dtype.kind not in "iuf":
        raise InputError(
            f"{source} must hold real numbers, but holds entries of type {array.dtype}; convert "
            "them to floating-point numbers."
        )
    if array.size == 0:
        raise InputError(f"{source} holds no numbers.")
    single = array.dtype.kind == "f" and array.dtype.itemsize == 4
    return array.astype(np.float32 if single else np.float64)  # in the byte order of this machine
