"""Join what a cell prints, piece by piece, into the text it printed.

R writes a matrix entry by entry, and rpy2 hands on each entry by itself. myst-nb's own
joining (`nb_merge_streams`) ends every piece with a new line, which takes the matrix apart.
"""

from typing import Any

from myst_nb.core import render
from nbformat import NotebookNode
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Put `joined` in the place of myst-nb's function."""
    render.coalesce_streams = joined
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return the outputs with neighbouring pieces of one stream as one output."""
    result: list[NotebookNode] = []
    for output in outputs:
        before = result[-1] if result else {}
        if output["output_type"] == "stream" and before.get("name") == output["name"]:
            result[-1] = NotebookNode(before, text=before["text"] + output["text"])
        else:
            result.append(output)
    return result
