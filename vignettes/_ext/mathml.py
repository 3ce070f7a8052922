r"""LaTeX formulas as MathML, which a browser draws by itself: no script, no font, no network.

latex2mathml reads the formula. What it lets pass in silence (unknown commands and
environments) is an error here, and what today's browsers no longer read (MathML Core
has no bold `mathvariant`, no `columnspacing`) is written in the way they do.
"""

import re
import unicodedata
from xml.etree import ElementTree

from latex2mathml.converter import convert

NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'

# latex2mathml knows only `split` among the aligned ones: they differ in numbering alone.
ALIGNED = {"split", "aligned", "align", "align*"}
TABLES = {"array", "cases", "matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix"}

# Plain `|` has no side; a bar that stretches between \left and \right has one.
FENCES = {
    r"\lvert": r"\left|",
    r"\rvert": r"\right|",
    r"\lVert": r"\left\|",
    r"\rVert": r"\right\|",
}


class FormulaError(ValueError):
    """A formula that cannot be rendered."""


def mathml(latex: str, /, *, display: bool = False) -> str:
    r"""Return a `<math>` element for the LaTeX formula; raise FormulaError if there is none.

    Examples
    --------
    >>> mathml(r"\Gamma_1")
    '<math display="inline"><msub><mi mathvariant="normal">Γ</mi><mn>1</mn></msub></math>'
    """
    try:
        text = convert(prepared(latex), display="block" if display else "inline")
        root = ElementTree.fromstring(text.replace(NAMESPACE, "", 1))
    except ElementTree.ParseError:
        raise FormulaError(f"an `&` outside an environment: {latex}") from None
    except FormulaError:
        raise
    except Exception as error:  # its exceptions share no root, and some are bare IndexErrors
        raise FormulaError(f"{type(error).__name__}: {latex}") from error
    for leaf in root.iter():
        if leaf.tag == "mi" and re.search(r"\\|^[{}$]$", leaf.text or ""):
            raise FormulaError(f"`{leaf.text}` is unknown or out of place: {latex}")
    for parent in list(root.iter()):
        for mend in (
            write_upright,
            write_bold,
            write_tight,
            write_prime,
            space_operator_names,
            fence_tables,
            unwrap_single,
        ):
            mend(parent)
    return ElementTree.tostring(root, encoding="unicode")


def prepared(latex: str) -> str:
    """Spell the formula with the commands that latex2mathml reads."""
    for name in re.findall(r"\\begin\{(.*?)\}", latex):
        if name not in ALIGNED | TABLES:
            raise FormulaError(f"no environment `{name}`; use {sorted(ALIGNED | TABLES)}: {latex}")
    latex = re.sub(r"\\(begin|end)\{(?:aligned|align\*?)\}", r"\\\1{split}", latex.strip())
    latex = re.sub(r"\\[lr][vV]ert(?![a-zA-Z])", lambda match: FENCES[match[0]], latex)
    latex = re.sub(r"\\mathrm\s*(?:\{([a-zA-Z ]+)\}|([a-zA-Z]))", r"\\text{\1\2}", latex)
    if r"\\" in latex and r"\begin" not in latex:
        latex = rf"\begin{{split}}{latex}\end{{split}}"
    return latex


def write_upright(element: ElementTree.Element) -> None:
    """Set capital Greek upright, as TeX does; MathML slants every single letter."""
    if element.tag == "mi" and "Α" <= (element.text or "") <= "Ω":
        element.attrib.setdefault("mathvariant", "normal")


def write_bold(parent: ElementTree.Element) -> None:
    """Replace the attribute by Unicode's bold letters, all that MathML Core knows."""
    variant = parent.get("mathvariant", "")
    if variant.startswith("bold"):
        del parent.attrib["mathvariant"]
        parent.text = "".join(bold(letter, variant) for letter in parent.text or "")


def write_tight(element: ElementTree.Element) -> None:
    """Set ∂R/∂β as TeX does, without the space that MathML leaves around both signs."""
    if element.tag == "mo" and element.text in {"∂", "/"}:
        element.attrib.update(lspace="0", rspace="0")


def write_prime(parent: ElementTree.Element) -> None:
    """Let a prime stand beside its letter: ′ is raised already, and as a script only a speck."""
    for place, child in enumerate(parent):
        if child.tag == "msup" and set(child[1].text or "") == {"′"}:
            prime = ElementTree.Element("mo", lspace="0", rspace="0")
            prime.text = child[1].text
            row = ElementTree.Element("mrow")
            row.extend([child[0], prime])
            parent[place] = row


def bold(letter: str, variant: str) -> str:
    """Return the mathematical bold form of a letter or digit; others have none."""
    name = unicodedata.name(letter, "")
    style = (
        "BOLD" if variant == "bold" or "DIGIT" in name or "GREEK CAPITAL" in name else "BOLD ITALIC"
    )
    plain = re.sub("^(LATIN|GREEK) |LETTER ", "", name)
    try:
        return unicodedata.lookup(f"MATHEMATICAL {style} {plain}")
    except KeyError:
        return letter


def space_operator_names(parent: ElementTree.Element) -> None:
    """Keep `diag(x)` together, `max x` apart: as `mo`, names get the wide space of a relation."""
    for before, leaf, after in zip([None, *parent], parent, [*parent[1:], None], strict=False):
        name = leaf[0] if leaf.tag in {"msub", "msup", "msubsup", "munder"} else leaf
        if name.tag == "mo" and re.fullmatch(r"[a-zA-Z ]+", name.text or ""):
            apart = before is not None and (before.tag != "mo" or before.text in {")", "]"})
            name.set("lspace", "0.167em" if apart else "0")
            closed = after is None or after.tag in {"mo", "mrow"}
            name.set("rspace", "0" if closed else "0.167em")


def fence_tables(parent: ElementTree.Element) -> None:
    """Bind a matrix and its brackets: else all brackets of a row grow to its tallest matrix."""
    for table in parent.findall("mtable"):
        place = list(parent).index(table)
        group = parent[max(place - 1, 0) : place + 2]
        if len(group) == 3 and len(parent) > 3 and group[0].tag == group[2].tag == "mo":
            row = ElementTree.Element("mrow")
            row.extend(group)
            for element in group:
                parent.remove(element)
            parent.insert(place - 1, row)


def unwrap_single(parent: ElementTree.Element) -> None:
    """Drop rows of one element, so that an accent or a script meets its letter."""
    for place, child in enumerate(parent):
        while child.tag == "mrow" and len(child) == 1 and not child.attrib:
            child = child[0]
        parent[place] = child
