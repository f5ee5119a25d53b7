"""Every operation has a handler, registered with a fidelity that its parameters confirm."""

from collections.abc import Callable
from typing import Any

import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.replies.reply import Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections import registry
from mailgun_mcp.simulator.sections.index import HANDLERS
from mailgun_mcp.simulator.sections.registry import MEANINGS, Fidelity, HandlerError, handles
from tests.support.operations import catalogue

ONLY_READ = {"validate_email_address", "resend_activation_email"}
"""The first costs money and changes nothing here; the second sends a mail that nobody gets."""


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> dict[str, registry.Handler]:
    """An empty registry."""
    empty: dict[str, registry.Handler] = {}
    monkeypatch.setattr(registry, "HANDLERS", empty)
    return empty


def test_every_operation_has_a_handler_and_nothing_else_has() -> None:
    assert sorted(HANDLERS) == sorted(operation.name for operation in catalogue())


def test_every_note_is_one_line_that_says_something() -> None:
    offenders = {
        name: handler.note
        for name, handler in HANDLERS.items()
        if handler.note != handler.note.strip()
        or not 3 < len(handler.note) <= 120
        or {"\n", "|"} & set(handler.note)
        or "not implemented" in handler.note.lower()
    }
    assert offenders == {}


def test_every_fidelity_has_a_meaning() -> None:
    assert {handler.fidelity for handler in HANDLERS.values()} == MEANINGS.keys()


def test_what_is_not_stateful_changes_nothing() -> None:
    writes = {operation.name for operation in catalogue() if operation.risk != "read"}
    assert {name for name in writes if HANDLERS[name].fidelity != "stateful"} == ONLY_READ


@pytest.mark.parametrize(
    "function",
    [
        lambda account, request: Reply([account, request]),
        lambda account: Reply([account]),
        lambda request: Reply([request]),
        lambda: Reply([]),
    ],
    ids=["both", "account", "request", "nothing"],
)
def test_a_handler_gets_what_it_names(
    function: Callable[..., Reply], handlers: dict[str, registry.Handler], clock: ManualClock
) -> None:
    names = function.__code__.co_varnames
    fidelity: Fidelity = "stateful" if names else "fixed"
    assert handles("list_things", fidelity=fidelity, note="things")(function) is function
    request = SimulatedRequest(catalogue().find("list_domains"), {}, "https://api.mailgun.net/v4/domains")
    account = Account(clock)
    wanted: dict[str, Any] = {"account": account, "request": request}
    assert handlers["list_things"].answer(account, request).body == [
        wanted[name] for name in ("account", "request") if name in names
    ]


def test_an_operation_has_one_handler(handlers: dict[str, registry.Handler]) -> None:
    handles("list_things", fidelity="fixed", note="things")(lambda: Reply({}))
    with pytest.raises(HandlerError, match="list_things already has a handler"):
        handles("list_things", fidelity="fixed", note="things")(lambda: Reply({}))
    assert list(handlers) == ["list_things"]


def test_a_handler_takes_nothing_but_account_and_request(handlers: dict[str, registry.Handler]) -> None:
    with pytest.raises(HandlerError, match=r"may take account, request, both or neither, not \['clock'\]"):
        handles("list_things", fidelity="stateful", note="things")(lambda clock: Reply(clock))
    assert handlers == {}


@pytest.mark.parametrize("fidelity", ["fixed", "shape only"])
def test_what_depends_on_something_is_not_fixed(fidelity: Fidelity, handlers: dict[str, registry.Handler]) -> None:
    with pytest.raises(HandlerError, match=f"takes \\['account'\\], so it isn't '{fidelity}'"):
        handles("list_things", fidelity=fidelity, note="things")(lambda account: Reply(account))
    assert handlers == {}


@pytest.mark.parametrize("fidelity", ["stateful", "computed"])
def test_what_depends_on_nothing_is_neither_stateful_nor_computed(
    fidelity: Fidelity, handlers: dict[str, registry.Handler]
) -> None:
    with pytest.raises(HandlerError, match="takes"):
        handles("list_things", fidelity=fidelity, note="things")(lambda: Reply({}))
    assert handlers == {}
