"""Addresses: whatever a lenient reader would deliver to is found, or the text is refused."""

import re
import time
from email import message_from_string
from email.utils import getaddresses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailgun_mcp.text.addresses import (
    RECIPIENT_HEADERS,
    ParsedAddresses,
    _plain_list,
    _read,
    canonical_glob,
    find_addresses,
    folded,
    mime_headers,
    recipients_in_header,
)
from mailgun_mcp.text.host_names import canonical_host, canonical_ip

CLEAR = {
    "bob@example.com": ["bob@example.com"],
    "Bob <BOB@Example.com>": ["bob@example.com"],
    '"Smith, John" <john@example.com>': ["john@example.com"],
    "Smith, John <john@example.com>": ["john@example.com"],
    "a@x.example, b@y.example,": ["a@x.example", "b@y.example"],
    "a@x.example; b@y.example;": ["a@x.example", "b@y.example"],
    "friends: a@x.example, B <b@y.example>;": ["a@x.example", "b@y.example"],
    '"eve"@evil.example': ["eve@evil.example"],
    '"e\\"ve"@evil.example': ['e"ve@evil.example'],
    '"eve"@evil.example <bob@good.example>': ["eve@evil.example", "bob@good.example"],
    '"a@good.example" <b@evil.example>': ["a@good.example", "b@evil.example"],
    "x@[203.0.113.5]; bob@good.example": ["x@203.0.113.5", "bob@good.example"],
    "bob@b\u00fccher.example": ["bob@xn--bcher-kva.example"],
    "bob@XN--BCHER-KVA.example": ["bob@xn--bcher-kva.example"],
    "'bob@example.com'": ["'bob@example.com"],
    "Ren\u00e9 \U0001f468\u200d\U0001f469 <r@example.com>": ["r@example.com"],
    "postmaster": ["postmaster"],
    "bob@example.com.": ["bob@example.com"],
    "": [],
}
UNCLEAR = [
    "eve@evil\u3002example",
    "eve@evil\uff0eexample",
    "eve\uff20evil.example",
    "eve\ufe6bevil.example",
    "e\u200bve@evil.example",
    "eve@ev\u00adil.example",
    "eve@evil.example\u202e",
    "eve@evil.example\r\nBcc: x@evil.example\x00",
    "@good.example:eve@evil.example",
    "eve @evil.example",
    "eve@good.example .evil.example",
    "eve@good.example(x).evil.example",
    "eve@good.example\\.evil.example",
    "eve@",
    "@evil.example",
    "a@b@evil.example",
    "eve@[203.0.113.5",
    "eve@[bad literal]",
    '"eve@evil.example',
    "eve@stra\u00dfe.example",
    "=?utf-8?q?eve=40evil.example?= <bob@good.example>",
    "Bob eve@evil.example",
    '"Bob"eve@evil.example',
    "a@x.example b@y.example",
    "bob@good.example evil.example",
    "eve@evil.example)",
    "(eve@evil.example).example, x@[203.0.113.5]",
    "<eve@evil.example;>",
    "eve@evil.example \u200b",
]


@pytest.mark.parametrize(("text", "addresses"), CLEAR.items())
def test_what_all_readers_read_the_same_is_clear(text: str, addresses: list[str]) -> None:
    found = find_addresses(text)
    assert (found.addresses, found.faults) == (addresses, [])


@pytest.mark.parametrize("text", UNCLEAR)
def test_what_readers_could_read_differently_has_a_fault(text: str) -> None:
    assert find_addresses(text).faults != []


def bare(address: str) -> str:
    local, _, domain = address.strip().rpartition("@")
    local = local.strip()
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    # No host has a quote in its name: nothing could be delivered to it.
    host = domain.strip().rstrip("'")
    return f"{local}@{canonical_ip(host.strip('[]')) or canonical_host(host) or host}".lower()


def python_reads(text: str) -> set[str]:
    """What the standard library reads, as it did before it was strict."""
    try:
        pairs = getaddresses([text], strict=False)
    except TypeError:
        pairs = getaddresses([text])
    return {bare(address) for _, address in pairs if "@" in address}


def splitter_reads(text: str) -> set[str]:
    """What a reader takes that splits at `,`, `;` and `:` outside of quotes, and prefers what is in angle brackets."""
    parts = re.findall(r'(?:"(?:\\.|[^"\\])*"|[^,;:"])+', text)
    chosen = [(re.findall(r"<([^<>]*@[^<>]*)>", part) or [part])[-1] for part in parts]
    return {bare(address) for address in chosen if re.fullmatch(r'\s*(?:"[^"]*"|[^\s"@]+)@[^\s"@]+\s*', address)}


PIECES = st.sampled_from(
    [
        *("eve@evil.example", "bob@good.example", '"eve"@evil.example', "x@[203.0.113.5]", "a.b+c@x.example"),
        *("eve", "evil", ".example", "@", '"', "\\", "<", ">", "(", ")", "[", "]", ",", ";", ":", " ", ", ", "; "),
        *("\r\n ", "\t", "Bob ", "\uff20", "\u3002", "\u200b", "\u202e", "\u00fc", "=?utf-8?q?e=40x.example?=", "'"),
    ]
)


@given(st.lists(PIECES, max_size=9).map("".join))
@example('"eve"@evil.example; bob@good.example')
@example('"eve"@evil.example <bob@good.example>')
@example("x@[203.0.113.5]; bob@good.example")
def test_what_a_lenient_reader_would_deliver_to_is_found_or_refused(text: str) -> None:
    found = find_addresses(text)
    if not found.faults:
        assert python_reads(text) | splitter_reads(text) <= set(found.addresses)


LISTS = st.lists(
    st.sampled_from(
        [
            *(
                '"Ann" <a@x.example>',
                "Ann <a@x.example>",
                "a@x.example",
                '"a@x.example" <a@x.example>',
                '"Doe, A" <a@x.example>',
            ),
            *(
                '"b@y.example" <a@x.example>',
                "Zo\u00eb <z@y.example>",
                '"\uff20" <z@y.example>',
                '"(" <z@y.example>',
                '"',
            ),
            *("<a@x.example>", "a@-x.example", "'a'@x.example", ", ", ",", ";", " ", "\t", ":", "\\"),
        ]
    ),
    max_size=7,
).map("".join)


@given(LISTS)
@example('"Ann" <a@x.example>, b@y.example')
def test_a_plain_list_is_read_as_a_text_in_which_every_at_sign_counts(text: str) -> None:
    listed = _plain_list(text)
    if listed is not None:
        closely = ParsedAddresses()
        _read(text, closely)
        assert (set(listed), closely.faults) == (set(closely.addresses), [])


def test_who_has_their_address_for_a_name_is_one_recipient() -> None:
    assert find_addresses('"a@x.example" <a@x.example>, b@y.example').addresses == ["a@x.example", "b@y.example"]


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    found = find_addresses(text)
    assert all(isinstance(address, str) for address in found.addresses)


@given(st.lists(st.sampled_from(["a@x.example", "B <b@y.example>", '"c"@z.example']), min_size=1, max_size=6))
def test_any_number_of_clear_addresses_is_found_whatever_joins_them(addresses: list[str]) -> None:
    for joint in (", ", ";", ",\t", " ; "):
        assert len(find_addresses(joint.join(addresses) + joint).addresses) == len(addresses)


LONG = ["a@x.example, ", '"a"@', '"', "a", "@", '\\"', '"N" <a@x.example>; ', "<", "(a@", '"a@x.example" ']


@pytest.mark.parametrize("text", [piece * (60_000 // len(piece)) for piece in LONG], ids=LONG)
def test_long_texts_are_read_in_linear_time(text: str) -> None:
    begin = time.process_time()
    find_addresses(text)
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    ("glob", "canonical"),
    [
        ("*.B\u00fccher.example", "*.xn--bcher-kva.example"),
        ('"Eve"@evil.example', "eve@evil.example"),
        ("*@b\u00fccher.example", "*@xn--bcher-kva.example"),
        ("*", "*"),
    ],
)
def test_a_glob_has_the_form_of_what_it_is_compared_with(glob: str, canonical: str) -> None:
    assert canonical_glob(glob) == canonical


@pytest.mark.parametrize(
    ("name", "value", "addresses"),
    [
        ("Bcc", "x@evil.example", ["x@evil.example"]),
        (" resent-TO ", "a@x.example,\r\n b@y.example", ["a@x.example", "b@y.example"]),
        ("X-Mailgun-Recipient-Variables", '{"x@evil.example": {}}', ["x@evil.example"]),
        ("Subject", "x@evil.example", []),
    ],
)
def test_headers_name_recipients(name: str, value: str, addresses: list[str]) -> None:
    assert recipients_in_header(name, value).addresses == addresses


def test_recipient_variables_that_are_no_object_are_not_clear() -> None:
    assert recipients_in_header("x-mailgun-recipient-variables", "[").faults == [
        "recipient variables are not a JSON object"
    ]


def test_the_headers_of_a_mail_end_at_an_empty_line() -> None:
    message = "To: a@x.example\r\nX-Long: one\r\n two\rBcc : b@y.example\n\nCc: c@z.example\n"
    headers = set(mime_headers(message))
    assert {("To", "a@x.example"), ("X-Long", "one two"), ("Bcc", "b@y.example")} <= headers
    assert "Cc" not in dict(headers)


def library_reads(message: str) -> set[str]:
    """Return the recipients that the standard library finds in the headers of a mail."""
    parsed = message_from_string(message)
    values = [str(value) for name, value in parsed.items() if name.strip().lower() in RECIPIENT_HEADERS]
    return {address for value in values for address in python_reads(value)}


def lenient_reads(message: str) -> set[str]:
    """Return those that a reader finds that begins after empty lines, knows every line break, and cleans names."""
    found, lines = set[str](), list[str]()
    for line in message.lstrip("\ufeff \t\r\n").splitlines():
        if not line:
            break
        if line[0] in " \t" and lines:
            lines[-1] += line
        else:
            lines.append(line)
    for line in lines:
        name, _, value = line.partition(":")
        if re.sub(r"[^!-~]", "", name).lower() in RECIPIENT_HEADERS:
            found |= python_reads(value)
    return found


MIME = st.sampled_from(
    [
        *("To: bob@good.example", "Bcc: eve@evil.example", "bcc :eve@evil.example", "Subject: hi", "eve@evil.example"),
        *(
            "\r\n",
            "\n",
            "\r",
            "\n\n",
            "\r\n ",
            "\n\t",
            "\x0b",
            "\x0c",
            "\x85",
            "\u2028",
            "\ufeff",
            "\u200b",
            " ",
            ":",
            ",",
        ),
        *("Resent-Bcc:", "X-Mailgun-Tag: x", "=?utf-8?q?eve=40evil.example?=", "no header", "\x00", "\x1d"),
    ]
)


@given(st.lists(MIME, max_size=10).map("".join))
@example("\ufeffBcc: eve@evil.example\n\nhi")
@example("\r\nBcc: eve@evil.example\r\n\r\nhi")
@example(" Bcc: eve@evil.example\n\nhi")
@example("Subject: hi\x0bBcc: eve@evil.example\n\nhi")
@example("Bcc\u200b: eve@evil.example\n\nhi")
def test_the_recipients_that_a_lenient_reader_finds_in_a_mime_message_are_found_or_refused(message: str) -> None:
    addresses, faults = set[str](), list[str]()
    for name, value in mime_headers(message):
        parsed = recipients_in_header(name, value)
        addresses |= set(parsed.addresses)
        faults += parsed.faults
    if not faults:
        assert library_reads(message) | lenient_reads(message) <= addresses


def test_wide_letters_and_a_dot_at_the_end_make_no_difference() -> None:
    assert folded(" Evil.Example. ") == folded("\uff45vil.example") == "evil.example"
