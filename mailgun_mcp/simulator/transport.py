"""An httpx transport to a simulator in the same process, without a socket."""

import httpx


class InProcessTransport(httpx.ASGITransport):
    """A transport to an ASGI application. A broken connection looks as it does over a network."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises httpx.ReadError when the application breaks the connection."""
        try:
            return await super().handle_async_request(request)
        except ConnectionResetError as error:
            raise httpx.ReadError(str(error), request=request) from error
