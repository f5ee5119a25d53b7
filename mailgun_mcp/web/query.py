"""The query parameters of our own APIs: an unknown or repeated one is refused, so that a typo is not ignored."""

from collections.abc import Sequence

from starlette.requests import Request

from mailgun_mcp.text.suggest import sentence, unknown


class QueryError(Exception):
    """A query parameter that the route does not have, or one that is repeated. The message is a sentence."""


def check_query(request: Request, names: Sequence[str] = ()) -> None:
    """Raise QueryError unless each parameter is one of `names`, and is given once."""
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in names:
            raise QueryError(unknown_name("parameter", name, names))
        if given.count(name) > 1:
            raise QueryError(f"The parameter {name} is given more than once.")


def unknown_name(kind: str, name: str, names: Sequence[str]) -> str:
    """Return a sentence that refuses an unknown name and suggests the right one."""
    text = sentence(unknown(kind, name, names, none=f"no {kind} is accepted here"))
    return text if text.endswith("?") else f"{text}."
