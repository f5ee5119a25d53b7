"""The four policies that ship, over every operation of the catalogue."""

from typing import Any

import pytest

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Context, Facts, gather
from mailgun_mcp.policy.model import Decision
from mailgun_mcp.policy.profiles import PROFILES, profile
from tests.support.operations import catalogue
from tests.support.policies import facts, send

EXPECTED = {
    "read-only": {"read": "allow"},
    "guarded": {
        "read": "allow",
        "write": "allow",
        "send": "allow",
        "destructive": "confirm",
        "credential": "confirm",
        "billing": "confirm",
    },
    "strict": {"read": "allow"},
    "unguarded": {},
}
OTHERWISE = {"read-only": "deny", "strict": "confirm", "unguarded": "allow"}
TAINTED = {"send": "confirm", "destructive": "confirm"}


def effects(name: str, **context: Any) -> dict[str, str]:
    """Return the effect on a bare call of every operation."""
    policy, past = profile(name), Context(**context)
    return {operation.name: decide(policy, gather(operation, {}, past)).effect for operation in catalogue()}


UNCOUNTED = {("guarded", "import_mailing_list_members"): "confirm"}
"""Without its file, nobody knows how many addresses such a call adds."""


def expected(name: str, operation: Operation) -> str:
    if (name, operation.name) in UNCOUNTED:
        return UNCOUNTED[name, operation.name]
    return EXPECTED[name].get(operation.risk) or OTHERWISE[name]


@pytest.mark.parametrize("name", PROFILES)
def test_every_operation_is_decided_by_its_risk(name: str) -> None:
    assert effects(name) == {operation.name: expected(name, operation) for operation in catalogue()}


def test_in_a_session_with_untrusted_text_guarded_confirms_sends_removals_and_writes_that_last() -> None:
    def lasts(op: Operation) -> bool:
        return op.risk == "write" and (op.bulk or op.reversible != "whole")

    wanted = {
        op.name: TAINTED.get(op.risk) or ("confirm" if lasts(op) else expected("guarded", op)) for op in catalogue()
    }

    assert effects("guarded", untrusted_age=86_400.0) == wanted
    assert effects("guarded", untrusted_age=86_401.0) == effects("guarded")
    assert effects("guarded", untrusted_age=864_000.0, untrusted_here=True) == wanted


@pytest.mark.parametrize(
    ("call", "effect"),
    [
        (facts("create_route", {"action": ['forward("a@evil.example")']}, untrusted_age=5.0), "confirm"),
        (facts("create_route", {"action": ['forward("a@evil.example")']}), "allow"),
        (facts("create_route", {"action": ["stop()"]}), "confirm"),
        (facts("create_account_webhook", {"url": "https://evil.example/"}, untrusted_age=5.0), "confirm"),
        (send(*(f"a{n}@example.com" for n in range(10))), "allow"),
        (send(*(f"a{n}@example.com" for n in range(11))), "confirm"),
        (send("list@example.com", list_members={"list@example.com": 11}), "confirm"),
        (send("a@example.com", untrusted_age=5.0), "confirm"),
    ],
    ids=["tainted route", "route", "stop", "tainted webhook", "ten", "eleven", "list", "tainted send"],
)
def test_guarded_decides_by_the_call(call: Facts, effect: str) -> None:
    assert decide(profile("guarded"), call).effect == effect


def test_a_refusal_of_read_only_says_why() -> None:
    assert decide(profile("read-only"), facts("delete_domain")) == Decision(
        "deny", "read-only/otherwise", "the policy read-only allows reads only"
    )


def test_profiles_have_digests_of_their_own() -> None:
    digests = {profile(name).digest for name in PROFILES}

    assert len(digests) == len(PROFILES)
    assert {len(digest) for digest in digests} == {64}


def test_an_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(LookupError, match="unknown policy 'gaurded': did you mean 'guarded'"):
        profile("gaurded")


@pytest.mark.parametrize(
    ("tool", "arguments", "effect"),
    [
        ("add_mailing_list_member", {"upsert": True}, "confirm"),
        ("add_mailing_list_member", {"upsert": False}, "allow"),
        ("bulk_add_mailing_list_members", {"upsert": True}, "confirm"),
        ("import_mailing_list_members", {"upsert": True}, "confirm"),
        ("update_ip_pool", {"pool_id": "p", "remove_ip": "192.0.2.7"}, "confirm"),
        ("update_ip_pool", {"pool_id": "p", "add_ip": "192.0.2.7"}, "confirm"),
        ("update_ip_pool", {"pool_id": "p", "name": "marketing"}, "allow"),
        ("update_dynamic_pool", {"pool_name": "dynamic_good", "remove_ip": "192.0.2.7"}, "confirm"),
    ],
)
def test_guarded_confirms_a_write_that_changes_where_mail_goes_or_comes_from(
    tool: str, arguments: dict[str, Any], effect: str
) -> None:
    call = gather(next(operation for operation in catalogue() if operation.name == tool), arguments, Context())
    assert decide(profile("guarded"), call).effect == effect
