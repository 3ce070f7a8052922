"""The house keeps its shape: imports point down, importing is light, files stay small."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import matbackprop

PACKAGE = Path(matbackprop.__file__).parent
ORDER = [
    "_version",
    "errors",
    "_typing",
    "_validation",
    "linalg",
    "differences",
    "batchnorm",
    "network",
    "symbolic",
    "reporting",
    "streaming",
    "rbridge",
    "checking",
    "pytest_plugin",
    "verification",
    "bench",
    "plots",
    "cli",
    "__main__",
    "__init__",
]
HEAVY = {
    *("rpy2", "pandas", "matplotlib", "rich", "typer", "sphinx"),
    *("dask", "distributed", "jax", "mpmath", "numba", "pyarrow", "torch"),
}
FILES = sorted(p.relative_to(PACKAGE) for p in PACKAGE.rglob("*.py"))


def rooms(node):
    """Names of the package's rooms that an import statement reaches."""
    if isinstance(node, ast.Import):
        found = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"line {node.lineno}: write imports absolutely"
        found = [f"{node.module}.{alias.name}" for alias in node.names]
    else:
        found = []
    return [name.split(".")[1] for name in found if name.startswith("matbackprop.")]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_point_down(path):
    layer = ORDER.index(path.parts[0].removesuffix(".py"))
    for node in ast.walk(ast.parse((PACKAGE / path).read_text(encoding="utf-8"))):
        for room in rooms(node):
            room = room if room in ORDER else "__init__"
            assert ORDER.index(room) <= layer, f"line {node.lineno} imports {room}"


@pytest.mark.parametrize(
    ("library", "room"),
    [
        ("rpy2", "rbridge"),
        ("matplotlib", "plots"),
        ("rich", "reporting"),
        ("dask", "streaming"),
        ("pyarrow", "streaming"),
    ],
)
def test_each_heavy_library_has_one_room(library, room):
    homes = set()
    for path in FILES:
        for node in ast.walk(ast.parse((PACKAGE / path).read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            if any(name.split(".")[0] == library for name in names):
                homes.add(path.parts[0])
    assert homes == {room}


def test_bare_import_is_light():
    code = "import sys, matbackprop; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert not HEAVY & {name.partition(".")[0] for name in loaded}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_files_stay_small(path):
    assert len((PACKAGE / path).read_text(encoding="utf-8").splitlines()) <= 400


def test_the_front_door_lists_what_it_exports():
    for name in matbackprop.__all__:
        assert hasattr(matbackprop, name), name


@pytest.mark.parametrize("path", FILES, ids=str)
def test_no_module_bears_the_name_of_what_it_defines(path):
    """Else the package's binding would be now the module, now the function."""
    tree = ast.parse((PACKAGE / path).read_text(encoding="utf-8"))
    defined = {getattr(node, "name", None) for node in tree.body}
    assert path.stem not in defined
