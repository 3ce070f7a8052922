"""The front door: what it takes, what it gives, and what it says to anything else."""

import inspect

import numpy as np
import pytest

from matbackprop import symbolic as sy
from matbackprop.errors import OptionError, ShapeError
from matbackprop.symbolic.expressions.nodes import Total
from matbackprop.symbolic.expressions.tables import PULLBACK

SHAPES = {"X": ("n", "p"), "b": ("p", 1), "y": ("n", 1)}
LEAST_SQUARES = "norm2(X*b-y)^2"
DOORS = (sy.derive, sy.jacobian, sy.hessian, sy.hvp)


@pytest.fixture(scope="module")
def L():
    return sy.parse(LEAST_SQUARES, shapes=SHAPES)


@pytest.fixture(scope="module")
def spd():
    return sy.parse("logdet(S)", shapes={"S": ("p", "p")}, assume={"S": "spd"})


class TestParse:
    def test_notations_give_one_expression(self, L):
        assert sy.parse('norm(X %*% b - y, "F")^2', notation="r", shapes=SHAPES) is L

    def test_assumptions_and_domains_reach_the_variable(self):
        shapes = {"S": ("p", "p"), "x": ("p", 1)}
        given = sy.parse("S*x", shapes=shapes, assume={"S": "spd"}, domains={"x": "unit"})
        S, x = given.variables().values()
        assert (S.flags, S.domain, x.domain) == (("spd", "symmetric"), "spd", "unit")

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            ({"notation": "apl"}, '`parse` knows notation = "matlab", "r"; got'),
            ({"shapes": None}, 'needs shapes as a dict by the names of variables, such as {"X"'),
            ({"shapes": {"x": 3.5}}, 'needs a shape of x; got 3.5. Write ("n", "p") for a matrix'),
            ({"shapes": {"x": None}}, "needs a shape of x; got None."),
            ({"shapes": {"x": (3.5, 1)}}, "cannot read the shape of x, (3.5, 1). A dimension is"),
            ({"shapes": {"x": "n.5,p"}}, "cannot read the shape of x, 'n.5,p'. A dimension is"),
            ({"shapes": {1: "n"}}, 'such as "X" or "beta_1"; got 1.'),
            ({"assume": {"x": 3}}, "knows no assumption 3, given for x; there are symmetric"),
            ({"assume": {"x": ["spd", 3]}}, "knows no assumption 3, given for x"),
            ({"assume": "spd"}, 'needs assume as a dict by the names of variables, such as {"S"'),
            ({"domains": {"x": 3}}, "knows no domain 3, given for x"),
            ({"domains": "unit"}, "needs domains as a dict by the names of variables"),
        ],
    )
    def test_what_is_no_option_is_refused(self, given, text):
        options = {"shapes": {"x": ("n", "n")}} | given
        with pytest.raises(OptionError) as caught:
            sy.parse("x", **options)
        assert text in str(caught.value)

    @pytest.mark.parametrize("text", [3, None, b"x"])
    def test_a_text_is_a_str(self, text):
        with pytest.raises(OptionError, match=r"`parse\(text, shapes=…\)` needs a text, such as"):
            sy.parse(text, shapes={"x": "n"})


class TestVariable:
    def test_it_is_the_variable_of_a_text(self):
        S = sy.variable("S", ("p", "p"), assume="spd", domain="well")
        options = {"assume": {"S": "spd"}, "domains": {"S": "well"}}
        assert sy.parse("S", shapes={"S": ("p", "p")}, **options) is S

    def test_shapes(self):
        assert sy.variable("s").shape == ()
        assert sy.variable("x", "n") is sy.variable("x", ("n", 1))
        assert sy.variable("x", np.int64(3)) is sy.variable("x", (np.int64(3), 1))

    @pytest.mark.parametrize("name", ["X", "beta_1", "_a", "λ", "x.bar", ".b"])
    def test_names(self, name):
        assert sy.variable(name, "n").name == name

    @pytest.mark.parametrize(
        "name", ["", "X*Y", "3", "a b", "X²", "Xᵀ", "x₁", "x-1", "X\n", 3, None]
    )
    def test_other_names_are_refused(self, name):
        with pytest.raises(
            OptionError, match=r"`variable\(name, shape\)` needs a name that begins"
        ):
            sy.variable(name, "n")

    @pytest.mark.parametrize(
        ("arguments", "options", "error", "text"),
        [
            (("n", "n"), {}, OptionError, "got n both as a variable and as a size of n."),
            (("X", 3.5), {}, OptionError, "needs a shape of X; got 3.5."),
            (("X", ("n", "p", "q")), {}, OptionError, "X was given 3 dimensions"),
            (("X", (0, 1)), {}, OptionError, "needs dimensions of at least 1; X has (0, 1)."),
            (("X", "n,p"), {"assume": "spd"}, ShapeError, "was told that X is spd"),
            (("X", "n,n"), {"assume": "big"}, OptionError, "knows no assumption 'big'"),
            (("X", "n,n"), {"domain": "big"}, OptionError, "knows no domain 'big'"),
        ],
    )
    def test_errors_name_this_call(self, arguments, options, error, text):
        with pytest.raises(error) as caught:
            sy.variable(*arguments, **options)
        assert str(caught.value).startswith("`variable(name, shape)` ")
        assert text in str(caught.value)


class TestDerivatives:
    def test_by_name_and_by_variable(self, L):
        b = L.variables()["b"]
        assert sy.derive(L, "b").result is sy.derive(L, b).result
        assert str(sy.derive(L, "b").result) == "2*X'*(X*b-y)"

    @pytest.mark.parametrize("door", [sy.derive, sy.jacobian, sy.hessian])
    def test_several_variables(self, L, door):
        b = L.variables()["b"]
        found = door(L, ["y", b])
        assert isinstance(found, sy.Derivations)
        assert list(found) == ["y", "b"]
        assert all(one.result is door(L, name).result for name, one in found.items())
        assert list(door(L, (name for name in ("b",)))) == ["b"]

    def test_kinds(self, L):
        assert [door(L, "b").kind for door in DOORS] == ["gradient", "jacobian", "hessian", "hvp"]
        assert str(sy.jacobian(sy.parse("X*b-y", shapes=SHAPES), "b").result) == "X"
        assert str(sy.hessian(L, "b").result) == "2*X'*X"

    def test_vech(self, spd):
        found = sy.derive(spd, "S", vech=True)
        assert found.kind == "vech gradient"
        assert str(found.result) == "D(p)'*vec(inv(S))"

    def test_hvp(self, L):
        assert str(sy.hvp(L, "b").result) == "2*X'*X*V"
        assert str(sy.hvp(L, L.variables()["b"], "v").result) == "2*X'*X*v"

    @pytest.mark.parametrize("door", DOORS)
    def test_the_certificate_is_as_asked(self, L, door):
        proof = door(L, "b", points=2, tolerance=1e-4, seed=9).certificate
        assert (proof.points, proof.tolerance, proof.seed) == (2, 1e-4, 9)
        assert proof.ok

    def test_the_error_allowed_by_default(self):
        allowed = [inspect.signature(door).parameters["tolerance"].default for door in DOORS]
        assert allowed == [1e-8, 1e-8, 1e-6, 1e-6]

    @pytest.mark.parametrize("door", DOORS)
    def test_the_notation_is_that_of_the_texts(self, L, door):
        assert door(L, "b").to_dict()["expression"] == LEAST_SQUARES
        said = door(L, "b", notation="r")
        assert said.notation == "r"
        assert said.to_dict()["expression"] == "sum((X %*% b - y)^2)"

    def test_a_matrix_of_one_entry_is_a_scalar(self):
        x = sy.variable("x", ("n", 1))
        for door in DOORS:
            door(x.T @ x, "x")
        assert str(sy.derive(x.T @ x, "x").result) == "2*x"


class TestRefusals:
    @pytest.mark.parametrize("door", DOORS)
    @pytest.mark.parametrize("source", ["x*x", 3, None])
    def test_no_expression(self, door, source):
        with pytest.raises(OptionError) as caught:
            door(source, "x")
        assert str(caught.value).startswith(f"`{door.__name__}(")
        assert f"needs an expression; got {type(source).__name__}. Make one" in str(caught.value)

    def test_nothing_to_simplify(self):
        with pytest.raises(OptionError, match=r"`simplify\(expr\)` needs an expression; got str"):
            sy.simplify("x")

    @pytest.mark.parametrize("door", DOORS)
    @pytest.mark.parametrize(("wrt", "said"), [("z", "'z'"), (3, "3"), (None, "None"), ("", "''")])
    def test_no_variable(self, L, door, wrt, said):
        with pytest.raises(OptionError) as caught:
            door(L, wrt)
        assert f"needs a variable of the expression; got {said}, and it has X, b, y." in str(
            caught.value
        )

    @pytest.mark.parametrize(("wrt", "said"), [([], "[]"), (["b", ["X"]], "['X']"), ((3,), "3")])
    def test_no_variables(self, L, wrt, said):
        for door in (sy.derive, sy.jacobian, sy.hessian):
            with pytest.raises(OptionError) as caught:
                door(L, wrt)
            assert f"got {said}, and it has X, b, y." in str(caught.value)

    def test_a_product_with_the_hessian_is_of_one_variable(self, L):
        with pytest.raises(OptionError, match=r"`hvp\(L, wrt, direction\)` needs a variable"):
            sy.hvp(L, ["b"])

    @pytest.mark.parametrize(
        ("direction", "text"),
        [
            ("a b", "needs a name that begins with a letter"),
            (3, "needs a name that begins with a letter"),
            ("X", "needs a new name for the direction; L has a 'X'."),
            ("n", "needs a new name for the direction; L has a 'n'."),
        ],
    )
    def test_directions(self, L, direction, text):
        with pytest.raises(OptionError) as caught:
            sy.hvp(L, "b", direction)
        assert str(caught.value).startswith("`hvp(L, wrt, direction)` ")
        assert text in str(caught.value)

    @pytest.mark.parametrize(
        ("door", "text"),
        [
            (sy.derive, "the Jacobian of a matrix is `jacobian(F, wrt)`."),
            (sy.hessian, "take `total(F)`, or the Jacobian, first."),
            (sy.hvp, "take `total(F)` first."),
        ],
    )
    def test_a_matrix_has_no_gradient(self, door, text):
        with pytest.raises(ShapeError) as caught:
            door(sy.variable("X", "n,p"), "X")
        assert f"needs a scalar; got n×p: {text}" in str(caught.value)

    def test_vech_is_of_symmetric_variables(self, L):
        with pytest.raises(ShapeError) as caught:
            sy.derive(L, "b", vech=True)
        assert "`derive(L, wrt, vech=True)` needs a symmetric variable; b is not" in str(
            caught.value
        )
        assert 'Say `assume={"b": "symmetric"}` where it is made.' in str(caught.value)

    @pytest.mark.parametrize("door", DOORS)
    @pytest.mark.parametrize(
        ("option", "text"),
        [
            ({"notation": "apl"}, 'knows notation = "matlab", "r"; got \'apl\''),
            ({"notation": None}, 'knows notation = "matlab", "r"; got None'),
            ({"points": 0}, "needs an integer points >= 1; got 0"),
            ({"seed": -1}, "needs an integer seed >= 0; got -1"),
            ({"tolerance": 0}, "needs a finite tolerance > 0; got 0"),
        ],
    )
    def test_options(self, L, door, option, text):
        with pytest.raises(OptionError) as caught:
            door(L, "b", **option)
        assert text in str(caught.value)

    def test_a_variable_without_a_place_where_the_source_is_defined(self):
        with pytest.raises(sy.DomainError, match="x needs a domain"):
            sy.derive(sy.parse("sum(log(x))", shapes={"x": 60}), "x")

    def test_a_certificate_that_refuses(self, monkeypatch):
        right = PULLBACK[Total]
        damaged = {Total: lambda node, G, i: 2 * right(node, G, i)}
        monkeypatch.setattr(PULLBACK, "_rules", PULLBACK._rules | damaged)
        with pytest.raises(sy.CertificateError, match="refuted and not returned"):
            sy.derive(sy.parse("sum(exp(x))", shapes={"x": "n"}), "x")
