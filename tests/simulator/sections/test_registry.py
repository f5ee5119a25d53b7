"""Every operation has a handler, registered with a fidelity that its parameters confirm."""

from collections.abc import Callable

import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.replies.reply import Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections import registry
from mailgun_mcp.simulator.sections.all_sections import HANDLERS
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
    ("function", "expected"),
    [
        (lambda account, request: success(f"{account.id} {request['name']}"), "account a.example.com"),
        (lambda account: success(account.id), "account"),
        (lambda request: success(request["name"]), "a.example.com"),
    ],
    ids=["both", "account", "request"],
)
def test_a_handler_gets_what_it_names(
    function: Callable[..., Reply], expected: str, handlers: dict[str, registry.Handler], clock: ManualClock
) -> None:
    assert handles("get_thing", fidelity="stateful", note="a thing")(function) is function
    request = SimulatedRequest(catalogue().find("get_domain"), {"name": "a.example.com"}, "https://api.mailgun.net/")
    reply = handlers["get_thing"].answer(Account(clock, "account"), request)
    assert isinstance(reply, Reply)
    assert reply.data == {"message": expected}


def test_a_handler_that_needs_nothing_gets_nothing(handlers: dict[str, registry.Handler], clock: ManualClock) -> None:
    handles("list_things", fidelity="fixed", note="things")(lambda: success("done"))
    request = SimulatedRequest(catalogue().find("list_domains"), {}, "https://api.mailgun.net/")
    reply = handlers["list_things"].answer(Account(clock), request)
    assert isinstance(reply, Reply)
    assert reply.data == {"message": "done"}


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
