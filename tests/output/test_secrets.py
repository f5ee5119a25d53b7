"""Secrets in results: kept for a person, and a reference in their place."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mailgun_mcp.output.json_paths import JsonPath, replace, tree_of
from mailgun_mcp.output.secrets import is_secret_name, reference_text, withhold
from tests.support.operations import catalogue, find

KEY = "key-of-the-tests-0123456789"


class Kept:
    """Keeps values and counts references."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[str, str]] = {}

    def __call__(self, place: str, value: str) -> str:
        reference = f"ref{len(self.values)}"
        self.values[reference] = (place, value)
        return reference


@pytest.mark.parametrize(
    ("tool", "result", "shown", "kept"),
    [
        pytest.param(
            "create_api_key",
            {"message": "great success", "key": {"id": "1-2", "role": "admin", "secret": KEY}},
            {"message": "great success", "key": {"id": "1-2", "role": "admin", "secret": reference_text("ref0")}},
            {"ref0": ("/key/secret", KEY)},
            id="a-new-key",
        ),
        pytest.param(
            "create_smtp_credentials",
            {
                "message": "Created 2",
                "credentials": {"a.b-c@example.com": "first pass", "d@example.com": "second pass"},
            },
            {
                "message": "Created 2",
                "credentials": {"a.b-c@example.com": reference_text("ref0"), "d@example.com": reference_text("ref1")},
            },
            {
                "ref0": ("/credentials/a.b-c@example.com", "first pass"),
                "ref1": ("/credentials/d@example.com", "second pass"),
            },
            id="a-key-with-dots-and-hyphens",
        ),
        pytest.param(
            "get_webhook_signing_key",
            {"message": f"The key is {KEY}.", "http_signing_key": KEY, "again": [KEY], KEY: 1},
            {
                "message": "The key is (withheld: ref0).",
                "http_signing_key": reference_text("ref0"),
                "again": ["(withheld: ref0)"],
                "(withheld: ref0)": 1,
            },
            {"ref0": ("/http_signing_key", KEY)},
            id="the-same-value-elsewhere",
        ),
        pytest.param(
            "create_api_key",
            {"extra": {"smtp_password": "hunter22", "items": [{"apiKey": "abcdef99"}]}, "key": {"token": "tttttt"}},
            {
                "extra": {
                    "smtp_password": reference_text("ref0"),
                    "items": [{"apiKey": reference_text("ref1")}],
                },
                "key": {"token": reference_text("ref2")},
            },
            {
                "ref0": ("/extra/smtp_password", "hunter22"),
                "ref1": ("/extra/items/0/apiKey", "abcdef99"),
                "ref2": ("/key/token", "tttttt"),
            },
            id="other-names-of-secrets-in-a-credential-answer",
        ),
        pytest.param(
            "create_api_key",
            {"unexpected": {"/key/secret": {"value": KEY, "bits": 256, "on": True, "none": None}}},
            {"unexpected": {"/key/secret": {"value": reference_text("ref0"), "bits": None, "on": True, "none": None}}},
            {"ref0": ("/unexpected//key/secret/value", KEY), "ref1": ("/unexpected//key/secret/bits", "256")},
            id="what-the-schema-did-not-expect",
        ),
        pytest.param(
            "list_domains",
            {
                "items": [
                    {"name": "a.example.com", "smtp_password": KEY},
                    {"smtp_password": KEY},
                    {"smtp_password": None},
                ]
            },
            {
                "items": [
                    {"name": "a.example.com", "smtp_password": reference_text("ref0")},
                    {"smtp_password": reference_text("ref0")},
                    {"smtp_password": None},
                ]
            },
            {"ref0": ("/items/0/smtp_password", KEY)},
            id="one-value-twice-is-one-secret",
        ),
    ],
)
def test_secrets_are_withheld_and_kept(
    tool: str, result: dict[str, Any], shown: dict[str, Any], kept: dict[str, tuple[str, str]]
) -> None:
    before, keep = deepcopy(result), Kept()
    assert withhold(find(tool), result, keep) == shown
    assert keep.values == kept
    assert result == before


@pytest.mark.parametrize(
    ("tool", "result"),
    [
        pytest.param("list_domains", {"items": [{"name": "a.example.com", "password": "shown"}]}, id="a-read"),
        pytest.param("create_api_key", {"key": {"id": "1", "secret": "", "expires_at": 3}}, id="empty"),
        pytest.param("create_api_key", {"key": {"secret": "********"}}, id="hidden-by-mailgun"),
        pytest.param(
            "create_api_key", {"key": {"has_secret": True, "secret_id": "x", "kind": "user"}}, id="names-alike"
        ),
    ],
)
def test_what_is_no_secret_stays(tool: str, result: dict[str, Any]) -> None:
    keep = Kept()
    assert withhold(find(tool), result, keep) == result
    assert keep.values == {}


def test_a_secret_that_cannot_be_kept_is_not_shown_either() -> None:
    def broken(place: str, value: str) -> str:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        withhold(find("create_api_key"), {"key": {"secret": KEY}}, broken)


def test_a_secret_that_is_lost_says_so() -> None:
    shown = withhold(find("create_api_key"), {"message": f"made {KEY}", "key": {"secret": KEY}}, lambda _, __: None)
    lost = "withheld: it could not be saved for a person either, and is lost"
    assert shown == {"message": "made (withheld: lost)", "key": {"secret": lost}}


def test_a_reference_is_not_changed_by_a_secret_that_is_one_of_its_words() -> None:
    result = {"key": {"secret": "secrets"}}
    assert withhold(find("create_api_key"), result, Kept()) == {"key": {"secret": reference_text("ref0")}}


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *(
            (name, True)
            for name in ("secret", "smtp_password", "apiKey", "api_key", "http-signing-key", "access_token")
        ),
        *((name, True) for name in ("privateKey", "client_secret", "passwd", "PASSWORD", "token", "pem")),
        *(
            (name, False)
            for name in ("key", "key_id", "secret_id", "password_set", "tokens_left", "monkey", "public_key")
        ),
    ],
)
def test_names_tell_secrets(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret


def filled(schema: dict[str, Any], value: str) -> Any:
    """Return a value of the schema with `value` as every text in it."""
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        named = {key: filled(inner, value) for key, inner in (schema.get("properties") or {}).items()}
        extra = schema.get("additionalProperties")
        return {**named, **({"some": filled(extra, value)} if isinstance(extra, dict) else {})}
    if kind == "array":
        return [filled(schema.get("items") or {}, value)]
    return {"integer": 1, "number": 1.5, "boolean": True, "string": value}[kind]


@pytest.mark.parametrize("tool", [operation.name for operation in catalogue() if operation.secrets])
def test_every_secret_place_of_the_catalogue_is_withheld_and_the_schema_still_holds(tool: str) -> None:
    operation, keep = find(tool), Kept()
    result = filled(operation.output_schema, KEY)
    shown = withhold(operation, result, keep)
    Draft202012Validator(operation.output_schema).validate(shown)
    assert [value for _, value in keep.values.values()] == [KEY]
    assert KEY not in str(shown)
    visited: dict[str, list[Any]] = {place: [] for place in operation.secrets}

    def visit(value: Any, _: JsonPath, place: str) -> Any:
        visited[place].append(value)
        return value

    replace(shown, tree_of(operation.secrets), visit)
    assert visited == {place: [reference_text("ref0")] for place in operation.secrets}


@pytest.mark.slow
@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.text() | st.just(KEY) | st.integers() | st.booleans(),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["secret", "key", "x", KEY]), inner),
        ),
    )
)
def test_no_kept_value_is_left_anywhere(result: dict[str, Any]) -> None:
    shown = str(withhold(find("create_api_key"), {**result, "key": {"secret": KEY}}, Kept()))
    assert KEY not in shown
