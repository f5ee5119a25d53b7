"""The page in a real browser: it is styled, its script runs, and none of the mail does."""

import re
import shutil
import socket
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.control.page import HTML
from mailgun_mcp.simulator.control.page_views import HOME, PREFIX
from mailgun_mcp.simulator.replies.reply import Reply
from tests.simulator import hostile
from tests.simulator.conftest import PLAIN
from tests.support.operations import catalogue

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no chromium or google-chrome to open the page with")
PATIENCE = 60
LIGHT, DARK = (0x14, 0x30, 0x4F), (0x0B, 0x1D, 0x31)


class Site:
    """The simulator, which notes what it is asked for; `/raw` is hostile HTML that nothing holds back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.asked: list[str] = []
        self.address = ""
        self.after_first: dict[str, Callable[[], None]] = {}
        """Path -> what happens when it is asked for again."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in self.asked and (happen := self.after_first.pop(scope["path"], None)):
            happen()
        self.asked.append(scope["path"])
        if scope["path"] == "/raw":
            await Reply(hostile.EVERYTHING, 200, HTML)(scope, receive, send)
        elif scope["path"].startswith(hostile.BEACON):
            await Reply("", 200, HTML)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def beacons(self) -> set[str]:
        return {path.removeprefix(hostile.BEACON) for path in self.asked if path.startswith(hostile.BEACON)}


@pytest.fixture
def site(account: Account) -> Iterator[Site]:
    site = Site(create_app(catalogue(), account=account, control=True))
    hostile.fill(account, account.domains[PLAIN])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        site.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(site, log_config=None, lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield site
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


def browse(site: Site, path: str, profile: Path, *options: str) -> str:
    assert BROWSER is not None
    always = ("--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--no-sandbox")
    arguments = [BROWSER, *always, f"--user-data-dir={profile}", "--virtual-time-budget=4000", *options]
    done = subprocess.run([*arguments, site.address + path], capture_output=True, timeout=PATIENCE, check=True)
    return done.stdout.decode()


def test_the_attacks_are_real(site: Site, tmp_path: Path) -> None:
    browse(site, "/raw", tmp_path, "--dump-dom")
    assert site.beacons() == set(hostile.ATTACKS)


@pytest.mark.parametrize("view", ["message", "mail", "messages", "events", "inbound", "outbox", "suppressions"])
def test_nothing_of_a_mail_runs_or_calls_home(site: Site, tmp_path: Path, view: str) -> None:
    path = f"{PREFIX}{view}?domain={PLAIN}&key=hostile"
    dom = browse(site, path, tmp_path, "--dump-dom")
    assert site.beacons() == set()
    assert (f"{PREFIX}mail" in site.asked) is (view in ("message", "mail"))
    assert "beacon" in dom


def test_the_script_of_the_page_runs_under_its_policy(site: Site, tmp_path: Path) -> None:
    dom = browse(site, HOME, tmp_path, "--dump-dom")
    assert '<div class="tools" id="tools" role="group" aria-label="Tools">' in dom
    assert {f"{PREFIX}page.css", f"{PREFIX}page.js"} <= set(site.asked)


def test_the_parts_of_a_message_are_tabs_and_the_first_is_shown(site: Site, tmp_path: Path) -> None:
    dom = browse(site, f"{PREFIX}message?domain={PLAIN}&key=hostile", tmp_path, "--dump-dom")
    assert re.findall(r'role="tab" [^>]*aria-selected="(\w+)"[^>]*>([^<]+)', dom) == [
        ("true", "HTML"),
        *(("false", name) for name in ("Text", "HTML source", "Headers", "Events", "Details")),
    ]
    assert re.findall(r'data-tab="([^"]+)"[^>]*?( hidden="")?>', dom)[:2] == [("HTML", ""), ("Text", ' hidden=""')]


def test_the_script_shows_the_buttons_and_forms_that_need_it(site: Site, tmp_path: Path) -> None:
    message = browse(site, f"{PREFIX}message?domain={PLAIN}&key=hostile", tmp_path, "--dump-dom")
    assert '<div class="actions" role="group" aria-label="Act as the recipients">' in message
    forms = browse(site, f"{PREFIX}try", tmp_path, "--dump-dom")
    assert '<div class="forms">' in forms
    assert 'id="off"' not in forms


def test_new_mail_appears_in_the_list_while_a_message_is_read(site: Site, account: Account, tmp_path: Path) -> None:
    path = f"{PREFIX}message?domain={PLAIN}&key=hostile"

    def arrive() -> None:
        domain, hostile_mail = account.domains[PLAIN], account.domains[PLAIN].messages["hostile"]
        domain.messages["new"] = replace(hostile_mail, key="new", headers={"Subject": "It came just now"})

    site.after_first[f"{PREFIX}message"] = arrive
    dom = browse(site, path, tmp_path, "--dump-dom")
    assert site.asked.count(f"{PREFIX}message") > 1
    assert "It came just now" in dom
    assert site.asked.count(f"{PREFIX}mail") == 1, "what someone reads is not loaded again"


@pytest.mark.parametrize(("scheme", "ground"), [("1", LIGHT), ("0", DARK)], ids=["light", "dark"])
def test_the_page_is_light_or_dark_as_the_reader_wants(
    site: Site, tmp_path: Path, scheme: str, ground: tuple[int, int, int]
) -> None:
    picture = tmp_path / "page.png"
    browse(site, HOME, tmp_path, f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={picture}")
    assert first_pixel(picture.read_bytes()) == ground


def first_pixel(png: bytes) -> tuple[int, int, int]:
    """Return the colour of the upper left corner, which no PNG filter changes."""
    place, data = 8, b""
    while place < len(png):
        size = int.from_bytes(png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + size]
        place += size + 12
    red, green, blue = zlib.decompress(data)[1:4]
    return red, green, blue
