"""The simulator as a test double. `Simulator` runs in the test's process, where the test can read and change it."""

import asyncio
import socket
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import httpx
from starlette.types import ASGIApp

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.request.formats import hostname
from mailgun_mcp.simulator.app import create_harness
from mailgun_mcp.simulator.control.faults import Fault
from mailgun_mcp.simulator.control.harness import Harness
from mailgun_mcp.simulator.control.routes import move_clock, with_control_routes
from mailgun_mcp.simulator.loopback import START_SECONDS, LoopbackServer
from mailgun_mcp.simulator.mail.delivery import deliver_due
from mailgun_mcp.simulator.mail.inbound import deliver_inbound
from mailgun_mcp.simulator.mail.recipients import perform_recipient_action
from mailgun_mcp.simulator.mail.record_events import with_current_storage
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import MovableClock, SystemClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.routes import InboundMail
from mailgun_mcp.simulator.sections.events import KINDS as EVENT_KINDS
from mailgun_mcp.simulator.transport import InProcessTransport
from mailgun_mcp.text.suggest import unknown

DOMAIN = "mail.example.com"
INBOUND_FIELDS = ("sender", "cc", "subject", "text", "html")
KEY = "key-simulator"


@dataclass(frozen=True, slots=True)
class SmtpAccess:
    """An SMTP server, and a login for it."""

    host: str
    port: int
    login: str
    password: str
    certificate: Path
    """The file of the server's certificate, for clients that verify it."""


class Simulator:
    """An account with one active domain, `mail.example.com`, and nothing else.

    Use it as a context manager, or call `close` at the end. Nothing is sent to anyone. With `strict`, parameters
    that Mailgun does not have are refused instead of ignored.
    """

    key = KEY
    """The API key to use. Every other key is refused."""
    domain = DOMAIN
    """The name of the domain that the account starts with."""

    def __init__(self, *, strict: bool = False) -> None:
        account = Account(MovableClock(SystemClock()))
        _add_domain(account, DOMAIN)
        self._harness = create_harness(Catalogue.load(), account, key=KEY, strict=strict)
        self._app = with_control_routes(self._harness, key=KEY)
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server if it is running."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    @property
    def url(self) -> str:
        """The base URL of the simulator, on a free port of this machine. The first use starts a server thread."""
        return self._running().url

    @property
    def smtp(self) -> SmtpAccess:
        """The SMTP server, which supports STARTTLS, and a login. The first use starts the server thread.

        It needs the extra `smtp`.
        """
        port, certificate = self._running().serve_smtp(self._harness)
        return SmtpAccess("127.0.0.1", port, f"postmaster@{DOMAIN}", KEY, certificate)

    def _running(self) -> "_Server":
        if self._server is None:
            self._server = _Server(self._app)
            self._harness.serve_storage_at(self._server.url)
        return self._server

    def transport(self) -> httpx.AsyncBaseTransport:
        """Return a transport for `httpx.AsyncClient` that reaches the simulator without a network."""
        return InProcessTransport(app=self._app)

    def async_client(self) -> httpx.AsyncClient:
        """Return an httpx client that has the API key and reaches the simulator without a network."""
        return httpx.AsyncClient(transport=self.transport(), base_url="https://api.mailgun.net", auth=("api", KEY))

    @property
    def account(self) -> Account:
        """The account. `reset` replaces it with a new object."""
        return self._harness.account

    def add_domain(self, name: str) -> Domain:
        """Add an active domain to the account. Raises ValueError when the name is taken or is not a domain name."""
        if fault := hostname(name):
            raise ValueError(f"{name!r} {fault}")
        name = name.lower().removesuffix(".")
        if name in self.account.domains:
            raise ValueError(f"the account already has the domain {name}")
        return _add_domain(self.account, name)

    def messages(self, to: str = "") -> list[StoredMessage]:
        """Return the messages that were sent, oldest first: all of them, or those with the recipient `to`."""
        deliver_due(self.account)
        stored = (message for domain in self.account.domains.values() for message in domain.messages.values())
        return sorted((one for one in stored if not one.routed and _is_to(one, to)), key=lambda message: message.at)

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        """Return the events as the API shows them, oldest first: all, or those of one kind, such as `delivered`.

        Raises ValueError for a kind that does not exist.
        """
        if kind and kind not in EVENT_KINDS:
            raise ValueError(unknown("kind of event", kind, EVENT_KINDS))
        deliver_due(self.account)
        walked = [event for domain in self.account.domains.values() for event in domain.events.walk()]
        in_order = sorted(walked, key=lambda event: (event.at, event.serial))
        records = [with_current_storage(self.account, event.record) for event in in_order]
        return [record for record in records if not kind or record["event"] == kind]

    def act(self, action: str, message: StoredMessage | str, to: str = "", **details: str) -> list[dict[str, Any]]:
        """Act as the recipients of a message, or as one of them (`to`). Return the events.

        `action` is `open`, `click`, `complain`, `unsubscribe` or `bounce`. `url` is the link to click, `tag` the
        tag to unsubscribe from.
        """
        message_id = message if isinstance(message, str) else message.id
        events = perform_recipient_action(self.account, action, message_id, to, **details)
        self._harness.changed()
        return [event.record for event in events]

    def receive(self, mail: bytes | None = None, *, to: str = "", **fields: str) -> list[InboundMail]:
        """Receive mail from outside: complete MIME, or fields such as `sender`, `subject`, `text` and `html`.

        Routes of the account are applied to it. Return the mail, one for each recipient. Raises ValueError when the
        mail has no recipient, and TypeError for a field that does not exist.
        """
        for name in fields:
            if name not in INBOUND_FIELDS:
                raise TypeError(unknown("field", name, INBOUND_FIELDS))
        sender = fields.pop("sender", "")
        content: bytes | dict[str, str] = {**fields, "from": sender, "to": to} if mail is None else mail
        received = deliver_inbound(self.account, content, sender=sender, recipients=[to] if to else [])
        if not received:
            raise ValueError("the mail has no recipient: set `to`")
        self._harness.changed()
        return received

    def advance(self, duration: float | str) -> None:
        """Move the clock forward by seconds or `2h`. Everything due by then happens. Raises ApiError."""
        move_clock(self._harness, {"advance": duration})

    def now(self) -> float:
        """Return the simulator's time in seconds since 1970."""
        return self._harness.clock.now()

    def fail(self, kind: str = "server_error", operation: str = "*", **fields: Any) -> None:
        """Make requests fail. The fields are those of a fault in docs/simulator.md, such as `times=1`.

        Raises FaultError for a kind, operation or field that does not exist.
        """
        record = {"kind": kind, "operation": operation, **fields}
        fault = Fault.from_record(record, self._harness.operations)
        self._harness.faults.set([*(Fault(**record) for record in self._harness.faults.records()), fault])

    def clear_faults(self) -> None:
        """Stop making requests fail."""
        self._harness.faults.set(())

    def ignored_parameters(self) -> list[dict[str, Any]]:
        """Return the unknown parameters that requests had and the simulator ignored."""
        return self._harness.ignored.to_json() if self._harness.ignored else []

    def reset(self) -> None:
        """Reset the account, the clock and the faults to how they were at the start."""
        self._harness.reset()


class _Server(LoopbackServer):
    """The HTTP server, which can serve SMTP too."""

    def __init__(self, app: ASGIApp) -> None:
        self._smtp: tuple[int, Path] | None = None
        super().__init__(app)

    def serve_smtp(self, harness: Harness) -> tuple[int, Path]:
        """Serve SMTP in the same event loop. Return its port and its certificate file."""
        if self._smtp is None:
            from mailgun_mcp.simulator.smtp.certificate import write_certificate
            from mailgun_mcp.simulator.smtp.server import SmtpSockets, serving

            folder = TemporaryDirectory(prefix="mailgun-simulator-")
            self.open.callback(folder.cleanup)
            listener = socket.create_server(("127.0.0.1", 0))
            sockets = SmtpSockets(write_certificate(Path(folder.name)), listener)
            operation = Catalogue.load().find("send_mime_message")
            begin = self.open.enter_async_context(serving(harness, operation, sockets))
            asyncio.run_coroutine_threadsafe(begin, self.loop.result(START_SECONDS)).result(START_SECONDS)
            self._smtp = listener.getsockname()[1], sockets.certificate
        return self._smtp


def _add_domain(account: Account, name: str) -> Domain:
    domain = Domain(account.hex_id(), name, account.clock.now(), "active")
    domain.administration.postmaster_password = KEY
    account.domains[domain.name] = domain
    return domain


def _is_to(message: StoredMessage, address: str) -> bool:
    return not address or address.lower() in (recipient.lower() for recipient in message.recipients)
