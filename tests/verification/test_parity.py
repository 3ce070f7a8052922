"""The report is green when all is well, and red for every fault planted on purpose."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

import matbackprop as mb
from matbackprop.errors import DataError, OptionError, RUnavailableError
from matbackprop.network import FORMULATIONS
from matbackprop.rbridge import connect, reference_folder
from matbackprop.verification import gradients, verify
from matbackprop.verification.comparison import Pair
from matbackprop.verification.posted_text import POSTED
from matbackprop.verification.problem import as_question
from matbackprop.verification.random_problems import draw


def candidates(report):
    return {row.candidate for row in report.mismatches()}


@pytest.fixture(scope="module")
def report():
    return verify("recorded")


class TestRecorded:
    def test_everything_matches(self, report):
        assert report.ok
        assert report.mismatches() == ()
        assert not report.engine.live
        assert report.engine.r_version.startswith("R version ")

    def test_every_number_is_compared(self, report):
        frame = report.to_frame()
        assert list(frame.columns) == [
            "group", "problem", "quantity", "reference", "candidate", "shape", "max_abs",
            "max_rel", "yardstick", "tolerance", "verdict",
        ]  # fmt: skip
        assert set(frame["group"]) == {"posted figures", "R loops", "derivatives"}
        loops = frame[frame["group"] == "R loops"]
        gradients = ["loss", "fitted", "Gamma1", "Gamma2", "gamma", "beta", "X"]
        for name in FORMULATIONS:
            rows = loops[loops["candidate"] == f"Python {name}"]
            assert sorted(rows["quantity"]) == sorted(gradients)
        problems = frame.loc[frame["group"] == "derivatives", "problem"]
        assert len(set(problems)) == 8
        assert set(frame["tolerance"]) == {0.0, 1e-12, 1e-8}

    def test_summary_has_a_row_a_pair(self, report):
        summary = report.summary()
        assert summary["compared"].sum() == len(report.comparisons)
        assert (summary["verdict"] == "match").all()

    def test_progress_is_told(self):
        steps = []
        verify("recorded", progress=lambda *step: steps.append(step))
        assert steps[0][:2] == (0, 10)
        assert steps[-1][:2] == (10, 10)


class TestPlantedFaults:
    """A report that could not turn red would prove nothing."""

    @pytest.mark.parametrize("formulation", FORMULATIONS)
    @pytest.mark.parametrize("block", ["loss", "fitted", "Gamma1", "Gamma2", "gamma", "beta", "X"])
    def test_in_one_block_of_one_formulation(self, monkeypatch, formulation, block):
        def faulty(*arguments, **options):
            g = FORMULATIONS[formulation](*arguments, **options)
            return dataclasses.replace(g, **{block: np.multiply(getattr(g, block), 1 + 1e-9)})

        table = dict(FORMULATIONS) | {formulation: faulty}
        monkeypatch.setattr(gradients, "FORMULATIONS", table)
        report = verify("recorded")
        assert not report.ok
        assert candidates(report) == {f"Python {formulation}"}
        assert {row.quantity for row in report.mismatches()} == {block}

    def test_in_the_mathematics(self, monkeypatch):
        """Batch norm's pullback without its variance term, as the question had it."""
        from matbackprop.network import closed_form

        def constant_moments(S, b, gamma):
            _, dgamma, dbeta = honest(S, b, gamma)
            return S * (gamma / b.sigma), dgamma, dbeta

        honest = closed_form.pullback
        monkeypatch.setattr(closed_form, "pullback", constant_moments)
        report = verify("recorded")
        assert candidates(report) == {"Python compact"}
        assert {row.quantity for row in report.mismatches()} == {"Gamma1", "X"}

    def test_in_an_activation(self, monkeypatch):
        """a′ = 1 everywhere, the question's own slip, in every formulation at once."""
        from matbackprop.network import activations

        relu = dataclasses.replace(activations.ACTIVATIONS["relu"], derivative=np.ones_like)
        table = dict(activations.ACTIVATIONS) | {"relu": relu}
        monkeypatch.setattr(activations, "ACTIVATIONS", table)
        report = verify("recorded")
        assert {row.group for row in report.mismatches()} == {"R loops", "derivatives"}

    @pytest.mark.parametrize(
        ("file", "old", "new"),
        [
            ("question_loops.json", "4.2644336147766042", "4.2644336247766042"),
            ("question_loops.json", "-0.325797183368", "-0.325797193368"),
            ("question_matrix_forms.json", "-0.325797183368", "-0.325797193368"),
            ("posted_printed.json", "-0.09589582", "-0.09589583"),
            ("posted_figures.json", "-0.44609", "-0.44610"),
            ("question_data.json", "-0.62645381074", "-0.62645381174"),
        ],
    )
    def test_in_a_recorded_file(self, tmp_path, file, old, new):
        folder = shutil.copytree(reference_folder(), tmp_path / "r_reference")
        path = folder / "recorded" / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        assert not verify("recorded", reference=folder).ok

    @pytest.mark.r
    def test_a_recorded_file_against_live_r(self, tmp_path, live_engine):
        folder = shutil.copytree(reference_folder(), tmp_path / "r_reference")
        path = folder / "recorded" / "question_loops.json"
        path.write_text(path.read_text().replace("4.2644336147766042", "4.2644336147866042"))
        report = verify(live_engine, reference=folder, random=0)
        assert {row.group for row in report.mismatches()} == {"recorded results"}

    @pytest.mark.r
    @pytest.mark.parametrize(
        ("file", "old", "new", "group"),
        [
            ("loops.R", "(net$N - net$ddof) * sigma", "net$N * sigma", "R loops"),
            ("loops.R", "d_mu <- 1 / net$N", "d_mu <- 0", "R loops"),
            ("matrix_forms.R", "centred - along", "centred", "R loops"),
            ("posted.R", "-2 * data$noise", "-2.0000001 * data$noise", "posted figures"),
            ("question.R", "gamma <- seq_len(p2) + 1", "gamma <- seq_len(p2) + 2",
             "posted figures"),
        ],
    )  # fmt: skip
    def test_in_the_r_code(self, tmp_path, live_engine, file, old, new, group):
        folder = shutil.copytree(reference_folder(), tmp_path / "r_reference")
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new))
        report = verify(live_engine, reference=folder, random=0)
        assert group in {row.group for row in report.mismatches()}


@pytest.mark.r
class TestLive:
    def test_everything_matches(self, live_engine):
        report = verify(live_engine)
        assert report.mismatches() == ()
        assert report.engine.live
        assert report.engine.name == live_engine
        assert "recorded results" in set(report.to_frame()["group"])

    def test_random_problems(self, live_engine):
        report = verify(live_engine, random=25, seed=3)
        assert report.mismatches() == ()
        frame = report.to_frame()
        problems = frame.loc[frame["group"] == "random problems", "problem"]
        assert problems.nunique() == 25


def test_the_seed_decides():
    one, two, other = (
        [draw(k, rng).title for rng in [np.random.default_rng(seed)] for k in range(9)]
        for seed in (1, 1, 2)
    )
    assert one == two
    assert one != other


@pytest.mark.parametrize(("seed", "index"), [(110, 16), (207, 71)])
def test_a_node_far_in_the_tail_is_no_mismatch(seed, index):
    """ŷ is tiny there, and its rounding is that of h, not its own: the yardstick knows."""
    rng = np.random.default_rng(seed)
    *_, problem = (draw(k, rng) for k in range(index))
    loops, *others = gradients.by_formulation(problem).values()
    for other in others:
        rows = gradients.compare_results(
            Pair("", "", "", ""),
            loops,
            other,
            gradients.sizes_of(problem),
            quantities=loops,
            tolerance=1e-14,
        )
        assert {row.verdict for row in rows} == {"match"}


@pytest.mark.r
@pytest.mark.slow
def test_two_hundred_random_problems(live_engine):
    """R's loops, its matrix forms, four formulations and differences, all to rounding."""
    report = verify(live_engine, random=200, seed=2018)
    assert report.mismatches() == ()
    exact = report.to_frame().query("yardstick == 'terms that cancel'")
    assert exact["max_rel"].max() < 1e-14  # the yardstick is the size of rounding itself
    assert exact["problem"].nunique() > 200


QUANTITIES = ["loss", "fitted", "Gamma1", "Gamma2", "gamma", "beta", "X"]


class TestNothingIsSkipped:
    """A quantity that an answer lacks is a mismatch, and so is an answer of another kind."""

    def without(self, tmp_path, function, name):
        folder = shutil.copytree(reference_folder(), tmp_path / "r_reference")
        path = folder / "recorded" / f"{function}.json"
        record = json.loads(path.read_text())
        node = record["value"]
        del node["values"][node["names"].index(name)]
        node["names"].remove(name)
        path.write_text(json.dumps(record))
        return verify("recorded", reference=folder)

    @pytest.mark.parametrize("function", ["loops", "matrix_forms", "kronecker"])
    @pytest.mark.parametrize("name", QUANTITIES)
    def test_of_a_gradient(self, tmp_path, function, name):
        report = self.without(tmp_path, f"question_{function}", name)
        assert {row.quantity for row in report.mismatches()} == {name}

    @pytest.mark.parametrize("function", ["posted_figures", "posted_printed"])
    @pytest.mark.parametrize("name", POSTED)
    def test_of_the_posted_figures(self, tmp_path, function, name):
        report = self.without(tmp_path, function, name)
        assert {row.quantity for row in report.mismatches()} == {name}

    def test_of_the_question(self, tmp_path):
        with pytest.raises(DataError, match=r"needs to return X, y, .*; it lacks noise\. Make"):
            self.without(tmp_path, "question_data", "noise")

    @pytest.mark.parametrize(
        "node",
        [
            {"type": "double", "values": [1.0]},
            {"type": "list", "names": ["loss"], "values": [{"type": "character", "values": ["x"]}]},
            None,
        ],
        ids=["a number", "a text", "nothing"],
    )
    def test_an_answer_of_another_kind(self, tmp_path, node):
        folder = shutil.copytree(reference_folder(), tmp_path / "r_reference")
        for function in ("question_loops", "posted_figures", "posted_printed"):
            path = folder / "recorded" / f"{function}.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | {"value": node}))
        report = verify("recorded", reference=folder)
        assert len(report.comparisons) == len(verify("recorded").comparisons)
        assert {row.group for row in report.mismatches()} == {"posted figures", "R loops"}

    @pytest.mark.r
    def test_of_a_live_answer(self, tmp_path, live_engine):
        folder = shutil.copytree(reference_folder(), tmp_path / "r_reference")
        text = (folder / "many.R").read_text()
        less = "  lapply(results, function(r) r[c('loss', 'fitted')])\n}"
        assert "  results\n}" in text
        (folder / "many.R").write_text(text.replace("  results\n}", less))
        report = verify(live_engine, reference=folder, random=2)
        assert {row.quantity for row in report.mismatches()} >= {"Gamma1", "Gamma2", "X"}

    @pytest.mark.parametrize(
        ("old", "new"),
        [("[,2]    [,3]        [,4]", "[,2]    [,3]"), ("[6,]  22.098857", "[8,]  22.098857")],
        ids=["header", "index"],
    )
    def test_of_a_printout(self, tmp_path, old, new):
        folder = shutil.copytree(reference_folder(), tmp_path / "r_reference")
        path = folder / "recorded" / "posted_printed.json"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))
        assert not verify("recorded", reference=folder).ok


def test_kronecker_lines_count_in_their_order():
    figure = POSTED["kronecker_rule"]
    assert figure.differing_lines(figure.lines) == 0
    assert figure.differing_lines(["header", *figure.lines, "more"]) == 0
    assert figure.differing_lines(figure.lines[::-1]) > 0


def test_the_summary_shows_the_worst_row(report):
    frame = report.to_frame().query("candidate == 'Python compact' and group == 'R loops'")
    summary = report.summary().query("candidate == 'Python compact' and group == 'R loops'")
    assert summary["max_rel"].item() == frame["max_rel"].max() > frame["max_rel"].min()


def test_derivatives_are_compared_for_every_variable(report):
    frame = report.to_frame().query("group == 'derivatives'")
    assert set(frame["quantity"]) == {"Gamma1", "Gamma2", "gamma", "beta", "X"}


@pytest.mark.r
def test_random_problems_come_by_default(live_engine):
    report = verify(live_engine)
    frame = report.to_frame().query("group == 'random problems'")
    titles = " ".join(frame["problem"].unique())
    assert frame["problem"].nunique() == report.run["random"] == 16
    for word in ("no batch norm", "fixed moments", "ddof=0", "ddof=1", "mse", "sse", "vector"):
        assert word in titles
    assert {"complex step", "central differences"} <= set(frame["reference"])
    assert f"R ({live_engine}) Kronecker forms" in set(frame["candidate"])


class TestBadCalls:
    def test_random_without_r(self):
        text = r"`verify\(random=3\)` sends new problems to R, and only recorded results"
        with pytest.raises(RUnavailableError, match=text):
            verify("recorded", random=3)

    @pytest.mark.parametrize(
        ("options", "text"),
        [
            ({"random": -1}, "needs an integer random >= 0; got -1"),
            ({"seed": 0.5}, "needs an integer seed >= 0; got 0.5"),
            ({"tolerance": -1e-3}, "needs a finite tolerance >= 0; got -0.001"),
            ({"tolerance": float("nan")}, "needs a finite tolerance >= 0; got nan"),
            ({"tolerance": True}, "needs a finite tolerance >= 0; got True"),
            ({"engine": "matlab"}, "knows engine = .*\"recorded\"; got 'matlab'"),
        ],
    )
    def test_options_out_of_range(self, options, text):
        with pytest.raises(OptionError, match=text):
            verify(**({"engine": "recorded"} | options))


def test_a_report_without_rows_is_not_ok():
    report = verify("recorded")
    assert not dataclasses.replace(report, comparisons=()).ok


def test_the_question_comes_from_the_engine_in_use(tmp_path):
    folder = shutil.copytree(reference_folder(), tmp_path / "r_reference")
    path = folder / "recorded" / "question_data.json"
    path.write_text(path.read_text().replace("-0.62645381074", "-0.62645381174", 1))
    shifted = as_question(connect("recorded", reference=folder).call("question_data"))
    assert shifted.parameters.Gamma1[0, 0] == pytest.approx(-0.62645381174, abs=1e-11)
    assert mb.question().parameters.Gamma1[0, 0] == pytest.approx(-0.62645381074, abs=1e-11)
