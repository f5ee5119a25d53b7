"""Removals of thousands of things come back whole, in a bounded number of requests and parts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.policy.model import UndoRules
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.lists import Member
from mailgun_mcp.simulator.model.suppressions import AllowlistEntry, Bounce, Complaint, Unsubscribe
from mailgun_mcp.simulator.model.templates import Template, TemplateVersion
from tests.support.requests import changing
from tests.support.undoing import ADDRESS, NAME, TEXT, account_to_change, bench, differences

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MANY = {"bounces": 5_000, "complaints": 2_500, "unsubscribes": 2_500}
"""A page holds a thousand."""
Make = Callable[[str, float], Any]
ENTRIES: dict[str, Make] = {
    "bounces": lambda name, at: Bounce(name, at, "550", f"no such user {name}"),
    "complaints": lambda name, at: Complaint(name, at),
    "unsubscribes": lambda name, at: Unsubscribe(name, at, name, ["*"] if name < "p5" else ["news", "offers"]),
}


def fill(account: Account, plural: str, make: Make, count: int) -> None:
    entries = getattr(account.domains[NAME], plural)
    for number in range(count):
        name = f"p{number:05}@x.example"
        entries[name] = make(name, account.clock.now() - number)


@pytest.mark.parametrize("plural", ENTRIES)
async def test_thousands_of_suppressions_come_back_with_dates_and_tags(plural: str) -> None:
    account, many = account_to_change(), MANY[plural]
    fill(account, plural, ENTRIES[plural], many)
    async with bench(account) as tried:
        before = tried.state
        made = await tried.made(f"clear_{plural}", {"domain": NAME})
        assert getattr(account.domains[NAME], plural) == {}
        # One page more says that it was the last.
        assert len(tried.mailgun.lines) <= many // 1000 + 3
        tried.mailgun.lines.clear()
        undone = await tried.undo(made["undo"]["id"])
        assert (undone["put_back"], differences(before, tried.state)) == (many + 2, [])
        assert len(changing(tried.mailgun.lines)) == many // 1000 + 1


async def test_an_allowlist_comes_back_one_by_one() -> None:
    account = account_to_change()
    fill(account, "allowlist", lambda name, at: AllowlistEntry(name, at), 1_100)
    async with bench(account) as tried:
        before = tried.state
        made = await tried.made("clear_allowlist", {"domain": NAME})
        assert (await tried.undo(made["undo"]["id"]))["put_back"] == 1_102
        assert differences(before, tried.state) == []


async def test_thousands_of_members_come_back_with_their_variables() -> None:
    account = account_to_change()
    members = account.lists[ADDRESS].members
    for number in range(2_500):
        name = f"p{number:05}@x.example"
        members[name] = Member(name, f"Person {number}", {"n": number, "plan": {"tags": [number]}}, number % 3 != 0)
    async with bench(account) as tried:
        before = tried.state
        made = await tried.made("delete_mailing_list", {"list_address": ADDRESS})
        assert ADDRESS not in account.lists
        assert (await tried.undo(made["undo"]["id"]))["put_back"] == 2_503
        assert differences(before, tried.state) == []


@pytest.mark.parametrize("active", ["v00", "v17", "v39", None])
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("delete_template", {"domain": NAME, "template_name": "many"}),
        ("clear_templates", {"domain": NAME}),
    ],
)
async def test_forty_versions_come_back_with_the_active_one(
    tool: str, arguments: Arguments, active: str | None
) -> None:
    account = account_to_change()
    now = account.clock.now()
    versions = {
        f"v{number:02}": TemplateVersion(
            str(number),
            f"v{number:02}",
            f"<p>{number} {{{{name}}}}</p>",
            now,
            f"v{number:02}" == active,
            f"step {number}",
        )
        for number in range(40)
    }
    account.domains[NAME].templates["many"] = Template("9", "many", now, "Forty", versions=versions)
    async with bench(account) as tried:
        before = tried.state
        made = await tried.made(tool, arguments)
        undone = await tried.undo(made["undo"]["id"])
        # The first version of a template becomes active, and no operation makes none active.
        remaining = [] if active else [f"/domains/{NAME}/templates/many/versions/v00/active"]
        assert differences(before, tried.state) == remaining
        assert len(undone["not_put_back"]) == len(remaining)


async def test_beyond_the_limit_a_person_must_agree_at_a_higher_level_and_nothing_is_kept() -> None:
    account = account_to_change()
    fill(account, "bounces", ENTRIES["bounces"], 50)
    async with bench(account, policy=limited("guarded")) as tried:
        outcome = await tried.call("clear_bounces", {"domain": NAME})
        (approval,) = tried.services.approvals.list(account.clock.now())
        assert (outcome.kind, approval.level) == ("refused", "approval")
        assert "Now there: more than 20 records." in approval.text
        assert "It cannot be undone: there are too many records to save." in approval.text
        assert tried.services.snapshots.list(account.clock.now()) == ()


async def test_beyond_the_limit_a_call_that_nobody_confirms_is_confirmed() -> None:
    account = account_to_change()
    fill(account, "bounces", ENTRIES["bounces"], 50)
    async with bench(
        account, policy=replace(profile("unguarded"), undo=UndoRules(records=20, too_many="confirm"), plans={})
    ) as tried:
        outcome = await tried.call("import_bounces", {"domain": NAME, "file": {"text": "address\na@x.example"}})
        (approval,) = tried.services.approvals.list(account.clock.now())
        assert outcome.kind == "refused"
        assert "it would lose more than 20 records, which are not saved" in approval.text


async def test_beyond_the_limit_a_call_goes_on_without_a_copy_where_the_operator_wants_it() -> None:
    account = account_to_change()
    fill(account, "bounces", ENTRIES["bounces"], 50)
    async with bench(account, policy=limited("unguarded")) as tried:
        made = await tried.made("clear_bounces", {"domain": NAME})
        assert ("undo" in made, account.domains[NAME].bounces) == (False, {})


def limited(name: str) -> Any:
    base = profile(name)
    return replace(base, undo=UndoRules(records=20, too_many=base.undo.too_many), plans={})


async def test_a_copy_of_many_records_is_saved_in_small_parts() -> None:
    account = account_to_change()
    fill(account, "bounces", ENTRIES["bounces"], 2_000)
    async with bench(account) as tried:
        await tried.made("clear_bounces", {"domain": NAME})
        with tried.services.store.reading() as connection:
            sizes = [
                row[0] for row in connection.execute("SELECT length(data) FROM snapshot_parts WHERE phase = 'before'")
            ]
    assert len(sizes) == 5
    assert max(sizes) < 40_000


async def test_a_template_without_versions_comes_back_empty() -> None:
    account = account_to_change()
    account.domains[NAME].templates[TEXT].versions.clear()
    async with bench(account) as tried:
        before = tried.state
        made = await tried.made("delete_template", {"domain": NAME, "template_name": TEXT})
        await tried.undo(made["undo"]["id"])
        assert differences(before, tried.state) == []
