"""Host names and IP addresses in one form."""

import pytest

from mailgun_mcp.text.host_names import canonical_host, canonical_ip, canonical_label


@pytest.mark.parametrize(
    ("host", "canonical"),
    [
        ("MG.Example.com.", "mg.example.com"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("\uff45vil.example", "evil.example"),
        ("evil\u3002example", None),
        ("ev\u200bil.example", None),
        ("stra\u00dfe.example", None),
        ("a..example", None),
        ("", None),
        ("xn--stra-oqa.example", "xn--stra-oqa.example"),
        ("xn--fa-hia.example", "xn--fa-hia.example"),
        ("xn--i-7iq.example", "xn--i-7iq.example"),
        ("xn--abc.example", None),
        ("\u13a0.example", None),
        ("\u2764.example", "xn--qei.example"),
        ("192.0.2.1.", "192.0.2.1"),
        ("192.0.2.01", None),
        ("3221225985", None),
        ("0xc0000201", None),
        ("a.123", None),
    ],
)
def test_a_host_has_one_form(host: str, canonical: str | None) -> None:
    assert canonical_host(host) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("IPv6:2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", None),
        ("192.0.2", None),
        ("example.com", None),
    ],
)
def test_an_ip_address_has_one_form(text: str, canonical: str | None) -> None:
    assert canonical_ip(text) == canonical


@pytest.mark.parametrize(
    ("label", "canonical"),
    [
        ("B\u00fccher", "xn--bcher-kva"),
        ("fa\u00df", "xn--fa-hia"),
        ("\u2764", "xn--qei"),
        ("*\u200b*", "**"),
        ("*", "*"),
    ],
)
def test_a_label_of_a_glob_has_the_form_of_what_it_is_compared_with(label: str, canonical: str) -> None:
    assert canonical_label(label) == canonical
