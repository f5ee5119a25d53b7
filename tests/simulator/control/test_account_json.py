"""An account as JSON, and back."""

import json

import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.control.account_json import CodecError, restored, snapshot
from mailgun_mcp.simulator.model.clock import ManualClock


def test_what_was_restored_is_the_same_account(account: Account) -> None:
    document = json.loads(json.dumps(snapshot(account)))
    again = restored(document, ManualClock())
    assert json.loads(json.dumps(snapshot(again))) == document
    assert (again.domains, again.lists, again.routes) == (account.domains, account.lists, account.routes)


def test_what_is_no_account_is_refused(account: Account) -> None:
    document = {**snapshot(account), "account": {"id": 5}}
    with pytest.raises(CodecError, match=r"account\.id: int where str belongs"):
        restored(document, ManualClock())
