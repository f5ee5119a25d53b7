"""What every protocol does with a request: sizes, JSON, texts, and errors with their status."""

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.errors import (
    BadMessageError,
    BusyError,
    ForbiddenError,
    NotFoundError,
    TooLargeError,
    WaitingError,
)
from mailgun_mcp.agent.http import requests
from mailgun_mcp.agent.http.requests import answer_run, answering, check_answers, json_object, message_run, text_of
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.principal import ANONYMOUS, Principal
from tests.support.chats import ANN

pytestmark = pytest.mark.anyio


def request(body: bytes) -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadMessageError("x"), 400),
        (TooLargeError("x"), 413),
        (NotFoundError("c"), 404),
        (BusyError(), 409),
        (ForbiddenError("x"), 403),
        (WaitingError([{"approval": "k7q2"}]), 409),
        (StateError("the disk is full"), 503),
        (ClientDisconnect(), 400),
    ],
)
async def test_an_error_has_its_status_and_says_what_it_is(error: Exception, status: int) -> None:
    async def fails(_: Request) -> Response:
        raise error

    answer = await answering(fails)(request(b""))
    assert answer.status_code == status
    if isinstance(error, WaitingError):
        assert b"k7q2" in answer.body


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"[" * 100_000])
async def test_what_is_not_a_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadMessageError):
        await json_object(request(body))


async def test_a_body_that_is_nested_too_deeply_is_refused_in_our_own_words() -> None:
    with pytest.raises(BadMessageError, match=r"nested too deeply"):
        await json_object(request(b"[" * 100_000))


async def test_a_body_has_a_most_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MOST", 10)
    assert await json_object(request(b'{"a": 1}')) == {"a": 1}
    with pytest.raises(TooLargeError):
        await json_object(request(b'{"a": 12345}'))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("hello", "hello"),
        ([{"type": "text", "text": "a"}, {"type": "step-start"}, {"type": "input_text", "text": "b"}], "a\nb"),
        (
            [{"type": "text", "text": "a"}, {"type": "file", "url": "x"}, {"type": "image_url", "image_url": {}}],
            "a\n[Attachments that were left out, because this assistant reads only text: 2]",
        ),
        ([{"type": "input_image", "image_url": "x"}], ""),
        ([{"type": "text", "text": 1}, "x"], ""),
        (None, ""),
    ],
)
def test_the_text_of_a_message_is_its_text_parts(content: object, text: str) -> None:
    assert text_of(content) == text


def test_only_who_is_authenticated_says_yes() -> None:
    yes, no = Answer("k", True), Answer("k", False)
    assert check_answers(ANN, [yes]) == [yes]
    assert check_answers(ANONYMOUS, [no]) == [no]
    with pytest.raises(ForbiddenError, match="approvals approve k"):
        check_answers(ANONYMOUS, [yes])
    with pytest.raises(ForbiddenError, match="relays answers"):
        check_answers(Principal("bot", access=Access(relay=True)), [yes])


def test_the_same_answers_are_the_same_run() -> None:
    one, two = Answer("a", True, "name"), Answer("b", False)
    assert answer_run([one, two]) == answer_run([two, one])
    assert answer_run([one]) != answer_run([Answer("a", False)])
    assert message_run("a", "b") != message_run("a", "c")
