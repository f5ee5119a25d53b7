"""Webhooks: of a domain by event type (v3) or by URL (v4), two views of the same URLs; of the account by id (v1)."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from mailgun_mcp.simulator.model.account import Account, Domain
from mailgun_mcp.simulator.model.clock import iso_date
from mailgun_mcp.simulator.model.webhooks import EVENT_TYPES, MOST_URLS, AccountWebhook
from mailgun_mcp.simulator.replies.call import Call, Handler
from mailgun_mcp.simulator.replies.reply import NO_CONTENT, Refusal, Reply, said

Record = dict[str, Any]

NOT_FOUND = "Webhook not found"


def list_domain_webhooks(_: Account, call: Call) -> Reply:
    return _by_type(call.domain)


def create_domain_webhook(_: Account, call: Call) -> Reply:
    name, urls = call["id"], _distinct(call["url"])
    _check_hosts(urls)
    if name in call.domain.webhooks:
        raise Refusal(400, "Webhook already exists")
    call.domain.webhooks[name] = urls
    return said("Webhook has been created", webhook={"urls": urls})


def get_domain_webhook(_: Account, call: Call) -> Reply:
    return Reply({"webhook": {"urls": _urls(call)}})


def update_domain_webhook(_: Account, call: Call) -> Reply:
    urls = _distinct(call["url"])
    _check_hosts(urls)
    _urls(call)[:] = urls
    return said("Webhook has been updated", webhook={"urls": urls})


def delete_domain_webhook(_: Account, call: Call) -> Reply:
    urls = _urls(call)
    del call.domain.webhooks[call["webhook_name"]]
    return said("Webhook has been deleted", webhook={"urls": urls})


def create_domain_webhook_url(_: Account, call: Call) -> Reply:
    url, kinds, webhooks = call["url"], _distinct(call["event_types"]), call.domain.webhooks
    _check_hosts([url])
    for kind in kinds:
        _check_new(kind, url, webhooks.get(kind, []))
    for kind in kinds:
        webhooks.setdefault(kind, []).append(url)
    return _by_type(call.domain)


def update_domain_webhook_url(_: Account, call: Call) -> Reply:
    url, kinds, webhooks = call["url"], call["event_types"], call.domain.webhooks
    if not any(url in urls for urls in webhooks.values()):
        raise Refusal(404, NOT_FOUND, key="Description")
    for kind in kinds:
        _check_room(kind, [other for other in webhooks.get(kind, []) if other != url])
    for kind in EVENT_TYPES:
        if kind not in kinds:
            _remove(call.domain, kind, url)
        elif url not in webhooks.setdefault(kind, []):
            webhooks[kind].append(url)
    return _by_type(call.domain)


def delete_domain_webhook_urls(_: Account, call: Call) -> Reply:
    known = {url for urls in call.domain.webhooks.values() for url in urls}
    if not known.issuperset(call["url"]):
        raise Refusal(404, NOT_FOUND, key="Description")
    for url in call["url"]:
        for kind in EVENT_TYPES:
            _remove(call.domain, kind, url)
    return _by_type(call.domain)


def list_account_webhooks(account: Account, call: Call) -> Reply:
    wanted = call.get("webhook_ids")
    hooks = [hook for hook in account.webhooks.by_id.values() if wanted is None or hook.id in wanted]
    return Reply({"webhooks": [_shown(hook) for hook in hooks]})


def create_account_webhook(account: Account, call: Call) -> Reply:
    _check_account_hook(account, call, None)
    hook = AccountWebhook(account.uuid(), "", [], account.clock.now())
    _set(hook, call)
    account.webhooks.by_id[hook.id] = hook
    return Reply({"webhook_id": hook.id})


def get_account_webhook(account: Account, call: Call) -> Reply:
    return Reply(_shown(_found(account, call["webhook_id"])))


def update_account_webhook(account: Account, call: Call) -> Reply:
    hook = _found(account, call["webhook_id"])
    _check_account_hook(account, call, hook)
    _set(hook, call)
    return NO_CONTENT


def delete_account_webhook(account: Account, call: Call) -> Reply:
    del account.webhooks.by_id[_found(account, call["webhook_id"]).id]
    return NO_CONTENT


def bulk_delete_account_webhooks(account: Account, call: Call) -> Reply:
    hooks = account.webhooks.by_id
    if not call.get("all") and not call.get("webhook_ids"):
        raise Refusal(400, "Need at least one of 'webhook_ids' or 'all' parameters specified")
    wanted = list(hooks) if call.get("all") else call["webhook_ids"]
    for found in [_found(account, webhook_id) for webhook_id in _distinct(wanted)]:
        del hooks[found.id]
    return NO_CONTENT


def _by_type(domain: Domain) -> Reply:
    return Reply({"webhooks": {kind: {"urls": urls} for kind, urls in domain.webhooks.items()}})


def _urls(call: Call) -> list[str]:
    urls = call.domain.webhooks.get(call["webhook_name"])
    if urls is None:
        raise Refusal(404, NOT_FOUND)
    return urls


def _remove(domain: Domain, kind: str, url: str) -> None:
    """Take a URL from an event type; a type without URLs is no webhook any more."""
    kept = [other for other in domain.webhooks.get(kind, []) if other != url]
    if kept:
        domain.webhooks[kind] = kept
    else:
        domain.webhooks.pop(kind, None)


def _check_hosts(urls: Iterable[str]) -> None:
    for url in urls:
        # The top-level domain that no host can be in stands for all that cannot be found.
        if (urlsplit(url).hostname or "").endswith(".invalid"):
            raise Refusal(400, f"{url} is not a valid url: host not found", key="Reason")


def _check_new(kind: str, url: str, urls: list[str]) -> None:
    if url in urls:
        raise Refusal(400, f"Webhook for event type '{kind}' with URL '{url}' already exists", key="Reason")
    _check_room(kind, urls)


def _check_room(kind: str, others: list[str]) -> None:
    if len(others) >= MOST_URLS:
        raise Refusal(409, f"unable to add more than {MOST_URLS} urls for event type {kind}", key="Description")


def _check_account_hook(account: Account, call: Call, replaced: AccountWebhook | None) -> None:
    _check_hosts([call["url"]])
    others = [hook for hook in account.webhooks.by_id.values() if hook is not replaced]
    for kind in call["event_types"]:
        _check_new(kind, call["url"], [hook.url for hook in others if kind in hook.event_types])


def _set(hook: AccountWebhook, call: Call) -> None:
    hook.url, hook.event_types = call["url"], _distinct(call["event_types"])
    hook.description = call.get("description", "")


def _found(account: Account, webhook_id: str) -> AccountWebhook:
    hook = account.webhooks.by_id.get(webhook_id)
    if hook is None:
        raise Refusal(404, NOT_FOUND, key="Description")
    return hook


def _shown(hook: AccountWebhook) -> Record:
    return {
        "webhook_id": hook.id,
        "description": hook.description,
        "url": hook.url,
        "event_types": hook.event_types,
        "created_at": iso_date(hook.created_at),
    }


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


HANDLERS: dict[str, Handler] = {
    "list_domain_webhooks": list_domain_webhooks,
    "create_domain_webhook": create_domain_webhook,
    "get_domain_webhook": get_domain_webhook,
    "update_domain_webhook": update_domain_webhook,
    "delete_domain_webhook": delete_domain_webhook,
    "create_domain_webhook_url": create_domain_webhook_url,
    "update_domain_webhook_url": update_domain_webhook_url,
    "delete_domain_webhook_urls": delete_domain_webhook_urls,
    "list_account_webhooks": list_account_webhooks,
    "create_account_webhook": create_account_webhook,
    "get_account_webhook": get_account_webhook,
    "update_account_webhook": update_account_webhook,
    "delete_account_webhook": delete_account_webhook,
    "bulk_delete_account_webhooks": bulk_delete_account_webhooks,
}
