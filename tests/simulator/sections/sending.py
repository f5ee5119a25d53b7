"""Sends a message and reads its stored copy."""

from typing import Any

import httpx

from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import StoredMessage
from tests.simulator.conftest import PLAIN

BASIC: dict[str, Any] = {"from": "Shop <shop@x.example>", "to": "ann@x.example", "subject": "Hi", "text": "Hello"}


async def send(mailgun: httpx.AsyncClient, domain: str = PLAIN, **changes: Any) -> httpx.Response:
    data = {name: value for name, value in {**BASIC, **changes}.items() if value is not None}
    return await mailgun.post(f"/v3/{domain}/messages", data=data)


def only(domain: Domain) -> StoredMessage:
    (message,) = domain.messages.values()
    return message


async def stored(mailgun: httpx.AsyncClient, message: StoredMessage, accept: str = "*/*") -> dict[str, Any]:
    path = f"/v3/domains/{message.domain}/messages/{message.key}"
    answer = await mailgun.get(path, headers={"Accept": accept})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body
