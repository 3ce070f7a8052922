"""Writing a file whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from matbackprop.errors import DataError, OptionError

if TYPE_CHECKING:
    import pandas as pd


def check_writable(path: Path, /) -> None:
    """Raise `DataError` now, before long work, if `write_text` would fail later.

    Examples
    --------
    >>> check_writable(Path("report.html"))
    """
    if path.is_dir():
        raise DataError(f"Cannot write {path}: it is a folder. Name a file in it.")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise _cannot_write(path, "there is no such folder")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise _cannot_write(path, "permission denied")


def check_targets(*paths: Path | None, call: str) -> None:
    """Raise now if a file cannot be written later, or two results would go into one file.

    Examples
    --------
    >>> check_targets(Path("report.csv"), None, call="verify --csv FILE --html FILE")
    """
    named = [path for path in paths if path is not None]
    for path in named:
        check_writable(path)
    if len({path.resolve() for path in named}) < len(named):
        raise OptionError(f"`{call}` needs different files; got {named[0]} twice.")


def write_text(text: str, path: Path, /) -> None:
    """Write `text` to `path`: either the whole file stands there afterwards, or the old one.

    A link is followed, and a file that is replaced keeps its permissions. A pipe or a device is
    written to, as it cannot be replaced.

    Raises
    ------
    DataError
        If the file cannot be written; the message says why.
    """
    path = path.resolve()
    # In the same folder, because a file can only be moved within one file system at once.
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8", newline="")
            return
        temporary.write_text(text, encoding="utf-8", newline="")
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error.strerror or str(error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_csv(frame: pd.DataFrame, path: Path, /) -> None:
    """Write a frame as CSV, floats with the 17 digits that give back every bit.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    write_text(frame.to_csv(index=False, float_format="%.17g"), path)


def _cannot_write(path: Path, why: str) -> DataError:
    return DataError(
        f"Cannot write {path}: {why}. Name a file in a folder that exists and is yours to write to."
    )
