"""Sends each request to the app that its path belongs to. Each app authenticates callers in its own way."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp.web.principal import path_in


class Paths:
    """Sends a request to the app for the first part of its path, such as `/approvals`, and all others to `rest`.

    Slashes at the end of a path are ignored. Starlette would redirect to the path without them, with the scheme of the
    connection: behind a proxy with TLS, that leads a client away from TLS, and many clients follow no redirect of a POST.
    """

    def __init__(self, apps: Mapping[str, ASGIApp], rest: ASGIApp) -> None:
        self._apps = dict(apps)
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        app = self._rest
        if scope["type"] == "http":
            scope = _without_last_slash(scope)
            app = self._apps.get("/" + path_in(scope).split("/", 2)[1] if "/" in path_in(scope) else "", self._rest)
        await app(scope, receive, send)


def _without_last_slash(scope: Scope) -> Scope:
    path = path_in(scope)
    if not path.endswith("/"):
        return scope
    extra = len(path) - len(path.rstrip("/") or "/")
    end = len(scope["path"]) - extra
    return {**scope, "path": scope["path"][:end], "raw_path": scope["path"][:end].encode()}
