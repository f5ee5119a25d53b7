"""Renders templates: Handlebars with Mailgun's helpers, and the plain fields of Go templates."""

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.templates import TemplateVersion

if TYPE_CHECKING:
    from dotpromptz_handlebars import Handlebars, HelperOptions

Filler = Callable[[Mapping[str, Any]], str]

GO_FIELD = re.compile(r"\{\{-?\s*\.([\w.]+)\s*-?\}\}")
HEADERS = ("From", "Subject", "Reply-To")
"""The headers of a message that a template's version can set."""


class TemplateError(ValueError):
    """A template that is invalid or cannot be rendered."""


def render(source: str, variables: Mapping[str, Any], *, engine: str = "handlebars", escape: bool = True) -> str:
    """Return the rendered template; values are escaped for HTML unless `escape` is false. Raises TemplateError."""
    try:
        return _filler(source, engine, escape)(variables)
    except (ValueError, RecursionError, TypeError) as error:
        raise TemplateError(str(error)) from error


def check_syntax(source: str, engine: str = "handlebars") -> None:
    """Raise TemplateError when the template is invalid."""
    try:
        _filler(source, engine, True)
    except (ValueError, RecursionError) as error:
        raise TemplateError(str(error)) from error


def render_body(
    message: StoredMessage, version: TemplateVersion, variables: Mapping[str, Any], *, as_text: bool = False
) -> None:
    """Render a template's version into the body of `message`, with `as_text` also its text. If it fails, store why."""
    message.template_version = version.tag
    try:
        message.html = render(version.template, variables, engine=version.engine)
    except TemplateError as error:
        message.fault = f"Template '{message.template}' could not be rendered: {error}"
    if as_text:
        from mailgun_mcp.text.html_text import html_to_text

        message.text = html_to_text(message.html)


def render_headers(version: TemplateVersion | None, variables: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that a template's version sets. An invalid header is left unrendered."""
    if version is None:
        return {}
    return {name: _plain(version, name, variables) for name in HEADERS if version.headers.get(name)}


def _plain(version: TemplateVersion, name: str, variables: Mapping[str, Any]) -> str:
    source = version.headers[name]
    try:
        return render(source, variables, engine=version.engine, escape=False)
    except TemplateError:
        return source


@lru_cache(maxsize=256)
def _filler(source: str, engine: str, escape: bool) -> Filler:
    if engine == "go":
        return lambda variables: GO_FIELD.sub(lambda match: _field(variables, match[1]), source)
    return _handlebars(escape).compile(source)


@lru_cache(maxsize=2)
def _handlebars(escape: bool) -> "Handlebars":
    from dotpromptz_handlebars import Handlebars

    engine = Handlebars(escape_html=escape)
    engine.register_helper("equal", _equal)
    # The library's own helper prints to stdout, which must stay free for the program's output.
    engine.register_helper("log", lambda _, __: "")
    return engine


def _equal(values: list[Any], options: "HelperOptions") -> str:
    if len(values) != 2:
        raise TemplateError("equal takes two values")
    block = options.fn if _written(values[0]) == _written(values[1]) else options.inverse
    return block(options.context) if block else ""


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _field(variables: Mapping[str, Any], path: str) -> str:
    value: Any = variables
    for name in path.split("."):
        value = value.get(name, "") if isinstance(value, Mapping) else ""
    return _written(value)
