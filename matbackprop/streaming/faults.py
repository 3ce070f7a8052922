"""What is said where the rows are not those of the first look."""

from __future__ import annotations

from matbackprop.errors import DataError


def other_rows(call: str, found: int, wanted: int, /) -> DataError:
    """Return the error for a pass over another number of rows.

    Examples
    --------
    >>> print(other_rows("problem.loss(par)", 200, 300))
    `problem.loss(par)` passed over 200 rows, where the first look had found 300. ...
    """
    return DataError(
        f"`{call}` passed over {found:,} rows, where the first look had found {wanted:,}. A source "
        "has to yield the same rows every time; make the problem anew if they have changed."
    )
