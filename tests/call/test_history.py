"""The history of a call is the same from the state store as from a replayed log."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mailgun_mcp.call.counters import AddressChanges, Calls, Sends
from mailgun_mcp.call.history import StoredPast
from mailgun_mcp.policy.facts import Context, gather
from mailgun_mcp.policy.history import PastCalls, with_history
from mailgun_mcp.store.database import Store
from tests.support.operations import find
from tests.support.state import NOW

CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "tool": st.sampled_from(["send_message", "get_stored_message", "add_bounces"]),
            "after": st.sampled_from([0, 1, 1799, 1800, 3599, 3600]),
            "principal": st.sampled_from(["ann", "bob"]),
            "account": st.sampled_from(["main", "other"]),
            "digest": st.sampled_from("de"),
            "to": st.integers(0, 5),
        }
    ),
    max_size=8,
)


@settings(max_examples=25)
@given(CALLS)
def test_the_store_and_a_replay_agree_on_what_happened(calls: list[dict[str, Any]]) -> None:
    past, now = PastCalls(), NOW
    with TemporaryDirectory() as directory:
        store = Store(Path(directory))
        for call in calls:
            now += call["after"]
            context = Context(
                now=datetime.fromtimestamp(now, UTC), principal=call["principal"], account=call["account"]
            )
            addresses = [f"a{number}@example.com" for number in range(call["to"])]
            arguments = {"to": addresses, "bounces": [{"address": address} for address in addresses]}
            facts = gather(find(call["tool"]), arguments, context, call["digest"])

            stored = with_history(context, facts.digest, StoredPast(store, {}))
            assert stored == with_history(context, facts.digest, past)

            past.add(facts)
            Calls(store).record(context.account, context.principal, now)
            if facts.address_count:
                AddressChanges(store).record(context.account, facts.address_count, now)
            if facts.operation.risk == "send":
                Sends(store).record(context.account, context.principal, facts.digest, facts.recipient_count, now)
        store.close()
