import pytest

import matbackprop as mb
from matbackprop.network.labels import parameter_blocks, parameter_labels


@pytest.mark.parametrize("q", [None, 1, 3])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_every_entry_has_its_place(rng, q, batch_norm):
    par = mb.Parameters.random(4, 3, rng=rng, q=q, batch_norm=batch_norm)
    theta, labels, blocks = (
        par.to_vector(),
        parameter_labels(par, None, None),
        parameter_blocks(par),
    )
    assert len(set(labels)) == len(labels) == theta.size
    assert list(blocks) == ["Gamma1", "Gamma2", *(["gamma", "beta"] if batch_norm else [])]
    for name, here in blocks.items():
        assert theta[here].tolist() == getattr(par, name).ravel(order="F").tolist()
        assert all(label.startswith(f"{name}[") for label in labels[here])


def test_a_label_says_which_entry(rng):
    par = mb.Parameters.random(2, 3, rng=rng, q=2)
    named = dict(
        zip(parameter_labels(par, ("age", "dose"), ("a", "b")), par.to_vector(), strict=True)
    )
    assert named["Gamma1[dose,h3]"] == par.Gamma1[1, 2]
    assert named["Gamma2[h3,a]"] == par.Gamma2[2, 0]
    assert named["Gamma2[h1,b]"] == par.Gamma2[0, 1]
    assert named["gamma[h2]"] == par.gamma[1]
    assert named["beta[h3]"] == par.beta[2]
