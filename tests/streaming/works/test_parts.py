import array_api_strict
import numpy as np

from matbackprop.streaming.works.parts import Total


def test_totals_add_up(torch):
    for make in (np.asarray, torch.tensor, array_api_strict.asarray):
        total = Total(make([1.0, 2.0])).merge(Total(make([3.0, 5.0])))
        assert [float(v) for v in total.value] == [4.0, 7.0]


def test_a_total_is_not_changed_by_another():
    a, b = Total(np.ones(2)), Total(np.ones(2))
    a.merge(b)
    assert a.value.tolist() == b.value.tolist() == [1.0, 1.0]
