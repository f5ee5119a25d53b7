"""MCP Apps, the extension `io.modelcontextprotocol/ui`: a view that a client shows beside a tool's result.

A view is one document without network access. It holds no data: the client gives it the result of the call.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

import mcp_types as types

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.catalogue.workflow_tools import CHART_VIEW
from mailgun_mcp.server.context import ServerContext
from mailgun_mcp.server.plain_messages import VIEW_TYPE
from mailgun_mcp.server.plain_messages import shows_views as has_views

TOOLS = {CHART_VIEW: "chart_metrics"}
"""URI of a view -> the tool whose results it shows."""
META: Record = {
    "ui": {
        "csp": {"connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": []},
        "prefersBorder": True,
    }
}
"""Metadata of a view: it may load nothing from any server, and the client draws a border around it."""
DRAWING = "web/pages/static"
OWN = "server/static"


def shows_views(context: ServerContext) -> bool:
    """Return whether the client can show views of this kind."""
    capabilities = context.session.client_capabilities
    return capabilities is not None and has_views(capabilities.extensions)


def view_contents(uri: str) -> types.TextResourceContents:
    """Return a view in the form that `resources/read` returns."""
    return types.TextResourceContents(uri=uri, mime_type=VIEW_TYPE, text=chart_view(), _meta=META)


@cache
def chart_view() -> str:
    """Return the document that draws a chart. Its content security policy allows only its own style and script."""
    style = _read(DRAWING, "chart.css") + _read(OWN, "chart_view.css")
    script = _read(DRAWING, "chart.js") + _read(OWN, "chart_view.js")
    policy = (
        f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    document = _read(OWN, "chart_view.html")
    for name, text in (("policy", policy), ("style", style), ("script", script)):
        document = document.replace(f"{{{name}}}", text)
    return document


def _source(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _read(folder: str, name: str) -> str:
    return (files("mailgun_mcp") / folder / name).read_text(encoding="utf-8")
