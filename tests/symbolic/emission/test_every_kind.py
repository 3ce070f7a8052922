"""Every kind of node, as NumPy and as R code, against `evaluate`; a kind left out is an error."""

import inspect
from fractions import Fraction

import numpy as np
import pytest

from matbackprop.rbridge import connect
from matbackprop.symbolic import simplify
from matbackprop.symbolic.emission import operations, to_numpy, to_r
from matbackprop.symbolic.emission.lowering import LOWERED
from matbackprop.symbolic.emission.numpy_rules import NUMPY
from matbackprop.symbolic.emission.program import Program
from matbackprop.symbolic.emission.r_rules import R
from matbackprop.symbolic.expressions import expression, nodes
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    MatMul,
    Number,
    Power,
    Size,
    Transpose,
    Variable,
)
from matbackprop.symbolic.expressions.functions import FUNCTIONS
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Assemble,
    Centering,
    ColSum,
    Commutation,
    Det,
    Diag,
    DiagVec,
    Differential,
    Duplication,
    Identity,
    Inverse,
    Item,
    Kron,
    LogDet,
    LogSumExp,
    MatrixPower,
    Named,
    Norm1,
    Norm2,
    Ones,
    Rearrange,
    Reshape,
    RowSum,
    Softmax,
    Total,
    Trace,
    Vec,
    Zeros,
)
from matbackprop.symbolic.expressions.tables import MissingRuleError

SIZES = {
    "usual": {"n": 6, "p": 3, "q": 4, "k": 2, "g": 2, "h": 3},
    "one row": {"n": 1, "p": 3, "q": 4, "k": 2, "g": 2, "h": 3},
    "one column": {"n": 6, "p": 1, "q": 4, "k": 2, "g": 2, "h": 3},
    "all one": {"n": 1, "p": 1, "q": 1, "k": 1, "g": 1, "h": 1},
}


def variable(name, *shape, flags=()):
    return Variable(name, tuple(map(Dim.of, shape)), flags)


n, p, q, k = map(Dim.of, "npqk")
X, W, Y = variable("X", "n", "p"), variable("W", "p", "q"), variable("Y", "n", "p")
A, B, S = variable("A", "p", "p"), variable("B", "p", "p"), variable("S", "p", "p", flags=("spd",))
u, v, w = variable("u", "n", 1), variable("v", "p", 1), variable("w", "p", 1)
r, s = variable("r", 1, "p"), Variable("s", ())
E, F = variable("E", "k", "p"), variable("F", "q", "k")
rows, columns = Broadcast(r, n, p), Broadcast(u, n, p)
x, vech, lone = variable("x", "p*q", 1), variable("vech", "p*(p+1)/2", 1), Broadcast(s, 1, 1)
M = variable("M", "g*h", "q")
wide = Broadcast(Vec(variable("T", "q", "q")).T, "g*h*p", "q*q")
positive = X * X + 1
repeated = Named("shared", X * Y)

CASES = {
    "number": Number(Fraction(1, 3)) * s + Number(-2),
    "large number": Number(10**20) * s + Number(2**60) + Number(Fraction(1, 10**7)),
    "size": Size("n") * s + Size("n*(n+1)") + Size("n-2*p+3"),
    "halves of sizes": Size("n*(n+1)/2") * s + Total(Ones("p*(p+1)/2", "n")) - Size("3*p*(p+1)/2"),
    "product of sizes": Size("n") * Size("n") * s + Size("n*p"),
    "power of a size": Size("n") ** -2 * s,
    "zeros": Zeros(n, p) + X,
    "zeros alone": Zeros(n, p),
    "ones": Ones(n, p) @ W,
    "ones alone": Ones(n, p),
    "outer ones": MatMul(u, Ones(1, "p")) + MatMul(Ones(n, 1), r),
    "sum of all ones": Item(MatMul(Ones(1, "n"), Ones("n", 1))) * s,
    "identity": Identity(p) + A,
    "identity in a product": MatMul(Identity(n), X, Identity(p)),
    "only identities": MatMul(Identity(p), Identity(p)),
    "centering": Centering(n),
    "centred columns": MatMul(Centering(n), X),
    "centred column": MatMul(Centering(n), u),
    "centred rows": MatMul(X, Centering(p)),
    "centred row": MatMul(r, Centering(p)),
    "means of both signs": Apply("exp", -MatMul(Centering(n), X))
    + MatMul(Centering(n), X)
    + Apply("exp", -MatMul(X, Centering(p))) * MatMul(X, Centering(p)),
    "centring between": MatMul(X.T, Centering(n), Y),
    "commutation": Commutation(p, q),
    "commutation of vec": MatMul(Commutation(p, q), Vec(W)),
    "commutation of another vec": MatMul(Commutation(p, q), Vec(W.T)),
    "commutation of a column": MatMul(Commutation(p, q), x),
    "commutation from the right": MatMul(x.T, Commutation(p, q)),
    "commutation transposed": MatMul(Commutation(p, q).T, x),
    "commutation of many": MatMul(Commutation(p, q), Kron(Identity(q), A)),
    "duplication": Duplication(p),
    "duplication of vech": MatMul(Duplication(p), vech),
    "variable": X,
    "variable transposed": X.T,
    "sum": X + Y - X * Y,
    "sum of a row": X + rows - 2,
    "less a row and a number": X - rows - 2,
    "less a plain sum": X - (Y + X * Y) - (2 - (Y - X)) * X,
    "a minus that is shared": (-X) * Y + Apply("exp", -X),
    "less a sum": X - Named("d", Y + rows),
    "sum of all kinds": s + columns - rows + X,
    "row less column": rows - columns,
    "column less row": columns - rows,
    "column over row": columns / (rows * rows + 1),
    "row over column": rows / (columns * columns + 1),
    "only minus": -X - Y,
    "scale": 3 * X / s,
    "scale by a quotient": 2 * X / Size("n"),
    "hadamard": Hadamard(X, Y, X),
    "hadamard of a row": X * rows / 2,
    "hadamard of a column": columns * X / (1 + rows * rows) * s,
    "hadamard in a product": MatMul(X.T, Hadamard(columns, Y, rows)),
    "reciprocal": 1 / positive,
    "quotient": X / positive / 3,
    "square root": positive ** Fraction(1, 2) + positive ** Fraction(-1, 2),
    "powers": X**3 + X**4 - X**7 + positive ** Fraction(3, 2),
    "negative power": positive**-3,
    "odd root": positive ** Fraction(1, 3),
    "power of a scalar": s**2 + Number(2) ** -3 + Number(2) ** Fraction(1, 2),
    "huge power": positive ** Fraction(1, 7) + Number(1) ** 100,
    "variable power": Power(positive, s),
    "power zero": X**0 + X,
    "matmul": MatMul(X, W),
    "both transposed": MatMul(X.T, u, u.T, Y) + MatMul(W, W.T),
    "transposes of a product": MatMul(W.T, (X * rows).T) + MatMul(W.T, (X * Y).T),
    "chain": MatMul(X.T, X, W) + MatMul(X.T, Y, W),
    "outer product scaled": 2 * MatMul(u, v.T) / s,
    "transpose": Transpose(X * 2) + X.T,
    "broadcast": Broadcast(s, n, p) + Broadcast(lone, n, p) * X,
    "broadcast whole": MatMul(rows.T, columns),
    "item": Item(MatMul(v.T, A, w)) + Item(MatMul(v.T, v)) + Item(lone),
    "item of a sum": Item(MatMul(v.T, w) + 1),
    "inverse": Inverse(S),
    "solve": MatMul(Inverse(S), v) + MatMul(v.T, Inverse(A)).T,
    "solve between": MatMul(X, Inverse(A), X.T),
    "solve transposed": MatMul(Inverse(A).T, v),
    "inverse and products": Inverse(A).T - MatMul(Inverse(A), B, Inverse(A)).T,
    "scaled inverse": MatMul(2 * Inverse(A), B),
    "matrix power": MatrixPower(A, 5) + MatMul(MatrixPower(A, 2), B),
    "det": Det(A) * Inverse(A).T,
    "logdet": LogDet(S) + LogDet(2 * S),
    "trace": Trace(A) + Trace(MatMul(A, B, A)) + Trace(MatMul(Inverse(S), A)),
    "trace of a scaled one": Trace(MatMul(Diag(v), A, B)) + Trace(MatMul(A, Diag(v))),
    "total": Total(X) + Total(X * Y) + Total(X**2) - 3 * Total(MatMul(X, W)),
    "total of a row": Total(rows) + Total(columns * X / 7) + Total(Broadcast(s, n, p)),
    "norm2": Norm2(X) + Norm2(Y) ** 2,
    "norm1": Norm1(X),
    "row sums": RowSum(X) + RowSum(MatMul(X, A)) + RowSum(columns * X),
    "column sums": ColSum(X) + ColSum(MatMul(X, A)) + ColSum(X * rows) + ColSum(columns * X),
    "row means beside": X - Broadcast(RowSum(X) / Size("p"), n, p),
    "diag": Diag(v),
    "diag from the left": MatMul(Diag(u), X),
    "diag from the right": MatMul(X, Diag(v / 2), Ones("p", 1)),
    "diag between": MatMul(X, Diag(v), X.T) + MatMul(Ones("n", 1), Ones(1, "n"), Diag(u)),
    "diagvec": DiagVec(A) + DiagVec(MatMul(A, B)) + DiagVec(2 * MatMul(A, B, A)),
    "kron": Kron(X, W),
    "kron of a column": MatMul(Kron(F, A), Vec(MatMul(A, E.T))),
    "kron with identity": MatMul(Kron(Identity(q), A), x),
    "kron with identity first": MatMul(Kron(W.T, Identity(p)), Vec(A)),
    "kron from the right": MatMul(Vec(E).T, Kron(A, Ones("k", "q"))),
    "kron with ones": MatMul(Kron(Ones(n, 1), A), v) + Kron(u, Ones(p, 1)),
    "beside rows of unknown number": Kron(M, W) * wide - wide / (Kron(M, W) ** 2 + 1) + wide,
    "kron of inverses": MatMul(Kron(Inverse(S), Inverse(A)), Vec(B)),
    "kron of many": MatMul(Kron(Identity(q), A), Kron(W.T, A)),
    "vec": Vec(X) + Vec(2 * Y),
    "reshape": Reshape(x, q, p) + Reshape(W, q, p),
    "rearrange": Rearrange(Kron(X, W), n, p, p, q),
    "assemble": Assemble(MatMul(Vec(X), Vec(W).T), n, p, p, q) + Kron(X, W),
    "softmax": Softmax(3 * W) + Softmax(Broadcast(r.T, p, q)),
    "logsumexp": LogSumExp(W * 400),
    "named": repeated + Named("again", repeated * 2) * repeated,
    "named variable": Named("alias", X) + Named("two", Number(2)) * X,
    "named inverse": MatMul(Named("P", Inverse(S)), v),
    **{
        name: Apply(name, positive / 4 if name == "log" or "gamma" in name else X / 9)
        for name in FUNCTIONS
    },
    **{f"{name} of a scalar": Apply(name, s / 2) for name in FUNCTIONS},
}


def point(expr, sizes):
    """Return arguments at which everything in the table is defined, and what evaluate takes."""
    rng = np.random.default_rng(7)
    given = {}
    for name, variable in expr.variables().items():
        array = 0.6 * rng.standard_normal([dim.evaluate(sizes) for dim in variable.shape])
        given[name] = array if variable.shape else float(array) + 1.5
        if name in "ABS":  # well away from singular, and S positive definite
            given[name] = (
                array @ array.T * (name == "S") + (name != "S") * array + 3 * np.eye(len(array))
            )
    return given, {**given, **sizes}


def arguments(text, given, sizes):
    """Return the values in the order of the parameters: variables, then sizes."""
    namespace = {}
    exec(compile(text, "<emitted>", "exec"), namespace)
    parameters = list(inspect.signature(namespace["f"]).parameters)
    extra = [sizes[name] for name in parameters[len(given) :]]
    return namespace["f"], [*given.values(), *extra]


def assert_same(result, expected, what):
    result, expected = np.asarray(result), np.asarray(expected)
    assert result.shape == expected.shape, what
    scale = np.abs(expected).max(initial=1e-300)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-12 * scale, err_msg=what)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("name", CASES)
def test_numpy_code_is_the_value(name, sizes):
    expr = CASES[name]
    given, everything = point(expr, sizes)
    text = to_numpy({"f": expr}, arguments=expr.variables().values())
    function, values = arguments(text, given, sizes)
    before = [np.array(value) for value in values]
    assert_same(function(*values), expr.evaluate(everything), text)
    for value, was in zip(values, before, strict=True):
        np.testing.assert_array_equal(value, was)


def run_in_r(engine, folder, texts, calls):
    """Return the result of each call, or the message of its error, from one run of R."""
    runner = """
    run_calls <- function(calls) lapply(calls, function(call) tryCatch(
      do.call(call$name, call$arguments), error = function(e) conditionMessage(e)))
    """
    (folder / "all.R").write_text("\n".join([*texts, runner]), encoding="utf-8")
    return connect(engine, reference=folder).call("run_calls", calls=calls)


@pytest.mark.r
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_r_code_is_the_value(live_engine, sizes, tmp_path):
    texts, calls, expected = [], [], []
    for i, expr in enumerate(CASES.values()):
        given, everything = point(expr, sizes)
        python = to_numpy({"f": expr}, arguments=expr.variables().values())
        _, values = arguments(python, given, sizes)
        texts.append(to_r({f"f{i}": expr}, arguments=expr.variables().values()))
        calls.append({"name": f"f{i}", "arguments": [np.asarray(v, float) for v in values]})
        expected.append(np.asarray(expr.evaluate(everything)))
    results = run_in_r(live_engine, tmp_path, texts, calls)
    for name, text, result, value in zip(CASES, texts, results, expected, strict=True):
        assert result.dtype.kind in "fi", f"{name}: {result}\n{text}"
        found = result[0] if value.shape == () and result.shape == (1,) else result
        assert_same(found, value, f"{name}\n{text}")


SHAPES = [(), (n, p), (p, p), (n, Dim.of(1)), (Dim.of(1), p)]


def random_expressions(builder, count, depth):
    """Return expressions with sizes, arguments and values, where the value is finite."""
    found = []
    for seed in range(count):
        stream = np.random.default_rng([seed, depth])
        build = builder(lambda k, stream=stream: int(stream.integers(k)))
        expr = build.build(build.pick(SHAPES), depth)
        sizes = build.pick([{"n": 4, "p": 3, "k": 2}, {"n": 1, "p": 3, "k": 2}, SIZES["all one"]])
        given = {}
        for name, variable in expr.variables().items():
            array = 0.7 * stream.standard_normal([d.evaluate(sizes) for d in variable.shape])
            given[name] = (array + array.T) / 2 if variable.flags else array
        value = np.asarray(expr.evaluate({**given, **sizes}))
        if np.isfinite(value).all():
            found.append((expr, sizes, given, value))
    assert len(found) > 0.9 * count
    return found


def assert_close(result, expected, text):
    result = np.asarray(result)
    assert result.shape == expected.shape, text
    atol = 1e-9 * max(1.0, np.abs(expected).max(initial=0.0))
    np.testing.assert_allclose(result, expected, rtol=0, atol=atol, err_msg=text)


@pytest.mark.parametrize(("count", "depth"), [(400, 3), (300, 5)])
def test_numpy_code_of_random_expressions(builder, count, depth):
    for expr, sizes, given, value in random_expressions(builder, count, depth):
        for one in (expr, simplify(expr)):
            text = to_numpy({"f": one}, arguments=expr.variables().values())
            function, values = arguments(text, given, sizes)
            assert_close(function(*values), value, text)


@pytest.mark.r
def test_r_code_of_random_expressions(builder, live_engine, tmp_path):
    found = random_expressions(builder, 250, 4)
    texts, calls = [], []
    for i, (expr, sizes, given, _) in enumerate(found):
        python = to_numpy({"f": expr}, arguments=expr.variables().values())
        _, values = arguments(python, given, sizes)
        texts.append(to_r({f"f{i}": expr}, arguments=expr.variables().values()))
        calls.append({"name": f"f{i}", "arguments": [np.asarray(v, float) for v in values]})
    for text, result, (*_, value) in zip(
        texts, run_in_r(live_engine, tmp_path, texts, calls), found, strict=True
    ):
        assert result.dtype.kind in "fi", f"{result}\n{text}"
        assert_close(result[0] if value.shape == () else result, value, text)


def kinds(*modules):
    """Return the kinds of node that modules define."""
    return {
        kind
        for module in modules
        for name, kind in vars(module).items()
        if inspect.isclass(kind)
        and issubclass(kind, Expr)
        and kind.__module__ == module.__name__
        and not name.startswith("_")
        and kind is not Expr
    }


def test_the_table_has_every_kind_of_node():
    met = {type(node) for expr in CASES.values() for node in expr.nodes()}
    assert kinds(expression, nodes) - met == {Differential}


def test_the_table_has_every_kind_of_operation():
    met = {type(node) for expr in CASES.values() for node in Program([expr]).nodes}
    assert kinds(operations) - met == set()
    assert set(NUMPY) - met == set()
    assert set(NUMPY) == set(R)
    assert set(LOWERED) == kinds(expression, nodes) - {Differential}


@pytest.mark.parametrize("emit", [to_numpy, to_r])
def test_a_kind_without_a_rule_raises(emit):
    with pytest.raises(MissingRuleError, match="no code of a `Differential` node"):
        emit({"f": Differential(X)}, arguments=[X])


@pytest.mark.parametrize(("emit", "rules"), [(to_numpy, NUMPY), (to_r, R)])
def test_an_operation_without_a_rule_raises(emit, rules, monkeypatch):
    monkeypatch.delitem(rules._rules, Det)
    with pytest.raises(MissingRuleError, match=r"no (NumPy|R) code of a `Det` node"):
        emit({"f": Det(A)}, arguments=[A])


def test_logdet_of_a_negative_determinant_is_not_a_number():
    text = to_numpy({"f": LogDet(A)}, arguments=[A])
    function, _ = arguments(text, {"A": np.eye(2)}, {})
    assert np.isnan(function(np.diag([1.0, -2.0])))
    assert np.isnan(function(np.zeros((2, 2))))
