"""Values of resources: read from answers, compared, and written back as the arguments of a call."""

from typing import Any

import pytest

from mailgun_mcp.undo.records import ResourceRef
from mailgun_mcp.undo.resource_values import (
    UnwritableError,
    batch_arguments,
    batch_size,
    canonical,
    equal,
    exists,
    fit_schema,
    item_key,
    list_items,
    normal_key,
    resource_value,
    same_keys,
    value_at,
    write_arguments,
)
from tests.support.operations import catalogue

BOUNCE = catalogue().resource("bounce")
DOMAIN = {"domain": "mg.example.com"}
REF = ResourceRef("bounce", tuple(DOMAIN.items()), "ann@example.com")


@pytest.mark.parametrize(
    ("key", "stored"),
    [
        ("Ann@Example.com", "ann@example.com"),
        ("Ann Example <Ann@Example.com>", "ann@example.com"),
        ('"Example, Ann" < ann@example.com > ', "ann@example.com"),
        ("<ann@example.com>", "ann@example.com"),
        (" ann@example.com", "ann@example.com"),
        ('"a b"@example.com', '"a b"@example.com'),
        ("Welcome", "Welcome"),
        ("a < b", "a < b"),
        ("x.example", "x.example"),
    ],
)
def test_a_key_is_the_bare_address_in_lower_case(key: str, stored: str) -> None:
    assert normal_key("list_member", key) == stored


def test_a_name_with_an_at_sign_stays_as_it_is() -> None:
    assert normal_key("send_alert", "Ops@Example.com") == "Ops@Example.com"


@pytest.mark.parametrize(
    ("one", "other"),
    [("2001:DB8::0:1", "2001:db8::1"), ("192.0.2.7/32", "192.0.2.7"), ("192.0.2.9/24", "192.0.2.0/24")],
)
def test_an_ip_range_and_its_shortest_form_are_one_key(one: str, other: str) -> None:
    assert same_keys("ip_allowlist_entry", one) == same_keys("ip_allowlist_entry", other)


def test_a_domain_and_its_ascii_form_are_one_key() -> None:
    assert same_keys("bounce", "Ann@Bücher.example") == same_keys("bounce", "ann@xn--bcher-kva.example")
    assert same_keys("bounce", "Bücher.example") == same_keys("bounce", "xn--bcher-kva.EXAMPLE")
    assert same_keys("bounce", "ann@example.com") != same_keys("bounce", "ben@example.com")
    assert same_keys("bounce", None) is None


def test_values_are_found_by_their_path() -> None:
    body = {"bounces": [{"address": "a"}, {"address": None}, {"address": "b"}], "page": {"next": 1}}
    assert value_at(body, "page/next") == 1
    assert value_at(body, "page/next/more") is None
    assert value_at(body, None) == body


@pytest.mark.parametrize(
    "listed", [[{"address": "a", "code": "5"}], {"a": {"code": "5"}}], ids=["objects", "an object by key"]
)
def test_items_of_every_form_of_a_list_have_their_key(listed: Any) -> None:
    (item,) = list_items(BOUNCE, listed)
    assert (item_key(BOUNCE, item), item["code"]) == ("a", "5")


def test_a_list_of_names_is_a_list_of_items() -> None:
    assert list(list_items(BOUNCE, ["a", "b"])) == [{"address": "a"}, {"address": "b"}]
    assert list(list_items(BOUNCE, None)) == []


def test_what_is_empty_says_the_same_as_what_is_missing() -> None:
    assert equal({"a": 1, "b": "", "c": None, "d": []}, {"a": 1})
    assert not equal({"a": 0}, {})
    assert not equal(None, {})
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1})


def test_only_the_fields_of_a_resource_are_saved() -> None:
    assert resource_value(BOUNCE, {"address": "a", "code": "5", "other": 1}) == {"address": "a", "code": "5"}
    assert exists(BOUNCE, DOMAIN, {"address": "a"})
    assert not exists(BOUNCE, DOMAIN, None)


def test_the_arguments_of_a_write_come_from_the_value_and_the_scope() -> None:
    member = catalogue().resource("list_member")
    assert member.replace
    operation = catalogue().find(member.replace.tool)
    ref = ResourceRef("list_member", (("list_address", "team@x.example"),), "new@x.example")
    value = {"address": "old@x.example", "name": "Ann", "vars": {"a": 1}, "subscribed": "yes"}
    assert write_arguments(member.replace, operation, ref, value, "old@x.example") == {
        "list_address": "team@x.example",
        "member_address": "new@x.example",
        "address": "old@x.example",
        "name": "Ann",
        "vars": {"a": 1},
        "subscribed": True,
    }


def test_a_batch_holds_what_its_schema_knows() -> None:
    assert BOUNCE.put
    assert BOUNCE.put.batch
    operation = catalogue().find(BOUNCE.put.tool)
    values = [{"address": "a@x.example", "code": 550, "error": ""}]
    assert batch_arguments(BOUNCE.put, BOUNCE.put.batch, operation, DOMAIN, values) == {
        **DOMAIN,
        "bounces": [{"address": "a@x.example", "code": "550"}],
    }
    assert batch_size(BOUNCE.put, operation) == 1000


def test_what_mailgun_would_refuse_is_not_written() -> None:
    assert BOUNCE.remove
    operation = catalogue().find(BOUNCE.remove.tool)
    with pytest.raises(UnwritableError, match="address"):
        write_arguments(
            BOUNCE.remove, operation, ResourceRef("bounce", tuple(DOMAIN.items()), "no address"), None, None
        )


@pytest.mark.parametrize(
    ("value", "schema", "fitted"),
    [
        ({"a": "5", "b": 1}, {"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": 5, "b": 1}),
        ({"b": 1}, {"type": "object", "properties": {}, "additionalProperties": False}, {}),
        (["yes", "no"], {"type": "array", "items": {"type": "boolean"}}, [True, False]),
        ("five", {"type": "integer"}, "five"),
    ],
)
def test_a_value_is_fitted_to_the_schema_of_its_argument(value: Any, schema: dict[str, Any], fitted: Any) -> None:
    assert fit_schema(value, schema) == fitted
