"""What docs/upstream reports is so in the versions that we pin.

A failure here, after an upgrade, means that a fault is gone, and with it, perhaps, our way round.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted((DOCS / "upstream").glob("*.md"))
PART = re.compile(r"^## ([^\n]+)$|^```(\w+)( setup)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"A title; or a block, its language, whether it begins every snippet of its page, and its text."


RUNNER = """
import json, os, signal, sys
import aiortc, av, numpy  # once, and not for each snippet

def output(code):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(40)  # Nothing outlives the test.
        os.dup2(write, 1)
        os.dup2(write, 2)
        exec(code, {"__name__": "__main__"})
        sys.stdout.flush()
        os._exit(0)
    os.close(write)
    with open(read) as pipe:
        printed = pipe.read()
    os.waitpid(child, 0)
    return printed

json.dump([output(code) for code in json.load(sys.stdin)], sys.stdout)
"""


def reports(page: Path) -> dict[str, tuple[str, str]]:
    """By title, the snippet in Python of each report that has one, and what it prints according to the page."""
    found: dict[str, tuple[str, str]] = {}
    setup = title = code = ""
    for part in PART.finditer(page.read_text()):
        heading, language, begins, text = part.groups()
        if heading:
            assert not code, f"the snippet of «{title}» has no output"
            title = heading
        elif begins:
            setup = text + "\n\n"
        elif language == "python":
            code = setup + text
        elif language == "text":
            found[title], code = (code, text), ""
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_snippets_of_a_page_print_what_its_reports_say(page: Path) -> None:
    found = reports(page)
    assert len(found) >= 3
    codes = json.dumps([code for code, _ in found.values()])
    ran = subprocess.run([sys.executable, "-c", RUNNER], input=codes, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    assert dict(zip(found, json.loads(ran.stdout), strict=True)) == {title: text for title, (_, text) in found.items()}


def test_the_pages_are_all_there() -> None:
    assert [page.stem for page in PAGES] == ["aioice", "dtls", "others", "rtp", "sctp"]


def test_the_index_links_to_every_report() -> None:
    links = re.findall(r"\(upstream/(\w+)\.md#([^)]+)\)", (DOCS / "upstream.md").read_text())
    titles = [(page.stem, part[1]) for page in PAGES for part in PART.finditer(page.read_text()) if part[1]]
    assert sorted(links) == sorted(
        (page, re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")) for page, title in titles
    )
