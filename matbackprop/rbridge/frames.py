"""pandas objects to nodes and back; pandas is imported only when one is met.

Columns keep their dtypes: float64, int64 (Int64 when an entry is missing), bool (boolean when
an entry is missing), text, and categories that are texts. What R has no word for comes back
changed: float32 as float64, nullable columns without a missing entry as plain ones, integers
beyond 32 bits as float64, and the names of a series or of an index not at all.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from matbackprop.errors import DataError, DtypeError, RCallError
from matbackprop.rbridge.labelled import Labelled
from matbackprop.rbridge.missing import NA_INTEGER
from matbackprop.rbridge.nodes import Node, Strings, character, row_names

ToNode = Callable[[Any, str], Node]
FromNode = Callable[[Node], Any]


def is_pandas(value: object, kind: str, /) -> bool:
    """Tell whether `value` is a pandas object of this kind, without importing pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, getattr(pandas, kind))


def frame_node(table: Any, where: str, array_node: ToNode, /) -> Node:
    """Convert a data frame to R's data.frame.

    Raises
    ------
    DtypeError
        If a column, its name or the index has a kind that R would change.
    DataError
        If an index entry occurs twice, which R's row names cannot.
    """
    for name in table.columns:
        if not isinstance(name, str):
            raise DtypeError(
                f"R cannot be given {where}: the column name {name!r} is not a text. "
                "Rename with `frame.columns = frame.columns.astype(str)`."
            )
    columns = tuple(
        _column_node(table.iloc[:, i], f"{where}[{name!r}]", array_node)
        for i, name in enumerate(table.columns)
    )
    rows = _index_names(table.index, where)
    if rows is not None and not table.index.is_unique:
        twice = table.index[table.index.duplicated()][0]
        raise DataError(
            f"R cannot be given {where}: the index entry {twice!r} occurs twice, but row names "
            "in R are unique. Call `reset_index()` first."
        )
    attributes = {
        "names": character(table.columns),
        "class": character(["data.frame"]),
        "row.names": row_names(rows, len(table)),
    }
    return Node("list", columns, attributes)


def series_node(series: Any, where: str, array_node: ToNode, /) -> Node:
    """Convert a series to a vector, or factor, with its text index as names."""
    node = _column_node(series, where, array_node)
    names = _index_names(series.index, where)
    if names is None:
        return node
    return Node(node.kind, node.payload, {**node.attributes, "names": character(names)})


def categorical_node(values: Any, where: str, /) -> Node:
    """Convert a categorical to a factor: codes from 1, levels as texts."""
    levels = values.categories.tolist()
    for level in levels:
        if not isinstance(level, str):
            raise DtypeError(
                f"R cannot be given {where}: the category {level!r} is not a text, and R's levels "
                "are. Call `.rename_categories(str)` first."
            )
    codes = values.codes.astype(np.int32)
    payload = np.where(codes < 0, NA_INTEGER, codes + 1).astype(np.int32)
    classes = ["ordered", "factor"] if values.ordered else ["factor"]
    return Node("integer", payload, {"levels": character(levels), "class": character(classes)})


def categorical(node: Node, /) -> Any:
    """Convert a factor to `pandas.Categorical`."""
    import pandas as pd

    codes = np.where(node.payload == NA_INTEGER, 0, node.payload) - 1
    ordered = "ordered" in (node.strings("class") or ())
    levels: Any = list(node.strings("levels") or ())
    return pd.Categorical.from_codes(codes.astype(np.int64), categories=levels, ordered=ordered)


def frame(node: Node, vector: FromNode, /) -> Any:
    """Convert R's data.frame to `pandas.DataFrame`.

    Raises
    ------
    RCallError
        If a column is a list, a matrix, or of a class that Python would lose.
    """
    import pandas as pd

    names = node.strings("names") or ()
    rows, labels = _rows(node.attributes["row.names"])
    index = pd.RangeIndex(rows) if labels is None else pd.Index(labels, dtype=_text_dtype())
    columns = {
        i: pd.Series(_column(column, name, vector), index=index)
        for i, (name, column) in enumerate(zip(names, node.payload, strict=True))
    }
    table = pd.DataFrame(columns, index=index)
    table.columns = pd.Index(names, dtype=_text_dtype())
    return table


def _rows(given: Node) -> tuple[int, list[str | None] | None]:
    if given.kind == "character":
        return len(given.payload), list(given.payload)
    numbers = given.payload.tolist()
    if not numbers:
        return 0, None
    if len(numbers) == 2 and numbers[0] == NA_INTEGER:
        # R's compact form: ``c(NA, -n)`` for automatic names, ``c(NA, n)`` for given 1, ..., n.
        if numbers[1] <= 0:
            return -numbers[1], None
        numbers = range(1, numbers[1] + 1)
    return len(numbers), [str(n) for n in numbers]


def _column(node: Node, name: str | None, vector: FromNode) -> Any:
    import pandas as pd

    classes = node.strings("class") or ()
    if "factor" in classes:
        return categorical(node)
    if classes or node.kind in ("list", "NULL") or node.dim is not None:
        raise RCallError(
            f"R returned a data.frame whose column {name!r} is not a plain vector or factor "
            f"({', '.join(map(str, classes)) or node.kind}). Convert that column in R first."
        )
    values = vector(node)
    values = values.values if isinstance(values, Labelled) else values
    if node.kind == "character":
        return pd.array(values.astype(object), dtype=_text_dtype())
    if isinstance(values, np.ma.MaskedArray):
        kind = pd.arrays.IntegerArray if node.kind == "integer" else pd.arrays.BooleanArray
        return kind(np.ma.getdata(values), np.ma.getmaskarray(values))
    return values


def _column_node(column: Any, where: str, array_node: ToNode) -> Node:
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        return categorical_node(column.array, where)
    kind = column.dtype.kind
    if isinstance(column.dtype, np.dtype) and kind in "biuf":
        return array_node(column.to_numpy(), where)
    missing = column.isna().to_numpy()
    if kind in "biu":
        # The fill value never shows: the mask covers it.
        numbers = column.to_numpy(dtype=f"{kind}{column.dtype.itemsize}", na_value=0)
        return array_node(np.ma.MaskedArray(numbers, mask=missing), where)
    if kind == "f":
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return array_node(np.ma.MaskedArray(numbers, mask=missing), where)
    if kind == "O" or isinstance(column.dtype, pd.StringDtype):
        texts = column.to_numpy(dtype=object).copy()
        texts[missing] = None
        return array_node(texts, where)
    raise DtypeError(
        f"R cannot be given {where}: its dtype {column.dtype} has no lossless form in R here. "
        "Convert it to numbers, texts or categories first."
    )


def _index_names(index: Any, where: str) -> Strings | None:
    import pandas as pd

    if isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1:
        return None
    names = index.tolist()
    if index.nlevels > 1 or any(not isinstance(name, str) for name in names):
        raise DtypeError(
            f"R cannot be given {where}: its index is neither 0, 1, 2, ... nor made of texts, as "
            "R's names are. Call `reset_index()`, or `index.astype(str)`, first."
        )
    return tuple(names)


def _text_dtype() -> Any:
    import pandas as pd

    # pandas 3 has a text dtype of its own for what pandas 2 kept as objects.
    return pd.Series(["text"]).dtype
