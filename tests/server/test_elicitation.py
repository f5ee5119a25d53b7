"""The question to the person at the client: who can be asked, and what goes out while they read."""

from types import SimpleNamespace
from typing import Any

import anyio
import mcp_types as types
import pytest

from mailgun_mcp.confirm.asker import FormAnswer
from mailgun_mcp.confirm.form import Binding, Form
from mailgun_mcp.server import elicitation
from mailgun_mcp.server.elicitation import Elicitation

pytestmark = pytest.mark.anyio

FORM = Form("Delete it?", "ask", None, Binding("ann", "default", "delete_bounce", "x", "y"), "")
CALL = types.CallToolRequestParams(name="delete_bounce", arguments={})
FORMS = types.ClientCapabilities(elicitation=types.ElicitationCapability(form=types.FormElicitationCapability()))
YES = types.ElicitResult(action="accept", content={"confirm": True})


class Session:
    """The session with one client; `elicit_form` is its person."""

    client_capabilities: types.ClientCapabilities | None = FORMS
    can_send_request = True

    def __init__(self, elicit_form: Any = None) -> None:
        self.elicit_form = elicit_form


async def burn(_: str) -> bool:
    return True


def asker(session: Session, notify: Any = None) -> Elicitation:
    context: Any = SimpleNamespace(session=session, protocol_version="2025-11-25", request_id=1)
    return Elicitation(context, CALL, burn, *([notify] if notify else []))


def test_only_a_client_that_shows_forms_and_can_be_reached_is_asked() -> None:
    unreachable, without_forms = Session(), Session()
    unreachable.can_send_request = False
    without_forms.client_capabilities = types.ClientCapabilities()
    assert [asker(session).can_ask for session in (Session(), unreachable, without_forms)] == [True, False, False]


async def test_progress_is_reported_while_the_person_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elicitation, "REMINDER", 0)
    reports: list[str] = []
    enough = anyio.Event()

    async def notify(message: str) -> None:
        reports.append(message)
        if len(reports) == 3:
            enough.set()

    async def elicit_form(*_: Any, **__: Any) -> types.ElicitResult:
        await enough.wait()
        return YES

    assert await asker(Session(elicit_form), notify).ask(FORM, patience=30) == FormAnswer("yes")
    count = len(reports)
    await anyio.wait_all_tasks_blocked()
    assert (set(reports), len(reports)) == ({"waiting for the person's answer"}, count)


async def test_a_client_that_cannot_hear_of_progress_may_still_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elicitation, "REMINDER", 0)
    tried = anyio.Event()

    async def notify(_: str) -> None:
        tried.set()
        raise anyio.BrokenResourceError

    async def elicit_form(*_: Any, **__: Any) -> types.ElicitResult:
        await tried.wait()
        return YES

    assert await asker(Session(elicit_form), notify).ask(FORM, patience=30) == FormAnswer("yes")


async def test_no_answer_in_time_is_not_a_yes() -> None:
    async def elicit_form(*_: Any, **__: Any) -> types.ElicitResult:
        await anyio.sleep_forever()
        raise AssertionError

    assert await asker(Session(elicit_form)).ask(FORM, patience=0) == FormAnswer("timeout")


async def test_a_question_that_cannot_be_sent_is_not_a_yes() -> None:
    async def elicit_form(*_: Any, **__: Any) -> types.ElicitResult:
        raise anyio.ClosedResourceError

    assert await asker(Session(elicit_form)).ask(FORM, patience=30) == FormAnswer("broken")
