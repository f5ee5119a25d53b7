"""Where the HTTP layers put the principal of a request, for the layers inside."""

from starlette.types import Scope

from mailgun_mcp.identity.principal import Principal

KEY = "mailgun_mcp.principal"


def with_principal(scope: Scope, principal: Principal) -> Scope:
    """Return the scope of a request of `principal`, without the token: nothing inside needs it."""
    headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"authorization"]
    return {**scope, "headers": headers, KEY: principal}


def principal_in(scope: Scope) -> Principal:
    """Return the principal of a request. Raises KeyError if no layer authenticated it."""
    principal: Principal = scope[KEY]
    return principal


def path_in(scope: Scope) -> str:
    """Return the path inside the app, which may be mounted under a prefix. Starlette's router reads it the same way."""
    path: str = scope["path"]
    prefix: str = scope.get("root_path", "")
    inside = path.removeprefix(prefix)
    return inside if not inside or inside.startswith("/") else path
