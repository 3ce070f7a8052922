"""Sphinx's formulas through `mathml`; one that cannot be rendered is a warning with its place."""

from typing import Any

from docutils.nodes import Element, SkipNode
from mathml import FormulaError, mathml
from sphinx.application import Sphinx
from sphinx.util.logging import getLogger
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

logger = getLogger(__name__)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer; `html_math_renderer = "mathml"` chooses it."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def visit_inline(self: HTML5Translator, node: Element) -> None:
    """Write a formula within a line."""
    self.body.append(rendered(self, node, display=False))
    raise SkipNode


def visit_block(self: HTML5Translator, node: Element) -> None:
    """Write a displayed formula, with its number and a link to it where it has a label."""
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    self.body.append(rendered(self, node, display=True))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise SkipNode


def rendered(self: HTML5Translator, node: Element, *, display: bool) -> str:
    """Return the MathML, or the source beside a warning, which fails a build under -W."""
    try:
        return mathml(node.astext(), display=display)
    except FormulaError as error:
        logger.warning("formula: %s", error, location=node, type="mathml")
        return f"<code>{self.encode(node.astext())}</code>"
