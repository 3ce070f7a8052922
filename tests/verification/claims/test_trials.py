"""All claims at once; what each of them comes to is tested source by source."""

import pytest

from matbackprop.errors import OptionError
from matbackprop.verification.claims import CLAIMS, SOURCES, check_claims


@pytest.fixture(scope="module")
def report():
    return check_claims(draws=3)


def test_every_claim_is_decided_and_every_correction_holds(report):
    assert report.undecided() == ()
    assert report.ok


def test_there_are_enough_and_no_source_is_left_out(report):
    assert len(report.findings) == len(CLAIMS) >= 40
    assert {row.source for row in report.findings} == set(SOURCES)


def test_keys_are_unique():
    keys = [claim.key for claim in CLAIMS]
    assert len(set(keys)) == len(keys)


def test_another_seed_comes_to_the_same_verdicts(report):
    other = check_claims(draws=3, seed=7)
    assert [row.verdict for row in other.findings] == [row.verdict for row in report.findings]
    assert [row.error for row in other.findings] != [row.error for row in report.findings]


def test_adding_a_source_changes_no_draw(report):
    alone = check_claims(source="answers", draws=3)
    together = [row for row in report.findings if row.source == "answers"]
    assert [row.error for row in alone.findings] == [row.error for row in together]


def test_the_summary_counts_all(report):
    table = report.summary()
    assert table["claims"].sum() == len(CLAIMS)
    assert (table[["holds", "holds only if", "fails"]].sum(axis=1) == table["claims"]).all()
    assert report.to_dict()["claims"] == len(report.to_frame())


@pytest.mark.r
def test_a_live_r_gives_the_same_verdicts(report, live_engine):
    live = check_claims(live_engine, source="question", draws=1)
    verdicts = {row.key: row.verdict for row in report.findings}
    assert {row.key: row.verdict for row in live.findings}.items() <= verdicts.items()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"draws": 0}, "needs an integer draws >= 1; got 0"),
        ({"seed": -1}, "needs an integer seed >= 0; got -1"),
        ({"source": "wikipedia"}, 'knows source = "question", "answers"'),
    ],
)
def test_bad_options(options, text):
    with pytest.raises(OptionError, match=text):
        check_claims(**options)
