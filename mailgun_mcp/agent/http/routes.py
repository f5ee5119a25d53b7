"""All routes of the chat protocols: one line for each module."""

from starlette.routing import Route

from mailgun_mcp.agent.http.agui import AgUi
from mailgun_mcp.agent.http.completions import Completions
from mailgun_mcp.agent.http.conversations import ConversationRoutes
from mailgun_mcp.agent.http.responses import Responses
from mailgun_mcp.agent.http.ui_messages import UiMessages
from mailgun_mcp.agent.runner import Runner


def agent_routes(runner: Runner, approvals_page: str | None = None) -> list[Route]:
    """Return the routes. `approvals_page` is the URL of the page on which people answer, if they can reach it."""
    return [
        *ConversationRoutes(runner).routes(),
        *AgUi(runner).routes(),
        *UiMessages(runner).routes(),
        *Responses(runner).routes(),
        *Completions(runner, approvals_page).routes(),
    ]
