"""Passes a request whose body has been read on to the inner layers."""

from starlette.types import Message, Receive


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body, and then whatever else the client sends."""
    sent = False

    async def once() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once
