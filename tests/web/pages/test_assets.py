"""The files of a page are those that it names, and the script that they run is ours."""

import re
from pathlib import Path

import pytest

from mailgun_mcp.web.pages.assets import OWN, TYPES
from tests.support.pages import browsing
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio
WEB = Path(__file__).resolve().parents[3] / "mailgun_mcp" / "web"


async def test_each_file_that_a_template_names_is_there_without_a_session() -> None:
    named = {
        name
        for path in WEB.rglob("*.html")
        for name in re.findall(r"/assets/([\w.]+)", path.read_text(encoding="utf-8"))
    }
    assert named <= set(OWN)
    async with browsing(recorded_services(Recorder())) as browser:
        for name, path in OWN.items():
            answer = await browser.open(f"/assets/{name}")
            assert (answer.status_code, answer.content) == (200, path.read_bytes())
            assert answer.headers["content-type"] == TYPES[path.suffix]


def test_the_script_makes_no_html_of_what_it_reads_and_reaches_no_other_host() -> None:
    script = OWN["page.js"].read_text(encoding="utf-8")
    forbidden = (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "http:",
        "https:",
    )
    assert [word for word in forbidden if word in script] == []
