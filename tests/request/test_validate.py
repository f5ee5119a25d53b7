"""Arguments that are wrong: every fault at once, with its place, in few words, whatever comes."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.errors import ArgumentError
from mailgun_mcp.request.build import build
from mailgun_mcp.request.files import Files
from mailgun_mcp.request.validate import MAX_FAULTS, validate
from tests.support.arguments import maximal, minimal
from tests.support.offenders import holds_for
from tests.support.operations import catalogue, find

MESSAGE: Arguments = {"domain": "mg.example.com", "to": ["ann@example.com"], "text": "Hi"}
EVERY = [operation.name for operation in catalogue()]


def message_faults(**changes: Any) -> list[str]:
    arguments = {**MESSAGE, **changes}
    return validate(find("send_message"), {name: value for name, value in arguments.items() if value is not ...})


@holds_for()
def test_right_arguments_have_no_fault(operation: Operation) -> None:
    assert validate(operation, minimal(operation)) == []
    assert validate(operation, maximal(operation)) == []


@holds_for(operation for operation in catalogue() if minimal(operation))
def test_without_arguments_each_required_one_is_named(operation: Operation) -> None:
    found = validate(operation, {})
    for name in operation.input_schema.get("required", []):
        kind = operation.input_schema["properties"][name]["type"]
        assert f"{name}: is required ({kind})" in found
    assert found


@holds_for()
def test_an_unknown_argument_is_refused_by_every_tool(operation: Operation) -> None:
    (fault,) = validate(operation, {**minimal(operation), "qqqqqq": 1})
    assert fault.startswith("qqqqqq: unknown argument; ")


def test_every_fault_is_said_at_once() -> None:
    found = validate(
        find("send_message"),
        {
            "domain": "routes",
            "to": "ann@example.com",
            "subjekt": "Hi",
            "tracking_clicks": "htmlonli",
            "tags": ["a"] * 11,
            "deliverytime": "tomorrow",
            "sending_ip": "300.1.1.1",
            "headers": {"Reply-To": "a\r\nBcc: b@c.d", "X-N": 5},
            "version": "v1",
        },
    )
    assert sorted(found) == [
        "deliverytime: 'tomorrow' is not a time: use ISO 8601, such as 2026-11-23T09:00:00Z",
        "domain: 'routes' is not a domain name: it has no dot",
        "headers.X-N: must be a string, not integer 5",
        "headers: 'a\\r\\nBcc: b@c.d' contains a line break",
        "one of text, html, amp_html, template is required",
        "sending_ip: '300.1.1.1' is not an IP address",
        "subjekt: unknown argument; did you mean subject?",
        "tags: takes at most 10 items, not 11",
        "template: is required with version",
        "to: must be an array, not string 'ann@example.com'",
        "tracking_clicks: 'htmlonli' is not allowed; did you mean 'htmlonly'? Allowed: yes, no, htmlonly",
    ]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"to": ...}, ["to: is required (array)"]),
        ({"to": []}, ["to: needs at least 1 item"]),
        ({"to": None}, ["to: must be an array, not null"]),
        ({"to": 5}, ["to: must be an array, not integer 5"]),
        ({"to": [5, None]}, ["to[0]: must be a string, not integer 5", "to[1]: must be a string, not null"]),
        ({"dkim": "yes"}, ["dkim: must be a boolean, not string 'yes'"]),
        ({"dkim": 1}, ["dkim: must be a boolean, not integer 1"]),
        ({"text": 1.5}, ["text: must be a string, not number 1.5"]),
        ({"text": True}, ["text: must be a string, not boolean True"]),
        (
            {"attachments": ["a.pdf"]},
            ["attachments[0]: must be an object with text, base64, path, filename, content_type, not string 'a.pdf'"],
        ),
        ({"recipient_variables": []}, ["recipient_variables: must be an object, not array []"]),
        ({"tags": ["x" * 129]}, ["tags[0]: takes at most 128 characters, not 129"]),
        ({"tracking_clicks": "always"}, ["tracking_clicks: 'always' is not allowed; must be one of yes, no, htmlonly"]),
        (
            {"deliver_within": "1 day"},
            ["deliver_within: '1 day' does not match ^([0-9]+h)?[0-9]+m$|^[0-9]+h$"],
        ),
        ({"attachments": [{"txt": "a"}]}, ["attachments[0].txt: unknown argument; did you mean text?"]),
        ({"zz": 1, "yy": 2}, ["zz: unknown argument; the arguments are"]),
        ({"html": "a", "template": "b"}, ["only one of html, template may be given, not html and template"]),
        ({"text": ...}, ["one of text, html, amp_html, template is required"]),
        ({"version": "v"}, ["template: is required with version"]),
        ({"archive_to": "ftp://a.b"}, ["archive_to: 'ftp://a.b' is not a URL that starts with http:// or https://"]),
        ({"subject": "a\nb"}, ["subject: 'a\\nb' contains a line break"]),
        ({"from": "a\r\nb"}, ["from: 'a\\r\\nb' contains a line break"]),
        ({"to": ["a@b.c\r\nBcc: x@y.z"]}, ["to: 'a@b.c\\r\\nBcc: x@y.z' contains a line break"]),
        ({"deliverytime": "2026-11-23T09:00:00"}, ["deliverytime: '2026-11-23T09:00:00' has no offset from UTC"]),
        ({"text": "a\0b"}, ["text: contains a NUL character"]),
        ({"text": "\ud800"}, ["text: contains a lone surrogate, which is not a character"]),
        ({"variables": {"\0": 1}}, ["variables: name '\\x00': contains a NUL character"]),
        ({"variables": {"a": [{"b": "\udfff"}]}}, ["variables.a[0].b: contains a lone surrogate"]),
        ({"variables": {"a": math.nan}}, ["variables.a: nan is not a valid JSON number"]),
        ({"variables": {"a": -math.inf}}, ["variables.a: -inf is not a valid JSON number"]),
        ({"variables": {"a": 10**5000}}, ["variables.a: is larger than any number that Mailgun accepts"]),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place_and_what_is_expected(changes: dict[str, Any], found: list[str]) -> None:
    told = message_faults(**changes)
    assert len(told) >= len(found)
    assert all(fault.startswith(start) for fault, start in zip(told, found, strict=False))


@pytest.mark.parametrize(
    ("tool", "changes", "fault"),
    [
        ("list_bounces", {"limit": 0.5}, "limit: must be an integer, not number 0.5"),
        ("list_bounces", {"limit": 1001}, "limit: 1001 is more than 1000"),
        ("list_bounces", {"page": "prev"}, "page: 'prev' is not allowed; did you mean 'previous'?"),
        ("list_bounces", {"term": "a\r\nHost: evil"}, "term: 'a\\r\\nHost: evil' contains a line break"),
        ("get_bounce", {"address": "no address"}, "address: 'no address' is not a mail address"),
        ("get_bounce", {"address": ""}, "address: '' is not a mail address"),
        ("get_route", {"id": ""}, "id: '' is empty"),
        ("get_route", {"id": "../domains"}, "id: '../domains' contains a dot segment or an empty path segment"),
        ("get_route", {"id": "a/b"}, "id: 'a/b' contains a slash"),
        ("create_domain_webhook", {"url": []}, "url: needs at least 1 item"),
        ("add_bounces", {"bounces": []}, "bounces: needs at least 1 item"),
        ("add_bounces", {"bounces": [{"address": "a@b.c"}, {}]}, "bounces[1].address: is required (string)"),
        ("add_bounces", {"bounces": [{"address": "a@b.c", "created_at": "x"}]}, "bounces[0].created_at: 'x' is not a time"),
        ("delete_subaccount", {"subaccount_id": ""}, "subaccount_id: '' is empty or contains a character not allowed in a header"),
        ("delete_subaccount", {"subaccount_id": " "}, "subaccount_id: ' ' is empty or contains a character not allowed in a header"),
        ("delete_subaccount", {"subaccount_id": "a\r\nX: y"}, "subaccount_id: 'a\\r\\nX: y' is empty or contains a character"),
        ("resend_message", {"storage_host": "https://api.mailgun.net.evil.com"}, "storage_host: 'https://api.mailgun.net.evil.com' is not a Mailgun host"),
        ("list_events", {"page": "a/../b"}, "page: 'a/../b' contains a dot segment"),
        ("list_events", {"begin": "yesterday"}, "begin: 'yesterday' is not a time"),
        ("list_events", {"begin": "7d"}, "begin: '7d' is not a time"),
        ("query_logs", {"start": "7d"}, "start: '7d' is a length of time: give it as duration"),
        ("create_smtp_credentials", {"login": ["a@b.c"], "mailbox": ["a@b.c"]}, "only one of login, mailbox may be given, not login and mailbox"),
    ],
)  # fmt: skip
def test_each_place_of_a_request_has_its_own_checks(tool: str, changes: Arguments, fault: str) -> None:
    operation = find(tool)
    (told,) = validate(operation, {**minimal(operation), **changes})
    assert told.startswith(fault)


WITH_A_DOMAIN = [
    operation for operation in catalogue() if any(argument.format == "hostname" for argument in operation.arguments)
]
WORDS_OF_THE_API = ("routes", "lists", "domains", "ips", "ip_pools", "ip_warmups")


@holds_for(WITH_A_DOMAIN)
def test_a_domain_that_is_a_word_of_the_api_reaches_no_other_operation(operation: Operation) -> None:
    name = next(argument.name for argument in operation.arguments if argument.format == "hostname")
    is_list = operation.input_schema["properties"][name]["type"] == "array"
    for word in WORDS_OF_THE_API:
        assert validate(operation, {**minimal(operation), name: [word] if is_list else word}) == [
            f"{name}: {word!r} is not a domain name: it has no dot"
        ]


@pytest.mark.parametrize(
    ("arguments", "faults"),
    [
        ({"role": "sending"}, ["kind: must be 'domain' with role sending", "domain: is required with role sending"]),
        ({"role": "sending", "kind": "domain"}, ["domain: is required with role sending"]),
        ({"role": "sending", "domain": "mg.example.com"}, ["kind: must be 'domain' with role sending"]),
        ({"role": "admin", "kind": "domain"}, ["domain: is required with kind domain"]),
        ({"role": "sending", "kind": "domain", "domain": "mg.example.com"}, []),
        ({"role": "admin"}, []),
    ],
)
def test_what_one_value_asks_of_other_arguments_is_said_before_the_call(
    arguments: Arguments, faults: list[str]
) -> None:
    assert validate(find("create_api_key"), arguments) == faults


def test_recipients_are_counted_over_all_fields_and_inside_each_string() -> None:
    assert message_faults(to=["a@b.c"] * 998, cc=["a@b.c"], bcc=["a@b.c"]) == []
    told = "to, cc, bcc: 1,001 recipients is more than Mailgun's limit of 1,000 in one call"
    assert message_faults(to=["a@b.c"] * 999, cc=["a@b.c"], bcc=["a@b.c"]) == [told]
    assert message_faults(to=["a@b.c, " * 1000 + "a@b.c"]) == [told]
    assert message_faults(to=["a@b.c;" * 1001]) == [told]
    assert message_faults(to=['"' + "a@b.c," * 1001]) == [told]


def test_a_name_with_commas_is_one_recipient() -> None:
    assert message_faults(to=['"Doe, Bob" <g@h.i>, Doe, Ann <j@k.l>'] * 500) == []


@pytest.mark.parametrize(
    "text", ["x", "(", "<", '"', "a@b.c, ", '\\"', "%25", "Mon, "], ids=["x", "(", "<", "quote", "list", "escape", "percent", "Mon"]
)  # fmt: skip
def test_megabyte_strings_are_refused_in_few_words(text: str) -> None:
    huge = text * (1_000_000 // len(text))
    found = validate(
        find("send_message"),
        {
            **dict.fromkeys(("domain", "tracking_clicks", "deliverytime", "sending_ip", "archive_to"), huge),
            **{name: [huge] for name in ("to", "cc", "bcc")},
            huge: 1,
            "headers": {huge: 5},
            "attachments": [{huge: "\0"}] if text == "x" else [{huge: ""}],
        },
    )
    assert found
    assert sum(map(len, found)) < 10_000


def test_more_faults_than_anyone_reads_are_cut() -> None:
    assert len(message_faults(to=[5] * 1000)) == MAX_FAULTS
    assert len(message_faults(variables={f"v{number}": "\0" for number in range(1000)})) == MAX_FAULTS


def nested(depth: int, make: Any) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = make(value)
    return value


@pytest.mark.parametrize("make", [lambda value: [value], lambda value: {"a": value}], ids=["lists", "objects"])
def test_bottomless_nesting_is_refused(make: Any) -> None:
    (fault,) = message_faults(variables={"deep": nested(1000, make)})
    assert fault.endswith("nested deeper than 32 levels")
    assert message_faults(variables={"deep": nested(20, make)}) == []


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters())),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=12,
)


@st.composite
def calls(draw: st.DrawFn) -> tuple[Operation, Arguments]:
    """Any operation with right arguments, of which some are replaced by any JSON at all."""
    operation = find(draw(st.sampled_from(EVERY)))
    arguments = draw(st.sampled_from([minimal, maximal]))(operation)
    names = st.one_of(st.sampled_from(sorted(operation.input_schema["properties"]) or ["x"]), st.text())
    return operation, {**arguments, **draw(st.dictionaries(names, JSON, max_size=3))}


@given(calls())
def test_any_json_is_answered_and_what_passes_builds_a_request_or_says_why_not(
    call: tuple[Operation, Arguments],
) -> None:
    operation, arguments = call
    found = validate(operation, arguments)
    assert all(isinstance(fault, str) and fault and len(fault) < 2_000 for fault in found)
    if found:
        return
    try:
        request = build(operation, arguments, Files())
    except ArgumentError as fault:
        assert fault.faults  # noqa: PT017 - either outcome is right
    else:
        assert request.method == operation.method
        assert "{" not in request.path


@given(st.dictionaries(st.text(), JSON, max_size=4), st.sampled_from(EVERY))
def test_arguments_that_were_never_meant_for_the_tool_never_raise(arguments: Arguments, tool: str) -> None:
    operation = find(tool)
    assert validate(operation, arguments) or not operation.input_schema.get("required")


@given(st.lists(st.text(), max_size=5), st.text(), st.text())
def test_any_text_in_the_fields_of_a_message_is_answered(to: list[str], text: str, subject: str) -> None:
    assert message_faults(to=to, text=text, subject=subject, **{"from": text}) is not None


HUGE: list[tuple[str, dict[str, Any], str]] = [
    ("a list that is too long", {"to": [1] * 40_000}, "to: takes at most 1000 items, not 40000"),
    ("too many values", {"to": [1] * 200_000}, "arguments: more than 50,000 values in one call; make several calls"),
    (
        "too many values deep down",
        {"variables": {str(number): {"a": [1] * 100} for number in range(1000)}},
        "arguments: more than 50,000 values in one call; make several calls",
    ),
    (
        "too many arguments",
        {f"x{number}": 1 for number in range(20_000)},
        "arguments: 20,000 are more than any tool accepts",
    ),
    (
        "a name that is too long",
        {"x" * 3_000_000: 1},
        f"arguments: the name '{'x' * 80}'… (3,000,000 characters) is longer than 1,000 characters",
    ),
    (
        "a name that is too long deep down",
        {"variables": {"a": [{"y" * 2_000: 1}]}},
        f"variables.a[0]: the name '{'y' * 80}'… (2,000 characters) is longer than 1,000 characters",
    ),
]


@pytest.mark.parametrize(("arguments", "fault"), [case[1:] for case in HUGE], ids=[case[0] for case in HUGE])
def test_huge_arguments_are_refused_before_each_value_is_checked(arguments: dict[str, Any], fault: str) -> None:
    assert validate(find("send_message"), arguments) == [fault]


def test_of_many_faults_only_the_first_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def note(place: str, *_: object) -> str:
        compared.append(place)
        return place

    monkeypatch.setattr("mailgun_mcp.request.validate._unknown", note)
    faults = validate(find("get_domain"), {"domain": "mg.example.com", **{f"x{number}": 1 for number in range(400)}})
    assert (len(faults), len(compared)) == (20, 20)


@pytest.mark.parametrize("value", ["x" * 3_000_000, [[1] * 5_000], {"a": [1] * 5_000}], ids=["text", "list", "object"])
def test_a_large_value_of_the_wrong_type_is_described_by_its_beginning_or_number(value: Any) -> None:
    (fault,) = validate(find("list_domains"), {"limit": value})
    assert fault.startswith("limit: must be an integer, not ")
    assert len(fault) < 160


def test_null_for_a_required_argument_is_one_fault() -> None:
    assert validate(find("get_domain"), {"domain": None}) == ["domain: must be a string, not null"]
