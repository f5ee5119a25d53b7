"""What a call affects is read under the key that Mailgun stores, however the caller spelled it.

State A, the call in any spelling, undo, and it is state A again: for generated arguments of the operations with
addresses, and for every operation that can be undone with its addresses and host names respelled.
"""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailgun_mcp.catalogue.types import Arguments
from tests.support.undo_calls import CALLS, PREPARED, REFUSED, REMAINING
from tests.support.undoing import ADDRESS, HOST, NAME, OTHER, account_to_change, bench, differences

pytestmark = pytest.mark.anyio

LIST = {"list_address": ADDRESS}
DN = {"domain": NAME}
NEW = "new@example.com"
AT = "2026-11-01T09:00:00Z"


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


async def test_a_member_with_a_name_before_the_address_is_put_back() -> None:
    member = {"address": f"Al New <{OTHER.title()}>", "vars": {"new": 2}, "subscribed": True}
    await undone("bulk_add_mailing_list_members", {**LIST, "members": [member], "upsert": True})


addresses = st.sampled_from([OTHER, ADDRESS, NEW])
cased = st.sampled_from([str.lower, str.upper, str.title])
bare = st.builds(lambda address, case: case(address), addresses, cased)
names = st.sampled_from(["", "Al New ", '"New, Al" ', "A. l. "])
named = st.one_of(bare, st.builds(lambda name, address: f"{name}<{address}>", names, bare))
fields = st.fixed_dictionaries({}, optional={"name": st.sampled_from(["", "B"]), "subscribed": st.booleans()})
members = st.builds(lambda address, values: {"address": address, "vars": {"x": 1}, **values}, named, fields)
SPELLED: dict[str, st.SearchStrategy[Arguments]] = {
    "bulk_add_mailing_list_members": st.builds(
        lambda one, upsert: {**LIST, "members": one, "upsert": upsert},
        st.lists(members, min_size=1, max_size=4),
        st.booleans(),
    ),
    "add_mailing_list_member": st.builds(lambda one: {**LIST, **one, "upsert": True}, members),
    "update_mailing_list_member": st.builds(
        lambda key, new, values: {**LIST, "member_address": key, "address": new, **values},
        st.sampled_from([OTHER, OTHER.upper(), f"Al New <{OTHER.title()}>"]),
        named.filter(lambda address: ADDRESS not in address.lower()),
        fields,
    ),
    "delete_mailing_list_member": st.builds(
        lambda name, case: {"list_address": f"Team <{ADDRESS}>", "member_address": f"{name}<{case(OTHER)}>"},
        names,
        cased,
    ),
    "create_mailing_list": st.builds(
        lambda name, case: {"address": f"{name}<{case('fresh@')}{HOST}>", "name": "Fresh"}, names, cased
    ),
    "update_mailing_list": st.builds(
        lambda case, name: {"list_address": case(ADDRESS), "address": f"{name}<moved@{HOST}>"}, cased, names
    ),
    "add_bounces": st.lists(bare, min_size=1, max_size=3).map(
        lambda keys: {**DN, "bounces": [{"address": key, "code": "552", "created_at": AT} for key in keys]}
    ),
    "add_complaints": st.lists(bare, min_size=1, max_size=3).map(
        lambda keys: {**DN, "complaints": [{"address": key, "created_at": AT} for key in keys]}
    ),
    "add_unsubscribes": st.lists(bare, min_size=1, max_size=3).map(
        lambda keys: {**DN, "unsubscribes": [{"address": key, "tags": ["x"], "created_at": AT} for key in keys]}
    ),
    "add_allowlist_entry": cased.map(lambda case: {**DN, "allowed_domain": case("new.example")}),
    "delete_allowlist_entry": cased.map(lambda case: {**DN, "value": case("x.example")}),
    "delete_bounce": st.builds(lambda name, case: {**DN, "address": f"{name}<{case(OTHER)}>"}, names, cased),
    "delete_complaint": cased.map(lambda case: {**DN, "address": case(OTHER)}),
    "delete_unsubscribe": cased.map(lambda case: {**DN, "address": case(OTHER)}),
}


@pytest.mark.slow
@pytest.mark.parametrize("tool", SPELLED)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_every_spelling_of_an_address_is_put_back(tool: str, data: st.DataObject) -> None:
    await undone(tool, data.draw(SPELLED[tool]))


NAMES = re.compile(r"[^\s@<>]+@[^\s@<>]+|(?:[a-z0-9-]+\.)+[a-z]{3,}")
"""Addresses and host names."""
OTHER_SPELLINGS = st.sampled_from(
    [
        str.lower,
        str.upper,
        str.title,
        "{}.".format,
        " {} ".format,
        "Al New <{}>".format,
        '"New, Al" <{}>'.format,
    ]
)
TEXTS = ("text", "vars", "headers", "filters")


def respelled(value: Any, draw: st.DrawFn) -> Any:
    """Return the arguments with each address and host name in a spelling of its own."""
    if isinstance(value, str):
        return draw(OTHER_SPELLINGS)(value) if NAMES.fullmatch(value) and draw(st.booleans()) else value
    if isinstance(value, list):
        return [respelled(item, draw) for item in value]
    if isinstance(value, dict):
        return {name: item if name in TEXTS else respelled(item, draw) for name, item in value.items()}
    return value


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, Arguments]:
    tool = draw(st.sampled_from(sorted(CALLS)))
    return tool, respelled(draw(st.sampled_from(CALLS[tool])), draw)


@pytest.mark.slow
@settings(max_examples=80)
@given(calls())
async def test_whatever_is_undone_is_as_before_in_every_spelling(call: tuple[str, Arguments]) -> None:
    """A spelling that the server or Mailgun refuses changes nothing."""
    tool, arguments = call
    account = account_to_change()
    if prepare := PREPARED.get(tool):
        prepare(account)
    async with bench(account) as tried:
        before = tried.state
        outcome = await tried.call(tool, arguments)
        changed = differences(before, tried.state)
        if outcome.structured is None:
            assert changed == []
            return
        result = await tried.undo(outcome.structured["undo"]["id"])
        assert set(differences(before, tried.state)) <= REMAINING.get(tool, set()), result
        if tool not in REFUSED:
            assert (result["put_back"] > 0) == (changed != []), result
        assert ("nothing to put back" in result["message"]) == (changed == []), result
