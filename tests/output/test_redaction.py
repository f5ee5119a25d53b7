"""Secrets in whatever leaves: none, in any spelling, at any depth."""

import html
import json
import traceback
from base64 import b64encode
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.output.redaction import REDACTED, Redactor
from tests.support.operations import find

KEY = "api key/with+odd\"characters'&é"
OLD_STYLE = "key-" + "0a" * 16
NEW_STYLE = "0a" * 16 + "-1b2c3d4e-5f6a7b8c"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(KEY, id="plain"),
        pytest.param(json.dumps({"a": KEY}), id="json"),
        pytest.param(json.dumps({"a": KEY}, ensure_ascii=False), id="json-unicode"),
        pytest.param(repr([KEY]), id="repr"),
        pytest.param(f"https://x.example/?key={quote(KEY, safe='')}", id="url"),
        pytest.param(f"https://x.example/?key={quote(KEY, safe='').lower()}", id="url-lower"),
        pytest.param(f"key={quote_plus(KEY)}", id="form"),
        pytest.param(html.escape(KEY), id="html"),
        pytest.param(b64encode(f"api:{KEY}".encode()).decode(), id="basic-authentication"),
        pytest.param(quote(b64encode(KEY.encode()).decode(), safe=""), id="base64-in-a-url"),
    ],
)
def test_a_known_secret_is_redacted_in_every_spelling(written: str) -> None:
    shown = Redactor([KEY]).text(f"before {written} after")
    assert REDACTED in shown
    assert shown.replace(REDACTED, "") == shown.replace(REDACTED, "").replace("odd", "")
    assert (shown.startswith("before "), shown.endswith(" after")) == (True, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"the key {OLD_STYLE}, then", f"the key {REDACTED}, then", id="private-key"),
        pytest.param(f"pub{OLD_STYLE}", REDACTED, id="public-key"),
        pytest.param(
            f"the token mgmcp_abcdefghjk_{'a-B_c' * 8}a-B", f"the token mgmcp_abcdefghjk_{REDACTED}", id="our-token"
        ),
        pytest.param(f"({NEW_STYLE})", f"({REDACTED})", id="new-key"),
        pytest.param(f"a\n{PEM}\nb", f"a\n{REDACTED}\nb", id="pem"),
        pytest.param(json.dumps(PEM), f'"{REDACTED}"', id="pem-in-json"),
        pytest.param("-----BEGIN PRIVATE KEY-----\nMIIE", REDACTED, id="pem-cut-off"),
        pytest.param("Authorization: Basic YXBpOmtleQ==\nHost: x", f"Authorization: {REDACTED}\nHost: x", id="header"),
        pytest.param("{'authorization': 'Bearer abc'}", "{'authorization': '" + REDACTED + "'}", id="header-in-a-dict"),
        pytest.param("(b'Authorization', b'Basic abc')", f"(b'Authorization', b'{REDACTED}')", id="header-in-a-pair"),
        pytest.param("sent Basic YXBpOmtleS0xMjM= twice", f"sent Basic {REDACTED} twice", id="basic"),
        pytest.param("with Bearer abcdef.123456-xyz", f"with Bearer {REDACTED}", id="bearer"),
        pytest.param("at https://api:k3y@x.example/a", f"at https://{REDACTED}@x.example/a", id="userinfo"),
        pytest.param("at https://t0ken@x.example", f"at https://{REDACTED}@x.example", id="user-alone"),
    ],
)
def test_what_looks_like_a_secret_is_redacted(text: str, expected: str) -> None:
    assert Redactor().text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "password: must be at least 5 characters",
        "the basic authentication failed, the bearer documentation helps",
        "authorization is missing; after authorization, try again",
        "key-value pairs, monkey-business, 12345678-1234-1234-1234-123456789abc",
        "see https://x.example/?to=a@example.com and mail a@example.com",
        "a" * 32,
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor(["", " ", "abc"]).text(text) == text


class Strange:
    """Shows a secret when it is printed."""

    def __repr__(self) -> str:
        return f"Strange({NEW_STYLE})"


def test_a_value_is_redacted_at_every_depth() -> None:
    error = ValueError("harmless")
    value = {
        "text": f"x {KEY}",
        KEY: [KEY, {"deep": (KEY, 1, None, True, 1.5)}],
        "smtp_password": "short",
        "apiKey": {"inner": ["a", 7, None, False, ""]},
        "Authorization": "Basic x",
        "strange": Strange(),
        "error": error,
    }
    assert Redactor([KEY]).value(value) == {
        "text": f"x {REDACTED}",
        REDACTED: [REDACTED, {"deep": (REDACTED, 1, None, True, 1.5)}],
        "smtp_password": REDACTED,
        "apiKey": {"inner": [REDACTED, REDACTED, None, False, ""]},
        "Authorization": REDACTED,
        "strange": f"Strange({REDACTED})",
        "error": error,
    }


def test_what_is_nested_too_deep_is_redacted_whole() -> None:
    value: Any = KEY
    for _ in range(500):
        value = [value]
    assert KEY not in str(Redactor([KEY]).value(value))


def test_secret_arguments_are_masked_whole_and_others_redacted() -> None:
    redactor = Redactor([KEY])
    given = {"domain": f"x {KEY}", "password": ["first", "second"], "api_key": "nobody knows this argument"}
    assert redactor.arguments(find("create_smtp_credentials"), given) == {
        "domain": f"x {REDACTED}",
        "password": [REDACTED, REDACTED],
        "api_key": REDACTED,
    }


def test_the_secret_arguments_of_a_call_are_known_from_then_on() -> None:
    redactor = Redactor()
    redactor.learn_arguments(
        find("create_smtp_credentials"), {"password": ["first pass", "second pass"], "login": "bob"}
    )
    assert redactor.text("bob: first pass, second pass") == f"bob: {REDACTED}, {REDACTED}"


def test_a_name_loses_only_known_secrets_and_keys() -> None:
    redactor = Redactor(["hunter2"])
    assert redactor.name("authorization=x@b.example") == "authorization=x@b.example"
    assert redactor.name(f"hunter2+key-{'0' * 32}@b.example") == "[redacted]+[redacted]@b.example"


def test_the_longest_secret_goes_first() -> None:
    assert Redactor(["secret", "secret-and-more"]).text("a secret-and-more b") == f"a {REDACTED} b"


def test_the_redactor_shows_no_secret_itself() -> None:
    assert KEY not in repr(Redactor([KEY]))
    assert "odd" not in repr(Redactor([KEY]))


@pytest.mark.parametrize("last", [True, False], ids=["after-the-renderer", "before-the-renderer"])
def test_a_log_holds_no_secret_in_any_field(last: bool) -> None:
    redactor = Redactor([KEY])
    renderer: Any = structlog.processors.KeyValueRenderer()
    processors = [renderer, redactor.processor] if last else [redactor.processor, renderer]
    lines: list[str] = []

    class Lines:
        def info(self, line: str) -> None:
            lines.append(line)

    log = structlog.wrap_logger(Lines(), processors=[structlog.processors.format_exc_info, *processors])
    try:
        raise RuntimeError(f"failed with {KEY}")
    except RuntimeError as error:
        log.info(
            f"event {KEY}",
            field=KEY,
            nested={"a": [KEY]},
            exc_info=error,
            cause=error,
            url=f"https://api:{KEY}@x.example",
        )
    (line,) = lines
    assert "odd" not in line
    assert line.count(REDACTED) >= 5


def test_a_traceback_holds_no_secret() -> None:
    try:
        raise RuntimeError(KEY)
    except RuntimeError as error:
        text = "".join(traceback.format_exception(error))
    assert "odd" not in Redactor([KEY]).text(text)


SECRET = st.text(st.characters(exclude_characters="\0"), min_size=8, max_size=40).filter(
    lambda text: len(text.strip()) >= 8
)


@given(SECRET, st.text(), st.text())
def test_no_known_secret_survives_and_redacting_twice_changes_nothing_more(
    secret: str, before: str, after: str
) -> None:
    redactor = Redactor([secret])
    shown = redactor.text(before + secret + after)
    assert REDACTED in shown
    assert secret not in shown.replace(REDACTED, "\0")
    assert redactor.text(shown) == shown


@given(
    st.recursive(
        st.text() | st.integers() | st.booleans() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_value_keeps_its_shape(value: Any) -> None:
    shown = Redactor().value(value)
    assert type(shown) is type(value)
