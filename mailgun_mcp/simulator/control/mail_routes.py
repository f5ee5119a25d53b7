"""Control routes for what comes from outside: inbound mail, recipients, webhooks, scenarios, snapshots."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from mailgun_mcp.simulator.control.account_json import CodecError, restored, snapshot
from mailgun_mcp.simulator.control.faults import unknown
from mailgun_mcp.simulator.control.harness import Box
from mailgun_mcp.simulator.control.read_delay import accounts_of
from mailgun_mcp.simulator.mail.inbound import deliver_inbound
from mailgun_mcp.simulator.mail.outbox import Poster, post_due
from mailgun_mcp.simulator.mail.recipients import act
from mailgun_mcp.simulator.model.account import Account, Domain
from mailgun_mcp.simulator.model.webhooks import Posting
from mailgun_mcp.simulator.replies.reply import Refusal, Reply

Body = dict[str, Any]
Route = Callable[[Box, Body], Reply | Awaitable[Reply]]
INBOUND = ("mime", "sender", "recipients", "from", "to", "cc", "subject", "text", "html", "headers")


def check_texts(body: Body, names: Iterable[str], needed: Iterable[str] = ()) -> None:
    """Raise Refusal unless the body has only texts, of these names, and those that are needed."""
    for name, value in body.items():
        if name not in names:
            raise Refusal(400, unknown("field", name, names))
        if not isinstance(value, str):
            raise Refusal(400, f"{name} is not a text")
    for name in needed:
        if not body.get(name):
            raise Refusal(400, f"{name} is missing")


def receive_mail(box: Box, body: Body) -> Reply:
    """Take a mail from outside: `mime`, or `from`, `to`, `cc`, `subject`, `text`, `html` and `headers`.

    `sender` and `recipients` are the envelope's, where it has others.
    """
    texts = {name: value for name, value in body.items() if name not in ("recipients", "headers")}
    check_texts(texts, INBOUND)
    recipients, headers = body.get("recipients", []), body.get("headers", {})
    if not isinstance(recipients, list) or not all(isinstance(one, str) for one in recipients):
        raise Refusal(400, "recipients is not a list of addresses")
    if not isinstance(headers, dict) or not all(isinstance(one, str) for one in headers.values()):
        raise Refusal(400, "headers is not an object of texts")
    sender = texts.pop("sender", "")
    mail = texts["mime"].encode("utf-8", "replace") if "mime" in texts else {**texts, "headers": headers}
    found = deliver_inbound(box.account, mail, sender=sender, recipients=recipients)
    if not found:
        raise Refusal(400, "the mail names no recipient: give to, or recipients")
    box.changed()
    return Reply({"items": [asdict(received) for received in found]})


def show_received(box: Box, _: Body) -> Reply:
    """Tell of the mail that came in, and what routes did with it."""
    received = [one for owner in accounts_of(box.account) for one in owner.routes.received]
    return Reply({"items": [asdict(one) for one in sorted(received, key=lambda one: one.at)]})


def act_as_recipient(box: Box, body: Body) -> Reply:
    """Do an `action` on a `message` (its id or storage key), as one `recipient` or all: `open`, `click`, …

    `url` is what is clicked, `tag` what is unsubscribed from.
    """
    check_texts(body, ("action", "message", "recipient", "url", "tag"), ("action", "message"))
    details = {name: body[name] for name in ("url", "tag") if name in body}
    events = act(box.account, body["action"], body["message"], body.get("recipient", ""), **details)
    box.changed()
    return Reply({"items": [event.record for event in events]})


def show_webhooks(box: Box, _: Body) -> Reply:
    """Tell of the webhooks that were fired, signed as they are posted."""
    return Reply({"items": [_posting(posting) for posting in _outbox(box)]})


def _outbox(box: Box) -> list[Posting]:
    """Return the postings of the account and its subaccounts, the oldest first."""
    found = [posting for owner in accounts_of(box.account) for posting in owner.webhooks.outbox]
    return sorted(found, key=lambda posting: posting.created_at)


def post_webhooks(box: Box, body: Body) -> Awaitable[Reply]:
    """Post the webhooks that are due: to this machine, and with `--deliver-webhooks` anywhere."""
    check_texts(body, ())
    poster = box.outside.poster
    if poster is None:
        raise Refusal(400, "this simulator posts nothing: `mailgun-mcp simulator` does")
    return _post(box, poster)


async def _post(box: Box, poster: Poster) -> Reply:
    may = bool if box.outside.anywhere else is_loopback
    posted = [one for owner in accounts_of(box.account) for one in await post_due(owner, poster, may=may)]
    box.changed()
    kept = [one for one in _outbox(box) if one.due_at is not None and one.due_at <= box.clock.now()]
    not_posted = [one.url for one in kept if not may(one.url)]
    return Reply({"items": [_posting(one) for one in posted], "not_loopback": not_posted})


def is_loopback(url: str) -> bool:
    """Say whether a URL leads to this machine, by what is written and not by what a DNS says."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _posting(posting: Posting) -> Body:
    return {
        "id": posting.id,
        "kind": posting.kind,
        "url": posting.url,
        "domain": posting.domain,
        "event": posting.event,
        "created_at": posting.created_at,
        "due_at": posting.due_at,
        "attempts": [{"at": at, "status": status} for at, status in posting.attempts],
        "outcome": posting.outcome,
        "signature": asdict(posting.signature),
        "data": posting.data,
    }


RECORDS = ("spf", "dkim", "tracking", "mx")


def show_dns(box: Box, _: Body) -> Reply:
    """Tell of each domain which of its records the DNS has."""
    domains = _domains(box).values()
    return Reply({one.name: {record: record not in one.absent_records for record in RECORDS} for one in domains})


def _domains(box: Box) -> dict[str, Domain]:
    return {name: domain for owner in accounts_of(box.account) for name, domain in owner.domains.items()}


def set_dns(box: Box, body: Body) -> Reply:
    """Let the `record` of a `domain` be in the DNS or not, as `present` says; verifying sees it."""
    present = body.pop("present", None)
    check_texts(body, ("domain", "record"), ("domain", "record"))
    domains = _domains(box)
    domain = domains.get(body["domain"].lower())
    if domain is None:
        raise Refusal(404, unknown("domain", body["domain"], domains))
    if body["record"] not in RECORDS or not isinstance(present, bool):
        raise Refusal(400, f"give record as one of {', '.join(RECORDS)}, and present as true or false")
    (domain.absent_records.discard if present else domain.absent_records.add)(body["record"])
    box.changed()
    return show_dns(box, {})


def set_result(box: Box, body: Body) -> Reply:
    """Let a seed test or a preview (`kind`) have this `result` under an `id`."""
    result = body.pop("result", None)
    check_texts(body, ("kind", "id"), ("kind", "id"))
    results = {"seed": box.account.seed_results, "preview": box.account.preview_results}.get(body["kind"])
    if results is None or not isinstance(result, dict):
        raise Refusal(400, "give kind as seed or preview, an id, and result as an object")
    results[body["id"]] = result
    box.changed()
    return Reply({"seed": list(box.account.seed_results), "preview": list(box.account.preview_results)})


def seed(box: Box, body: Body) -> Reply:
    """Begin anew with a `scenario`, by its name or described as in YAML, or without one with the demo account."""
    from mailgun_mcp.simulator.worlds.demo import demo_account
    from mailgun_mcp.simulator.worlds.scenario import ScenarioError, described, scenario_account

    for name in body:
        if name != "scenario":
            raise Refusal(400, unknown("field", name, ["scenario"]))
    try:
        scenario = described(body["scenario"]) if "scenario" in body else None
    except ScenarioError as error:
        raise Refusal(400, str(error)) from error
    storage_url = box.account.storage_url
    box.reset(Account(box.clock))
    if scenario is None:
        box.hold(demo_account(box.clock, storage_url=storage_url))
    else:
        box.hold(scenario_account(scenario, box.clock, storage_url=storage_url))
    return Reply({"domains": list(box.account.domains)})


def take_snapshot(box: Box, _: Body) -> Reply:
    """Give the whole account as one document, with its keys."""
    return Reply(snapshot(box.account))


def restore(box: Box, body: Body) -> Reply:
    """Go back to a snapshot, which is the body: the account, and what time it was there."""
    try:
        account = restored(body, box.clock)
    except CodecError as error:
        raise Refusal(400, f"no snapshot: {error}") from error
    box.clock.advance(body["now"] - box.clock.now())
    box.hold(account)
    return Reply({"restored": account.id, "now": box.clock.now()})


ROUTES: dict[str, dict[str, Route]] = {
    "inbound": {"GET": show_received, "POST": receive_mail},
    "act": {"POST": act_as_recipient},
    "webhooks": {"GET": show_webhooks},
    "webhooks/post": {"POST": post_webhooks},
    "dns": {"GET": show_dns, "POST": set_dns},
    "results": {"POST": set_result},
    "seed": {"POST": seed},
    "snapshot": {"GET": take_snapshot},
    "restore": {"POST": restore},
}
"""Path below the control routes -> method -> what it does."""
