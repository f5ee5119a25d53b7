"""Logs: structlog on stderr, without secrets. stdout of a stdio server carries MCP and nothing else."""

import logging
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailgun_mcp.output.redaction import Redactor

_secrets: set[str] = set()
"""The secrets passed to `withhold`. They are collected here so that a `Redactor` is made only when a record needs it."""


def withhold(secret: str) -> None:
    """Keep `secret` out of every record from now on."""
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
    """Return the logger. structlog is imported at the first record, not at the start."""
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
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


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return _redacted(super().format(record))


def redactor() -> "Redactor":
    """Return the redactor that knows every secret passed to `withhold`."""
    shared = _redactor()
    shared.learn(*_secrets)
    return shared


def _redacted(line: str) -> str:
    return redactor().text(line)


@lru_cache(maxsize=1)
def _redactor() -> "Redactor":
    from mailgun_mcp.output.redaction import Redactor

    return Redactor()
