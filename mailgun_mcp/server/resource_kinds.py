"""The kinds of resources: their URIs, and the tool that reads each kind."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from mailgun_mcp.catalogue.types import Arguments

SCHEME = "mailgun-mcp://"
MARKDOWN, JSON, PNG = "text/markdown", "application/json", "image/png"
BINARY = "application/octet-stream"
VARIABLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """One kind of resource. If it has a tool, the content is the result of calling that tool."""

    name: str
    path: str
    """The URI without its scheme. Parts in braces are variables."""
    title: str
    description: str
    mime_type: str = MARKDOWN
    tool: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Variable of the path -> argument of the tool, if their names differ."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the tool, always the same."""
    query: tuple[str, ...] = ()
    """Names that are allowed in the query of the URI."""

    @property
    def variables(self) -> list[str]:
        """The variables of the path, which are in braces."""
        return VARIABLE.findall(self.path)

    @property
    def template(self) -> str:
        """The URI template (RFC 6570)."""
        return SCHEME + self.path + (f"{{?{','.join(self.query)}}}" if self.query else "")

    def match(self, path: str) -> dict[str, str] | None:
        """Return the values of the variables in a path, or None if the path is of another kind."""
        query: list[tuple[str, str]] = []
        if self.query:
            path, _, asked = path.partition("?")
            query = parse_qsl(asked, keep_blank_values=True)
        pattern = VARIABLE.sub(r"(?P<\1>[^/]+)", re.escape(self.path).replace(r"\{", "{").replace(r"\}", "}"))
        match = re.fullmatch(pattern, path)
        if match is None or len(dict(query)) < len(query) or not dict(query).keys() <= set(self.query):
            return None
        return {**{name: unquote(value) for name, value in match.groupdict().items()}, **dict(query)}

    def call(self, values: Mapping[str, str]) -> Arguments:
        """Return the arguments of the tool for these values."""
        return {**self.fixed, **{self.arguments.get(name, name): value for name, value in values.items()}}


KINDS = (
    ResourceKind("tools", "tools", "Index of the tools", "All tools by toolset, with their risk"),
    ResourceKind("presets", "presets", "Presets", "Named choices of tools for a job"),
    ResourceKind("policy", "policy", "Policy in force", "What is allowed, confirmed and denied here, tool by tool"),
    ResourceKind(
        "domains",
        "domains",
        "Domains of the account",
        "Name, state and type of each domain",
        JSON,
        "list_domains",
        fixed={"limit": 1000},
    ),
    ResourceKind("tool", "tools/{name}", "Reference of a tool", "Arguments, result, risk and limits of one tool"),
    ResourceKind(
        "log", "log/{call}", "Entry of the audit log", "One of your calls: decision, confirmation, outcome", JSON
    ),
    ResourceKind("chart", "charts/{chart}", "A chart", "A picture that chart_metrics drew for you", PNG),
    ResourceKind(
        "templates",
        "domains/{domain}/templates",
        "Templates of a domain",
        "The stored mail templates of a domain",
        JSON,
        "list_templates",
    ),
    ResourceKind(
        "template",
        "domains/{domain}/templates/{template}",
        "A template",
        "A stored mail template with its active version",
        JSON,
        "get_template",
        {"template": "template_name"},
        {"active": True},
    ),
    ResourceKind(
        "webhook",
        "domains/{domain}/webhooks/{webhook}",
        "A webhook",
        "The URLs that an event of a domain goes to",
        JSON,
        "get_domain_webhook",
        {"webhook": "webhook_name"},
    ),
    ResourceKind(
        "message",
        "domains/{domain}/messages/{storage_key}",
        "A stored message",
        "Mail that a route stored, or that was kept after sending",
        JSON,
        "get_stored_message",
        query=("storage_host",),
    ),
    ResourceKind(
        "source",
        "domains/{domain}/messages/{storage_key}/source",
        "The source of a stored message",
        "The raw MIME of a stored message, in `body-mime`",
        JSON,
        "get_stored_message",
        fixed={"accept": "message/rfc2822"},
        query=("storage_host",),
    ),
    ResourceKind(
        "attachment",
        "domains/{domain}/messages/{storage_key}/attachments/{index}",
        "An attachment",
        "A file that is attached to a stored message",
        BINARY,
        "get_stored_attachment",
        query=("storage_host",),
    ),
    ResourceKind(
        "list",
        "lists/{list}",
        "A mailing list",
        "Name, access and size of a mailing list",
        JSON,
        "get_mailing_list",
        {"list": "list_address"},
    ),
    ResourceKind("route", "routes/{route}", "A route", "A rule for inbound mail", JSON, "get_route", {"route": "id"}),
)


def kind_of(uri: str) -> tuple[ResourceKind, dict[str, str]] | None:
    """Return the kind of a URI and the values in it, or None if it matches no kind."""
    path = uri.removeprefix(SCHEME) if uri.startswith(SCHEME) else ""
    for kind in KINDS:
        values = kind.match(path)
        if values is not None:
            return kind, values
    return None
