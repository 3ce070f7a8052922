import csv
import os
import threading

import pandas as pd
import pytest

from matbackprop.errors import DataError
from matbackprop.reporting import check_writable, write_csv, write_text


def test_csv_gives_back_every_bit(tmp_path):
    frame = pd.DataFrame({"who": ["R, loops", 'say "x"'], "value": [1 / 3, 1.1e-16]})
    write_csv(frame, tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["who", "value"]
    assert [(who, float(value)) for who, value in rows] == [*frame.itertuples(index=False)]


def test_replaces_the_whole_file(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old and longer")
    write_text("new β", path)
    assert path.read_text(encoding="utf-8") == "new β"
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]
    if os.name == "posix":
        assert path.stat().st_mode & 0o600 == 0o600


def test_a_folder_that_is_not_there(tmp_path):
    path = tmp_path / "none" / "page.html"
    with pytest.raises(
        DataError, match=r"Cannot write .*page.html: No such file.*a folder that ex"
    ):
        write_text("x", path)


def test_a_folder_in_the_place_of_the_file_loses_nothing(tmp_path):
    (tmp_path / "page.html").mkdir()
    with pytest.raises(DataError, match=r"Cannot write .*page.html: Is a directory"):
        write_text("x", tmp_path / "page.html")
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_text("new", tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new"


def test_permissions_are_kept(tmp_path):
    path = tmp_path / "private.csv"
    path.write_text("old")
    path.chmod(0o600)
    write_text("new", path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read = []
    reader = threading.Thread(target=lambda: read.append(path.read_text()))
    reader.start()
    write_text("through", path)
    reader.join(timeout=10)
    assert read == ["through"]
    assert path.is_fifo()


def test_what_could_not_be_written_is_known_beforehand(tmp_path):
    check_writable(tmp_path / "new.csv")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DataError, match=r"Cannot write .*: it is a folder. Name a file in it"):
        check_writable(tmp_path)
    with pytest.raises(DataError, match=r"Cannot write .*x.csv: there is no such folder"):
        check_writable(tmp_path / "none" / "x.csv")
