"""Settings of Sphinx. Vignettes are notebooks, run at each build; nothing is fetched."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from sphinx.errors import ConfigError

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

if find_spec("rpy2") is None:
    raise ConfigError(
        "the pages run R cells and need rpy2: `matbackprop r-info` says what is missing"
    )

project = "matbackprop"
author = "The matbackprop developers"
copyright = f"2026, {author}"
exclude_patterns = ["_build", "_ext"]

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_mathml",
    "whole_streams",
    "verbatim_formulas",
]

# Pages: MyST Markdown, $…$ and $$…$$ for mathematics, :::{note} for boxes.
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_update_mathjax = False
html_math_renderer = "mathml"
numfig = False

# Cells: run at every build; the first that fails, fails the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_show_tb = True
nb_merge_streams = True
nb_ipywidgets_js = {}

# The kernel gets settings of its own: figures are SVG, and nobody's ~/.ipython interferes.
ipython = HERE / "_build" / "ipython"
(ipython / "profile_default").mkdir(parents=True, exist_ok=True)
(ipython / "profile_default" / "ipython_kernel_config.py").write_text(
    'c.InlineBackend.figure_formats = {"svg"}\nc.IPKernelApp.log_level = "ERROR"\n'
)
os.environ["IPYTHONDIR"] = str(ipython)

# Reference: docstrings in NumPy's style. `name` links where it can and is code elsewhere.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_attr_annotations = False
add_module_names = False
python_display_short_literal_types = True

html_theme = "pydata_sphinx_theme"
html_title = "matbackprop"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_sidebars = {"**": []}
html_theme_options = {
    "logo": {"text": "matbackprop"},
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
}


def setup(app):
    """Leave out what a NamedTuple says of its fields by itself: their number."""

    def skip(app, what, name, obj, skip, options):
        return skip or str(getattr(obj, "__doc__", "")).startswith("Alias for field number")

    app.connect("autodoc-skip-member", skip)
