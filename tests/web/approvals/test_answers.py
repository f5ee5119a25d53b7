"""An answer is given by who may, recorded with who gave and who brought it, and refused in words."""

import pytest

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.web.approvals.answers import AnswerRefused, Answers
from tests.support.pages import pending

pytestmark = pytest.mark.anyio
APPROVER = Access(parse_scopes(["approve"]))
BEN, KIM = (Principal(name, access=APPROVER) for name in ("ben", "kim"))
NAME = "mail.example.com"


async def test_both_the_person_and_the_program_that_relays_are_recorded(services: Services) -> None:
    approval = await Answers(services).approve(pending(services), BEN, "api", typed=NAME, relay="bot")
    assert (approval.status, approval.people) == ("approved", "ben (relayed by bot)")
    assert approval.record["answers"][0]["relayed_by"] == "bot"
    denied = await Answers(services).deny(approval, KIM, "page", reason="wait")
    assert (denied.status, str(denied.answers[-1])) == ("denied", "kim")
    logged = [(call.fields["tool"], call.fields["principal"], call.outcome) for call in services.audit_log.calls()]
    assert logged == [("approvals approve", "bot", "done"), ("approvals deny", "kim", "done")]
    (first, _) = services.audit_log.calls()
    assert first.fields["arguments"] == {
        **{"id": approval.id, "tool": "delete_domain", "account": "main", "on_behalf_of": "ben"}
    }


async def test_one_program_does_not_bring_both_answers(services: Services) -> None:
    answers = Answers(services)
    approval = await answers.approve(pending(services, "two_people"), BEN, "api", typed=NAME, relay="bot")
    with pytest.raises(AnswerRefused, match="must come another way"):
        await answers.approve(approval, KIM, "api", typed=NAME, relay="bot")
    assert (await answers.approve(approval, KIM, "page", typed=NAME)).status == "approved"


async def test_a_refusal_is_a_sentence_and_in_the_log_when_it_was_tried(services: Services) -> None:
    approval = pending(services)
    with pytest.raises(AnswerRefused, match=r"^Wrong name: to approve .*\.$"):
        await Answers(services).approve(approval, BEN, "page", typed="x")
    assert [call.outcome for call in services.audit_log.calls()] == ["failed"]
    stranger = Principal("eve", access=Access(parse_scopes(["read"])))
    for answer in (
        Answers(services).approve(approval, stranger, "page", typed=NAME),
        Answers(services).deny(approval, stranger, "page", reason=""),
    ):
        with pytest.raises(AnswerRefused, match="eve may not answer"):
            await answer
    assert services.approvals.get(approval.id, services.clock()).status == "pending"
