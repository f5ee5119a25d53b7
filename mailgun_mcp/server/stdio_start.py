"""Serves one client on stdio. The SDK is imported while the client's first requests are answered."""

import gc

from mailgun_mcp.call.services import Services
from mailgun_mcp.server.early_session import EarlySession, begin
from mailgun_mcp.server.standard_streams import reserved


def serve(services: Services, *, answer_early: bool = True) -> None:
    """Serve one client on stdin and stdout until it closes them.

    Without `answer_early`, the SDK answers everything.
    """
    with reserved() as streams:

        def load() -> None:
            services.pack()
            from mailgun_mcp.server import stdio  # noqa: F401

        session = begin(services, streams, load) if answer_early else EarlySession()
        load()
        from mailgun_mcp.server import stdio

        gc.freeze()
        gc.enable()
        stdio.serve(services, streams, session)
