"""Secrets in URLs: what counts as one, and that the rest of a URL stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.output.url_secrets import hide, recognisable

SLACK = "https://hooks.slack.com/services/T024BE7LD/B0"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"{SLACK}/a2Xk39fkkq9Zx8", f"{SLACK}/#"),
        (f"{SLACK}/short", f"{SLACK}/#"),
        ("https://discord.com/api/webhooks/12345/abcDEF-123_x", "https://discord.com/api/webhooks/12345/#"),
        ("https://discordapp.com/api/v10/webhooks/1/x", "https://discordapp.com/api/v10/webhooks/1/#"),
        ("https://hooks.zapier.com/hooks/catch/123/abc12/", "https://hooks.zapier.com/hooks/catch/123/#/"),
        ("https://user:word@hooks.example.com:8443/in", "https://#@hooks.example.com:8443/in"),
        ("https://x.example/in?token=abc&x=1", "https://x.example/in?token=#&x=1"),
        ("https://x.example/in?x=1&api-key=abc", "https://x.example/in?x=1&api-key=#"),
        ("https://x.example/in?sig=abcdef12", "https://x.example/in?sig=#"),
        ("https://x.example/in?v=9f86d081884c7d659a2feaa0", "https://x.example/in?v=#"),
        ("https://x.example/in?9f86d081884c7d659a2feaa0", "https://x.example/in?#"),
        ("https://x.example/in/0b6d2a90-1c1f-4d2e-8a52-1f3cf1b4ad55", "https://x.example/in/#"),
        ("HTTPS://X.example/in?Token=abc", "HTTPS://X.example/in?Token=#"),
        ("https://x.example/?%74oken=abc", "https://x.example/?%74oken=#"),
        ('forward("https://x.example/?token=a")', 'forward("https://x.example/?token=#")'),
        (
            "GET /x?url=https%3A%2F%2Fa.example%2Fin%3Ftoken%3Dabc&n=1",
            "GET /x?url=https%3A%2F%2Fa.example%2Fin%3Ftoken%3D%23&n=1",
        ),
        (
            "url=https%3a%2f%2Fb.example%2F%2Chttps%3A%2F%2Fu%3Ap%40a.example",
            "url=https%3a%2f%2Fb.example%2F%2Chttps%3A%2F%2F%23%40a.example",
        ),
        (
            "e=forward%28%22https%3A%2F%2Fhooks.zapier.com%2Fhooks%2Fcatch%2F1%2Fab%22%29",
            "e=forward%28%22https%3A%2F%2Fhooks.zapier.com%2Fhooks%2Fcatch%2F1%2F%23%22%29",
        ),
        (f"first {SLACK}/aaa then {SLACK}/bbb", f"first {SLACK}/# then {SLACK}/#"),
    ],
)
def test_a_secret_is_replaced_and_the_rest_stays(url: str, shown: str) -> None:
    assert hide(url, lambda _: "#") == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/hook?a=1&b=2",
        "https://example.com/notifications/mailgun-delivered-events",
        "https://example.com/?event=delivered&domain=mg.example.com",
        "https://example.com/?t=5",
        "https://[::1]:80/in",
        "https://",
        "no URL: token=9f86d081884c7d659a2feaa0",
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert hide(text, lambda _: "#") == text


@given(st.text("https:/?&=#@.aB1%-…", max_size=60))
def test_what_is_hidden_is_not_hidden_again(text: str) -> None:
    once = hide(f"https://x.example/{text}", lambda _: "[redacted]")
    assert hide(once, lambda _: "[redacted]") == once


def test_a_long_secret_is_known_by_its_end() -> None:
    assert recognisable("a2Xk39fkkq9Zx8L0p2wert") == "…wert"
    assert recognisable("a2Xk39") == "…"


def test_a_long_url_is_read_to_its_end_in_linear_time() -> None:
    assert hide(f"https://x.example/{'a/' * 100_000}?token=abc", lambda _: "#").endswith("?token=#")
