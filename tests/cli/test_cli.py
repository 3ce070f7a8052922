"""The command line as people use it: in a process of its own, judged by status and output."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "matbackprop", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"} | environment,
    )


class TestVerify:
    def test_recorded_is_labelled(self):
        done = run("verify", "--engine", "recorded")
        assert done.returncode == 0, done.stderr
        assert "R's results are RECORDED, not run now; made by R version" in done.stdout
        assert "comparisons match, with recorded R results." in done.stdout
        assert done.stderr == ""

    @pytest.mark.r
    def test_live(self, live_engine):
        done = run("verify", "--engine", live_engine, "--random", "3", "--seed", "5")
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"R runs live through {live_engine}" in done.stdout
        assert "random problems" in done.stdout

    def test_json_is_all_of_standard_output(self):
        done = run("verify", "--engine", "recorded", "--json")
        report = json.loads(done.stdout)
        assert report["ok"] is True
        assert report["engine"]["live"] is False
        assert report["compared"] == len(report["rows"]) > 100
        assert report["mismatches"] == 0

    def test_csv_and_html(self, tmp_path):
        csv, html = tmp_path / "rows.csv", tmp_path / "report.html"
        done = run("verify", "--engine", "recorded", "--csv", str(csv), "--html", str(html))
        assert done.returncode == 0, done.stderr
        frame = pd.read_csv(csv)
        assert (frame["verdict"] == "match").all()
        page = html.read_text(encoding="utf-8")
        assert "Python kronecker" in page
        assert "http" not in page

    def test_a_mismatch_is_status_one(self, tmp_path):
        html = tmp_path / "report.html"
        done = run("verify", "--engine", "recorded", "--tolerance", "0", "--html", str(html))
        assert done.returncode == 1
        assert "What does not match" in done.stdout
        assert "comparisons do NOT match" in done.stdout
        assert "MISMATCH" in html.read_text(encoding="utf-8")

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (["--engine", "recorded", "--random", "3"], "sends new problems to R"),
            (["--engine", "matlab"], 'knows engine = "auto", "rpy2", "rscript", "recorded"'),
            (["--tolerance", "-1"], "needs a finite tolerance >= 0; got -1.0"),
            (["--engine", "recorded", "--csv", "/no/such/folder/x.csv"], "Cannot write"),
            (["--random", "some"], "Invalid value for '--random'"),
        ],
    )
    def test_what_could_not_run_is_status_two(self, arguments, text):
        done = run("verify", *arguments)
        assert done.returncode == 2
        assert text in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr

    def test_without_any_r_auto_falls_back_and_says_so(self, tmp_path):
        # An empty PATH hides R; a broken R_HOME hides it from rpy2 too.
        done = run("verify", PATH=str(tmp_path), R_HOME=str(tmp_path / "none"))
        assert done.returncode == 0, done.stderr
        assert "RECORDED" in done.stdout
        assert "passed over rpy2:" in done.stdout
        assert "passed over rscript:" in done.stdout


class TestClaims:
    def test_the_table_and_its_verdict(self):
        done = run("claims", "--draws", "2")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "claims are decided, by 2 draws each, and every correction holds." in done.stdout
        for word in ("holds", "holds only if", "fails", "d(XY)"):
            assert word in done.stdout

    def test_json(self):
        done = run("claims", "--source", "course note", "--draws", "1", "--json")
        report = json.loads(done.stdout)
        assert report["ok"] is True
        assert report["claims"] == len(report["rows"])
        assert {row["source"] for row in report["rows"]} == {"course note"}

    def test_html_and_csv(self, tmp_path):
        csv, html = tmp_path / "rows.csv", tmp_path / "claims.html"
        done = run("claims", "--draws", "1", "--csv", str(csv), "--html", str(html))
        assert done.returncode == 0, done.stderr
        assert len(pd.read_csv(csv)) >= 40
        page = html.read_text(encoding="utf-8")
        assert '<td class="bad">fails</td>' in page
        assert '<td class="good">holds</td>' in page
        assert "http" not in page

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (["--source", "wikipedia"], 'knows source = "question"'),
            (["--draws", "0"], "needs an integer draws >= 1; got 0"),
            (["--engine", "perl"], 'knows engine = "auto"'),
            (["--csv", "a.csv", "--html", "./a.csv"], "needs different files; got a.csv twice"),
        ],
    )
    def test_what_could_not_run_is_status_two(self, arguments, text):
        done = run("claims", *arguments)
        assert done.returncode == 2
        assert text in done.stderr
        assert done.stdout == ""


class TestBench:
    def test_json(self):
        done = run("bench", "--repeats", "1", "--json")
        assert done.returncode == 0, done.stderr
        rows = json.loads(done.stdout)["rows"]
        assert {row["engine"] for row in rows} >= {"matbackprop, NumPy"}
        assert all(row["milliseconds"] > 0 for row in rows)

    def test_offsets_are_measured_once(self):
        done = run("bench", "offsets", "--repeats", "3")
        assert done.returncode == 2
        assert "`matbackprop bench offsets` has no --repeats" in done.stderr

    def test_there_are_four(self):
        done = run("bench", "network")
        assert done.returncode == 2
        assert (
            'knows what = "layers", "symbolic", "engines", "offsets"; got \'network\''
            in done.stderr
        )

    def test_engines(self, tmp_path):
        path = tmp_path / "times.svg"
        few = ("--shape", "60,3,2", "--shape", "90,3,2", "--engines", "torch", "--no-memory")
        done = run("bench", "engines", *few, "--repeats", "2", "--plot", str(path))
        assert done.returncode == 0, done.stderr
        assert "60 × 3 × 2, float64" in done.stdout
        assert "times as fast as the fastest of torch: torch (quartiles" in done.stdout
        assert f"wrote {path}" in done.stdout
        assert path.read_text(encoding="utf-8").startswith("<?xml")

    def test_engines_as_json(self):
        few = ("--shape", "60,3,2", "--engines", "R loops", "--engines", "matbackprop, compact")
        done = run("bench", "engines", *few, "--repeats", "1", "--dtype", "float32", "--json")
        assert done.returncode == 0, done.stderr
        rows = {row["engine"]: row for row in json.loads(done.stdout)["rows"]}
        assert list(rows) == ["matbackprop, one pass", "matbackprop, compact", "R loops"]
        compact = rows["matbackprop, compact"]
        assert compact["dtype"] == "float32"
        assert 0 < compact["largest_error"] < 1e-4
        if sys.platform == "linux":
            assert 0 <= compact["peak_mib"] < 10

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (["engines", "--shape", "60,3"], "cannot read --shape '60,3'. Write three positive"),
            (["engines", "--shape", "60,3,0"], "cannot read --shape '60,3,0'"),
            (["engines", "--shape", "a,b,c"], "`--shape 200000,50,100`"),
            (["engines", "--engines", "keras"], '"torch", "torch.compile", "JAX", "autograd"'),
            (["engines", "--dtype", "half"], 'knows dtype = "float64", "float32"; got \'half\''),
            (["engines", "--plot", "times.xls"], 'ending of --plot = ".png", ".svg", ".pdf"; got'),
            (["engines", "--plot", "/no/such/x.svg"], "there is no such folder"),
            (["layers", "--shape", "60,3,2"], "`matbackprop bench layers` has no --shape"),
            (["symbolic", "--no-memory"], "`matbackprop bench symbolic` has no --memory"),
        ],
    )
    def test_what_could_not_run_is_status_two(self, arguments, text):
        done = run("bench", *arguments)
        assert done.returncode == 2
        assert text in done.stderr
        assert "Traceback" not in done.stderr

    def test_rounds_are_counted(self):
        done = run("bench", "--repeats", "0")
        assert done.returncode == 2
        assert "needs an integer repeats >= 1; got 0" in done.stderr


class TestRInfo:
    @pytest.mark.r
    def test_with_r(self, live_engine):
        done = run("r-info")
        assert done.returncode == 0
        assert f"engine {live_engine}" in done.stdout
        assert "R version" in done.stdout

    def test_without_r(self, tmp_path):
        done = run("r-info", PATH=str(tmp_path), R_HOME=str(tmp_path / "none"))
        assert done.returncode == 1
        assert "does not work" in done.stdout
        assert "repair" in done.stdout

    def test_json(self):
        info = json.loads(run("r-info", "--json").stdout)
        assert [engine["name"] for engine in info["engines"]] == ["rpy2", "rscript", "recorded"]


def test_version():
    from matbackprop import __version__

    assert run("--version").stdout.strip() == __version__


def test_no_arguments_show_the_commands():
    text = run().stdout
    assert "verify" in text
    assert "r-info" in text
