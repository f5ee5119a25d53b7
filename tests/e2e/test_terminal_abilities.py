"""The proof, for the command line: each operation with each kind of person at a terminal, and with none.

A terminal has no eras, and its person answers with a line. So the abilities of MCP clients that are about content, state or a
protocol have no counterpart; what is left of them is here: a right, wrong, empty, missing, half or late line, a terminal of
which one end is none, and a yes in the arguments. `tools call` gives the pipeline the same asker; that it does, and that a
process without a terminal makes nothing, is in `test_every_operation_and_way_in`.
"""

import io
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import anyio
import pytest

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.cli.terminal import Terminal
from mailgun_mcp.confirm.asker import FormAnswer
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.confirm.form import Binding, Form
from mailgun_mcp.policy.model import ConfirmationRules
from mailgun_mcp.policy.profiles import profile
from tests.support.abilities import line_of
from tests.support.arguments import minimal
from tests.support.calls import LOCAL_USER, run
from tests.support.decisions import ALLOWED, CONFIRMED
from tests.support.one_thread import no_threads
from tests.support.operations import catalogue
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio


class Line(io.StringIO):
    """One end of a terminal, or of something else."""

    def __init__(self, *, terminal: bool = True) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


class Shown(Terminal):
    """The terminal, with the form that it showed last."""

    form: Form | None = None

    async def ask(self, form: Form, *, patience: float) -> FormAnswer:
        self.form = form
        return await super().ask(form, patience=patience)


def right(form: Form) -> str:
    return "y" if form.typed is None else form.typed


@dataclass(frozen=True)
class Person:
    """What is typed, and whether that is a yes."""

    types: Callable[[Form], str]
    agrees: bool = False
    stdin: bool = True
    stderr: bool = True
    arguments: tuple[tuple[str, Any], ...] = ()


PEOPLE = {
    "agrees": Person(lambda form: f"{right(form)}\n", agrees=True),
    "agrees-without-a-line-break": Person(right, agrees=True),
    "leaves": Person(lambda _: ""),
    "presses-return": Person(lambda _: "\n"),
    "says-no": Person(lambda _: "n\n"),
    "says-something-else": Person(lambda _: "okay\n"),
    "says-yes-where-a-name-is-wanted-and-a-name-where-yes-is": Person(
        lambda form: "mg.example.com\n" if form.typed is None else "yes\n"
    ),
    "types-more": Person(lambda form: f"{right(form)} and more\n"),
    "types-a-part": Person(lambda form: f"{right(form)[:-1]}\n"),
    "pipes-the-yes": Person(lambda form: f"{right(form)}\n", stdin=False),
    "does-not-see-the-form": Person(lambda form: f"{right(form)}\n", stderr=False),
    "is-told-yes-by-the-model": Person(lambda form: f"{right(form)}\n", arguments=(("confirm", True),)),
}
ONE_OF_EACH = [
    next(operation for operation in catalogue() if operation.risk == risk and operation.method != "GET")
    for risk in ("write", "send", "destructive", "credential", "billing")
]


async def offenders(
    name: str, policy: str, operations: Iterable[Operation], monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Return the operations of which another number of requests left than this person, and this policy, allow."""
    person, mailgun, found = PEOPLE[name], Recorder(), list[str]()
    rules = replace(profile(policy), confirmation=ConfirmationRules(max_pending=1_000))
    services = recorded_services(mailgun, policy=rules)
    monkeypatch.setattr(sys, "stderr", Line(terminal=person.stderr))
    terminal, stdin = Shown(), Line(terminal=person.stdin)
    monkeypatch.setattr(stdin, "readline", lambda: person.types(terminal.form) if terminal.form else "")
    monkeypatch.setattr(sys, "stdin", stdin)
    caller = Caller(LOCAL_USER, client="command line", asker=terminal)
    with no_threads():
        for operation in operations:
            mailgun.lines.clear()
            arguments = minimal(operation)
            result = await run(services, operation.name, {**arguments, **dict(person.arguments)}, caller)
            made = operation.risk in ALLOWED[policy] or (person.agrees and operation.risk in CONFIRMED[policy])
            expected = [line_of(operation, arguments)] * (made and not person.arguments)
            left = [line for line in mailgun.lines if line == line_of(operation, arguments)]
            others = [line for line in mailgun.changes if line not in left]
            if (
                left[:1] != expected
                or result.is_error != (not expected)
                or (operation.risk != "read" and (left != expected or others))
            ):
                found.append(f"{operation.name}: {left}, {result.text[:100]}")
    await services.aclose()
    return found


@pytest.mark.parametrize("name", PEOPLE)
async def test_one_of_each_risk_leaves_only_where_the_person_at_the_terminal_agrees(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await offenders(name, "guarded", ONE_OF_EACH, monkeypatch) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PEOPLE)
async def test_each_operation_leaves_only_where_the_person_at_the_terminal_agrees(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under `strict`, which asks about every call that changes something; what `guarded` asks of them is asked alike."""
    assert await offenders(name, "strict", catalogue(), monkeypatch) == []


async def test_no_line_in_time_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any, **__: Any) -> None:
        await anyio.sleep_forever()

    monkeypatch.setattr("anyio.to_thread.run_sync", never)
    form = Form("Delete?", "ask", None, Binding("ann", "main", "delete_domain", "request", "policy"), "seen")
    assert await Terminal().ask(form, patience=0.01) == FormAnswer("timeout")
