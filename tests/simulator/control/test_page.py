"""The page that shows what the simulator holds: all of it, and none of it as markup."""

from collections.abc import AsyncIterator
from html.parser import HTMLParser

import httpx
import pytest

from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.control.faults import KINDS
from mailgun_mcp.simulator.control.page import PATHS, SECTIONS
from mailgun_mcp.simulator.control.page_views import HOME, PREFIX, SHOWN
from mailgun_mcp.simulator.mail.recipients import RECIPIENT_ACTIONS
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import Attachment, StoredMessage
from mailgun_mcp.simulator.worlds.demo import SHOP
from mailgun_mcp.simulator.worlds.scenario import shipped_names
from tests.simulator import hostile
from tests.simulator.conftest import PLAIN, client
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio
VIEWS = [*(name for name in SECTIONS if name), "message"]
HOSTILE = f"?domain={PLAIN}&key=hostile"
ELEMENTS = {
    *("html", "head", "meta", "title", "link", "script", "body", "header", "main", "nav", "a", "p", "div", "span"),
    *("label", "input", "button", "h1", "h2", "table", "caption", "thead", "tbody", "tr", "th", "td", "bdi", "time"),
    *("pre", "details", "summary", "ul", "li", "iframe", "form", "textarea", "select", "option"),
}


class Reader(HTMLParser):
    """Reads a page as a browser does: its elements, addresses and words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def addresses(self) -> list[str]:
        return [value or "" for _, found in self.elements for name, value in found.items() if name in ("href", "src")]


@pytest.fixture
async def browser(account: Account) -> AsyncIterator[httpx.AsyncClient]:
    async with client(create_app(catalogue(), account=account, control=True)) as connected:
        yield connected


async def read(browser: httpx.AsyncClient, path: str) -> Reader:
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Reader(answer.text)


def message(domain: Domain, key: str, at: float, **more: object) -> StoredMessage:
    made = StoredMessage(key, f"{key}@x", domain.name, at, "a@x.example", ["b@x.example"], {"Subject": key}, **more)  # type: ignore[arg-type]
    domain.messages[key] = made
    return made


async def test_without_control_there_is_no_page(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.get(HOME)).status_code == 404


async def test_the_page_asks_for_the_key_that_is_set(account: Account) -> None:
    app = create_app(catalogue(), account=account, key="right", control=True)
    for key, status in (("right", 200), ("wrong", 401)):
        async with client(app, key) as browser:
            answer = await browser.get(HOME)
            assert (answer.status_code, "www-authenticate" in answer.headers) == (status, status == 401)


async def test_nothing_is_posted_to_the_page(browser: httpx.AsyncClient) -> None:
    assert (await browser.post(HOME)).status_code in (404, 405)


async def test_the_first_page_leads_to_every_domain_and_account(browser: httpx.AsyncClient, account: Account) -> None:
    page = await read(browser, HOME)
    for domain in account.domains.values():
        assert f"{PREFIX}messages?domain={domain.name}" in page.addresses()
    for subaccount in account.administration.subaccounts:
        assert f"{HOME}?account={subaccount}" in page.addresses()


async def test_every_link_of_every_section_leads_somewhere(browser: httpx.AsyncClient, account: Account) -> None:
    hostile.fill(account, account.domains[PLAIN])
    seen, waiting = set(), [HOME]
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = await browser.get(path)
        assert answer.status_code == 200, path
        if "<main" in answer.text:
            found = set(Reader(answer.text).addresses()) - {"#main", "data:,"}
            waiting += [address for address in found if address not in seen and address not in waiting]
    assert {address.partition("?")[0] for address in seen} == set(PATHS)


async def test_a_message_shows_everything_of_it(browser: httpx.AsyncClient, account: Account) -> None:
    shown = next(one for one in account.domains[SHOP].messages.values() if one.html and one.tags)
    page = await read(browser, f"{PREFIX}message?domain={SHOP}&key={shown.key}")
    for text in (*shown.headers, *shown.headers.values(), *shown.tags, shown.text, shown.html, "delivered", "accepted"):
        assert text in page.words
    (frame,) = page.named("iframe")
    assert (frame["sandbox"], frame["src"]) == ("", f"{PREFIX}mail?domain={SHOP}&key={shown.key}")
    assert (await browser.get(str(frame["src"]))).text == shown.html


async def test_mail_is_served_where_nothing_of_it_can_run(browser: httpx.AsyncClient, account: Account) -> None:
    hostile.fill(account, account.domains[PLAIN])
    answer = await browser.get(f"{PREFIX}mail{HOSTILE}")
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"sandbox", "default-src 'none'", "form-action 'none'", "frame-ancestors 'self'"} <= set(policy)
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_images_that_came_with_the_mail_are_in_it(browser: httpx.AsyncClient, plain: Domain) -> None:
    image, evil = Attachment("dot.png", "image/png", b"png"), Attachment("evil.png", 'image/"><script>', b"x")
    html = '<img src="cid:dot.png"><img src="cid:gone.png"><img src="cid:evil.png">'
    message(plain, "k", 0.0, html=html, attachments=[image, evil])
    shown = (await browser.get(f"{PREFIX}mail?domain={PLAIN}&key=k")).text
    assert shown == '<img src="data:image/png;base64,cG5n"><img src="cid:gone.png"><img src="cid:evil.png">'


@pytest.mark.parametrize("view", VIEWS)
async def test_nothing_that_strangers_wrote_is_markup(browser: httpx.AsyncClient, account: Account, view: str) -> None:
    hostile.fill(account, account.domains[PLAIN])
    page = await read(browser, PREFIX + view + (HOSTILE if view == "message" else f"?domain={PLAIN}"))
    assert {name for name, _ in page.elements} <= ELEMENTS
    assert [name for _, found in page.elements for name in found if name.startswith("on") or name == "style"] == []
    assert page.named("script") == [{"src": f"{PREFIX}page.js", "defer": None}]
    assert [address for address in page.addresses() if not address.startswith((HOME, "#main", "data:,"))] == []
    assert view == "try" or "<script>fetch('/beacon/" in page.words


@pytest.mark.parametrize("path", [HOME, *(PREFIX + view for view in VIEWS if view != "message")])
async def test_a_page_lets_nothing_in_from_elsewhere(browser: httpx.AsyncClient, path: str) -> None:
    policy = (await browser.get(path)).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_scheduled_mail_is_shown_until_its_time_comes(
    browser: httpx.AsyncClient, account: Account, plain: Domain
) -> None:
    later = account.clock.now() + 3600
    waiting = message(plain, "later", account.clock.now(), deliver_at=later)
    plain.messages.clear()
    plain.scheduled.append(waiting)
    assert "Scheduled messages" in (await read(browser, f"{PREFIX}messages?domain={PLAIN}")).words
    assert "later" in (await read(browser, f"{PREFIX}message?domain={PLAIN}&key=later")).words
    await browser.post("/simulator/clock", json={"advance": "1h"})
    assert "Scheduled messages" not in (await read(browser, f"{PREFIX}messages?domain={PLAIN}")).words


async def test_pages_hold_every_message_once_and_newest_first(browser: httpx.AsyncClient, plain: Domain) -> None:
    for number in range(2 * SHOWN + 5):
        message(plain, f"m{number}-", float(number))
    found: list[str] = []
    path = f"{PREFIX}messages?domain={PLAIN}"
    while path:
        page = await read(browser, path)
        links = [address for address in page.addresses() if address.startswith(f"{PREFIX}message?")]
        found += [address.rpartition("key=")[2] for address in links]
        older = [address for address in page.addresses() if address.endswith(f"skip={len(found)}")]
        path = older[0] if older else ""
    assert found == [f"m{number}-" for number in reversed(range(2 * SHOWN + 5))]


@pytest.mark.parametrize(
    "query", ["domain=nowhere.example", "account=none", f"domain={SHOP}&key=none", ""], ids=lambda query: query[:8]
)
async def test_what_is_not_there_is_not_found(browser: httpx.AsyncClient, query: str) -> None:
    assert (await browser.get(f"{PREFIX}message?{query}")).status_code == 404


async def test_a_subaccount_has_its_own_pages(browser: httpx.AsyncClient, account: Account) -> None:
    below = next(iter(account.administration.subaccounts.values()))
    page = await read(browser, f"{HOME}?account={below.id}")
    assert next(iter(below.account.domains)) in page.words
    assert SHOP not in page.words
    assert f"{PREFIX}messages?account={below.id}" in page.addresses()


async def test_the_source_of_a_message_is_text(browser: httpx.AsyncClient, account: Account) -> None:
    hostile.fill(account, account.domains[PLAIN])
    answer = await browser.get(f"{PREFIX}source{HOSTILE}")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "X-Evil:" in answer.text


@pytest.mark.parametrize(
    ("content_type", "opened_as", "disposition"),
    [
        ("image/png", "image/png", "inline"),
        ("text/plain", "text/plain; charset=utf-8", "inline"),
        ("text/html; charset=utf-8", "text/plain; charset=utf-8", "inline"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
        ("application/pdf", "application/octet-stream", "attachment"),
        ("x\r\nevil: 1", "application/octet-stream", "attachment"),
    ],
)
async def test_an_attachment_opens_or_is_saved_and_never_runs(
    browser: httpx.AsyncClient, plain: Domain, content_type: str, opened_as: str, disposition: str
) -> None:
    message(plain, "k", 0.0, attachments=[Attachment('ü".x\r\n', content_type, b"<script>1</script>")])
    page = await read(browser, f"{PREFIX}message?domain={PLAIN}&key=k")
    (path,) = [address for address in page.addresses() if address.startswith(f"{PREFIX}attachment?")]
    answer = await browser.get(path)
    assert (answer.content, answer.headers["content-type"]) == (b"<script>1</script>", opened_as)
    assert answer.headers["content-disposition"] == f"{disposition}; filename*=UTF-8''%C3%BC%22.x%0D%0A"
    assert answer.headers["content-security-policy"].startswith("sandbox;")


@pytest.mark.parametrize("index", ["1", "-1", "x", ""])
async def test_an_attachment_that_is_not_there_is_not_found(
    browser: httpx.AsyncClient, plain: Domain, index: str
) -> None:
    message(plain, "k", 0.0, attachments=[Attachment("a.txt", "text/plain", b"x")])
    assert (await browser.get(f"{PREFIX}attachment?domain={PLAIN}&key=k&index={index}")).status_code == 404


async def test_a_message_has_a_button_for_all_that_a_recipient_can_do(
    browser: httpx.AsyncClient, plain: Domain
) -> None:
    message(plain, "k", 0.0)
    page = await read(browser, f"{PREFIX}message?domain={PLAIN}&key=k")
    buttons = [one for one in page.named("button") if "data-act" in one]
    assert {one["data-act"] for one in buttons} == set(RECIPIENT_ACTIONS)
    assert {one["data-message"] for one in buttons} == {"k"}


async def test_times_name_their_zone(browser: httpx.AsyncClient, plain: Domain) -> None:
    message(plain, "k", 1_795_000_000.0)
    assert "2026-11-18 11:06:40 UTC" in (await read(browser, f"{PREFIX}message?domain={PLAIN}&key=k")).words


async def test_the_forms_have_what_their_routes_take(browser: httpx.AsyncClient) -> None:
    page = await read(browser, f"{PREFIX}try?domain={PLAIN}")
    assert [form.get("data-route", "compose") for form in page.named("form")] == [
        "compose",
        "inbound",
        "faults",
        "seed",
    ]
    options = {option["value"] for option in page.named("option")}
    assert {PLAIN, "", *shipped_names(), *KINDS} == options
