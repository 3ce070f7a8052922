"""Values in files: named arguments in JSON or RDS, one vector in CSV."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from matbackprop._typing import Array
from matbackprop.errors import DataError, OptionError


def read_values(path: Path, /, *, engine: str = "auto") -> Any:
    """Return what a file holds: a dict of values by name, or one array.

    Parameters
    ----------
    path
        `.json`: an object whose members are the arguments; a list is a vector, a list of equally
        long lists a matrix by its rows. `.rds`: a named list, or a vector or matrix, read by R.
        `.csv`: one column or one row of numbers, with or without a header.
    engine
        The R that reads an .rds file.

    Raises
    ------
    OptionError
        If the ending is none of these.
    DataError
        If there is no such file, or it holds something else.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "at.json")
    ...     _ = file.write_text('{"X": [[1, 2], [3, 4]], "n": 2}')
    ...     read_values(file)
    {'X': array([[1., 2.],
           [3., 4.]]), 'n': 2.0}
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise OptionError(
            f"Cannot read values from {path}: wanted a file that ends in {', '.join(_READERS)}. "
            "Write them as JSON, in R with `saveRDS(list(beta = beta, X = X, y = y), file)`, or, "
            "if they are one vector, as CSV."
        )
    if not path.is_file():
        came = "it is a folder" if path.is_dir() else "there is no such file"
        raise DataError(f"Cannot read values from {path}: {came}. Mend the path.")
    return reader(path, engine)


def read_known(path: Path, /, *, engine: str = "auto") -> dict[str, Any]:
    """Return values by name; what has none has that of its file."""
    values = read_values(path, engine=engine)
    return dict(values) if isinstance(values, Mapping) else {path.stem: values}


def _from_json(path: Path, engine: str) -> Any:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise _fault(
            path,
            f"it is no JSON (line {error.lineno}, column {error.colno}: {error.msg})",
            'an object such as {"beta": [0.5, 1], "X": [[1, 2], [3, 4]]}',
        ) from error
    except UnicodeDecodeError as error:
        raise _fault(path, f"it is not in UTF-8 ({error})", "a text file in UTF-8") from error
    if isinstance(document, dict) and document:
        return {name: _from_document(path, value, name) for name, value in document.items()}
    if isinstance(document, list) and document:
        return _from_document(path, document, "the list")
    raise _fault(
        path,
        f"it holds {_short(document)}",
        "an object of named arguments, or a list of numbers that is the only one",
    )


def _from_document(path: Path, value: Any, name: str) -> Any:
    match value:
        case bool() | str():
            return value
        case int() | float():
            return float(value)
        case dict():
            return {key: _from_document(path, part, f"{name}.{key}") for key, part in value.items()}
        case list():
            return _array(path, value, name)
    raise _fault(
        path, f"{name} is {_short(value)}", "a number, a list of numbers, or lists of equal length"
    )


def _array(path: Path, value: list[Any], name: str) -> Any:
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        array = np.empty(0, dtype=object)
    kinds = {type(entry) for entry in np.ravel(np.asarray(value, dtype=object)).tolist()}
    if array.dtype.kind in "if" and kinds <= {int, float}:
        return array.astype(np.float64)
    if kinds in ({str}, {bool}):
        return array
    raise _fault(
        path,
        f"{name} is {_short(value)}: lists of unequal length, or not all numbers",
        "numbers, in lists of equal length",
        "A matrix is a list of its rows; drop or impute what is missing.",
    )


def _from_rds(path: Path, engine: str) -> Any:
    # Late: an import of R's bridge is not needed for the other kinds.
    from matbackprop.rbridge.user_functions import read_rds

    value = read_rds(path, engine=engine)
    frame = getattr(value, "to_dict", None)
    if frame is not None:  # a data frame: a list of columns
        value = {name: np.asarray(column) for name, column in frame("series").items()}
    if isinstance(value, Mapping) and value:
        return dict(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "iuf" and value.size:
        return value
    raise _fault(
        path,
        f"it holds {_short(value)}",
        "a list with names, or one vector or matrix of numbers",
        "In R: `saveRDS(list(beta = beta, X = X, y = y), file)`.",
    )


def _from_csv(path: Path, engine: str) -> Array:
    import pandas as pd

    wanted = "one column or one row of numbers, with or without a header"
    try:
        cells = pd.read_csv(path, header=None, dtype=str, keep_default_na=False)
    except (ValueError, UnicodeError) as error:  # pandas' own errors are ValueErrors
        raise _fault(path, f"it is no table ({str(error).strip()})", wanted) from error
    table = cells.to_numpy(dtype=str)
    if _is_number(table[0, -1]):
        body = table
    else:
        # R's write.csv(x) puts its row names first, under an empty heading.
        body = table[1:, 1:] if table[0, 0] == "" and table.shape[1] > 1 else table[1:]
    rows, columns = body.shape
    if min(rows, columns) != 1:
        raise _fault(
            path,
            f"it has {rows} rows and {columns} columns",
            wanted,
            "Put matrices, and several arguments, into a JSON or RDS file.",
        )
    for index, cell in np.ndenumerate(body):
        if not _is_number(cell):
            raise _fault(
                path,
                f"{str(cell)!r} is no number (entry {max(index) + 1})",
                wanted,
                "Drop or impute what is missing; decimals have a point, not a comma.",
            )
    return body.ravel().astype(np.float64)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _short(value: Any) -> str:
    shown = "null" if value is None else repr(value)
    return shown if len(shown) <= 50 else f"{shown[:47]}..."


def _fault(path: Path, came: str, wanted: str, remedy: str = "") -> DataError:
    return DataError(f"Cannot read values from {path}: {came}; wanted {wanted}. {remedy}".rstrip())


_READERS: Mapping[str, Callable[[Path, str], Any]] = MappingProxyType(
    {".json": _from_json, ".rds": _from_rds, ".csv": _from_csv}
)
