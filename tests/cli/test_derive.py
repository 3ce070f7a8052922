"""`matbackprop derive`: what it prints, what it writes, and what it says when it cannot."""

import io
import json
import os
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import pytest

from matbackprop import symbolic
from matbackprop.cli import app
from matbackprop.cli.derive_command import EMIT
from matbackprop.cli.derive_guide import GUIDE
from matbackprop.symbolic.expressions.nodes import Total
from matbackprop.symbolic.expressions.tables import PULLBACK

LEAST_SQUARES = ("norm2(X*b-y)^2", "--shape", "X:n,p b:p y:n")
EXAMPLES = [
    shlex.split(block.partition("\n\n")[0].replace("\\\n", " "))
    for block in GUIDE.split("\n  matbackprop ")[1:]
]


class Done(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str


def run(*arguments, text=""):
    out, err = io.StringIO(), io.StringIO()
    given = io.TextIOWrapper(io.BytesIO(text if isinstance(text, bytes) else text.encode()))
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        patch("sys.stdin", given),
        pytest.raises(SystemExit) as end,
    ):
        app(["derive", *arguments])
    return Done(end.value.code, out.getvalue(), err.getvalue())


def printed(*arguments, text=""):
    done = run(*arguments, text=text)
    assert done.exit_code == 0, done.stderr
    return done.stdout


class TestGuide:
    def test_without_arguments(self):
        assert printed() == GUIDE

    def test_it_fits_a_narrow_terminal_without_unicode(self):
        assert GUIDE.isascii()
        assert max(map(len, GUIDE.splitlines())) <= 80

    @pytest.mark.parametrize("example", EXAMPLES, ids=["text", "steps", "r"])
    def test_every_example_runs(self, example, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert "∂L/∂" in printed(*example[1:]) or (tmp_path / "logistic.R").exists()

    def test_there_are_three_examples(self):
        assert len(EXAMPLES) == 3
        assert all(example[0] == "derive" for example in EXAMPLES)

    def test_every_word_of_its_notation_is_one(self):
        shapes = "A:n,n B:n,n X:n,p b:p y:n s v:n"
        for text in ("A*B + A' + A^2 + s*A + A/s", "A.*B + A./B + A.^2 + exp(A)"):
            printed(f"sum({text})", "--wrt", "A", "--shape", shapes)
        for text in ("inv(A)", "det(A)", "logdet(A)", "tr(A)", "norm1(A)", "norm2(A)"):
            said = [f"sum({text})", "--wrt", "A", "--shape", shapes, "--domain", "A:well"]
            assert text in GUIDE
            printed(*said)
        for text in ("diagvec(A)", "kron(A, B)", "vec(A)"):
            assert text in GUIDE
            printed(f"sum({text})", "--wrt", "A", "--shape", shapes)
        printed("E = X*b - y; E'*E", "--wrt", "b", "--shape", shapes)


class TestText:
    def test_source_result_and_certificate(self):
        text = printed(*LEAST_SQUARES, "--wrt", "b")
        source, result, proof = text.split("\n\n")
        assert source == "  L = norm2(X*b-y)^2"
        assert result == "  ∂L/∂b = 2*X'*(X*b-y)"
        assert proof.startswith("Checked at 3 random points (n=6, p=3) against a complex step")

    def test_it_answers_in_the_notation_of_the_question(self):
        text = printed(
            "e <- X %*% b - y; sum(e^2)", "--notation", "r", "--wrt", "b", *LEAST_SQUARES[1:]
        )
        assert "  e <- X %*% b - y\n  L <- sum(e^2)\n" in text
        assert "∂L/∂b = 2 * t(X) %*% e\n" in text

    def test_a_single_definition_keeps_its_name(self):
        text = printed("f = sum(X)", "--wrt", "X", "--shape", "X:n,p")
        assert text.startswith("  f = sum(X)\n\n  ∂f/∂X = ones(n, p)\n")

    @pytest.mark.parametrize("shapes", ["L:n", "X:L"])
    def test_the_source_is_not_called_as_something_in_it(self, shapes):
        name = shapes[0]
        assert printed(f"sum({name})", "--wrt", name, "--shape", shapes).startswith("  R = sum(")

    @pytest.mark.parametrize("wrt", [["b,X"], ["b, X"], ["b", "--wrt", "X"], ["b,X,b"]])
    def test_several_variables(self, wrt):
        text = printed(*LEAST_SQUARES, "--wrt", *wrt)
        assert text.count("∂L/∂") == 2
        assert "∂L/∂X = 2*(X*b-y)*b'" in text
        assert "\nb: checked at" in text
        assert "\nX: checked at" in text

    def test_kinds(self):
        text = printed("x'*A*x", "--wrt", "x", "--shape", "x:n A:n,n", "--kind", "hessian")
        assert "∂²L/(∂x∂xᵀ) = A + A'" in text
        assert "(allowed 1e-6)" in text
        text = printed("X*b", "--wrt", "b", "--shape", "X:n,p b:p", "--kind", "jacobian")
        assert "∂F/∂bᵀ = X" in text

    def test_assumptions_domains_and_vech(self):
        known = ("--shape", "S:p,p", "--assume", "S:spd", "--domain", "S: spd")
        assert "∂L/∂S = inv(S)\n" in printed("logdet(S)", "--wrt", "S", *known)
        text = printed("logdet(S)", "--wrt", "S", *known, "--vech")
        assert "∂L/∂vech(S) = D(p)'*vec(inv(S))\n" in text

    def test_points_seed_and_tolerance_reach_the_certificate(self):
        said = (*LEAST_SQUARES, "--wrt", "b", "--points", "2", "--seed", "7", "--tolerance", "1e-5")
        certificate = json.loads(printed(*said, "--json"))["certificate"]
        assert (certificate["points"], certificate["seed"]) == (2, 7)
        assert certificate["tolerance"] == 1e-5

    def test_a_leading_minus_is_no_option(self):
        assert "∂L/∂b = -2*b\n" in printed("-b'*b", "--wrt", "b", "--shape", "b:n")

    def test_standard_input(self):
        text = "E = X*b - y;\nsum(E.^2)\n"
        assert "∂L/∂b = 2*X'*E\n" in printed("-", "--wrt", "b", *LEAST_SQUARES[1:], text=text)

    @pytest.mark.parametrize(
        "shapes",
        [
            ["X:n,p", "--shape", "lam"],
            ["X:n,p lam"],
            ["lam: X:n,p"],
            ["lam:  X : n, p"],
            ["lam:; X:n,p;"],
            ["X: n ,p\nlam:"],
        ],
    )
    def test_ways_to_write_shapes(self, shapes):
        text = printed("lam*sum(X)", "--wrt", "X,lam", "--shape", *shapes)
        assert "∂L/∂X = lam*ones(n, p)\n" in text
        assert "∂L/∂λ = sum(X)\n" in text


class TestEmit:
    def test_each_is_what_the_library_gives(self):
        L = symbolic.parse(LEAST_SQUARES[0], shapes={"X": ("n", "p"), "b": ("p", 1), "y": ("n", 1)})
        d = symbolic.derive(L, "b")
        given = {
            "steps": d.to_text(140),
            "latex": d.to_latex(),
            "numpy": d.to_numpy(),
            "r": d.to_r(),
            "myst": d.to_myst(),
            "html": d.to_html(),
        }
        assert set(EMIT) == {*given, "text", "json"}
        for name, text in given.items():
            assert printed(*LEAST_SQUARES, "--wrt", "b", "--emit", name).strip() == text.strip()

    def test_json(self):
        text = printed(*LEAST_SQUARES, "--wrt", "b", "--json")
        data = json.loads(text)
        assert data["result"]["r"] == "2 * t(X) %*% (X %*% b - y)"
        assert data["certificate"]["ok"] is True
        assert text == printed(*LEAST_SQUARES, "--wrt", "b", "--json", "--emit", "json")
        assert set(json.loads(printed(*LEAST_SQUARES, "--wrt", "b,y", "--json"))) == {"b", "y"}

    def test_the_notation_is_kept(self):
        said = ("sum((X %*% b)^2)", "--notation", "r", "--wrt", "b", *LEAST_SQUARES[1:])
        assert json.loads(printed(*said, "--json"))["expression"] == "sum((X %*% b)^2)"
        assert "value of `sum((X %*% b)^2)`" in printed(*said, "--emit", "r")

    def test_the_code_of_several_variables_runs(self, rng):
        code = printed(*LEAST_SQUARES, "--wrt", "b,y", "--emit", "numpy")
        functions = {}
        exec(code, functions)
        X, b, y = rng.standard_normal((5, 2)), rng.standard_normal(2), rng.standard_normal(5)
        gradient = functions["gradient"](X, b, y)
        e = X @ b - y
        np.testing.assert_allclose(gradient["b"].ravel(), 2 * X.T @ e, rtol=1e-12)
        np.testing.assert_allclose(gradient["y"].ravel(), -2 * e, rtol=1e-12)


class TestOutput:
    @pytest.mark.parametrize(
        ("name", "start"),
        [
            ("page.html", "<!doctype html>"),
            ("page.HTM", "<!doctype html>"),
            ("code.py", "import numpy"),
            ("code.R", "#' Return the value"),
            ("line.tex", r"\frac{\partial L}"),
            ("page.md", "**Gradient with respect to $b$ (p×1)**"),
            ("data.json", "{\n"),
            ("result.txt", "  L = norm2"),
            ("result", "  L = norm2"),
        ],
    )
    def test_the_ending_tells_what_is_written(self, tmp_path, name, start):
        path = tmp_path / name
        said = printed(*LEAST_SQUARES, "--wrt", "b", "-o", str(path))
        text = path.read_text(encoding="utf-8")
        assert text.startswith(start)
        assert text.endswith("\n")
        assert said.startswith(f"wrote {path} (")
        assert said.count("\n") == 1

    def test_what_was_asked_for_goes_before_the_ending(self, tmp_path):
        path = tmp_path / "notes.md"
        for option in (["--emit", "json"], ["--json"]):
            printed(*LEAST_SQUARES, "--wrt", "b", "--output", str(path), *option)
            assert json.loads(path.read_text(encoding="utf-8"))["wrt"] == "b"

    def test_an_error_leaves_the_old_file(self, tmp_path):
        path = tmp_path / "code.R"
        path.write_text("mine")
        assert run("X*b", "--wrt", "b", *LEAST_SQUARES[1:], "-o", str(path)).exit_code == 2
        assert path.read_text() == "mine"


B = ("--wrt", "b", *LEAST_SQUARES[1:])


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (["--wrt", "b"], "needs an expression: derive"),
            ([" ", *B], "needs an expression"),
            ([LEAST_SQUARES[0]], "needs the shape of X, b, y. Add --shape X:n,p if X is a matrix"),
            (["X*beta", *B], "needs the shape of beta; it has that of X, b, y. Add --shape beta:"),
            ([*LEAST_SQUARES], "which has X, b, y: add --wrt X."),
            ([*LEAST_SQUARES, "--wrt", "z"], "needs a variable of the expression; got 'z'"),
            (["norm2(X*b-y", *B], "`derive --notation matlab` came to the end of the text"),
            (["b*X", *B], "got p×1 and n×p."),
            (["X*b", *B], "needs a scalar; got n×1: the Jacobian of a matrix is `--kind jacobian`"),
            (["X*b", *B, "--kind", "hessian"], "`derive --kind hessian` needs a scalar"),
            (["sum(X)", "--kind", "jacobian", *B], "`derive --kind jacobian` needs a variable of"),
            (["sum(b)", *B, "--vech"], "`derive --vech` needs a symmetric variable; b is not"),
            (["sum(b)", *B, "--vech"], "Say `--assume b:symmetric`."),
            (["b'*b", *B, "--vech", "--kind", "hessian"], "--vech` is of gradients; got --kind"),
            (
                ["sum(b)", *B, "--assume", "Z:spd"],
                "got --assume for Z, which has no shape; --shape",
            ),
            (["sum(b)", *B, "--domain", "Z:unit"], "got --domain for Z, which has no shape"),
            (
                ["sum(b)", *B, "--assume", "X:big"],
                "no assumption 'big', given for X; there are sym",
            ),
            (["sum(b)", *B, "--domain", "b:big"], "knows no domain 'big', given for b"),
            (["sum(b)", *B, "--assume", "X"], "cannot read --assume 'X'. Write `--assume S:spd`"),
            (["sum(b)", *B, "--shape", "q=n"], "cannot read --shape 'q=n'. Write `--shape X:n,p`"),
            (
                ["sum(b)", *B, "--shape", "q:n:p"],
                '`--shape "X:n,p …"` or `--shape X:n,p --shape …`',
            ),
            (["sum(b)", *B, "--shape", "b:n"], "got --shape of b twice, 'p' and 'n'."),
            (["sum(q)", "--wrt", "q", "--shape", "q:n,"], "A dimension is a whole number"),
            (
                ["X", "--wrt", "X", "--shape", "X:n,p,q"],
                "Write --shape X:n,p for a matrix, --shape",
            ),
            (["X", "--wrt", "X", "--shape", "X:n.5,p"], "cannot read the shape of X, 'n.5,p'. A"),
            (["n*n", "--wrt", "n", "--shape", "n:n"], "n both as a variable and as a size of n"),
            (["sum(b)", *B, "--tolerance", "0"], "a finite --tolerance > 0; got 0.0. Leave it out"),
            (["1e400*sum(b)", *B], "`derive --notation matlab`: numbers go to 1.8e308"),
            (["sum(b)", *B, "--kind", "third"], 'knows kind = "gradient", "jacobian", "hessian"'),
            (["sum(b)", *B, "--emit", "pdf"], 'knows emit = "text", "steps", "latex"'),
            (["sum(b)", *B, "--notation", "apl"], 'knows notation = "matlab", "r"; got'),
            (["sum(b)", *B, "--emit", "r", "--json"], "got --json and --emit r. Leave one out."),
            (["sum(b)", *B, "--points", "0"], "needs an integer points >= 1; got 0"),
            (["sum(b)", *B, "--seed", "-1"], "needs an integer seed >= 0; got -1"),
            (["sum(b)", *B, "--tolerance", "nan"], "needs a finite --tolerance > 0; got nan"),
            (
                ["sum(b)", *B, "-o", "/no/such/x"],
                "Cannot write /no/such/x: there is no such folder",
            ),
            (
                ["sum(log(b))", "--wrt", "b", "--shape", "b:60"],
                "at any of 50 points drawn: b needs a domain, e.g. --domain b:positive.",
            ),
        ],
    )
    def test_one_message_and_status_two(self, arguments, text):
        done = run(*arguments)
        assert done.exit_code == 2
        assert text in done.stderr
        assert done.stderr.startswith("matbackprop: ")
        assert "Traceback" not in done.stderr
        assert done.stdout == ""

    def test_a_refused_certificate_prints_no_derivative(self, monkeypatch):
        right = PULLBACK[Total]
        damaged = {Total: lambda node, G, i: 2 * right(node, G, i)}
        monkeypatch.setattr(PULLBACK, "_rules", PULLBACK._rules | damaged)
        done = run("sum(exp(b))", "--wrt", "b", "--shape", "b:n")
        assert done.exit_code == 2
        assert "The gradient with respect to b is refuted and not returned" in done.stderr
        assert done.stdout == ""

    def test_standard_input_that_is_no_text(self):
        done = run("-", *B, text=b"\xff")
        assert done.exit_code == 2
        assert "reads UTF-8; standard input is not" in done.stderr


class TestProcess:
    def test_the_streams_and_the_status(self):
        command = [sys.executable, "-m", "matbackprop", "derive"]
        environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
        options = {"capture_output": True, "encoding": "utf-8", "env": environment, "timeout": 120}
        done = subprocess.run([*command, *LEAST_SQUARES, "--wrt", "b"], **options)
        assert (done.returncode, done.stderr) == (0, "")
        assert "∂L/∂b = 2*X'*(X*b-y)" in done.stdout
        done = subprocess.run([*command, "X*b", "--wrt", "b"], **options)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("matbackprop: `derive` needs the shape of X, b.")

    def test_the_command_line_starts_light(self):
        code = "import sys, matbackprop.cli; print(*sys.modules)"
        loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
        heavy = {"pandas", "matplotlib", "rpy2", "torch", "numba", "dask"}
        assert not heavy & {name.partition(".")[0] for name in loaded}
