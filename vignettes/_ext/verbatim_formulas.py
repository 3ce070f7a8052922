"""Docstrings set formulas as indented blocks; reStructuredText would run their lines together."""

from typing import Any

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Run before napoleon (priority 500), which moves the blocks about."""
    app.connect("autodoc-process-docstring", on_docstring, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def on_docstring(
    app: Sphinx, kind: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Sphinx's event: mend `lines` in place."""
    lines[:] = verbatim(lines)


def verbatim(lines: list[str]) -> list[str]:
    """Put `::` before every indented block that follows a blank line.

    Examples
    --------
    >>> verbatim(["The sum", "", "    y = x", "      + 1", "", "is y."])
    ['The sum', '', '::', '', '    y = x', '      + 1', '', 'is y.']
    """
    result: list[str] = []
    margin = 0  # of the paragraph that stands before
    inside = False
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if line.strip():
            inside = inside and indent > margin
            if not inside:
                opens = indent > margin and bool(result) and not result[-1]
                marked = starts_block(result)
                if opens and not marked:
                    result += [" " * margin + "::", ""]
                if opens:
                    inside = True
                else:
                    margin = indent
        result.append(line)
    return result


def starts_block(lines: list[str]) -> bool:
    """Tell whether the last paragraph already announces an indented block."""
    text = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return text.endswith("::") or text.startswith(("..", "- ", "* ", ">>>"))
