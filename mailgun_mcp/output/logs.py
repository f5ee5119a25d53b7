"""Logs: structlog on stderr, without secrets. stdout of a stdio server carries MCP and nothing else."""

import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailgun_mcp.output.redaction import Redactor

current_call: ContextVar[str | None] = ContextVar("current_call", default=None)
"""The id, in the audit log, of the call that is being made. Every log record of the call includes it."""
_secrets: set[str] = set()
"""The secrets passed to `withhold`. They are collected here so that a `Redactor` is created only when it is needed."""


def withhold(secret: str) -> None:
    """Keep `secret` out of every log record from now on."""
    _secrets.add(secret)


def reset() -> None:
    """Forget the secrets and the logger's settings, as tests do between two servers in one process."""
    _secrets.clear()
    _redactor.cache_clear()
    logger.cache_clear()


def configure(level: str) -> None:
    """Send the libraries' warnings and our own records from `level` on to stderr."""
    number = getattr(logging, level.upper())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING))
    logging.getLogger("mailgun_mcp").setLevel(number)


@lru_cache(maxsize=1)
def logger() -> Any:
    """Return the logger. structlog is imported when the first record is logged, not at the start."""
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _with_ids,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
            lambda _, __, line: _redacted(str(line)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLogger("mailgun_mcp").getEffectiveLevel()),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    return structlog.get_logger()


def _with_ids(_: Any, __: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the ids by which the log records of a call are found: that in the audit log, and that of the trace."""
    call, opentelemetry = current_call.get(), sys.modules.get("opentelemetry.trace")
    if call is not None:
        record.setdefault("call", call)
    context = opentelemetry.get_current_span().get_span_context() if opentelemetry else None
    if context is not None and context.is_valid:
        record["trace"] = f"{context.trace_id:032x}"
    return record


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return _redacted(super().format(record))


def redactor() -> "Redactor":
    """Return the redactor that knows all secrets passed to `withhold`."""
    shared = _redactor()
    shared.learn(*_secrets)
    return shared


def _redacted(line: str) -> str:
    return redactor().text(line)


@lru_cache(maxsize=1)
def _redactor() -> "Redactor":
    from mailgun_mcp.output.redaction import Redactor

    return Redactor()
