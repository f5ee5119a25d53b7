"""All routes of the chat protocols: one line for each module."""

from starlette.routing import Route

from mailgun_mcp.agent.http.agui import AgUi
from mailgun_mcp.agent.http.completions import Completions
from mailgun_mcp.agent.http.conversations import ConversationRoutes
from mailgun_mcp.agent.http.responses import Responses
from mailgun_mcp.agent.http.ui_messages import UiMessages
from mailgun_mcp.agent.runner import Runner


def agent_routes(runner: Runner, public_url: str | None = None) -> list[Route]:
    """Return the routes. `public_url` is the server's URL for people, with the approvals page below it."""
    approvals = approvals_page(public_url)
    return [
        *ConversationRoutes(runner).routes(),
        *AgUi(runner).routes(),
        *UiMessages(runner).routes(),
        *Responses(runner).routes(),
        *Completions(runner, approvals).routes(),
    ]


def approvals_page(public_url: str | None) -> str | None:
    """Return the URL of the approvals page, or None if the public URL is not set."""
    return f"{public_url.rstrip('/')}/approvals" if public_url else None
