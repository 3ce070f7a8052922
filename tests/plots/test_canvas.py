import subprocess
import sys


def test_without_matplotlib_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from matbackprop.plots import plot_matrix\n"
        "try: plot_matrix([[1.0]])\n"
        "except ImportError as error: print(type(error).__name__, error)"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out.startswith("MissingExtraError `matbackprop.plots` needs matplotlib")
    assert "pip install 'matbackprop[plots]'" in out
