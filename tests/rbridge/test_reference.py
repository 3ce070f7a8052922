"""Where the reference code is looked for."""

import pytest

from matbackprop.errors import RUnavailableError
from matbackprop.rbridge import reference, reference_folder


def test_it_is_found():
    assert (reference_folder() / "all.R").is_file()


@pytest.mark.parametrize("place", ["matbackprop/r_reference", "r_reference"])
def test_inside_the_package_or_beside_it(place, tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "__file__", str(tmp_path / "matbackprop/rbridge/reference.py"))
    with pytest.raises(RUnavailableError, match=r"no all\.R in .* or .*Install the package again"):
        reference_folder()
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "all.R").touch()
    assert reference_folder() == tmp_path / place
