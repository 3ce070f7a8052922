"""Options of `connect`, and light imports."""

import pytest

from matbackprop.errors import OptionError
from matbackprop.rbridge import connect


@pytest.mark.parametrize("engine", ["r", "RPY2", None])
def test_unknown_engine(engine):
    with pytest.raises(OptionError, match='engine = "auto", "rpy2", "rscript", "recorded"; got'):
        connect(engine)


@pytest.mark.parametrize("engine", ["auto", "rpy2", "rscript"])
def test_a_reference_without_all_r(engine, tmp_path):
    with pytest.raises(OptionError, match=r"a folder that holds all\.R; got .* Leave it out"):
        connect(engine, reference=tmp_path)


def test_importing_the_room_is_light(python):
    code = "import sys, matbackprop.rbridge; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in python(code).split()}
    assert not loaded & {"rpy2", "pandas", "matplotlib", "rich"}


@pytest.mark.r
def test_a_call_without_frames_leaves_pandas_alone(python, rscript):
    code = (
        "import sys; from matbackprop.rbridge import connect\n"
        "connect('rscript').call('question_data'); print('pandas' in sys.modules)"
    )
    assert python(code) == "False\n"
