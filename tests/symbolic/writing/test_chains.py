import numpy as np

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Broadcast, Hadamard, MatMul, Variable
from matbackprop.symbolic.writing.chains import flat, paired_up

N = Dim.of("n")
A, B, C, D = (Variable(name, (N, N)) for name in "ABCD")
x, y = (Variable(name, (N, Dim.of(1))) for name in "xy")


def test_flat():
    assert flat(A @ (B @ C)) is MatMul(A, B, C)
    assert flat(A * (B @ (C @ D))) is Hadamard(A, MatMul(B, C, D))


def test_a_pair_in_two_products():
    root = MatMul(A, B, C) + MatMul(D, B, C)
    BC = MatMul(B, C)
    assert paired_up(root) is MatMul(A, BC) + MatMul(D, BC)


def test_products_do_not_commute_but_entrywise_they_do():
    root = MatMul(A, B, C) + MatMul(B, A, D)
    assert paired_up(root) is root
    AB = Hadamard(A, B)
    assert paired_up(Hadamard(A, B, C) + Hadamard(B, D, A)) is (Hadamard(C, AB) + Hadamard(D, AB))


def test_a_whole_product_within_another():
    AB, BA = Hadamard(A, B), Hadamard(B, A)
    assert paired_up(Hadamard(B, C, A) @ AB) is Hadamard(C, BA) @ BA
    assert paired_up(AB @ Hadamard(B, C, A)) is AB @ Hadamard(C, AB)


def test_three_that_are_shared():
    root = MatMul(A, B, C, D) + MatMul(D, A, B, C)
    found = paired_up(root)
    assert flat(found) is root
    first, second = (term.args for term in found.args)
    assert first[0] is second[1]
    assert flat(first[0]) is MatMul(A, B, C)


def test_what_is_alone_stays():
    for root in (MatMul(A, B, C) + D, A @ B + A @ B @ D.T, Hadamard(A, A, B) + Hadamard(A, A, C)):
        assert flat(paired_up(root)) is flat(root)
    root = Hadamard(A, Broadcast(x, N, N), Broadcast(y, N, N))
    other = Hadamard(B, Broadcast(x, N, N), Broadcast(y, N, N))
    assert paired_up(root + other) is root + other


def test_repeated_factors_end():
    root = MatMul(A, B, A, B) + MatMul(A, B, A, B, C) + Hadamard(A, A, B) @ Hadamard(B, A, A, A)
    values = {name: np.arange(9.0).reshape(3, 3) + i for i, name in enumerate("ABC")}
    found = paired_up(root)
    np.testing.assert_allclose(found.evaluate(values), root.evaluate(values), rtol=1e-12)
    assert found is not root
