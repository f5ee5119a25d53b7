"""No secret leaves: canaries are planted in every field of every call, and everything that comes out is searched."""

import json
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.asker import FormAnswer
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.confirm.form import Form
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.endpoint import resolve
from mailgun_mcp.output import logs
from mailgun_mcp.policy.profiles import profile
from tests.support.apps import opened, own_state
from tests.support.arguments import maximal
from tests.support.calls import LOCAL_USER, run
from tests.support.empty_lists import empty_lists
from tests.support.operations import catalogue
from tests.support.upstream import Upstream, replies, says

pytestmark = pytest.mark.anyio

KEY = "key-0123456789abcdef0123456789abcdef"
MADE = "made-by-mailgun-7f3c91d2"
GIVEN = "given-by-caller-8a1b"
WITH_SECRETS = [
    operation
    for operation in catalogue()
    if operation.secrets or operation.risk == "credential" or any(argument.secret for argument in operation.arguments)
]


@dataclass
class Person:
    """Says yes to everything, and remembers what was shown."""

    shown: list[str] = field(default_factory=list)
    can_ask = True

    async def ask(self, form: Form, *, patience: float) -> FormAnswer:
        self.shown += [form.text, json.dumps(form.schema)]
        return FormAnswer("yes")


def app_with_key(url: str) -> Services:
    client = Client(resolve(url=url), KEY, user_agent="tests")
    logs.withhold(KEY)
    return opened(Services(catalogue=catalogue(), client=client, state=own_state(), policy=profile("guarded")))


def given(operation: Operation) -> Arguments:
    """Return all arguments, a canary in each that is secret."""
    arguments = maximal(operation)
    for argument in operation.arguments:
        if argument.secret:
            arguments[argument.name] = _canary(arguments[argument.name])
    return arguments


def _canary(value: Any) -> Any:
    if isinstance(value, list):
        return [GIVEN for _ in value]
    return {"text": GIVEN} if isinstance(value, dict) else GIVEN


def planted(operation: Operation) -> dict[str, Any]:
    """Return an answer with Mailgun's canary at each secret place, and the API key in every other field."""
    body: dict[str, Any] = {"message": f"echo of {KEY} and of {b64encode(f'api:{KEY}'.encode()).decode()}"}
    for place in operation.secrets:
        _plant(body, place.strip("/").split("/"))
    return body


def _plant(body: dict[str, Any], place: list[str]) -> None:
    head, *rest = place
    if not rest:
        body[head] = MADE
    elif rest == ["*"]:
        body[head] = {"bot@mg.example.com": MADE}
    elif rest[0] == "*":
        items = body.setdefault(head, [{"note": KEY}])
        _plant(items[0], rest[1:])
    else:
        _plant(body.setdefault(head, {"note": KEY}), rest)


def kept_files(services: Services) -> Iterator[str]:
    """Yield what is written to the state, copies unpacked, but for the store of secrets itself."""
    services.recorder.close()
    with services.store.reading() as connection:
        packed = connection.execute("SELECT data FROM snapshot_parts").fetchall()
    yield from (zlib.decompress(row["data"]).decode() for row in packed)
    services.store.close()
    for path in Path(services.state).rglob("*"):
        if path.is_file() and "secrets" not in path.relative_to(services.state).parts:
            yield path.read_bytes().decode("latin-1")


@pytest.mark.parametrize("operation", WITH_SECRETS, ids=lambda operation: operation.name)
async def test_secrets_reach_neither_the_model_nor_the_person_nor_a_log_nor_the_state(
    operation: Operation, upstream: Upstream, capfd: pytest.CaptureFixture[str]
) -> None:
    person = Person()
    async with app_with_key(upstream.url) as services:
        upstream.answers.extend([says({**empty_lists(), **planted(operation)})] * 6)
        caller = Caller(LOCAL_USER, asker=person)
        outcome = await run(services, operation.name, given(operation), caller)
        logs.logger().error("a record with all of it", key=KEY, made=MADE if operation.secrets else "", text=KEY)
        told = [outcome.text, json.dumps(outcome.structured), *person.shown, *capfd.readouterr(), *kept_files(services)]
    assert not outcome.is_error, outcome.text
    for text in told:
        assert KEY not in text
        assert MADE not in text
        assert GIVEN not in text


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_the_key_stands_in_no_error_however_mailgun_echoes_it(status: int, upstream: Upstream) -> None:
    token = b64encode(f"api:{KEY}".encode()).decode()
    echoes = [
        json.dumps({"message": f"bad key {KEY}", "Authorization": f"Basic {token}"}).encode(),
        f"<html><body>{KEY} {token}</body></html>".encode(),
        f"Forbidden {KEY}".encode(),
    ]
    async with app_with_key(upstream.url) as services:
        for echo in echoes:
            upstream.forget()
            upstream.answers.extend([replies(status, echo, [("X-Echo", KEY), ("Retry-After", "0")])] * 4)
            outcome = await run(services, "list_bounces", {"domain": "mg.example.com"})
            assert outcome.kind == "failed"
            assert KEY not in outcome.text
            assert token not in outcome.text
