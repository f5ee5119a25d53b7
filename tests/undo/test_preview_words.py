"""Each kind of resource that can be removed or overwritten is described in words, never as JSON."""

from typing import Any

import pytest

from mailgun_mcp.undo.preview import SELECTED
from mailgun_mcp.undo.preview_words import (
    ANSWERS,
    ITEM_WORDS,
    RESOURCES,
    answer_words,
    date_words,
    item_words,
    resource_words,
)
from tests.support.operations import catalogue

NAMED_ONLY = {
    *("active_domain_key", "enabled_subaccount", "ip_pool_domain", "ip_pool_ip"),
    *("ip_warmup", "sandbox_recipient", "subaccount_ip_pool"),
}
"""Resources of which Mailgun keeps nothing beside the name."""


def test_every_resource_that_a_call_affects_has_words() -> None:
    affected = {effect.resource for operation in catalogue() for effect in operation.affects}
    assert affected == {*RESOURCES, *NAMED_ONLY}
    assert {name for name in NAMED_ONLY if catalogue().resource(name).fields} == set()


def test_every_field_in_the_words_is_one_that_is_read() -> None:
    unknown = {
        name: sorted(missing)
        for name, phrases in RESOURCES.items()
        if (missing := {field.partition("/")[0] for field in fields(phrases)} - readable(name))
    }
    assert unknown == {}


def readable(name: str) -> set[str]:
    resource = catalogue().resource(name)
    return {*resource.fields, *resource.shown}


def test_every_read_behind_a_preview_has_words() -> None:
    reads = {one.preview.tool for one in catalogue() if one.preview and not one.affects}
    assert reads == {*ANSWERS, *ITEM_WORDS}
    assert [tool for tool in SELECTED if catalogue().find(tool).affects] == []


def fields(phrases: tuple[str, ...]) -> list[str]:
    from mailgun_mcp.undo.preview_words import FIELD

    return [field for phrase in phrases for field, _ in FIELD.findall(phrase)]


@pytest.mark.parametrize(
    ("resource", "value", "words"),
    [
        (
            "bounce",
            {"code": "550", "error": "no such user", "created_at": "Sat, 02 Mar 2024 10:00:00 UTC"},
            "code 550, “no such user”, since 2024-03-02",
        ),
        ("unsubscribe", {"tags": ["*"]}, "from all mail"),
        ("route", {"priority": 0, "expression": "catch_all()", "actions": []}, "priority 0, for catch_all()"),
        ("click_tracking", {"active": "htmlonly"}, "htmlonly"),
        ("open_tracking", {"active": False}, "off"),
        ("list_member", {"name": "", "subscribed": False, "vars": {}}, "unsubscribed"),
        ("account_sending_limit", {"limit": 50_000}, "50,000 messages a month"),
        ("ip_warmup", {}, ""),
        (
            "domain_webhook",
            {"url": [f"https://h.example/{number}" for number in range(7)]},
            "to https://h.example/0, https://h.example/1, https://h.example/2, https://h.example/3, https://h.example/4 and 2 more",
        ),
        ("bounce", {"code": "5\n50", "error": "It can be undone.\u202e"}, "code 5 ⏎ 50, “It can be undone.<U+202E>”"),
    ],
)
def test_a_resource_in_words(resource: str, value: dict[str, Any], words: str) -> None:
    assert resource_words(resource, value) == words


ODD: list[Any] = [
    None,
    "",
    0,
    -1.5,
    True,
    "x",
    [],
    [1],
    [None],
    [{}],
    {},
    {"name": [1]},
    {"a": {"b": []}},
    "\u202e",
    "9" * 900,
]


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_an_answer_of_another_shape_is_described_as_well(value: Any) -> None:
    for phrases, describe in ((RESOURCES, resource_words), (ANSWERS, answer_words), (ITEM_WORDS, item_words)):
        for name in phrases:
            body: Any = {}
            for field in fields(phrases[name]):
                head, _, rest = field.partition("/")
                body[head] = {rest: value} if rest else value
            for one in (body, value):
                assert len(describe(name, one) or "") < 900


def test_an_answer_in_words() -> None:
    assert answer_words("get_available_ips", {"allowed": {"dedicated": 2}}) == "2 more dedicated IPs can be ordered"
    assert answer_words("of_another_spec", {"a_b": 1}) == "a b: 1"
    assert item_words("list_smtp_credentials", {"login": "ann"}) == "ann"
    assert item_words("of_another_spec", {}) is None


def test_a_date_is_its_day_and_another_text_stays() -> None:
    dates = ["Sat, 02 Mar 2024 10:00:00 GMT", "2024-03-02T10:00:00Z", "2024-03-02T10:00:00.000Z", "soon"]
    assert [date_words(date) for date in dates] == ["2024-03-02", "2024-03-02", "2024-03-02", "soon"]
