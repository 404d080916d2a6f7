"""Settings of Sphinx for the site that `make docs` builds; `docs/site/prepare.py` writes its pages."""

from typing import Any

from latex2mathml.converter import convert

project = "moxie"
author = "the moxie developers"
extensions = ["myst_parser"]
root_doc = "index"
html_theme = "furo"
html_title = "moxie"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
html_math_renderer = "mathml"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 6
# Links to files that are no pages of the site are held by tests/unit/test_docs.py.
suppress_warnings = ["myst.xref_missing", "myst.header", "misc.highlighting_failure"]


def _inline(translator: Any, node: Any) -> None:
    _write(translator, node, "inline")


def _block(translator: Any, node: Any) -> None:
    _write(translator, node, "block")


def _write(translator: Any, node: Any, display: str) -> None:
    """Write an equation as MathML, which browsers draw without a script or a network."""
    from docutils.nodes import SkipNode

    translator.body.append(convert(node.astext(), display=display))
    raise SkipNode


def setup(app: Any) -> None:
    """Let equations be MathML."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
