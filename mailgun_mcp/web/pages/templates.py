"""Page templates. Every value is escaped, and invisible characters in it are shown as their codes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailgun_mcp.text.characters import replace_surrogates, show_invisible
from mailgun_mcp.text.durations import in_words, iso

if TYPE_CHECKING:
    from jinja2 import Environment

SHARED = Path(__file__).parent / "templates"


@cache
def environment(*directories: Path) -> "Environment":
    """Return the environment with the templates in these directories and those that all pages share."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader([*directories, SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"iso": iso, "when": when, "left": left, "listed": listed}
    return made


def render(directories: Sequence[Path], name: str, **values: Any) -> str:
    """Return the HTML of a template."""
    return replace_surrogates(environment(*directories).get_template(name).render(**values))


def when(at: float) -> str:
    """Return a time as people read it."""
    return datetime.fromtimestamp(at, UTC).strftime("%d %b %Y, %H:%M UTC").lstrip("0")


def left(seconds: float) -> str:
    """Return in words how much time is left, rounded down."""
    return in_words(seconds) if seconds >= 60 else "less than a minute"


def listed(values: Sequence[str]) -> str:
    """Return names in a list as people write it: `ann, ben and kim`."""
    return " and ".join(filter(None, [", ".join(values[:-1]), *values[-1:]]))


def _visible(value: Any) -> Any:
    # Markup, which has `__html__`, comes from templates themselves.
    return show_invisible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
