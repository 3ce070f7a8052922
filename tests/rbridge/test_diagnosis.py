"""What `matbackprop r-info` will print."""

import json
from dataclasses import replace

import pytest

from matbackprop.rbridge import diagnose
from matbackprop.rbridge.connection import ENGINES
from matbackprop.rbridge.diagnosis import EngineStatus

CODE = """
import json
from matbackprop.rbridge import diagnose
d = diagnose()
print(json.dumps(d.to_dict()))
print(d)
"""


@pytest.mark.r
def test_everything_works(rscript, python):
    first, *lines = python(CODE).splitlines()
    facts = json.loads(first)
    assert facts["engines"][1]["works"]
    assert facts["engines"][2]["works"]
    assert facts["installation"]["r_version"] == rscript.engine.r_version
    labels = [line[:16].strip() for line in lines]
    assert labels[:6] == ["Python", "R", "R home", "R_HOME variable", "rpy2", "reference"]
    assert labels[6:] == ["engine rpy2", "engine rscript", "engine recorded", "repair"]


def test_without_r_it_says_what_to_do(python, tmp_path):
    first, *lines = python(CODE, PATH=str(tmp_path)).splitlines()
    facts = json.loads(first)
    assert [engine["works"] for engine in facts["engines"]] == [False, False, True]
    assert facts["installation"]["r_path"] is None
    assert facts["repair"]
    assert "nothing to repair" not in lines[-1]


@pytest.mark.parametrize(
    ("working", "ok"),
    [(["recorded"], False), (["rscript", "recorded"], True), (["rpy2"], True), ([], False)],
    ids=str,
)
def test_only_a_live_r_makes_it_ok(working, ok):
    engines = tuple(EngineStatus(name, name in working, "") for name in ENGINES)
    assert replace(diagnose(), engines=engines).ok is ok
