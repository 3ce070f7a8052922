"""What crosses from R to Python crosses whole: every bit, type, name and dimension."""

import json
import string
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.r

NA_LOW_WORD = 1954  # R's NA is a NaN with this payload


def token(bits: int) -> str | bytes:
    """What must arrive for a double: its own eight bytes, or the name of a special value."""
    value = struct.unpack("<d", struct.pack("<Q", bits))[0]
    if np.isnan(value):
        return "NA" if bits & 0xFFFFFFFF == NA_LOW_WORD else "NaN"
    if np.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return struct.pack("<Q", bits)


def arrived(value: float | int | str) -> str | bytes:
    return value if isinstance(value, str) else struct.pack("<d", value)


def test_doubles_keep_every_bit(tmp_path: Path, r_json: Callable[..., Any]) -> None:
    rng = np.random.default_rng(20180220)
    special = np.array(
        [
            *(0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, -5e-324, 2.2250738585072014e-308),
            *(1.7976931348623157e308, 0.1, 1e22, 2.0**53, 1 / 3, 123456789012345678.0),
        ],
    ).view(np.uint64)
    na = np.array([0x7FF00000000007A2, 0x7FF80000000007A2], dtype=np.uint64)
    subnormal = rng.integers(0, 2**52, 500, dtype=np.uint64)
    anything = rng.integers(0, 2**64, 20_000, dtype=np.uint64)
    bits = np.concatenate([special, na, subnormal, subnormal | np.uint64(1 << 63), anything])
    path = tmp_path / "doubles"
    path.write_bytes(bits.tobytes())
    node = r_json(f'readBin("{path}", "double", {bits.size}, endian = "little")')
    assert node["type"] == "double"
    assert [arrived(v) for v in node["values"]] == [token(b) for b in bits.tolist()]


STRINGS = [
    "",
    "plain",
    'a "quoted" word',
    "back\\slash, \\n that is none",
    "line\nbreak\r\n\ttab",
    "".join(map(chr, range(1, 32))) + "\x7f",
    "Γ₁ ⊗ 1 − ∂R/∂β",
    "é combining e\u0301",
    "\U0001f600\U0010ffff",
    "\u2028\ufeff\ufffd",
    string.printable,
    "NA",
    "null",
]


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("pretty", ["FALSE", "TRUE"])
def test_strings(locale: str, pretty: str, run_r: Callable[..., Any], tmp_path: Path) -> None:
    raw = [f'utf8("{text.encode().hex()}")' for text in STRINGS]
    done = run_r(
        f"""utf8 <- function(hex) {{
          if (hex == "") return("")
          at <- seq_len(nchar(hex) / 2) * 2
          text <- rawToChar(as.raw(strtoi(substring(hex, at - 1, at), 16L)))
          Encoding(text) <- "UTF-8"
          text
        }}
        x <- c({", ".join(raw)}, NA)
        cat(to_json(list(x, c(a = 1), structure(1, names = x[7])), pretty = {pretty}))""",
        env={"LC_ALL": locale},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    text, _, named = json.loads(done.stdout)["values"]
    assert text == {"type": "character", "values": [*STRINGS, None]}
    assert named["names"] == [STRINGS[6]]


def test_latin1_becomes_unicode(r_json: Callable[..., Any]) -> None:
    setup = 'x <- "\\xe9t\\xe9"; Encoding(x) <- "latin1"'
    assert r_json("x", setup=setup)["values"] == ["été"]


CASES: dict[str, Any] = {
    "NULL": None,
    "5": {"type": "double", "values": [5]},
    "-7:-6": {"type": "integer", "values": [-7, -6]},
    "c(2147483647L, NA, -2147483647L)": {
        "type": "integer",
        "values": [2147483647, "NA", -2147483647],
    },
    "c(TRUE, NA, FALSE)": {"type": "logical", "values": [True, "NA", False]},
    "c(a = 1, 2)": {"type": "double", "names": ["a", ""], "values": [1, 2]},
    "numeric(0)": {"type": "double", "values": []},
    "character(0)": {"type": "character", "values": []},
    "matrix(0, 0, 3)": {"type": "double", "dim": [0, 3], "values": []},
    "matrix(1:4, 2)": {"type": "integer", "dim": [2, 2], "values": [1, 2, 3, 4]},
    "array(1:3)": {"type": "integer", "dim": [3], "values": [1, 2, 3]},
    'array(1:2, 2, list(c("u", "v")))': {
        "type": "integer",
        "dim": [2],
        "dimnames": [["u", "v"]],
        "values": [1, 2],
    },
    'array(1:4, c(2, 1, 2), list(NULL, "m", c("u", "v")))': {
        "type": "integer",
        "dim": [2, 1, 2],
        "dimnames": [None, ["m"], ["u", "v"]],
        "values": [1, 2, 3, 4],
    },
    'factor(c("lo", NA, "hi"), c("lo", "hi"))': {
        "type": "factor",
        "levels": ["lo", "hi"],
        "values": [1, "NA", 2],
    },
    'factor("b", c("a", "b"), ordered = TRUE)': {
        "type": "factor",
        "ordered": True,
        "levels": ["a", "b"],
        "values": [2],
    },
    "list()": {"type": "list", "values": []},
    "list(a = NULL, list(b = list(-0)))": {
        "type": "list",
        "names": ["a", ""],
        "values": [
            None,
            {
                "type": "list",
                "values": [],
            }
            | {
                "names": ["b"],
                "values": [{"type": "list", "values": [{"type": "double", "values": [-0.0]}]}],
            },
        ],
    },
    'data.frame(x = c(1.5, NA), t = c("u", NA), k = factor(c("p", "q")))': {
        "type": "data.frame",
        "names": ["x", "t", "k"],
        "row_names": None,
        "columns": [
            {"type": "double", "values": [1.5, "NA"]},
            {"type": "character", "values": ["u", None]},
            {"type": "factor", "levels": ["p", "q"], "values": [1, 2]},
        ],
    },
    "data.frame(x = 1:3)[c(3, 1), , drop = FALSE]": {
        "type": "data.frame",
        "names": ["x"],
        "row_names": ["3", "1"],
        "columns": [{"type": "integer", "values": [3, 1]}],
    },
    "data.frame()": {"type": "data.frame", "names": [], "row_names": None, "columns": []},
    "scale(matrix(c(1, 3), 2), scale = FALSE)": {
        "type": "double",
        "dim": [2, 1],
        "values": [-1, 1],
    },
}


@pytest.fixture(scope="module", params=["FALSE", "TRUE"], ids=["one-line", "pretty"])
def nodes(request: pytest.FixtureRequest, run_r: Callable[..., Any]) -> Any:
    done = run_r(f"cat(to_json(list({', '.join(CASES)}), pretty = {request.param}))")
    assert done.returncode == 0, done.stderr
    assert ("\n" in done.stdout) == (request.param == "TRUE")
    return json.loads(done.stdout)["values"]


@pytest.mark.parametrize("expression", CASES)
def test_nodes(expression: str, nodes: list[Any]) -> None:
    node = nodes[list(CASES).index(expression)]
    # repr, because 1 == True and -0.0 == 0.0
    assert repr(sorted_keys(node)) == repr(sorted_keys(CASES[expression]))


def sorted_keys(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: sorted_keys(node[key]) for key in sorted(node)}
    return [sorted_keys(item) for item in node] if isinstance(node, list) else node
