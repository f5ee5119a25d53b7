"""Serves one client on stdio. The modules for calls are imported while the client's first requests are answered."""

import gc

from mailgun_mcp.call.services import Services
from mailgun_mcp.server.early_session import EarlySession, begin
from mailgun_mcp.server.standard_streams import reserved


def serve(services: Services, *, answer_early: bool = True) -> None:
    """Serve one client on stdin and stdout until it closes them.

    Without `answer_early`, the SDK answers everything.
    """

    def load() -> None:
        services.pack()
        from mailgun_mcp.server import stdio_session  # noqa: F401

        services.prepare()

    with reserved() as streams:
        session = begin(services, streams, load) if answer_early else EarlySession()
        services.pack()
        from mailgun_mcp.server import stdio_session

        gc.freeze()
        gc.enable()
        stdio_session.serve(services, streams, session)
