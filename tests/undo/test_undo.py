"""An undo makes the calls of its plan: what Mailgun refuses is reported, what breaks can be continued."""

from typing import Any

import pytest

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import quiet
from mailgun_mcp.errors import ChangedSinceError, RejectedError, StateError, UndoInterruptedError, UnreachableError
from mailgun_mcp.undo.undo import Undo, refuse_elsewhere
from tests.support.undoing import ADDRESS, NAME, OTHER, Bench, bench

pytestmark = pytest.mark.anyio

DN = {"domain": NAME}


async def undo_of(tried: Bench, tool: str, arguments: Arguments) -> Undo:
    call = (await tried.made(tool, arguments))["undo"]["id"]
    services = tried.services
    snapshot = services.snapshots.get(call, services.clock())
    return Undo(snapshot, services.snapshots, services.reader(None, quiet))


class Sender:
    """Refuses every batch with this address, or breaks at it."""

    def __init__(self, address: str, error: Exception) -> None:
        self.address = address
        self.error = error
        self.sizes: list[int] = []

    async def __call__(self, operation: Operation, arguments: Arguments) -> Any:
        addresses = [bounce["address"] for bounce in arguments["bounces"]]
        self.sizes.append(len(addresses))
        if self.address in addresses:
            raise self.error
        return {}


async def test_one_that_mailgun_refuses_does_not_keep_the_others_from_coming_back() -> None:
    async with bench() as tried:
        undo = await undo_of(tried, "clear_bounces", DN)
        send = Sender(OTHER, RejectedError("no", "Try again.", status=400))
        result = (await undo.apply(await undo.plan(), send, 0)).result
        assert send.sizes == [2, 1, 1]
        assert (result["put_back"], f"bounce {OTHER}: no" in result["not_put_back"]) == (1, True)
        assert tried.services.snapshots.get(undo.snapshot.id, tried.services.clock()).status == "saved"


async def test_what_mailgun_accepts_and_does_not_store_is_reported() -> None:
    async with bench() as tried:
        undo = await undo_of(tried, "clear_bounces", DN)
        result = (await undo.apply(await undo.plan(), Sender("nobody", ValueError()), 0)).result
        assert set(result["not_put_back"]) == {f"bounce {name}: not visible yet" for name in (ADDRESS, OTHER)}


@pytest.mark.parametrize(
    "error", [UnreachableError("gone", "Try again."), RejectedError("no key", "Set the key.", status=401)]
)
async def test_what_would_fail_for_every_call_interrupts_the_undo(error: Exception) -> None:
    async with bench() as tried:
        undo = await undo_of(tried, "clear_bounces", DN)
        with pytest.raises(UndoInterruptedError, match="stopped after 0 were put back"):
            await undo.apply(await undo.plan(), Sender(OTHER, error), 0)


async def test_a_change_by_somebody_else_refuses_the_undo() -> None:
    async with bench() as tried:
        undo = await undo_of(tried, "delete_bounce", {**DN, "address": OTHER})
        await tried.made("add_bounces", {**DN, "bounces": [{"address": OTHER, "code": "999"}]})
        with pytest.raises(ChangedSinceError, match=r"has changed since\. Nothing was sent"):
            await undo.plan()


async def test_a_call_in_another_account_or_region_is_refused() -> None:
    async with bench() as tried:
        snapshot = (await undo_of(tried, "clear_bounces", DN)).snapshot
        refuse_elsewhere(snapshot, account=snapshot.account, endpoint=snapshot.endpoint)
        for account, endpoint in (("other", snapshot.endpoint), (snapshot.account, "https://api.eu.mailgun.net")):
            with pytest.raises(StateError, match="in another account"):
                refuse_elsewhere(snapshot, account=account, endpoint=endpoint)
