"""Serves a client on stdio from its first request, before the modules for calls are imported.

A thread imports them while `EarlyAnswers` answers what it can. Then `stdio_session` continues the session, and gets
every message that has not been answered.
"""

import os
import select
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from mailgun_mcp.call.services import Services
from mailgun_mcp.server.early_answers import EarlyAnswers
from mailgun_mcp.server.plain_messages import NotUnderstoodError
from mailgun_mcp.server.standard_streams import Streams, are_pipes

VERIFIED = frozenset({"2.3.0"})
"""SDK releases whose answers are known, because the tests compare them. With another release, the SDK answers."""
SOON = 0.02
"""Seconds within which a client sends its next message while it is still opening the session."""
PIECE = 64 * 1024


class EarlySession(NamedTuple):
    """What happened in a session before the event loop started."""

    answers: EarlyAnswers | None = None
    """What has been answered, or None if the SDK answers everything."""
    rest: bytes = b""
    """Unanswered bytes from the client. The last message may be incomplete."""


def begin(services: Services, streams: Streams, load: Callable[[], object]) -> EarlySession:
    """Answer the client until `load` has imported what calls need, or a message comes that cannot be answered here."""
    if not are_pipes(streams) or not answers_are_known():
        return EarlySession()
    loaded, done = os.pipe()

    def import_rest() -> None:
        try:
            load()
        finally:
            os.write(done, b".")

    importer = Thread(target=import_rest, name="import", daemon=True)
    try:
        return _Front(services, streams, loaded, importer).run()
    finally:
        # The interpreter must not exit while a thread imports.
        if importer.ident is not None:
            importer.join()
        os.close(loaded)
        os.close(done)


def answers_are_known() -> bool:
    """Return whether the installed SDK answers exactly as we do, and no tracing is in use."""
    return "opentelemetry" not in sys.modules and is_verified()


def is_verified() -> bool:
    """Return whether the installed SDK is a release that answers exactly as we do."""
    spec = find_spec("mcp")
    if spec is None or spec.origin is None:
        return False
    installed = Path(spec.origin).parents[1]
    return any((installed / f"mcp-{version}.dist-info").is_dir() for version in VERIFIED)


class _Front:
    """The client's only reader and writer until calls can be made."""

    def __init__(self, services: Services, streams: Streams, loaded: int, importer: Thread) -> None:
        self._stdin, self._stdout = streams
        self._answers = EarlyAnswers(services)
        self._loaded = loaded
        self._importer = importer
        self._received = bytearray()
        self._listed = False

    def run(self) -> EarlySession:
        """Answer until calls can be made, or a message comes that cannot be answered here."""
        blocking = os.get_blocking(self._stdout)
        os.set_blocking(self._stdout, False)
        try:
            while self._answer_received() and self._receive():
                pass
        except OSError:
            pass  # The client has gone. The rest of the session notices that too.
        finally:
            os.set_blocking(self._stdout, blocking)
        return self._session()

    def _session(self) -> EarlySession:
        return EarlySession(self._answers, bytes(self._received))

    def _answer_received(self) -> bool:
        """Answer the complete lines received so far. Return whether all of them could be answered."""
        while (end := self._received.find(b"\n") + 1) > 0:
            try:
                answer = self._answers.answer(bytes(self._received[:end]))
            except NotUnderstoodError:
                return False
            del self._received[:end]
            self._write(answer)
        return True

    def _receive(self) -> bool:
        """Wait for more from the client. Return False when calls can be made, or the client has closed its end."""
        is_idle = self._importer.ident is None
        ready, _, _ = select.select([self._stdin, self._loaded], [], [], self._patience() if is_idle else None)
        if not ready:
            self._importer.start()
            return True
        return self._stdin in ready and self._read()

    def _patience(self) -> float:
        """Return the seconds of silence from the client before the import starts. Importing slows down answers."""
        return 0.0 if self._answers.listed else SOON

    def _read(self) -> bool:
        piece = os.read(self._stdin, PIECE)
        self._received += piece
        return bool(piece)

    def _write(self, data: bytes) -> None:
        """Write all of `data`. Keep reading meanwhile: the client may send a lot before it reads."""
        rest = memoryview(data)
        reading = [self._stdin]
        while rest:
            ready, writable, _ = select.select(reading, [self._stdout], [])
            if ready and not self._read():
                reading = []
            if writable:
                rest = rest[os.write(self._stdout, rest) :]
