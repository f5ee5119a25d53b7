"""Single values: domains, addresses, IPs, URLs, path parts, headers, storage hosts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.request.formats import (
    email,
    event_filter,
    header_value,
    hostname,
    ip,
    line_break,
    path_part,
    slash,
    storage_host,
    uri,
)


@pytest.mark.parametrize(
    "value",
    ["example.com", "MG.Example.COM", "a.b", "_dmarc.example.com", "xn--bcher-kva.example", "bücher.example", "example.com.", "1.2.3.example", f"{'a' * 63}.com"],
)  # fmt: skip
def test_a_domain_is_a_host_name_with_a_dot(value: str) -> None:
    assert hostname(value) is None


@pytest.mark.parametrize(
    "value",
    [
        *("routes", "lists", "domains", "ips", "localhost", "", ".", "..", "a..b", ".a.b", "a.b..", "a b.com", "a.b\n"),
        *("a/b.com", "a.b/c", "../a.b", "a.b%2fc", "a%2eb.com", "a.b?x", "a.b#x", "a@b.com", "-a.com", "a-.com"),
        *(f"{'a' * 64}.com", "a." * 130 + "b", "a\\b.com", "a.b:80", "[::1]", "a\uff0fb.com", "a\uff0e\uff0eb", "℀.com", "ü" * 1_000_000 + ".de"),
    ],
)  # fmt: skip
def test_what_is_no_domain_is_refused(value: str) -> None:
    assert (hostname(value) or "").startswith("is not a domain name")


def test_a_url_for_a_domain_is_refused_with_what_to_give() -> None:
    assert hostname("https://mail.example.com") == (
        "is not a domain name but a URL: give only the name, such as mail.example.com"
    )


@pytest.mark.parametrize(
    "value",
    ["a@b.c", "ann+news@example.com", "o'neil@example.com", "a/b@example.com", "50%off@example.com", '"a@b"@example.com', "ü@bücher.example", "*@example.com"],
)  # fmt: skip
def test_an_address_is_taken_as_people_have_them(value: str) -> None:
    assert email(value) is None


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "a",
            "@",
            "a@",
            "@b.c",
            "a@b",
            "a b@c.de",
            "a@b.c\r\nBcc: x@y.z",
            "Ann <a@b.c>",
            "a@b.c,d@e.f",
            "a\0@b.c",
        ),
        *("a@b.com/members/c@d.com", "a@../b.c", "a@b.c/../d.e", f"{'a' * 320}@b.c"),
    ],
)
def test_what_is_no_bare_address_is_refused(value: str) -> None:
    assert email(value)


@pytest.mark.parametrize("value", ["192.0.2.1", "2001:db8::1", "::1"])
def test_an_ip_is_v4_or_v6(value: str) -> None:
    assert ip(value) is None


@pytest.mark.parametrize("value", ["", "all", "1.2.3", "1.2.3.4/24", "1.2.3.256", "192.0.2.1 ", "0x7f.1"])
def test_what_is_no_ip_is_refused(value: str) -> None:
    assert ip(value) == "is not an IP address"


@pytest.mark.parametrize(
    "value", ["https://example.com", "http://example.com:8080/a?b=c#d", "https://user@example.com/ü"]
)
def test_a_url_is_http_or_https(value: str) -> None:
    assert uri(value) is None


@pytest.mark.parametrize(
    "value",
    ["", "example.com", "ftp://a.b", "javascript:alert(1)", "https://", "https://a.b:0", "https://a.b:99999", "https://a.b:x", "http://[::1", "https://a.b/ c", "https://a.b/\n"],
)  # fmt: skip
def test_what_is_no_url_is_refused(value: str) -> None:
    assert uri(value)


@pytest.mark.parametrize("value", ["a", "a.b", "...", "a+b@c.d", "50%", "ü", "a b", "%41", "a:b", "key;v=1", "~"])
def test_a_path_part_may_hold_what_encoding_makes_safe(value: str) -> None:
    assert path_part(value) is None
    assert slash(value) is None


TRAVERSALS = [
    *("", ".", "..", "../x", "x/..", "x/./y", "x//y", "/x", "x/", "\\", "..\\x", "a\\..\\b"),
    *("%2e", "%2e%2e", "%2E%2e", ".%2e", "..%2fx", "..%2Fx", "%2e%2e%2fx", "..%5cx", "%252e%252e", "%25252e%25252e"),
    *("x%2f..%2fy", "x%252f..%252fy", "%00", "x%00", "x\0", "x\r\ny", "x%0d%0ay", "x%250d", "\x7f", "\x85"),
    "%" + "25" * 20 + "2e",
]


@pytest.mark.parametrize("value", TRAVERSALS, ids=repr)
def test_what_could_reach_another_operation_is_refused(value: str) -> None:
    assert path_part(value)


@pytest.mark.parametrize("value", ["a/b", "a\\b", "a%2fb", "a%2Fb", "a%5cb", "a%252fb", "a%25252fb"])
def test_a_slash_is_seen_through_its_encodings(value: str) -> None:
    assert slash(value) == "contains a slash"


@given(st.text())
def test_a_path_part_that_passes_has_no_dot_segment_however_often_it_is_decoded(value: str) -> None:
    from urllib.parse import unquote

    if path_part(value) is None and slash(value) is None:
        seen = value
        for _ in range(10):
            assert not {"", ".", ".."} & set(seen.replace("\\", "/").split("/"))
            assert not any(ord(character) < 32 for character in seen)
            seen = unquote(seen)


@pytest.mark.parametrize("value", ["646d00a1b32c35364a2ad34f", "a b", "x"])
def test_a_header_value_is_printable_ascii(value: str) -> None:
    assert header_value(value) is None


@pytest.mark.parametrize("value", ["", " ", " a", "a ", "a\r\nX-Other: b", "a\n", "a\0", "ü", "\t", "a\tb"])
def test_a_header_value_that_is_empty_or_could_end_the_header_is_refused(value: str) -> None:
    assert header_value(value)


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "\r\n"])
def test_a_line_break_is_seen(value: str) -> None:
    assert line_break(value) == "contains a line break"


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("api.mailgun.net", "api.mailgun.net"),
        ("api.eu.mailgun.net", "api.eu.mailgun.net"),
        ("storage-us-east4.api.mailgun.net", "storage-us-east4.api.mailgun.net"),
        ("SE.API.mailgun.net", "se.api.mailgun.net"),
        ("https://storage-europe-west1.api.mailgun.net/v3/domains/a.b/messages/X=", "storage-europe-west1.api.mailgun.net"),
        ("https://storage-us-west1.api.mailgun.net:443/v3", "storage-us-west1.api.mailgun.net"),
        ("https://storage.eu.mailgun.net/v3/domains/a.b/messages/X=", "storage.eu.mailgun.net"),
        ("HTTPS://sw.api.mailgun.net", "sw.api.mailgun.net"),
    ],
)  # fmt: skip
def test_a_storage_host_is_one_of_mailguns(value: str, host: str) -> None:
    assert storage_host(value) == host


@pytest.mark.parametrize(
    "value",
    [
        *("", "mailgun.net", "www.mailgun.net", "storage.us.mailgun.net", "x.storage.eu.mailgun.net", "storage-eu.mailgun.net", "evil.com", "api.mailgun.net.evil.com", "evilapi.mailgun.net", "api-mailgun.net"),
        *("https://api.mailgun.net.evil.com/v3", "https://evil.com/api.mailgun.net", "https://evil.com#api.mailgun.net"),
        *("https://evil.com?api.mailgun.net", "https://api.mailgun.net@evil.com/", "https://a:b@api.mailgun.net/"),
        *("https://evil.com\\@api.mailgun.net", "https://api.mailgun.net\\.evil.com", "https://api.mailgun.net%2eevil.com"),
        *("http://api.mailgun.net", "ftp://api.mailgun.net", "//api.mailgun.net", "https:///api.mailgun.net", "https:api.mailgun.net"),
        *("https://api.mailgun.net:8443/", "https://api.mailgun.net:80/", "https://api.mailgun.net:x/", "https://[::1]/", "https://[::1"),
        *("api.mailgun.net/v3", "api.mailgun.net:443", "user@api.mailgun.net", "api.mailgun.net\n", " api.mailgun.net"),
        *(".api.mailgun.net", "a..api.mailgun.net", "a_b.api.mailgun.net", "\uff41pi.mailgun.net", "api.mailgun.net."),
    ],
)  # fmt: skip
def test_the_key_is_sent_to_no_other_host(value: str) -> None:
    with pytest.raises(ValueError, match="the API key is not sent there"):
        storage_host(value)


@given(st.text(), st.sampled_from([hostname, email, ip, uri, path_part, slash, header_value]))
def test_no_check_raises(value: str, check: object) -> None:
    assert callable(check)
    assert check(value) is None or check(value)


@pytest.mark.parametrize(
    "text", ["failed", "failed OR rejected", "NOT delivered", "(opened AND NOT clicked)", "Failed", '"failed"']
)
def test_a_filter_of_events_names_events(text: str) -> None:
    assert event_filter(text) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bounced", "is not an event; did you mean 'failed'?"),
        ("failed OR spam", "has 'spam', which is not an event; did you mean 'complained'?"),
        ("soft bounce", "has 'soft', which is not an event; must be one of accepted"),
        ("failed or rejected", "has 'or', which is not an event"),
    ],
)
def test_another_word_in_a_filter_of_events_is_told_instead_of_finding_nothing(text: str, told: str) -> None:
    assert told in (event_filter(text) or "")
