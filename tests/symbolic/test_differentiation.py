"""What `derived` gives is what the front door certifies."""

import pytest

from matbackprop.symbolic import derive, hessian, hvp, jacobian, parse
from matbackprop.symbolic.differentiation import derived
from matbackprop.symbolic.expressions.expression import Variable

L = parse("logdet(S)+a'*S*b", shapes={"S": ("p", "p"), "a": "p", "b": "p"}, assume={"S": "spd"})
S, a = L.variables()["S"], L.variables()["a"]


@pytest.mark.parametrize(
    ("kind", "door"),
    [
        ("gradient", lambda: derive(L, "S")),
        ("vech gradient", lambda: derive(L, "S", vech=True)),
        ("jacobian", lambda: jacobian(L, "S")),
        ("hessian", lambda: hessian(L, "S")),
    ],
)
def test_the_door_adds_the_certificate(kind, door):
    assert derived(L, [S], kind)[S] is door().result


def test_along_a_direction():
    V = Variable("V", S.shape, S.flags, S.domain)
    found = derived(L, [S], "hvp", direction=V)
    assert found == {S: hvp(L, "S", "V").result}
    assert str(found[S]) == "-inv(S)*V*inv(S)"


def test_several_share_a_sweep():
    found = derived(L, [S, a], "gradient")
    assert list(found) == [S, a]
    assert str(found[a]) == "S*b"


def test_a_name_for_the_differential_that_is_free():
    # Taken for the differential, dX would cancel here.
    F = parse("inv(dX)*X", shapes={"dX": ("p", "p"), "X": ("p", "p")})
    X = F.variables()["X"]
    assert str(derived(F, [X], "jacobian")[X]) == "kron(eye(p), inv(dX))"
