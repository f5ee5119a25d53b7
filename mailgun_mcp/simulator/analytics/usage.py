"""Counts the use of billed products other than mail: validations and archived copies."""

from collections.abc import Callable

from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.replies.reply import Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest

USAGE_METRICS = (
    "email_validation_count",
    "email_validation_public_count",
    "email_validation_valid_count",
    "email_validation_single_count",
    "email_validation_bulk_count",
    "email_validation_list_count",
    "email_validation_mailgun_count",
    "email_validation_mailjet_count",
    "email_preview_count",
    "email_preview_failed_count",
    "link_validation_count",
    "link_validation_failed_count",
    "seed_test_count",
    "ip_blocklist_monitoring_count",
    "domain_blocklist_monitoring_count",
    "accessibility_count",
    "accessibility_failed_count",
    "image_validation_count",
    "image_validation_failed_count",
    "archived_count",
    "processed_count",
)


def count_usage(account: Account, request: SimulatedRequest, reply: Reply) -> None:
    """Count the usage of a successful request if its operation is billed."""
    used = USES.get(request.operation.name)
    if used is not None and reply.status_code < 300:
        account.analytics.count_usage(account.clock.now(), *used(request, reply))


def _validated(_: SimulatedRequest, reply: Reply) -> list[str]:
    valid = ["email_validation_valid"] if reply.data.get("result") == "deliverable" else []
    return ["email_validation", "email_validation_single", "email_validation_mailgun", *valid]


def _archived(request: SimulatedRequest, _: Reply) -> list[str]:
    return ["archived"] if request.get("archive_to") or request.domain.settings.get("archive_to") else []


USES: dict[str, Callable[[SimulatedRequest, Reply], list[str]]] = {
    "validate_email_address": _validated,
    "send_message": _archived,
    "send_mime_message": _archived,
}
