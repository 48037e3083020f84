"""What docs/upstream reports is so in the versions that we pin.

A failure here, after an upgrade, means that a fault is gone, and with it, perhaps, our way round.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted((DOCS / "upstream").glob("*.md"))
PART = re.compile(r"^## ([^\n]+)$|^```(\w+)( setup)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"A title; or a block, its language, whether it begins every snippet of its page, and its text."


def snippets() -> Iterator[tuple[str, str, str]]:
    """The title of each report that has a snippet in Python, the snippet, and what it prints according to the page."""
    for page in PAGES:
        setup = title = code = ""
        for part in PART.finditer(page.read_text()):
            heading, language, begins, text = part.groups()
            if heading:
                title = heading
            elif begins:
                setup = text + "\n\n"
            elif language == "python":
                assert not code, f"{page.name}: a snippet has no output before «{title}»"
                code = setup + text
            elif language == "text":
                yield f"{page.stem}: {title}", code, text
                code = ""
        assert not code, f"{page.name}: the last snippet has no output"


@pytest.mark.parametrize(("code", "output"), [pytest.param(code, out, id=title) for title, code, out in snippets()])
def test_a_snippet_prints_what_its_report_says(code: str, output: str) -> None:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr, ran.returncode) == (output, "", 0)


def test_every_page_has_snippets() -> None:
    assert len(PAGES) == 5
    assert {title.partition(":")[0] for title, _, _ in snippets()} == {page.stem for page in PAGES}


def test_the_index_links_to_every_report() -> None:
    links = re.findall(r"\(upstream/(\w+)\.md#([^)]+)\)", (DOCS / "upstream.md").read_text())
    titles = [(page.stem, part[1]) for page in PAGES for part in PART.finditer(page.read_text()) if part[1]]
    assert sorted(links) == sorted(
        (page, re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")) for page, title in titles
    )
