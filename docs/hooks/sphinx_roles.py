"""Show the Sphinx roles of docstrings, such as :class:`.SearchSpace`, as code in the site."""

from __future__ import annotations

import re

ROLE = re.compile(r':(?:class|func|meth|mod|attr):<code>[~.]?([^<]*)</code>')


def on_page_content(html: str, **_) -> str:
    """Called by mkdocs with the HTML of each page."""
    return ROLE.sub(r'<code>\1</code>', html)
