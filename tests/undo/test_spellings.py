"""What a call affects is read under the key that Mailgun stores, however the caller spelled it.

State A, any undoable operation with its names in any spelling, undo, and it is state A again; or the answer says what
is not put back. A spelling that the server or Mailgun refuses changes nothing.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import httpx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mailgun_mcp.catalogue.types import Arguments
from tests.support.name_readers import A_LABEL, U_LABEL, Shortening, account_with_both_forms
from tests.support.one_thread import no_threads
from tests.support.undo_calls import CALLS, PREPARED, REMAINING, RULE
from tests.support.undoing import (
    ADDRESS,
    HOST,
    NAME,
    OTHER,
    Bench,
    Mailgun,
    account_to_change,
    bench,
    differences,
    services_on,
)

pytestmark = pytest.mark.anyio

LIST = {"list_address": ADDRESS}


async def undone(tool: str, arguments: Arguments) -> None:
    """Make the call and undo it: everything that it changed is put back."""
    async with bench(account_to_change()) as tried:
        before = tried.state
        made = await tried.made(tool, arguments)
        changed = differences(before, tried.state)
        result = await tried.undo(made["undo"]["id"])
        assert differences(before, tried.state) == [], result
        assert (result["put_back"] > 0, result["not_put_back"]) == (changed != [], []), result
        assert ("nothing to put back" in result["message"]) == (changed == []), result


@asynccontextmanager
async def on(kind: type[Mailgun]) -> AsyncIterator[Bench]:
    """Give services on an account with names of every kind, at a Mailgun that reads names in its own way."""
    there = account_with_both_forms()
    mailgun = kind(there)
    async with services_on(mailgun, there) as services:
        yield Bench(there, mailgun, services)


async def test_a_member_with_a_name_before_the_address_is_put_back() -> None:
    member = {"address": f"Al New <{OTHER.title()}>", "vars": {"new": 2}, "subscribed": True}
    await undone("bulk_add_mailing_list_members", {**LIST, "members": [member], "upsert": True})


@pytest.mark.parametrize("kind", ["send_alert", "threshold_limit"])
async def test_a_name_that_looks_like_an_address_is_not_taken_for_one(kind: str) -> None:
    rule: Arguments = {"name": "Ops@Example.com", "metric": "seed_test_count", **RULE}
    if kind == "send_alert":
        rule |= {"metric": "hard_bounce_rate", "alert_channels": ["email"]}
    async with bench(account_to_change()) as tried:
        await tried.made(f"create_{kind}", rule)
        before = tried.state
        deleted = await tried.made(f"delete_{kind}", {"name": rule["name"]})
        assert (await tried.undo(deleted["undo"]["id"]))["put_back"] == 1
        assert differences(before, tried.state) == []


@pytest.mark.parametrize(
    "address", [f"mailto:new@{HOST}", f"new @{HOST}", f"new@{HOST} (the team)", f"a@b.c <n@{HOST}>"]
)
async def test_an_address_that_readers_could_take_for_two_names_nothing(address: str) -> None:
    async with bench(account_to_change()) as tried:
        for tool, arguments in (
            ("create_mailing_list", {"address": address}),
            ("update_mailing_list", {**LIST, "address": address}),
            ("add_mailing_list_member", {**LIST, "address": address}),
            ("bulk_add_mailing_list_members", {**LIST, "members": [{"address": address}], "upsert": True}),
        ):
            assert "is not a" in (await tried.call(tool, arguments)).text
        assert tried.mailgun.lines == []


class Surprising(Mailgun):
    """Stores what is new under another address than it was given."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = request.content.replace(b"new@example.com", b"odd@example.com")
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        return await super().handle_async_request(
            httpx.Request(request.method, request.url, headers=headers, content=content)
        )


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("create_mailing_list", {"address": "new@example.com"}),
        ("update_mailing_list", {**LIST, "address": "new@example.com"}),
        ("add_mailing_list_member", {**LIST, "address": "new@example.com"}),
        ("add_unsubscribes", {"domain": NAME, "unsubscribes": [{"address": "new@example.com"}]}),
    ],
)
async def test_what_is_stored_under_an_unexpected_name_is_said_to_be_left(tool: str, arguments: Arguments) -> None:
    async with on(Surprising) as tried:
        made = await tried.made(tool, arguments)
        result = await tried.undo(made["undo"]["id"])
        assert "not undone: nothing was put back, and 1 could not be" in result["message"]
        assert "new@example.com: the call created it, but it does not exist now" in result["not_put_back"][0]


NAMES = {"some text", "old", "new", "New", "first", "copy", "renamed", "empty", "news", "Other"}
"""Names and ids in the calls."""
FREE = frozenset({"text", "html", "template", "html_footer", "text_footer", "expression", "action", "comment", "vars"})
"""Arguments whose text names nothing."""
ADDRESSES: list[Callable[[str], str]] = [
    lambda text: f"Al New <{text.upper()}>",
    str,
    str.title,
    " {} ".format,
    '"New, Al" < {} > '.format,
    "<{}>".format,
    "{}.".format,
    "mailto:{}".format,
    "{} (Al)".format,
    lambda text: text.replace("@", "%40"),
    lambda text: text.replace("+", "%2B"),
    lambda text: text.replace("@", "+tag@"),
    lambda text: text.replace("@", " @"),
    lambda text: '"{}"@{}'.format(*text.split("@")),
    lambda _: f"al@{U_LABEL}",
    lambda _: f"AL@{U_LABEL.upper()}",
    lambda _: f"Al <al@{A_LABEL.upper()}>",
    lambda _: f'"al"@{U_LABEL}',
    lambda _: "b\u00e9n@example.com",
]
HOSTS: list[Callable[[str], str]] = [
    str.upper,
    str,
    "{}.".format,
    " {} ".format,
    lambda text: text.replace(".", "%2E"),
    lambda _: U_LABEL,
    lambda _: A_LABEL.upper(),
]
RANGES: list[Callable[[str], str]] = [
    " {} ".format,
    str,
    "{}/32".format,
    "{}/24".format,
    lambda _: "2001:DB8::0:1",
    lambda _: "2001:db8:0::/48",
]
IDS: list[Callable[[str], str]] = [
    str.title,
    str,
    str.upper,
    " {} ".format,
    "{}\u00e9".format,
    "{}?x=1#y".format,
    "{}@Example.com".format,
    lambda text: text.replace(" ", "%20"),
]
URLS: list[Callable[[str], str]] = [
    lambda text: text.replace("https://ex", "HTTPS://EX"),
    str,
    "{}/".format,
    "{}#f".format,
    lambda text: text.replace("example.com", "example.com:443"),
    lambda text: text.replace("example.com", U_LABEL),
]
SPELLINGS: list[tuple[re.Pattern[str], list[Callable[[str], str]]]] = [
    (re.compile(r"[^\s@<>]+@[^\s@<>]+"), ADDRESSES),
    (re.compile(r"[0-9.]{7,}"), RANGES),
    (re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{3,}"), HOSTS),
    (re.compile(r"https://\S+"), URLS),
    (re.compile("|".join(map(re.escape, NAMES))), IDS),
]


def respelled(value: Any, random: Random) -> Any:
    """Return the arguments with names in a spelling of their own."""
    if isinstance(value, str):
        spellings = next((spellings for pattern, spellings in SPELLINGS if pattern.fullmatch(value)), [])
        return random.choice(spellings)(value) if spellings else value
    if isinstance(value, list):
        return [respelled(item, random) for item in value]
    if isinstance(value, dict):
        # One name of a call at a time: with two odd ones most calls are refused.
        chosen = random.choice([*reversed([name for name in value if name not in FREE]), None])
        return {name: respelled(item, random) if name == chosen else item for name, item in value.items()}
    return value


async def fault_of(tool: str, arguments: Arguments, tried: Bench, before: Any) -> str | None:
    """Make the call and undo it. Return what is lost without a word, or said wrongly."""
    made = await tried.call(tool, arguments)
    changed = tried.state != before
    if made.structured is None:
        return f"changed something and failed: {made.text}" if changed else None
    result = await tried.undo(made.structured["undo"]["id"])
    lost = set(differences(before, tried.state)) - REMAINING.get(tool, set())
    honest = (
        not lost or result["not_put_back"] != [],
        (result["put_back"] > 0) == changed or result["not_put_back"] != [],
        ("nothing to put back" in result["message"]) == (not changed),
    )
    return None if all(honest) else f"left {sorted(lost)}: {result}"


async def offenders(kind: type[Mailgun], random: Random) -> list[str]:
    """Make and undo a call of every operation, and return those that do not keep the promise."""
    faults = []
    for tool, examples in CALLS.items():
        arguments = respelled(random.choice(examples), random)
        async with on(kind) as tried:
            if prepare := PREPARED.get(tool):
                prepare(tried.account)
            fault = await fault_of(tool, arguments, tried, tried.state)
            faults += [f"{tool} {arguments}: {fault}"] if fault else []
    return faults


@pytest.mark.slow
@settings(max_examples=2, phases=[Phase.generate])
@given(random=st.randoms(), kind=st.sampled_from([Mailgun, Shortening]))
async def test_every_undoable_call_in_any_spelling_is_put_back_or_says_what_is_left(
    random: Random, kind: type[Mailgun]
) -> None:
    with no_threads():
        assert await offenders(kind, random) == []
