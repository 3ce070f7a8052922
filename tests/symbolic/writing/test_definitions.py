import numpy as np
import pytest

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Hadamard, Variable
from matbackprop.symbolic.expressions.nodes import Apply, Inverse, Item, Named, Total
from matbackprop.symbolic.writing import to_unicode, with_definitions
from matbackprop.symbolic.writing.definitions import by_name

N = Dim.of("n")
A, B, C, D = (Variable(name, (N, N)) for name in "ABCD")
x = Variable("x", (N, Dim.of(1)))
BIG = Apply("tanh", A @ B + C)


def listed(listing):
    return {node.name: to_unicode(node.args[0]) for node in listing.definitions}


def test_what_repeats_gets_a_name():
    expr = (BIG * C) @ (BIG + A).T + Inverse(BIG + A) @ BIG @ Apply("exp", A - C)
    listing = with_definitions(expr)
    assert listed(listing) == {"H1": "tanh(AB + C)"}
    assert to_unicode(listing.body) == "(H₁ ⊙ C)(H₁ + A)ᵀ + (H₁ + A)⁻¹H₁ exp(A − C)"


def test_a_large_enough_part_of_a_part():
    inner = A @ B + C @ A @ B
    outer = Apply("tanh", inner @ B)
    expr = outer @ inner + (outer + inner).T @ Apply("exp", C @ A @ B)
    assert listed(with_definitions(expr)) == {"H1": "AB + CAB", "H2": "tanh(H₁B)"}


def test_the_transposed_goes_by_the_same_name():
    expr = BIG.T @ A @ B @ C + BIG.T @ B @ C @ A + Apply("exp", A + B) @ BIG.T
    listing = with_definitions(expr)
    assert listed(listing) == {"H1": "tanh(AB + C)"}
    assert to_unicode(listing.body) == "H₁ᵀABC + H₁ᵀBCA + exp(A + B) H₁ᵀ"


def test_what_long_products_share_gets_a_name():
    E, T = Apply("exp", A), Apply("tanh", B)
    expr = A @ Hadamard(E, T) @ B + Hadamard(T, C, E) @ Apply("tanh", A @ B @ C) @ (C + D)
    listing = with_definitions(expr)
    assert listed(listing) == {"H1": "exp(A) ⊙ tanh(B)"}
    assert to_unicode(listing.body) == "AH₁B + (C ⊙ H₁) tanh(ABC) (C + D)"


def test_what_names_stand_for_is_named_alike():
    Y = Named("Y", BIG @ Apply("exp", BIG @ A) @ Apply("tanh", BIG @ A @ (B + C) @ A @ A))
    assert listed(with_definitions(Y @ C)) == {
        "H1": "tanh(AB + C)",
        "Y": "H₁ exp(H₁A) tanh(H₁A(B + C)AA)",
    }


def test_short_definitions_stay_whole():
    expr = Named("Y", BIG @ BIG) + Named("Z", C @ BIG)
    assert with_definitions(expr).body is expr


def test_short_expressions_stay_whole():
    expr = (A + B) @ (A + B).T
    assert with_definitions(expr).body is expr


def test_names_of_others_are_not_taken():
    H1 = Variable("H1", (N, N))
    expr = (BIG * H1) @ (BIG + A).T + Inverse(BIG + A) @ BIG @ Apply("exp", A - C)
    assert listed(with_definitions(expr)) == {"M1": "tanh(AB + C)"}
    assert listed(with_definitions(expr, taken=["M3"])) == {"T1": "tanh(AB + C)"}


def test_vectors_and_scalars_have_small_letters():
    v, s = Apply("tanh", A @ B @ x), Total(Apply("exp", A @ B))
    expr = s * (v * v) + s * (C @ v) + Item(v.T @ v) * Apply("exp", A @ x)
    assert listed(with_definitions(expr)) == {"h1": "tanh(ABx)", "c1": "1ₙᵀ exp(AB) 1ₙ"}


def test_named_parts_are_listed():
    Z = Named("Z", A @ B)
    listing = with_definitions(Named("Y", Z + C) @ Z)
    assert listed(listing) == {"Z": "AB", "Y": "Z + C"}


def test_the_value_stays():
    expr = (BIG * C) @ (BIG + A).T + Inverse(BIG + A) @ BIG @ Apply("exp", A - C)
    values = {name: np.eye(3) + i for i, name in enumerate("ABC")}
    np.testing.assert_allclose(
        with_definitions(expr).body.evaluate(values), expr.evaluate(values), rtol=1e-12
    )


def test_by_name():
    H = Named("H", Apply("tanh", A))
    assert to_unicode(by_name(1 - Apply("tanh", A) ** 2, H @ B)) == "1 − H^⊙2"
    assert by_name(A @ B, Named("Y", A) @ B) is A @ B  # a variable keeps its own name


def test_many_uses_stay_fast():
    node = A
    for _ in range(40):  # 2⁴⁰ places, were it written out
        node = Apply("tanh", node @ node + B)
    assert len(with_definitions(node).definitions) > 20


@pytest.mark.parametrize("letter", ["H", "HMTQUVW"])
def test_a_letter_is_found_even_so(letter):
    expr = (BIG * C) @ (BIG + A).T + Inverse(BIG + A) @ BIG @ Apply("exp", A - C)
    (name,) = listed(with_definitions(expr, taken=list(letter)))
    assert name not in letter
