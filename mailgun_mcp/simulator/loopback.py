"""Serves an application on loopback in a separate thread, for programs that are not asynchronous or run elsewhere."""

import asyncio
import socket
from concurrent.futures import Future
from contextlib import AsyncExitStack
from threading import Thread

import uvicorn
from starlette.types import ASGIApp

START_SECONDS = STOP_SECONDS = 10.0


class LoopbackServer:
    """Serves an application on a free port of this machine, from its creation until `stop`."""

    def __init__(self, app: ASGIApp) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                app, http="h11", interface="asgi3", log_config=None, access_log=False, lifespan="off", ws="none"
            )
        )
        self.loop: Future[asyncio.AbstractEventLoop] = Future()
        """Resolves to the event loop of the thread once it runs."""
        self.open = AsyncExitStack()
        """The resources to close when the server stops."""
        self._thread = Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, and wait until the thread has ended."""
        self._uvicorn.should_exit = True
        self._thread.join(STOP_SECONDS)
        self._listener.close()

    async def _serve(self) -> None:
        async with self.open:
            self.loop.set_result(asyncio.get_running_loop())
            await self._uvicorn.serve(sockets=[self._listener])
