"""The judge, judged: what verdicts come of which experiments."""

import numpy as np
import pytest

from matbackprop.verification.claims import Claim, Finding, Trial, weigh


def claim(**texts):
    return Claim("k", "question", "line 1", "says", "how", lambda draw: Trial(0.0), **texts)


@pytest.mark.parametrize(
    ("texts", "trial", "verdict"),
    [
        ({}, Trial(1e-14), "holds"),
        ({}, Trial(0.5), "UNDECIDED"),  # it fails, and nothing stands in its place
        ({"corrected": "c"}, Trial(0.5, corrected=1e-14), "fails"),
        ({"corrected": "c"}, Trial(np.inf, corrected=0.0), "fails"),
        ({"corrected": "c"}, Trial(0.5, corrected=0.1), "UNDECIDED"),  # so is the correction
        ({"corrected": "c"}, Trial(0.5), "UNDECIDED"),  # a correction that nobody tried
        ({}, Trial(0.5, corrected=0.0), "UNDECIDED"),  # one that nobody wrote down
        ({"corrected": "c"}, Trial(1e-14, corrected=0.0), "UNDECIDED"),  # needless
        ({"only_if": "q"}, Trial(0.5, conditioned=1e-14), "holds only if"),
        ({"only_if": "q"}, Trial(0.5, conditioned=0.1), "UNDECIDED"),
        ({"only_if": "q"}, Trial(1e-14, conditioned=0.0), "UNDECIDED"),  # holds without it
        ({"only_if": "q"}, Trial(0.5), "UNDECIDED"),
        ({"corrected": "c"}, Trial(1e-7, corrected=0.0), "UNDECIDED"),  # neither of both
        ({"corrected": "c"}, Trial(np.nan, corrected=0.0), "UNDECIDED"),
        ({}, Trial(np.nan), "UNDECIDED"),
    ],
)
def test_verdicts(texts, trial, verdict):
    assert Finding.of(claim(**texts), [trial]).verdict == verdict


def test_the_worst_draw_decides():
    trials = [Trial(0.0), Trial(0.3), Trial(0.0)]
    assert Finding.of(claim(), trials).verdict == "UNDECIDED"
    assert Finding.of(claim(), trials).error == 0.3
    corrections = [Trial(0.3, corrected=0.0), Trial(0.3, corrected=0.2)]
    assert Finding.of(claim(corrected="c"), corrections).verdict == "UNDECIDED"


class TestWeigh:
    truth = np.array([[1.0, -4.0]])

    def test_relative_to_the_largest_entry_of_the_truth(self):
        assert weigh(self.truth, lambda: self.truth + np.array([[0.0, 1.0]])).printed == 0.25

    def test_a_truth_that_vanishes_is_compared_as_it_is(self):
        assert weigh(np.zeros(2), lambda: np.array([0.0, 0.5])).printed == 0.5

    @pytest.mark.parametrize(
        ("formula", "text"),
        [
            (lambda: np.ones((2, 1)), r"has shape (2, 1), the truth (1, 2)"),
            (lambda: np.ones((2, 3)) @ np.ones((2, 3)), "does not run: ValueError"),
            (lambda: eval("mean_of_x", {}), "does not run: NameError: name 'mean_of_x'"),
            (lambda: None * 2, "does not run: TypeError"),
        ],
    )
    def test_what_gives_no_numbers_is_an_infinite_error_with_a_reason(self, formula, text):
        trial = weigh(self.truth, formula)
        assert trial.printed == np.inf
        assert trial.obstacle.startswith(text)

    def test_nan_is_an_infinite_error(self):
        assert weigh(self.truth, lambda: np.full((1, 2), np.nan)).printed == np.inf

    @pytest.mark.parametrize(
        ("formula", "error"),
        [
            (lambda: 1 // 0, ZeroDivisionError),
            (lambda: np.ones(2).no_such_thing, AttributeError),
            (lambda: {}["no such key"], KeyError),
        ],
    )
    def test_a_defect_of_the_experiment_is_not_taken_for_a_finding(self, formula, error):
        with pytest.raises(error):
            weigh(self.truth, formula)
