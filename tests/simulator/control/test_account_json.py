"""An account as JSON, and back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.control.account_json import CodecError, restored, snapshot
from mailgun_mcp.simulator.model.clock import ManualClock
from tests.support.accounts import demo_account_at
from tests.support.everything import account_with_everything

FIRST_RELEASE = Path(__file__).parent / "data" / "state-of-the-first-release.json"
"""Written by the first release: an account that has something of everything."""


def demo_account_with_manual_clock() -> Account:
    return demo_account_at(ManualClock())


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def emptied(value: Any) -> Any:
    """Return JSON without empty fields: the first release lacks newer ones, and wrote empty pairs as a list."""
    if isinstance(value, dict):
        return {key: content for key, item in value.items() if (content := emptied(item)) is not None} or None
    if isinstance(value, list):
        return [emptied(item) for item in value] or None
    return None if value == "" else value


@pytest.mark.parametrize("make", [account_with_everything, demo_account_with_manual_clock], ids=["everything", "demo"])
def test_what_was_restored_is_the_same_account(make: Callable[[], Account]) -> None:
    account = make()
    document = as_json(snapshot(account))
    again = restored(document, ManualClock())
    assert as_json(snapshot(again)) == document
    assert (again.domains.keys(), again.lists, again.routes) == (account.domains.keys(), account.lists, account.routes)


def test_an_account_of_the_first_release_is_read_whole() -> None:
    document = json.loads(FIRST_RELEASE.read_bytes())
    account = restored(document, ManualClock(document["now"]))
    assert emptied(as_json(snapshot(account))) == emptied(document)


def test_every_account_in_it_has_the_clock_and_its_parent() -> None:
    clock = ManualClock()
    account = restored(snapshot(account_with_everything()), clock)
    owners = list(account.with_subaccounts(all_regions=True))
    assert len(owners) > 1
    assert {id(owner.clock) for owner in owners} == {id(clock)}
    parents = [owner.administration.parent for owner in owners]
    assert parents == [None, *[account] * (len(owners) - 1)]


def test_what_is_bounded_stays_bounded(account: Account) -> None:
    again = restored(snapshot(account), ManualClock())
    assert again.routes.received.maxlen == account.routes.received.maxlen
    assert again.webhooks.outbox.maxlen == account.webhooks.outbox.maxlen


def test_a_lone_surrogate_comes_back(account: Account) -> None:
    account.seed_results["\ud800"] = {"\udfff": "\ud800"}
    assert restored(as_json(snapshot(account)), ManualClock()).seed_results["\ud800"] == {"\udfff": "\ud800"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(5, "account: Input should be a dictionary", id="no object"),
        pytest.param({"id": 5}, r"account\.id: Input should be a valid string", id="another type"),
        pytest.param({"idd": "x"}, r"account\.idd: Unexpected keyword argument", id="unknown field"),
        pytest.param({"domains": {"a.b": {"id": 5}}}, r"account\.domains\['a\.b'\]\.id: Input", id="deep inside"),
        pytest.param(
            {"administration": {"sending_limit": {"sent": [[[2026, 1]]]}}}, "a pair does not have two parts", id="pair"
        ),
    ],
)
def test_what_is_not_an_account_is_refused(account: Account, changes: Any, message: str) -> None:
    with pytest.raises(CodecError, match=message):
        restored({**snapshot(account), "account": changes}, ManualClock())


def test_accounts_in_one_another_without_end_are_refused(account: Account) -> None:
    document: dict[str, Any] = snapshot(account)
    nested = document["account"]
    for _ in range(3000):
        nested = {"other_region": nested}
    with pytest.raises(CodecError, match="account: its structure is not valid"):
        restored({**document, "account": nested}, ManualClock())


def test_what_json_cannot_have_is_not_written(account: Account) -> None:
    account.seed_results["x"] = {"y": object()}
    with pytest.raises(TypeError, match="object cannot be written as JSON"):
        snapshot(account)
