"""Two readers of names: the simulator, and one that stores them as they are shortest. Mailgun could be either."""

import re

import httpx

from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.lists import Member
from mailgun_mcp.simulator.model.suppressions import AllowlistEntry, Bounce, Complaint, Unsubscribe
from tests.support.undoing import ADDRESS, NAME, OTHER, Mailgun, account_to_change

U_LABEL, A_LABEL = "bücher.example", "xn--bcher-kva.example"
STORED = (OTHER, f"al@{A_LABEL}")
QUOTES = re.compile(rb'(?:\\"|%22|")(ben|al)(?:\\"|%22|")(@|%40)')
LABELS = re.compile(rb"b(?:\xc3[\xbc\x9c]|%C3%BC|%C3%9C|\\u00[fd]c)cher\.example", re.IGNORECASE)
RANGES = {
    b"2001:DB8::0:1": b"2001:db8::1",
    b"2001:db8:0::/48": b"2001:db8::/48",
    b"/32": b"",
    b"2001%3ADB8%3A%3A0%3A1": b"2001%3Adb8%3A%3A1",
    b"2001%3Adb8%3A0%3A%3A%2F48": b"2001%3Adb8%3A%3A%2F48",
    b"%2F32": b"",
}
"""IP addresses and ranges of them, as they are shortest."""


def shortest(written: bytes) -> bytes:
    """Return a part of a request with every address as it is shortest: without quotes, the domain in its ASCII form."""
    for given_range, stored_range in RANGES.items():
        written = written.replace(given_range, stored_range)
    return LABELS.sub(A_LABEL.encode(), QUOTES.sub(rb"\1\2", written))


class Shortening(Mailgun):
    """Stores addresses in their shortest form."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(raw_path=shortest(request.url.raw_path))
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        content = shortest(request.content)
        return await super().handle_async_request(httpx.Request(request.method, url, headers=headers, content=content))


def account_with_both_forms() -> Account:
    made = account_to_change()
    domain, now = made.domains[NAME], made.clock.now() - 500
    for key in STORED:
        domain.bounces[key] = Bounce(key, now, "421", f"mailbox of {key} full")
        domain.complaints[key] = Complaint(key, now)
        domain.unsubscribes[key] = Unsubscribe(key, now, "2", ["news", "offers"])
        domain.allowlist[key] = AllowlistEntry(key, now)
        made.lists[ADDRESS].members[key] = Member(key, key, {"plan": "gold"}, subscribed=False)
    return made
