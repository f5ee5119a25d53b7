"""Workflow tools: each answers a question about the account by calling several single tools. They only read."""

from collections.abc import Mapping
from dataclasses import dataclass

from mailgun_mcp.catalogue.client_hints import hints_of
from mailgun_mcp.catalogue.types import Record

TOOLSET = "workflows"
CHART_VIEW = "ui://mailgun-mcp/chart"
"""The MCP Apps view that draws the result of `chart_metrics`, for clients that support views."""
MOST_DOMAINS = 10
"""Most domains that a workflow examines."""
_TEXT: Record = {"type": "string"}
_DAYS: Record = {"type": "integer", "default": 7}
UNLISTED: Mapping[str, Record] = {
    "days": {"minimum": 1, "maximum": 30},
    "domains": {"minItems": 2, "maxItems": MOST_DOMAINS},
    "by": {"default": "time"},
    "format": {"default": "png"},
}
"""Argument -> its limits, which are checked but not listed, like those of the API's tools."""
_ADDRESS_LISTS = ("get_bounce", "get_complaint", "get_unsubscribe", "get_allowlist_entry")
OUTPUT: Record = {
    "type": "object",
    "properties": {
        "summary": _TEXT,
        "findings": {"type": "array", "items": {"type": "object"}},
        "facts": {"type": "object"},
        "not_read": {"type": "array", "items": {"type": "object"}},
        "sources": {"type": "object"},
    },
}


@dataclass(frozen=True, slots=True)
class WorkflowTool:
    """A workflow tool as it is listed, and what it calls."""

    title: str
    description: str
    properties: Record
    needs: tuple[str, ...]
    """The tools without which this one is not offered."""
    required: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    """Further tools, which it calls if they are offered."""
    asked: tuple[str, ...] = ()
    """How people ask for it. These sentences are searched but not shown."""
    found_by: str = ""
    """Words with which a client's search finds it."""
    view: str | None = None
    """The URI of the view that shows its results, for clients with MCP Apps."""


WORKFLOW_TOOLS: Mapping[str, WorkflowTool] = {
    "check_domain_health": WorkflowTool(
        "Check a domain's health",
        "Checks state, DNS, limits, refusals and complaints of a domain: what to fix, most urgent first.",
        {"domain": _TEXT},
        ("get_domain", "query_logs", "query_metrics"),
        ("domain",),
        ("get_tracking_settings", "get_sending_queues", "get_account_sending_limit", "list_ip_warmups"),
        (
            "is my domain set up right",
            "what is wrong with our sending domain",
            "health check of a domain",
            "are SPF and DKIM fine and is our reputation ok",
            "why can this domain not send",
            "anything to fix before we send from it",
        ),
        "SPF DKIM DNS setup right wrong reputation cannot send fix before",
    ),
    "explain_delivery": WorkflowTool(
        "Explain a delivery",
        "Explains what happened to a domain's mail to a recipient, or with a message id: why it bounced, what would help.",
        {"domain": _TEXT, "recipient": _TEXT, "message_id": _TEXT, "days": _DAYS},
        ("query_logs", "get_domain"),
        ("domain",),
        (*_ADDRESS_LISTS, "get_account_sending_limit", "list_ip_warmups"),
        (
            "why did this mail not arrive",
            "why did the mail to one person bounce",
            "why did my mail bounce",
            "why does mail to this address bounce",
            "the customer says she did not get our mail",
            "what happened to this message",
            "what happened to the mail to a customer",
            "where is my email",
            "why was the mail rejected and what can we do",
            "why was one mail refused",
            "the mail to him came back",
            "trace a message to a recipient",
        ),
    ),
    "find_recipient": WorkflowTool(
        "Find a recipient",
        "Shows all that the account has about an address, and whether mail with these tags would reach it now.",
        {"address": _TEXT, "domain": _TEXT, "tags": {"type": "array", "items": _TEXT}},
        ("list_domains", "query_logs", *_ADDRESS_LISTS),
        ("address",),
        ("list_mailing_lists", "get_mailing_list_member"),
        (
            "everything we know about this address",
            "does this person still get our mail",
            "is somebody blocked or unsubscribed on any domain",
            "look up a customer's email",
            "which lists is this address on",
            "would a mail reach this recipient",
        ),
        "customer address suppressed blocked unsubscribed lists reach everything know email look up",
    ),
    "deliverability_report": WorkflowTool(
        "Report on deliverability",
        "Reports delivery by domain, provider and tag beside the period before, and what went wrong and why.",
        {"domain": _TEXT, "days": _DAYS},
        ("query_metrics", "query_logs", "list_domains"),
        (),
        (
            *("get_account_sending_limit", "list_ip_warmups", "list_api_keys"),
            *("list_templates", "list_template_versions"),
        ),
        (
            "how did our mail do last week",
            "weekly report on bounces, complaints and opens",
            "what changed in our deliverability",
            "why did the bounce rate go up",
            "are we on a blocklist",
            "why does nobody click any more",
        ),
    ),
    "chart_metrics": WorkflowTool(
        "Chart metrics",
        "Draws a chart, and returns its figures.",
        {
            "metric": {"type": "string", "enum": ["delivery", "opens", "bounces", "complaints"]},
            "by": {"type": "string", "enum": ["time", "domain", "provider", "tag"]},
            "domain": _TEXT,
            "days": _DAYS,
            "format": {"type": "string", "enum": ["png", "svg"]},
        },
        ("query_metrics",),
        ("metric",),
        (),
        (
            "draw a chart of our bounces",
            "show me a graph of deliveries over time",
            "plot the complaints by provider",
            "picture of opens and clicks for the slides",
            "visualize delivery by domain",
            "diagram of bounces by tag",
        ),
        "graph plot diagram picture visualize trend over time slides",
        CHART_VIEW,
    ),
    "compare_domains": WorkflowTool(
        "Compare domains",
        "Compares 2 to 10 domains: delivery, engagement and state, also by mailbox provider.",
        {"domains": {"type": "array", "items": _TEXT}, "days": _DAYS},
        ("query_metrics", "get_domain"),
        ("domains",),
        (),
        (
            "which of our domains does worse",
            "compare two sending domains",
            "domain A against domain B",
            "best and worst domain for delivery",
        ),
        "best worst domain against versus side by side which does better",
    ),
    "audit_data_flows": WorkflowTool(
        "Audit data flows",
        "Lists every place where mail and events leave the account: routes, webhooks, mailing lists, alerts.",
        {},
        ("list_routes", "list_domains", "list_domain_webhooks"),
        (),
        ("list_account_webhooks", "list_mailing_lists", "list_send_alerts"),
        (
            "where does our data go",
            "who gets our events and inbound mail",
            "review all webhooks, routes and forwards",
            "is anything forwarded to an outside address",
            "why does inbound mail not arrive at the help desk",
            "privacy review of the account",
        ),
        "where data goes webhooks routes forwards privacy review leaks outside addresses",
    ),
    "plan_suppression_cleanup": WorkflowTool(
        "Plan a suppression clean-up",
        "Says which suppressed addresses of a domain could be removed, and why. Removes nothing.",
        {"domain": _TEXT},
        ("list_bounces", "list_complaints", "list_unsubscribes"),
        ("domain",),
        ("list_allowlist",),
        (
            "which bounces can we safely delete",
            "clean up the suppression list",
            "tidy old bounced addresses",
            "who could get mail again",
        ),
        "clean up tidy old bounced addresses safely delete unblock who gets mail again",
    ),
}
"""Name -> workflow tool, in the order in which they are listed."""


def listing(name: str) -> Record:
    """Return the tool as it is listed."""
    workflow = WORKFLOW_TOOLS[name]
    schema: Record = {"type": "object", "properties": workflow.properties}
    if workflow.required:
        schema["required"] = list(workflow.required)
    return {
        "name": name,
        "title": workflow.title,
        "description": workflow.description,
        "inputSchema": schema,
        "outputSchema": OUTPUT,
        "annotations": {
            "readOnlyHint": True,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": True,
        },
        "_meta": {
            "mailgun-mcp/operation": f"workflow {name}",
            "mailgun-mcp/toolset": TOOLSET,
            "mailgun-mcp/risk": "read",
            **hints_of(name, reads=True, found_by=workflow.found_by),
            **({"ui": {"resourceUri": workflow.view}} if workflow.view else {}),
        },
    }
