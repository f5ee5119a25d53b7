"""The SMTP server of the simulator, in the same event loop as HTTP, so that two requests cannot interleave."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.request.formats import email as fault_of_address
from mailgun_mcp.simulator.control.harness import Harness
from mailgun_mcp.simulator.sections.messages import SmtpEnvelope
from mailgun_mcp.simulator.smtp.certificate import server_context
from mailgun_mcp.simulator.smtp.submission import log_in, submit

MAX_BYTES = 25 * 1024 * 1024
"""Maximum size in bytes of a mail that Mailgun accepts."""
UNREADABLE = "550 5.1.3 cannot parse to address"
LONGEST_LINE = 1024 * 1024
"""Maximum length of a line in bytes. RFC 5321 allows 1,000, but many programs send longer lines."""


@dataclass(frozen=True, slots=True)
class SmtpSockets:
    """The server's sockets and certificate. `tls` is for connections that start with TLS."""

    certificate: Path
    plain: socket.socket | None = None
    """For connections that may switch to TLS with STARTTLS."""
    tls: socket.socket | None = None


class _Server(SMTP):
    line_length_limit = LONGEST_LINE


class _Handler:
    """Implements the callbacks of the aiosmtpd library, which defines the names of the methods."""

    def __init__(self, harness: Harness, operation: Operation) -> None:
        self._harness, self._operation = harness, operation

    async def handle_MAIL(  # noqa: N802
        self, _: SMTP, session: Session, envelope: Envelope, sender: str, options: list[str]
    ) -> str:
        """Start a mail if the client is logged in."""
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = sender
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Add a recipient unless it is not an address. The other recipients still get the mail."""
        if fault_of_address(address):
            return UNREADABLE
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Send a mail, and return the reply."""
        sent_by = SmtpEnvelope(str(session.auth_data), envelope.mail_from or "")
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        reply = submit(self._harness.account, self._operation, sent_by, envelope.rcpt_tos, content)
        self._harness.changed()
        return reply

    def authenticate(self, _: SMTP, __: Session, ___: Envelope, ____: str, given: Any) -> AuthResult:
        """Return whether a login and its password are correct."""
        if not isinstance(given, LoginPassword):
            return AuthResult(success=False, handled=False)
        login, password = (text.decode("utf-8", "replace") for text in (given.login, given.password))
        allowed = log_in(self._harness.account, login, password)
        return AuthResult(success=allowed, handled=False, auth_data=login)


@asynccontextmanager
async def serving(harness: Harness, operation: Operation, sockets: SmtpSockets) -> AsyncIterator[None]:
    """Serve SMTP on the sockets until the block ends. `operation` is the one that sends MIME messages."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    handler, loop, context = (
        _Handler(harness, operation),
        asyncio.get_running_loop(),
        server_context(sockets.certificate),
    )

    def connection(*, starttls: bool) -> SMTP:
        return _Server(
            handler,
            data_size_limit=MAX_BYTES,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="Mailgun simulator",
            tls_context=context if starttls else None,
            auth_require_tls=False,
            authenticator=handler.authenticate,
            loop=loop,
        )

    servers = []
    if sockets.plain is not None:
        servers.append(await loop.create_server(lambda: connection(starttls=True), sock=sockets.plain))
    if sockets.tls is not None:
        servers.append(await loop.create_server(lambda: connection(starttls=False), sock=sockets.tls, ssl=context))
    try:
        yield
    finally:
        for server in servers:
            server.close()


def with_smtp(app: ASGIApp, harness: Harness, operation: Operation, sockets: SmtpSockets) -> ASGIApp:
    """Return the application, extended to serve SMTP from its start-up to its shutdown."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        async with serving(harness, operation, sockets):
            await app(scope, receive, send)

    return serve
