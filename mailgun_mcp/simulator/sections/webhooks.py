"""Webhooks. A domain's are listed by event type (v3) or, the same ones, by URL (v4); the account's by id (v1)."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import iso_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.webhooks import EVENT_TYPES, MOST_URLS, AccountWebhook
from mailgun_mcp.simulator.replies.reply import NO_CONTENT, ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

NOT_FOUND = "Webhook not found"


@handles("list_domain_webhooks", fidelity="stateful", note="URLs by event type")
def list_domain_webhooks(request: SimulatedRequest) -> Reply:
    return _by_type(request.domain)


@handles("create_domain_webhook", fidelity="stateful", note="up to 3 URLs per type")
def create_domain_webhook(request: SimulatedRequest) -> Reply:
    name, urls = request["id"], _distinct(request["url"])
    _check_hosts(urls)
    if name in request.domain.webhooks:
        raise ApiError(400, "Webhook already exists")
    request.domain.webhooks[name] = urls
    return success("Webhook has been created", webhook={"urls": urls})


@handles("get_domain_webhook", fidelity="stateful", note="the URLs of a type")
def get_domain_webhook(request: SimulatedRequest) -> Reply:
    return Reply({"webhook": {"urls": _urls(request)}})


@handles("update_domain_webhook", fidelity="stateful", note="replaces the URLs of a type")
def update_domain_webhook(request: SimulatedRequest) -> Reply:
    urls = _distinct(request["url"])
    _check_hosts(urls)
    _urls(request)[:] = urls
    return success("Webhook has been updated", webhook={"urls": urls})


@handles("delete_domain_webhook", fidelity="stateful", note="removes a type")
def delete_domain_webhook(request: SimulatedRequest) -> Reply:
    urls = _urls(request)
    del request.domain.webhooks[request["webhook_name"]]
    return success("Webhook has been deleted", webhook={"urls": urls})


@handles("create_domain_webhook_url", fidelity="stateful", note="one URL for several types (v4)")
def create_domain_webhook_url(request: SimulatedRequest) -> Reply:
    url, kinds, webhooks = request["url"], _distinct(request["event_types"]), request.domain.webhooks
    _check_hosts([url])
    for kind in kinds:
        _check_new(kind, url, webhooks.get(kind, []))
    for kind in kinds:
        webhooks.setdefault(kind, []).append(url)
    return _by_type(request.domain)


@handles("update_domain_webhook_url", fidelity="stateful", note="moves a URL to other event types (v4)")
def update_domain_webhook_url(request: SimulatedRequest) -> Reply:
    url, kinds, webhooks = request["url"], request["event_types"], request.domain.webhooks
    if not any(url in urls for urls in webhooks.values()):
        raise ApiError(404, NOT_FOUND, key="Description")
    for kind in kinds:
        _check_room(kind, [other for other in webhooks.get(kind, []) if other != url])
    for kind in EVENT_TYPES:
        if kind not in kinds:
            _remove(request.domain, kind, url)
        elif url not in webhooks.setdefault(kind, []):
            webhooks[kind].append(url)
    return _by_type(request.domain)


@handles("delete_domain_webhook_urls", fidelity="stateful", note="removes URLs from all types (v4)")
def delete_domain_webhook_urls(request: SimulatedRequest) -> Reply:
    urls_in_use = {url for urls in request.domain.webhooks.values() for url in urls}
    if not urls_in_use.issuperset(request["url"]):
        raise ApiError(404, NOT_FOUND, key="Description")
    for url in request["url"]:
        for kind in EVENT_TYPES:
            _remove(request.domain, kind, url)
    return _by_type(request.domain)


@handles("list_account_webhooks", fidelity="stateful", note="the account's webhooks")
def list_account_webhooks(account: Account, request: SimulatedRequest) -> Reply:
    webhook_ids = request.get("webhook_ids")
    hooks = [hook for hook in account.webhooks.by_id.values() if webhook_ids is None or hook.id in webhook_ids]
    return Reply({"webhooks": [_to_json(hook) for hook in hooks]})


@handles("create_account_webhook", fidelity="stateful", note="called for the events of all domains")
def create_account_webhook(account: Account, request: SimulatedRequest) -> Reply:
    _check_account_hook(account, request, None)
    hook = AccountWebhook(account.uuid(), "", [], account.clock.now())
    _set(hook, request)
    account.webhooks.by_id[hook.id] = hook
    return Reply({"webhook_id": hook.id})


@handles("get_account_webhook", fidelity="stateful", note="by id")
def get_account_webhook(account: Account, request: SimulatedRequest) -> Reply:
    return Reply(_to_json(_get_webhook(account, request["webhook_id"])))


@handles("update_account_webhook", fidelity="stateful", note="its URL, types and description")
def update_account_webhook(account: Account, request: SimulatedRequest) -> Reply:
    hook = _get_webhook(account, request["webhook_id"])
    _check_account_hook(account, request, hook)
    _set(hook, request)
    return NO_CONTENT


@handles("delete_account_webhook", fidelity="stateful", note="by id")
def delete_account_webhook(account: Account, request: SimulatedRequest) -> Reply:
    del account.webhooks.by_id[_get_webhook(account, request["webhook_id"]).id]
    return NO_CONTENT


@handles("bulk_delete_account_webhooks", fidelity="stateful", note="by ids, or all of them")
def bulk_delete_account_webhooks(account: Account, request: SimulatedRequest) -> Reply:
    hooks = account.webhooks.by_id
    if not request.get("all") and not request.get("webhook_ids"):
        raise ApiError(400, "Need at least one of 'webhook_ids' or 'all' parameters specified")
    webhook_ids = list(hooks) if request.get("all") else request["webhook_ids"]
    for hook in [_get_webhook(account, webhook_id) for webhook_id in _distinct(webhook_ids)]:
        del hooks[hook.id]
    return NO_CONTENT


def _by_type(domain: Domain) -> Reply:
    return Reply({"webhooks": {kind: {"urls": urls} for kind, urls in domain.webhooks.items()}})


def _urls(request: SimulatedRequest) -> list[str]:
    urls = request.domain.webhooks.get(request["webhook_name"])
    if urls is None:
        raise ApiError(404, NOT_FOUND)
    return urls


def _remove(domain: Domain, kind: str, url: str) -> None:
    """Remove a URL from an event type. A type without URLs is no longer a webhook."""
    remaining = [other for other in domain.webhooks.get(kind, []) if other != url]
    if remaining:
        domain.webhooks[kind] = remaining
    else:
        domain.webhooks.pop(kind, None)


def _check_hosts(urls: Iterable[str]) -> None:
    for url in urls:
        # No host can exist below `.invalid`, so it stands for every host that cannot be found.
        if (urlsplit(url).hostname or "").endswith(".invalid"):
            raise ApiError(400, f"{url} is not a valid url: host not found", key="Reason")


def _check_new(kind: str, url: str, urls: list[str]) -> None:
    if url in urls:
        raise ApiError(400, f"Webhook for event type '{kind}' with URL '{url}' already exists", key="Reason")
    _check_room(kind, urls)


def _check_room(kind: str, others: list[str]) -> None:
    if len(others) >= MOST_URLS:
        raise ApiError(409, f"unable to add more than {MOST_URLS} urls for event type {kind}", key="Description")


def _check_account_hook(account: Account, request: SimulatedRequest, replaced: AccountWebhook | None) -> None:
    _check_hosts([request["url"]])
    others = [hook for hook in account.webhooks.by_id.values() if hook is not replaced]
    for kind in request["event_types"]:
        _check_new(kind, request["url"], [hook.url for hook in others if kind in hook.event_types])


def _set(hook: AccountWebhook, request: SimulatedRequest) -> None:
    hook.url, hook.event_types = request["url"], _distinct(request["event_types"])
    hook.description = request.get("description", "")


def _get_webhook(account: Account, webhook_id: str) -> AccountWebhook:
    hook = account.webhooks.by_id.get(webhook_id)
    if hook is None:
        raise ApiError(404, NOT_FOUND, key="Description")
    return hook


def _to_json(hook: AccountWebhook) -> Record:
    return {
        "webhook_id": hook.id,
        "description": hook.description,
        "url": hook.url,
        "event_types": hook.event_types,
        "created_at": iso_date(hook.created_at),
    }


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
