"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from matbackprop.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def write_text(text: str, path: Path, /) -> None:
    """Write `text` to `path`: either the whole file stands there afterwards, or the old one.

    A link is followed; a pipe or a device is written to, as it cannot be replaced.

    Raises
    ------
    DataError
        If the file cannot be written; the message says why.
    """
    path = path.resolve()
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8", newline="")
            return
        mode = path.stat().st_mode & 0o777 if path.exists() else None
        # In the same folder, because a file can only be moved within one file system at once.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _cannot_write(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        temporary.chmod(_usual_mode() if mode is None else mode)  # mkstemp's is for the owner
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: Path, /) -> None:
    """Raise `DataError` now, before long work, if `write_text` would fail later."""
    folder = path.resolve().parent
    if path.is_dir():
        raise DataError(f"Cannot write {path}: it is a folder. Name a file in it.")
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise _cannot_write(path, FileNotFoundError(2, "no such folder, or not yours to write to"))


def _usual_mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def write_csv(frame: pd.DataFrame, path: Path, /) -> None:
    """Write a frame as CSV, floats with the 17 digits that give back every bit."""
    write_text(frame.to_csv(index=False, float_format="%.17g"), path)


def _cannot_write(path: Path, error: OSError) -> DataError:
    return DataError(
        f"Cannot write {path}: {error.strerror or error}. Name a file in a folder "
        "that exists and that you may write to."
    )
