"""Control routes for what happens outside an account: inbound mail, recipients, webhooks, DNS, scenarios."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from mailgun_mcp.simulator.control.harness import Harness
from mailgun_mcp.simulator.mail.inbound import deliver_inbound
from mailgun_mcp.simulator.mail.outbox import Poster, send_due_posts
from mailgun_mcp.simulator.mail.recipients import perform_recipient_action
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.webhooks import Posting
from mailgun_mcp.simulator.replies.reply import ApiError, Reply
from mailgun_mcp.text.suggest import unknown

Body = dict[str, Any]
Route = Callable[[Harness, Body], Reply | Awaitable[Reply]]
INBOUND = ("mime", "sender", "recipients", "from", "to", "cc", "subject", "text", "html", "headers")


def check_texts(body: Body, names: Iterable[str], needed: Iterable[str] = ()) -> None:
    """Raise ApiError unless all fields of the body are strings with these names, and the required ones are present."""
    for name, value in body.items():
        if name not in names:
            raise ApiError(400, unknown("field", name, names))
        if not isinstance(value, str):
            raise ApiError(400, f"{name} is not a string")
    for name in needed:
        if not body.get(name):
            raise ApiError(400, f"{name} is missing")


def receive_mail(harness: Harness, body: Body) -> Reply:
    """Receive mail from outside: `mime`, or `from`, `to`, `cc`, `subject`, `text`, `html` and `headers`.

    `sender` and `recipients` are those of the envelope, if they differ.
    """
    texts = {name: value for name, value in body.items() if name not in ("recipients", "headers")}
    check_texts(texts, INBOUND)
    recipients, headers = body.get("recipients", []), body.get("headers", {})
    if not isinstance(recipients, list) or not all(isinstance(one, str) for one in recipients):
        raise ApiError(400, "recipients is not a list of addresses")
    if not isinstance(headers, dict) or not all(isinstance(one, str) for one in headers.values()):
        raise ApiError(400, "headers must be an object whose values are text")
    sender = texts.pop("sender", "")
    mail = texts["mime"].encode("utf-8", "replace") if "mime" in texts else {**texts, "headers": headers}
    received = deliver_inbound(harness.account, mail, sender=sender, recipients=recipients)
    if not received:
        raise ApiError(400, "the mail has no recipient: set to or recipients")
    harness.changed()
    return Reply({"items": [asdict(mail) for mail in received]})


def show_received(harness: Harness, _: Body) -> Reply:
    """List the received mail, and what routes did with it."""
    received = [one for owner in harness.account.with_subaccounts(all_regions=True) for one in owner.routes.received]
    return Reply({"items": [asdict(one) for one in sorted(received, key=lambda one: one.at)]})


def act_as_recipient(harness: Harness, body: Body) -> Reply:
    """Act as one `recipient` or all of a `message` (its id or storage key): the `action` is `open`, `click`, …

    `url` is the clicked link, `tag` the tag to unsubscribe from.
    """
    check_texts(body, ("action", "message", "recipient", "url", "tag"), ("action", "message"))
    details = {name: body[name] for name in ("url", "tag") if name in body}
    events = perform_recipient_action(
        harness.account, body["action"], body["message"], body.get("recipient", ""), **details
    )
    harness.changed()
    return Reply({"items": [event.record for event in events]})


def show_webhooks(harness: Harness, _: Body) -> Reply:
    """List the webhooks, signed as they are posted."""
    return Reply({"items": [_posting(posting) for posting in _outbox(harness)]})


def _outbox(harness: Harness) -> list[Posting]:
    """Return the postings of the account and its subaccounts, oldest first."""
    postings = [
        posting for owner in harness.account.with_subaccounts(all_regions=True) for posting in owner.webhooks.outbox
    ]
    return sorted(postings, key=lambda posting: posting.created_at)


def post_webhooks(harness: Harness, body: Body) -> Awaitable[Reply]:
    """Post the webhooks that are due: to this machine, or with `--deliver-webhooks` anywhere."""
    check_texts(body, ())
    poster = harness.host_access.poster
    if poster is None:
        raise ApiError(400, "this simulator can't post webhooks; `mailgun-mcp simulator` can")
    return _post(harness, poster)


async def _post(harness: Harness, poster: Poster) -> Reply:
    may = bool if harness.host_access.anywhere else is_loopback_url
    posted = [
        one
        for owner in harness.account.with_subaccounts(all_regions=True)
        for one in await send_due_posts(owner, poster, may=may)
    ]
    harness.changed()
    due = [one for one in _outbox(harness) if one.due_at is not None and one.due_at <= harness.clock.now()]
    not_posted = [one.url for one in due if not may(one.url)]
    return Reply({"items": [_posting(one) for one in posted], "not_loopback": not_posted})


def is_loopback_url(url: str) -> bool:
    """Return whether a URL points to this machine. Only its text is checked, without DNS."""
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


def show_dns(harness: Harness, _: Body) -> Reply:
    """Show which DNS records each domain has."""
    domains = _domains(harness).values()
    return Reply({one.name: {record: record not in one.absent_records for record in RECORDS} for one in domains})


def _domains(harness: Harness) -> dict[str, Domain]:
    return {
        name: domain
        for owner in harness.account.with_subaccounts(all_regions=True)
        for name, domain in owner.domains.items()
    }


def set_dns(harness: Harness, body: Body) -> Reply:
    """Add or remove a DNS `record` of a `domain`, as `present` says. Verification reads it."""
    present = body.pop("present", None)
    check_texts(body, ("domain", "record"), ("domain", "record"))
    domains = _domains(harness)
    domain = domains.get(body["domain"].lower())
    if domain is None:
        raise ApiError(404, unknown("domain", body["domain"], domains))
    if body["record"] not in RECORDS or not isinstance(present, bool):
        raise ApiError(400, f"set record to one of {', '.join(RECORDS)}, and present to true or false")
    (domain.absent_records.discard if present else domain.absent_records.add)(body["record"])
    harness.changed()
    return show_dns(harness, {})


def set_result(harness: Harness, body: Body) -> Reply:
    """Set the `result` of a seed test or a preview (`kind`) under an `id`."""
    result = body.pop("result", None)
    check_texts(body, ("kind", "id"), ("kind", "id"))
    results = {"seed": harness.account.seed_results, "preview": harness.account.preview_results}.get(body["kind"])
    if results is None or not isinstance(result, dict):
        raise ApiError(400, "set kind to seed or preview, id, and result to an object")
    results[body["id"]] = result
    harness.changed()
    return Reply({"seed": list(harness.account.seed_results), "preview": list(harness.account.preview_results)})


def seed(harness: Harness, body: Body) -> Reply:
    """Replace the account with a `scenario` (a name, or a description as in YAML), or with the demo account."""
    from mailgun_mcp.simulator.worlds.demo import demo_account
    from mailgun_mcp.simulator.worlds.scenario import ScenarioError, scenario_from_json
    from mailgun_mcp.simulator.worlds.scenario_history import scenario_account

    for name in body:
        if name != "scenario":
            raise ApiError(400, unknown("field", name, ["scenario"]))
    try:
        scenario = scenario_from_json(body["scenario"]) if "scenario" in body else None
    except ScenarioError as error:
        raise ApiError(400, str(error)) from error
    storage_url = harness.account.storage_url
    harness.reset(Account(harness.clock))
    if scenario is None:
        harness.replace_account(demo_account(harness.clock, storage_url=storage_url))
    else:
        harness.replace_account(scenario_account(scenario, harness.clock, storage_url=storage_url))
    return Reply({"domains": list(harness.account.domains)})


ROUTES: dict[str, dict[str, Route]] = {
    "inbound": {"GET": show_received, "POST": receive_mail},
    "act": {"POST": act_as_recipient},
    "webhooks": {"GET": show_webhooks},
    "webhooks/post": {"POST": post_webhooks},
    "dns": {"GET": show_dns, "POST": set_dns},
    "results": {"POST": set_result},
    "seed": {"POST": seed},
}
"""Path below `/simulator/` -> method -> the route."""
