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

    Raises
    ------
    DataError
        If the file cannot be written; the message says why.
    """
    try:
        # In the same folder, because a file can only be moved within one file system at once.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _cannot_write(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)  # mkstemp makes files that only the owner can read
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_csv(frame: pd.DataFrame, path: Path, /) -> None:
    """Write a frame as CSV, floats with the 17 digits that give back every bit."""
    write_text(frame.to_csv(index=False, float_format="%.17g"), path)


def _cannot_write(path: Path, error: OSError) -> DataError:
    return DataError(
        f"Cannot write {path}: {error.strerror or error}. Name a file in a folder "
        "that exists and that you may write to."
    )
