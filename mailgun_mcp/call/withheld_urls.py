"""Restores withheld secrets in URLs that a model repeats as it was shown them.

Only if the argument names an existing URL. Otherwise a model could send the secret to a place of its choice.
"""

from typing import Any

from mailgun_mcp.call.authorize import denied
from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.prepare import build_request, gather_facts
from mailgun_mcp.call.preview_target import reading_before_call
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.errors import ArgumentError
from mailgun_mcp.output.url_secrets import REFERENCE
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.undo.page_reader import PageReader

NAMED_BY_URL = {"delete_domain_webhook_urls": "url", "update_domain_webhook_url": "url"}
"""Tool -> its argument that names an existing entry by its URL."""
LIST = "list_domain_webhooks"
UNKNOWN = (
    "{}: this domain has no webhook with that withheld secret. Name the URL exactly as {} shows it, or ask the person for "
    "the whole URL"
)


async def real_urls(call: Call) -> Arguments:
    """Return the arguments with the real URLs in place of those that a model was shown.

    Raises ArgumentError for a URL that does not exist, and DeniedError if the policy denies the call, so that a caller
    without permission learns nothing.
    """
    argument = NAMED_BY_URL.get(call.operation.name)
    named = call.arguments.get(argument) if argument else None
    if argument is None or not REFERENCE.search(str(named)):
        return call.arguments
    request = build_request(call, call.arguments, naming=argument)
    decision = decide(call.services.policy, await gather_facts(call, request))
    if decision.effect == "deny":
        call.record.decision = decision
        raise denied(decision, request)
    present = await _present(call)
    shown: list[str] = named if isinstance(named, list) else [str(named)]
    urls = [await in_thread(_real, call, url) for url in shown]
    if not present.issuperset(urls):
        raise ArgumentError([UNKNOWN.format(argument, LIST)])
    return {**call.arguments, argument: urls if isinstance(named, list) else urls[0]}


async def _present(call: Call) -> set[Any]:
    reader = PageReader(call.services.client, call.subaccount, call.caller.notify)
    with reading_before_call(call.operation, "its target"):
        body = await reader.read(call.services.all_tools.find(LIST), {"domain": call.arguments["domain"]})
    by_type = body.get("webhooks") if isinstance(body, dict) else None
    webhooks = by_type.values() if isinstance(by_type, dict) else ()
    return {url for webhook in webhooks if isinstance(webhook, dict) for url in webhook.get("urls") or ()}


def _real(call: Call, url: str) -> str:
    """Return the URL with this account's secrets in place of their references."""
    from mailgun_mcp.call.shared_secret_store import secrets_of

    store = secrets_of(call.services.store)
    own = {secret.ref for secret in store.list() if secret.account == call.account.key}

    def secret(reference: str) -> str:
        ref = reference[-10:]
        return store.show(ref) if ref in own else reference

    return REFERENCE.sub(lambda match: secret(match[0]), url)
