"""Quotations and signatures are stripped from mail; nobody's mail takes long."""

from importlib.util import find_spec
from time import process_time
from typing import Any

import pytest

from mailgun_mcp.simulator.mail import stripping
from mailgun_mcp.simulator.mail.stripping import LONGEST, strip_bodies

QUOTED = "On Mon, 3 Nov 2026 at 10:00, Bob <bob@x.example> wrote:\n> Shall we meet?\n> Bob"
SECONDS = 2.0
"""CPU time that a hostile body may take at most; it takes about a tenth of that."""


def text(body: str) -> tuple[str, str]:
    stripped = strip_bodies(body, "")
    return stripped.text, stripped.signature


@pytest.mark.parametrize(
    ("body", "own", "signature"),
    [
        pytest.param(f"Yes.\n\n{QUOTED}", "Yes.", "", id="answer above"),
        pytest.param(f"{QUOTED}\n\nYes.", "Yes.", "", id="answer below"),
        pytest.param(f"Yes.\r\n\r\n{QUOTED}".replace("\n> ", "\r\n> "), "Yes.", "", id="CRLF"),
        pytest.param(f"Yes.\n\n-- \nAnn\nShop Ltd\n\n{QUOTED}", "Yes.", "-- \nAnn\nShop Ltd", id="signature and quote"),
        pytest.param("Yes.\n--\nAnn", "Yes.", "--\nAnn", id="signature"),
        pytest.param("Yes.\n\nSent from my phone", "Yes.", "Sent from my phone", id="phone"),
        pytest.param(
            "Ja.\n\nAm 3. Nov. 2026 um 10:00 schrieb Bob <b@x.example>:\n> Treffen?\n> Bob", "Ja.", "", id="German"
        ),
        pytest.param(
            "Yes.\n\n-----Original Message-----\nFrom: Bob <b@x.example>\nSent: Monday\nTo: Ann\nSubject: S\n\nMeet?",
            "Yes.",
            "",
            id="Outlook",
        ),
        pytest.param("Just text.\n> not a quote", "Just text.\n> not a quote", "", id="nothing to strip"),
        pytest.param("-- \nAnn", "-- \nAnn", "", id="only a signature"),
        pytest.param("", "", "", id="empty"),
    ],
)
def test_the_text_is_what_the_sender_wrote(body: str, own: str, signature: str) -> None:
    assert text(body) == (own, signature)


def test_a_forwarded_message_stays() -> None:
    body = "See below.\n\n---------- Forwarded message ----------\nFrom: Bob <b@x>\nSubject: S\nTo: Ann\n\nHello"
    assert text(body) == (body, "")


def test_html_loses_its_quotation() -> None:
    quote = "<div class='gmail_quote'>On Mon, 3 Nov 2026 Bob &lt;b@x&gt; wrote:<br><blockquote>Meet?</blockquote></div>"
    assert strip_bodies("", f"<p>Yes.</p>{quote}").html == "<p>Yes.</p>"
    assert strip_bodies("", "<p>Yes.</p>").html == "<p>Yes.</p>"


@pytest.mark.parametrize(
    "line",
    [
        "On , " * 40,
        "a" * 990 + ":",
        "Am " + " schrieb " * 110,
        "-" * 990 + "x",
        "From: " + "a:" * 90,
        "> " * 400,
        "\t" * 900,
    ],
)
def test_hostile_text_takes_no_time(line: str) -> None:
    begin = process_time()
    strip_bodies("\n".join([line] * (LONGEST // (len(line) + 1))), "")
    assert process_time() - begin < SECONDS


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 9000,
        "<br>" * 12_000,
        "<blockquote>" * 4000,
        "<!--" * 12_000,
        "<div>On , </div>" * 3000,
        "<p a=" * 9000,
    ],
)
def test_hostile_html_takes_no_time(html: str) -> None:
    begin = process_time()
    strip_bodies("", html)
    assert process_time() - begin < SECONDS


def test_what_is_too_long_stays_as_it_is() -> None:
    body = f"Yes.\n\n{QUOTED}\n" + "> more\n" * LONGEST
    assert text(body) == (body, "")


@pytest.mark.parametrize("missing", ["quotequail", "lxml"])
def test_without_the_libraries_bodies_stay_as_they_are(missing: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(stripping, "find_spec", lambda name: None if name == missing else find_spec(name))
    stripping._is_installed.cache_clear()
    strip_bodies.cache_clear()
    html = "<p>Yes.</p><blockquote>a<br>b<br>c<br>d</blockquote>"
    stripped = strip_bodies(f"Yes.\n\n{QUOTED}", html)
    stripping._is_installed.cache_clear()
    strip_bodies.cache_clear()
    assert (stripped.text == "Yes.", stripped.html == html) == (missing == "lxml", True)
