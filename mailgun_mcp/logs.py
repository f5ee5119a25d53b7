"""Logs: structlog on stderr. stdout of a stdio server carries MCP and nothing else."""

import logging
import sys
from functools import lru_cache
from typing import Any


def configure(level: str) -> None:
    """Send the libraries' warnings and our own records from `level` on to stderr."""
    number = getattr(logging, level.upper())
    logging.basicConfig(
        stream=sys.stderr, level=max(number, logging.WARNING), format="%(levelname)s %(name)s %(message)s"
    )
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
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLogger("mailgun_mcp").getEffectiveLevel()),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    return structlog.get_logger()
