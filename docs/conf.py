"""How Sphinx builds the documentation; `make docs` runs it, with warnings as errors."""

import tomllib
from importlib.metadata import version as installed_version
from pathlib import Path

project = "bargain"
author = "The bargain developers"
copyright = "The bargain developers"
release = version = installed_version("bargain-solvers")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
]
exclude_patterns = ["_build"]
nitpicky = True

myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3

# Types and shapes stand in the docstrings, where they can be read.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# The rules are the project's, so that an editor or a hook finds the same ones.
rules = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["tool"][
    "numpydoc_validation"
]
numpydoc_validation_checks = set(rules["checks"])
numpydoc_validation_exclude = set(rules["exclude"])

doctest_global_setup = "import warnings\nwarnings.simplefilter('error')"

html_theme = "furo"
html_title = f"bargain {version}"
