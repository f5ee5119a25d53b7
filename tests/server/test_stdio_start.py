"""A server on stdio answers early unless it is told not to; garbage is collected again when it serves."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from mailgun_mcp.server import stdio_session, stdio_start
from mailgun_mcp.server.early_answers import EarlyAnswers
from mailgun_mcp.server.early_session import EarlySession
from tests.support.stdio_sessions import few_tools

EARLY = EarlySession(EarlyAnswers(few_tools()), b"rest")


@pytest.fixture(autouse=True)
def _collector_as_before() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.parametrize(("answer_early", "session"), [(True, EARLY), (False, EarlySession())])
def test_the_session_that_began_early_goes_on(
    answer_early: bool, session: EarlySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Any] = []
    monkeypatch.setattr(stdio_start, "begin", lambda *_: EARLY)
    monkeypatch.setattr(stdio_session, "serve", lambda *given: served.append((*given, gc.isenabled())))
    stdio_start.serve(few_tools(), answer_early=answer_early)
    ((_, _, given, collecting),) = served
    assert (given, collecting) == (session, True)
