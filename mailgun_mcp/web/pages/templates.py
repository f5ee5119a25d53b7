"""Templates of pages. Every value is escaped, and what a reader cannot see in it is shown by its code."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailgun_mcp.text.characters import replace_surrogates, show_invisible
from mailgun_mcp.text.durations import iso

if TYPE_CHECKING:
    from jinja2 import Environment

SHARED = Path(__file__).parent / "templates"
UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"))


@cache
def environment(*directories: Path) -> "Environment":
    """Return the environment of the templates in these directories, and of those that all pages share."""
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
    """Return a time as a person reads it."""
    return datetime.fromtimestamp(at, UTC).strftime("%d %b %Y, %H:%M UTC").lstrip("0")


def left(seconds: float) -> str:
    """Return how much time is left, in words, rounded down."""
    if seconds < 60:
        return "less than a minute"
    size, word = next((size, word) for size, word in UNITS if seconds >= size)
    number = int(seconds // size)
    return f"{number} {word}{'' if number == 1 else 's'}"


def listed(values: Sequence[str]) -> str:
    """Return names as a person lists them: `ann, ben and kim`."""
    return " and ".join(filter(None, [", ".join(values[:-1]), *values[-1:]]))


def _visible(value: Any) -> Any:
    # Markup is what templates themselves made, and it has `__html__`.
    return show_invisible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
