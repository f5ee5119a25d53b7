"""An account of the simulator that has one of everything, and what each operation answers there."""

import httpx

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.request.build import build
from mailgun_mcp.request.files import Files
from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import Attachment, StoredMessage
from mailgun_mcp.simulator.model.suppressions import AllowlistEntry, Bounce, Complaint, Unsubscribe
from mailgun_mcp.simulator.model.templates import Template, TemplateVersion
from mailgun_mcp.simulator.replies.paging import Token
from tests.simulator.conftest import client
from tests.simulator.sections import administration_everything as administration
from tests.simulator.sections import analytics_everything as analytics
from tests.simulator.sections import mail_rules_everything as mail_rules
from tests.support.arguments import BY_FORMAT
from tests.support.operations import catalogue

NAME, ADDRESS, TEXT = BY_FORMAT["hostname"], BY_FORMAT["email"], "some text"

MIME = "From: a@mg.example.com\r\nTo: b@x.example\r\nSubject: Hi\r\n\r\nHello"

CHOSEN: dict[str, Arguments] = {
    "create_domain": {"domain": "new.example.com", "smtp_password": "secret-enough"},
    "update_domain": {"smtp_password": "secret-enough"},
    "send_message": {
        "to": ["Ann <ann@x.example>"],
        "from": "a@mg.example.com",
        "cc": ["b@x.example"],
        "bcc": ["c@x.example"],
    },
    "send_mime_message": {"to": ["ann@x.example"], "message": {"text": MIME}},
    "resend_message": {"to": ["ann@x.example"]},
    "get_stored_attachment": {"index": 0},
    "list_events": {
        "page": Token("first", None, {"ascending": True, "low": None, "high": None, "limit": 3}).encoded(),
        "size": ">1",
    },
    "query_logs": {"duration": "1d", "pagination": {"limit": 5}, "filter": {"AND": []}},
    **{
        f"import_{name}": {"file": {"text": f"address,domain\n{ADDRESS},"}}
        for name in ("bounces", "complaints", "unsubscribes", "allowlist")
    },
    **{
        f"add_{name}": {name: [{"address": ADDRESS, "created_at": "2026-11-23T09:00:00Z"}]}
        for name in ("bounces", "complaints", "unsubscribes")
    },
    "delete_unsubscribe": {"tag": "*"},
    **administration.CHOSEN,
    **mail_rules.CHOSEN,
    **analytics.CHOSEN,
}


"""Arguments that a handler looks into, where any text would not do."""


def account_with_everything() -> Account:
    """An account in which everything that `minimal` names exists."""
    clock = ManualClock()
    now = clock.now()
    domain = Domain("1", NAME, now, "active")
    # The delivery time of `maximal` lies within it.
    domain.settings["message_ttl"] = 7 * 86_400
    domain.bounces[ADDRESS] = Bounce(ADDRESS, now)
    domain.complaints[ADDRESS] = Complaint(ADDRESS, now)
    domain.unsubscribes[ADDRESS] = Unsubscribe(ADDRESS, now, "1")
    domain.allowlist[TEXT] = AllowlistEntry(TEXT, now)
    version = TemplateVersion("1", TEXT, "Hello", now, active=True)
    domain.templates[TEXT] = Template("1", TEXT, now, versions={TEXT: version})
    domain.messages[TEXT] = StoredMessage(
        TEXT,
        "1@x.example",
        NAME,
        now,
        "a@x.example",
        [ADDRESS],
        {"Subject": "Hi"},
        attachments=[Attachment("a.json", "application/json", b"{}")],
    )
    account = Account(clock, domains={NAME: domain})
    version = TemplateVersion("2", TEXT, "Hello", now, active=True)
    account.templates[TEXT] = Template("2", TEXT, now, versions={TEXT: version})
    account.seed_results[TEXT] = {"provider_results": {TEXT: {"inbox": 1}}}
    account.preview_results[TEXT] = {"gmail": {"id": "gmail", "status": "complete"}}
    administration.add_administration(account, domain)
    mail_rules.add_mail_rules(account, domain)
    analytics.add_analytics(account, domain)
    return account


async def answered(operation: Operation, arguments: Arguments) -> httpx.Response:
    properties = operation.input_schema.get("properties", {})
    given = {**arguments, **CHOSEN.get(operation.name, {})}
    request = build(operation, {name: given[name] for name in given if name in properties}, Files())
    account = account_with_everything()
    if prepare := administration.PREPARED.get(operation.name):
        prepare(account)
    async with client(create_app(catalogue(), account=account)) as mailgun:
        return await mailgun.request(
            request.method, request.target, headers=list(request.headers), content=request.content
        )
