"""What operations answer fits Mailgun's published document too, but where that is known to be wrong or stricter."""

import re
from functools import lru_cache
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from mailgun_mcp.catalogue.operation import Operation
from tests.support.arguments import minimal
from tests.support.everything import CHOSEN, answered
from tests.support.operations import catalogue
from tests.support.published import PUBLISHED, needs_published

pytestmark = [pytest.mark.anyio, needs_published]

DIFFERENT: dict[str, frozenset[str]] = {
    "it calls dates, metrics, names or lists objects": frozenset(
        [
            "get_tracking_certificate",
            "query_bounce_classification",
            "query_account_tags",
            "list_send_alerts",
            "create_send_alert",
            "get_send_alert",
            "get_unsubscribe",
            "list_unsubscribes",
            "get_complaint",
            "list_complaints",
            "get_bounce",
            "list_bounces",
            "get_allowlist_entry",
            "list_allowlist",
            "list_dynamic_pools",
            "preview_dynamic_pool_assignment",
            "override_dynamic_pool_assignment",
            "remove_dynamic_pool_override",
        ]
    ),
    "it calls an object text": frozenset(
        [
            "list_ips",
            "get_ip",
            "set_ip_band",
            "get_available_ips",
            "request_dedicated_ip",
            "list_ip_pools",
            "create_ip_pool",
            "get_ip_pool",
            "delete_ip_pool",
            "update_ip_pool",
            "list_ip_pool_domains",
            "add_ip_to_pool",
            "remove_ip_from_pool",
            "add_ips_to_pool",
            "add_ip_to_dynamic_pool",
            "update_dynamic_pool",
        ]
    ),
    "it wants a message where its examples have items": frozenset(
        ["list_dynamic_pool_eligible_domains", "replace_dynamic_pools", "list_ip_warmups", "get_ip_warmup"]
    ),
    "it has another status, or none": frozenset(
        ["list_bounce_classification_events", "list_tag_countries", "create_mailing_list"]
    ),
    "it has no null where nothing is known": frozenset(
        ["list_api_keys", "create_api_key", "list_users", "get_user", "get_current_user"]
    ),
    "it has only the metrics of send alerts": frozenset({"list_threshold_hits"}),
    "it requires fields that Mailgun leaves out at times": frozenset(
        [
            "get_stored_message",
            "create_domain",
            "query_logs",
        ]
    ),
}
"""In what the published document differs -> the operations."""


@lru_cache(maxsize=1)
def published() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load(PUBLISHED.read_text(encoding="utf-8"), Loader=loader)
    return document


def described(operation: Operation) -> dict[str, Any] | None:
    """Return what the document says of the operation."""
    for path, methods in published()["paths"].items():
        if same(path) == same(operation.path) and operation.method.lower() in methods:
            found: dict[str, Any] = methods[operation.method.lower()]
            return found
    return None


def same(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def faults(operation: Operation, status: int, body: Any) -> list[str]:
    """Say what is wrong with an answer; nothing when the document has no schema for it."""
    description = described(operation)
    if description is None:
        return []
    response = description["responses"].get(str(status))
    if response is None:
        return [f"no status {status}"]
    schema = response.get("content", {}).get("application/json", {}).get("schema")
    root = {"components": published()["components"], "$ref": "#/answer", "answer": schema}
    return [error.message for error in Draft202012Validator(root).iter_errors(body)] if schema else []


async def test_an_answer_fits_the_published_document() -> None:
    different = frozenset[str]().union(*DIFFERENT.values())
    wrong = {}
    for operation in catalogue():
        required = operation.input_schema.get("required", [])
        chosen = {name: value for name, value in CHOSEN.get(operation.name, {}).items() if name in required}
        answer = await answered(operation, {**minimal(operation), **chosen})
        found = faults(operation, answer.status_code, answer.json() if answer.content else {})
        if bool(found) is not (operation.name in different):
            wrong[operation.name] = found
    assert wrong == {}
