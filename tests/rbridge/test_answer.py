"""R's errors, warnings and chatter, by each live backend."""

import warnings

import numpy as np
import pytest

from matbackprop.errors import RCallError
from matbackprop.rbridge import RWarning, connect

pytestmark = pytest.mark.r


def test_an_error_carries_the_call_and_the_words_of_r(live):
    pattern = (
        r"^`stops\(x=3\)` stopped in R: the number 3 is not wanted \(R's call: stops\(x = x\)\)$"
    )
    with pytest.raises(RCallError, match=pattern):
        live.call("stops", x=3)


def test_an_error_without_a_call(live):
    with pytest.raises(RCallError, match=r"stopped in R: no call here$"):
        live.call("stops_without_call")


def test_an_array_is_shown_by_its_shape(live):
    with pytest.raises(
        RCallError, match=r"`product\(A=<ndarray \(2, 3\)>, B=<ndarray \(2, 3\)>\)`"
    ):
        live.call("product", A=np.ones((2, 3)), B=np.ones((2, 3)))


def test_an_unknown_function_is_answered_with_near_names(live):
    with pytest.raises(RCallError, match=r"no function ecko\(\); the nearest names are echo\(\)"):
        live.call("ecko")


def test_an_argument_that_the_function_lacks(live):
    with pytest.raises(RCallError, match="unused argument"):
        live.call("echo", y=1)


def test_warnings_of_r_become_python_warnings_where_the_call_stands(live):
    with pytest.warns(RWarning) as caught:
        assert live.call("warns").tolist() == [7.0]
    assert [str(w.message) for w in caught] == [
        "R warned in `warns()`: first",
        "R warned in `warns()`: second",
    ]
    assert {w.filename for w in caught} == {__file__}


def test_what_r_prints_is_swallowed(live, capfd):
    assert live.call("chatters").tolist() == [8.0]
    assert capfd.readouterr() == ("", "")


def test_calls_are_independent_of_each_other(live):
    first, second = live.call("draws"), live.call("draws")
    assert first.tolist() == second.tolist() == [pytest.approx(-0.6264538107423324, abs=0)]


def test_the_global_environment_stays_empty(live):
    assert live.call("sees_globals").tolist() == []
    live.call("draws")
    assert live.call("sees_globals").tolist() == []


def test_a_folder_that_does_not_parse_is_an_error_of_the_call(live, tmp_path):
    (tmp_path / "all.R").write_text("f <- function( {")
    with pytest.raises(RCallError, match=r"`f\(\)` stopped in R: .*unexpected"):
        connect(live.engine.name, reference=tmp_path).call("f")


def test_no_warning_where_r_gave_none(live):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        live.call("echo", x=1)
