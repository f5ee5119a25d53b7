"""An account of the simulator in which every operation that can be undone changes something, and its whole state."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.asker import FormAnswer
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.confirm.form import Form
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.endpoint import resolve
from mailgun_mcp.policy.model import Policy
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.control.account_json import snapshot
from mailgun_mcp.simulator.mail.dkim import keys_of
from mailgun_mcp.simulator.mail.sending_ips import SendingSource, assign_source
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.ips import SHARED_IP
from mailgun_mcp.simulator.model.lists import Member
from mailgun_mcp.simulator.model.signing import DomainKey
from mailgun_mcp.simulator.model.suppressions import AllowlistEntry, Bounce, Complaint, Unsubscribe
from mailgun_mcp.simulator.model.templates import TemplateVersion
from mailgun_mcp.simulator.sections.domains import DEFAULTS
from mailgun_mcp.simulator.transport import InProcessTransport
from tests.support.apps import KEY, opened, own_state
from tests.support.arguments import BY_FORMAT
from tests.support.calls import LOCAL_USER, run
from tests.support.everything import account_with_everything
from tests.support.one_thread import no_threads
from tests.support.operations import catalogue

NAME, ADDRESS, IP, TEXT = BY_FORMAT["hostname"], BY_FORMAT["email"], BY_FORMAT["ip"], "some text"
OTHER = "ben@example.com"
"""Suppressed, and on the list, as ADDRESS is."""
HOST = "example.com"


def account_to_change() -> Account:
    """Return an account in which there is more than one of everything."""
    account = account_with_everything()
    now = account.clock.now() - 1000
    domain = account.domains[NAME]
    account.domains[HOST] = Domain("2", HOST, now, "active")
    domain.bounces[OTHER] = Bounce(OTHER, now, "421", "mailbox full")
    domain.complaints[OTHER] = Complaint(OTHER, now)
    domain.unsubscribes[OTHER] = Unsubscribe(OTHER, now, "2", ["news", "offers"])
    domain.allowlist.clear()
    domain.allowlist[OTHER] = AllowlistEntry(OTHER, now)
    domain.allowlist["x.example"] = AllowlistEntry("x.example", now, "domain")
    domain.settings = {**DEFAULTS, "message_ttl": 86_400, "archive_to": "https://example.com/archive"}
    assign_source(account.domains[HOST], SendingSource([SHARED_IP]))
    route = account.routes.by_id[TEXT]
    route.priority, route.description, route.actions = 7, "Help desk", ['forward("help@example.com")', "stop()"]
    members = account.lists[ADDRESS].members
    members[OTHER] = Member(OTHER, "Ben", {"plan": {"name": "gold", "since": [2024, 2]}}, subscribed=False)
    for template in (domain.templates[TEXT], account.templates[TEXT]):
        template.description, template.created_by = "The welcome", "ann"
        template.versions["old"] = TemplateVersion(
            "2", "old", "<p>{{name}}</p>", now, comment="before", headers={"Subject": "Hi {{name}}"}
        )
    child = account.administration.subaccounts[TEXT].account.administration
    child.features |= {"sending": True, "validations_bulk": True}
    child.features |= dict.fromkeys(("email_preview", "inbox_placement", "validations"), False)
    return account


def key_of(account: Account) -> DomainKey:
    """Return the account's one DKIM key."""
    return keys_of(account.domains[NAME])[TEXT]


ANEW = frozenset({"id", "created_at", "updated_at", "serial"})
"""What Mailgun gives anew to what is made again, and no call can set."""
KEYED_ANEW = (("routes", "by_id"), ("webhooks", "by_id"), ("ips", "pools"))
"""Where things stand under keys that Mailgun gives."""
COUNTED = frozenset({"usage", "hits", "last_checked", "events", "history"})
"""What calls only ever move on: counters, logs, and what is worked out anew when it is looked at."""
DATED = ("bounces", "complaints", "unsubscribes")
"""Whose dates are put back, and count."""


def state_of(account: Account) -> Any:
    """Return the whole account as values that are the same when nothing differs but what Mailgun gives anew."""
    return normal(snapshot(account))


def normal(document: Any) -> Any:
    """Return the account of a snapshot as such values."""
    return _normal(document["account"], ())


def _normal(value: Any, path: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_normal(item, path) for item in value]
    if not isinstance(value, dict):
        # Pools get another id; which one a domain is linked to shows by its being linked.
        return value is not None if path[-1:] == ("pool_id",) else value
    kept = {name: item for name, item in value.items() if name not in COUNTED}
    if any(name in path for name in DATED):
        kept.pop("id", None)
        # Mailgun tells dates in whole seconds.
        kept |= {"created_at": int(kept["created_at"])} if "created_at" in kept else {}
    else:
        kept = {name: item for name, item in kept.items() if name not in ANEW or isinstance(item, (dict, list))}
    normal = {name: _normal(item, (*path, name)) for name, item in kept.items()}
    if path[-2:] in KEYED_ANEW:
        return sorted(normal.values(), key=repr)
    return normal


def differences(before: Any, after: Any, place: str = "") -> list[str]:
    """Return the places in which two states differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            found
            for name in {**before, **after}
            for found in (
                differences(before[name], after[name], f"{place}/{name}")
                if name in before and name in after
                else [f"{place}/{name}"]
            )
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [found for index, (one, other) in pairs for found in differences(one, other, f"{place}/{index}")]
    return [] if before == after else [place]


class Yes:
    """A person who agrees to everything, and what they were shown."""

    can_ask = True

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, form: Form, *, patience: float) -> FormAnswer:
        self.asked.append(form.text)
        return FormAnswer("yes")


class Cut(Exception):
    """The connection breaks."""


class Mailgun(httpx.AsyncBaseTransport):
    """The simulator, which counts its requests and breaks off where it is told to."""

    def __init__(self, account: Account) -> None:
        self._inner = InProcessTransport(create_app(catalogue(), account=account))
        self.lines: list[str] = []
        self.cut_before: Callable[[int], bool] = lambda _: False
        self.cut_after: Callable[[int], bool] = lambda _: False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        number = len(self.lines)
        self.lines.append(f"{request.method} {request.url.raw_path.decode()}")
        if self.cut_before(number):
            raise httpx.ReadError("cut before", request=request)
        response = await self._inner.handle_async_request(request)
        if self.cut_after(number):
            raise httpx.ReadError("cut after", request=request)
        return response


class Bench:
    """An services on an account of the simulator, with a person who agrees to everything."""

    def __init__(self, account: Account, mailgun: Mailgun, services: Services) -> None:
        self.account = account
        self.mailgun = mailgun
        self.services = services
        self.person = Yes()

    @property
    def state(self) -> Any:
        return state_of(self.account)

    async def call(self, tool: str, arguments: Arguments) -> CallResult:
        return await run(self.services, tool, arguments, Caller(LOCAL_USER, asker=self.person))

    async def made(self, tool: str, arguments: Arguments) -> dict[str, Any]:
        """Make the call, and return the result of its success."""
        outcome = await self.call(tool, arguments)
        assert outcome.structured is not None, outcome.text
        return outcome.structured

    async def undo(self, call: str) -> dict[str, Any]:
        return await self.made("undo_operation", {"id": call})


async def _at_once(_: float) -> None:
    """Do not wait."""


def services_on(mailgun: Mailgun, account: Account, *, policy: Policy | None = None, **options: Any) -> Services:
    """Return services whose Mailgun is the simulator, at its clock."""
    client = Client(
        resolve(region="us"), KEY, user_agent="tests", rate_limit=(0, 10.0), connect=lambda: mailgun, sleep=_at_once
    )
    options.setdefault("state", own_state())
    services = Services(
        catalogue=catalogue(),
        client=client,
        policy=policy or profile("unguarded"),
        clock=account.clock.now,
        **options,
    )
    return opened(services)


@asynccontextmanager
async def bench(account: Account | None = None, policy: Policy | None = None) -> AsyncIterator[Bench]:
    """Give services on an account of its own."""
    account = account or account_to_change()
    mailgun = Mailgun(account)
    with no_threads():
        async with services_on(mailgun, account, policy=policy) as services:
            yield Bench(account, mailgun, services)
