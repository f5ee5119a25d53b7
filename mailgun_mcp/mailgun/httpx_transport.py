"""Sends requests through an httpx transport: for proxies, and for the simulator in the same process."""

import httpx

from mailgun_mcp.mailgun.exchange import (
    Answer,
    BrokenOffError,
    Content,
    InvalidRequestError,
    Message,
    NotConnectedError,
)


class HttpxTransport:
    """An httpx transport, adapted for the client."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def exchange(self, message: Message, most: int) -> Answer:
        """Return the answer to a request, of at most `most` bytes. Raises ExchangeError."""
        request = httpx.Request(
            message.method,
            message.base + message.target,
            headers=message.headers,
            content=message.content or None,
            extensions={"timeout": {"pool": message.patience, "connect": message.patience}},
        )
        try:
            response = await self._transport.handle_async_request(request)
            collected = Content(most, response.status_code)
            try:
                async for part in response.aiter_bytes():
                    collected.add(part)
                content = collected.whole()
            finally:
                collected.close()
                await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise NotConnectedError(type(error).__name__, str(error)) from error
        except httpx.LocalProtocolError as error:
            raise InvalidRequestError(type(error).__name__, str(error)) from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise BrokenOffError(type(error).__name__, str(error)) from error
        return Answer(response.status_code, response.headers.raw, content)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()
