"""The report's layout: verdict, how, a table, the findings in order."""

from dataclasses import replace

import numpy as np
import pytest

from matbackprop.checking import check_gradient
from matbackprop.checking.records import BlockCheck, Diagnosis, Finding
from matbackprop.checking.report import diagnosis_text


def block(name, shape, wrong=0, unknown=0):
    """A parameter whose first entries are wrong, by a half, and whose last cannot be judged."""
    size = int(np.prod(shape))
    index = np.arange(size).reshape(shape)
    agrees, judged = index >= wrong, index < size - unknown
    analytic = np.where(agrees, 2.0, 1.0)
    return BlockCheck(
        name, shape, analytic, np.full(shape, 2.0), np.zeros(shape), agrees, judged
    )  # fmt: skip


FACTOR = Finding(
    "constant factor", "Gamma1", "It is ½ times what it should be.", "0.5", "Divide by ½.", 1.0
)
KINK = Finding("kink", "", "There is a kink.", "two slopes", "Move the point.", 0.0)
NOISE = Finding("noise", "", "loss is random.", "differs by 1", "Fix the seed.", 0.0)
WRONG = Diagnosis(
    ok=False,
    findings=(FACTOR, KINK),
    blocks=(block("Gamma1", (7, 200), wrong=1234, unknown=5), block("b", (3,))),
    method="complex step",
    evaluations=1234,
    loss=14.0,
)
RIGHT = replace(WRONG, ok=True, findings=(), blocks=(block("", (3,)),))


def test_the_whole_page():
    assert str(WRONG).splitlines() == [
        "Check of a gradient: WRONG",
        "",
        "1,403 entries by the complex step, 1,234 evaluations; the loss is 14.",
        "",
        "       entries  wrong  not judged  max error",
        "Gamma1   1,400  1,234           5        0.5",
        "b            3      0           0          0",
        "",
        "1. constant factor in Gamma1",
        "   It is ½ times what it should be.",
        "   Evidence: 0.5",
        "   Remedy: Divide by ½.",
        "",
        "2. kink",
        "   There is a kink.",
        "   Evidence: two slopes",
        "   Remedy: Move the point.",
    ]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        pytest.param({}, "Check of a gradient: RIGHT", id="right"),
        pytest.param({"title": "Jacobian"}, "Check of a Jacobian: RIGHT", id="Jacobian"),
        pytest.param({"title": "Hessian"}, "Check of a Hessian: RIGHT", id="Hessian"),
        pytest.param({"ok": False}, "Check of a gradient: WRONG", id="wrong"),
        pytest.param({"findings": (KINK,)}, "Check of a gradient: RIGHT", id="a remark"),
        pytest.param({"blocks": (block("", (3,), unknown=3),)},
                     "Check of a gradient: NOT JUDGED", id="nothing judged"),
        pytest.param({"blocks": (block("", (3,), unknown=2),)},
                     "Check of a gradient: RIGHT", id="one judged"),
        pytest.param({"ok": False, "findings": (NOISE,)},
                     "Check of a gradient: CANNOT BE JUDGED", id="noise"),
        pytest.param({"ok": False, "findings": (FACTOR, NOISE)},
                     "Check of a gradient: WRONG", id="wrong, and noise"),
    ],
)  # fmt: skip
def test_the_verdict_is_the_first_line(changes, verdict):
    assert diagnosis_text(replace(RIGHT, **changes)).splitlines()[0] == verdict


@pytest.mark.parametrize(
    ("changes", "how"),
    [
        pytest.param({}, "3 entries by the complex step, 1,234 evaluations; the loss is 14.",
                     id="complex"),
        pytest.param({"method": "central differences", "blocks": (block("", ()),)},
                     "1 entry by central differences, 1,234 evaluations; the loss is 14.",
                     id="one"),
        pytest.param({"loss": np.nan}, "3 entries by the complex step, 1,234 evaluations.",
                     id="no loss"),
        pytest.param({"loss": 1 / 3},
                     "3 entries by the complex step, 1,234 evaluations; the loss is 0.3333333.",
                     id="digits"),
    ],
)  # fmt: skip
def test_how_it_was_measured(changes, how):
    assert diagnosis_text(replace(RIGHT, **changes)).splitlines()[2] == how


def test_directions_are_counted_as_such():
    check = check_gradient(lambda x: (x**2).sum(), lambda x: 2 * x, np.ones(1500))
    lines = str(check).splitlines()
    count = check.blocks[0].numeric.size
    assert lines[2].startswith(f"1,500 entries along {count} random directions, ")
    assert "directions  wrong  not judged  max error" in lines[4]
    assert lines[5].split()[:3] == ["the", "gradient", str(count)]


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param(2, id="one direction each, and some for all"),
        pytest.param(4, id="one direction each"),
        pytest.param(30, id="directions for all"),
    ],
)
def test_along_directions_all_entries_are_counted(blocks):
    at = {f"p{k}": np.ones((20, 20)) for k in range(blocks)}
    check = check_gradient(
        lambda p: float(sum((v**2).sum() for v in p.values())),
        lambda p: {name: 2 * v for name, v in p.items()},
        at,
        method="directions",
    )
    assert f"{400 * blocks:,} entries along" in str(check)


@pytest.mark.parametrize("width", [40, 60, 88])
def test_long_sentences_are_wrapped(width):
    long = replace(FACTOR, sentence="word " * 60, evidence="number " * 60, remedy="do " * 60)
    text = diagnosis_text(replace(WRONG, findings=(long,)), width=width)
    sentences = text.split("1. constant factor in Gamma1\n")[1].splitlines()
    assert max(map(len, sentences)) <= width
    assert all(line.startswith("   ") for line in sentences)
    assert " ".join(" ".join(sentences).split()).count("word") == 60


def test_columns_stand_under_each_other():
    lines = str(WRONG).splitlines()[4:7]
    assert len({len(line) for line in lines}) == 1


def test_a_lone_block_is_named_after_what_is_checked():
    assert "the gradient" in str(RIGHT)
    assert "the Jacobian" in str(replace(RIGHT, title="Jacobian"))
    two = replace(RIGHT, blocks=(block("W", (2,)), block("", (3,))))
    assert "all parameters" in str(two)


def test_the_frame_has_a_row_for_each_entry():
    frame = WRONG.to_frame()
    assert list(frame.columns) == [
        "block", "index", "analytic", "numeric", "difference", "error", "agrees",
    ]  # fmt: skip
    assert len(frame) == 1403
    assert frame.iloc[201][["block", "index", "difference"]].tolist() == ["Gamma1", "[1, 1]", -1.0]
    assert frame["agrees"].isna().sum() == 5
    assert (~frame["agrees"].dropna().astype(bool)).sum() == 1234


def test_the_dict_counts_as_the_table_does():
    import json

    said = json.loads(json.dumps(WRONG.to_dict()))
    assert said["ok"] is False
    assert said["blocks"][0] == {
        "name": "Gamma1", "shape": [7, 200], "ok": False, "max_error": 0.5, "wrong": 1234,
        "not_judged": 5,
    }  # fmt: skip
    assert said["findings"][0]["kind"] == "constant factor"
    assert [finding["explains"] for finding in said["findings"]] == [True, False]


@pytest.mark.parametrize(
    ("made", "ok", "error"),
    [
        pytest.param(block("", (4,)), True, 0.0, id="right"),
        pytest.param(block("", (4,), wrong=1), False, 0.5, id="wrong"),
        pytest.param(block("", (4,), unknown=4), True, 0.0, id="nothing judged"),
        pytest.param(block("", (0,)), True, 0.0, id="empty"),
        pytest.param(block("", ()), True, 0.0, id="number"),
    ],
)
def test_a_block_sums_up_its_entries(made, ok, error):
    assert made.ok is ok
    assert made.max_error == error


def test_what_cannot_be_judged_blames_nobody():
    no = np.zeros(2, bool)
    hidden = BlockCheck("", (2,), np.ones(2), np.zeros(2), np.full(2, 9.0), no, no)
    assert hidden.ok
    assert hidden.max_error == 0.0


def test_the_largest_error_is_that_of_all_blocks():
    assert WRONG.max_error == 0.5
    assert RIGHT.max_error == 0.0
