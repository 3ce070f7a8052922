"""The checkpoint of a fit: a log of what each pass over the rows answered.

SciPy's optimisers keep what they have learned to themselves, so that their state cannot be saved.
But they are deterministic: given the same answers they ask the same questions. Whoever goes on
with a fit starts it anew and answers from the log, without a pass over the rows, until the log is
at its end. From there on the path is, to the last bit, what it would have been.

The file, little-endian: the line ``matbackprop fit log 1``; the length of the header in bytes, as
a 4-byte integer; the header, JSON; then a record for each pass: the SHA-256 of θ (32 bytes), the
loss (float64), the gradient (P float64), and the first 16 bytes of the SHA-256 of what comes
before. A last record that was not written whole is dropped.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from matbackprop._typing import Array
from matbackprop.errors import DataError, OptionError
from matbackprop.reporting import check_writable

_MAGIC = b"matbackprop fit log 1\n"
_CALL = "problem.fit(start, checkpoint=)"


class FitLog:
    """Answers of passes, by the order in which they were asked for; appended to when new.

    Parameters
    ----------
    path
        The file; it is made if it is not there.
    header
        What has to be the same for the answers to be: by name, JSON values.
    P
        How many parameters there are.

    Raises
    ------
    DataError
        If the file cannot be written, or is no such log.
    OptionError
        If it is the log of another fit; the message says what differs. It is left as it is.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], P: int) -> None:
        check_writable(path)
        self._path, self._P = path, P
        self._size = 32 + 8 + 8 * P + 16
        text = json.dumps(header, sort_keys=True).encode()
        start = _MAGIC + struct.pack("<I", len(text)) + text
        found = path.stat().st_size if path.exists() else 0
        if found:
            self._check(json.loads(text))
        try:
            self._file = _opened(path, "r+b" if found else "w+b")
        except OSError as error:
            raise DataError(
                f"`{_CALL}` cannot have {path} for itself: {error.strerror}. Another fit may be "
                "writing to it; name another file."
            ) from error
        if not found:
            self._file.write(start)
            self._file.flush()
        self._file.seek(len(start))
        self._replaying = True

    def answer(self, theta: Array, /) -> tuple[float, Array] | None:
        """Return loss and gradient as the log has them; None once it is at its end.

        Raises
        ------
        OptionError
            If the log's next answer is to another question.
        """
        if not self._replaying:
            return None
        here = self._file.tell()
        record = self._file.read(self._size)
        if len(record) < self._size or _digest(record[:-16])[:16] != record[-16:]:
            self._replaying = False
            self._file.seek(here)
            self._file.truncate()
            return None
        if record[:32] != _digest(theta.tobytes()):
            raise OptionError(
                f"`{_CALL}`: the answers in {self._path} are to other parameters than this fit "
                "asks for: they were made with other options, by another version of SciPy, or on "
                "another machine. Name another file to begin anew."
            )
        numbers = np.frombuffer(record[32:-16], dtype="<f8").astype(np.float64)
        return float(numbers[0]), numbers[1:]

    def append(self, theta: Array, loss: float, gradient: Array, /) -> None:
        """Write down the answer of a pass, and see to it that it is on the disk."""
        record = _digest(theta.tobytes()) + np.array([loss, *gradient], dtype="<f8").tobytes()
        self._file.write(record + _digest(record)[:16])
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _check(self, ours: Mapping[str, Any]) -> None:
        """Raise unless the file is a log of this very fit."""
        with self._path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise DataError(
                    f"`{_CALL}`: {self._path} is there already and is not the log of a fit. "
                    "Name another file; this one was left as it is."
                )
            try:
                (length,) = struct.unpack("<I", file.read(4))
                theirs = dict(json.loads(file.read(length)))
            except (struct.error, ValueError, TypeError) as error:
                raise DataError(
                    f"`{_CALL}`: {self._path} is the log of a fit whose first lines were not "
                    "written whole; there is nothing in it. Remove it, or name another file."
                ) from error
        names = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
        if names:
            raise OptionError(
                f"`{_CALL}`: {self._path} is the log of another fit; it differs in "
                f"{', '.join(names)}. Name another file; this one was left as it is."
            )


def _opened(path: Path, mode: str) -> BinaryIO:
    """Open a file, and keep other processes from it where the system knows how."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        return path.open(mode)  # type: ignore[return-value]
    file: Any = path.open(mode)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def fingerprint(*arrays: Array | None) -> str:
    """Return a text that differs where a bit of the arrays does.

    Examples
    --------
    >>> fingerprint(np.zeros(2)) == fingerprint(np.array([0.0, -0.0]))
    False
    """
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
