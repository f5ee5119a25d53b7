"""The principal of a request is where the layers inside find it, and the token that proved it is not."""

import pytest

from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.web.principal import path_in, principal_in, with_principal

ANN = Principal("ann")


def test_layers_inside_find_the_principal_and_no_token() -> None:
    scope = {"type": "http", "headers": [(b"authorization", b"Bearer x"), (b"Authorization", b"y"), (b"host", b"h")]}
    inside = with_principal(scope, ANN)
    assert (principal_in(inside), inside["headers"]) == (ANN, [(b"host", b"h")])
    assert len(scope["headers"]) == 3


def test_a_request_that_nobody_authenticated_has_none() -> None:
    with pytest.raises(KeyError):
        principal_in({"type": "http", "headers": []})


@pytest.mark.parametrize(
    ("path", "prefix", "inside"),
    [
        ("/mcp", "", "/mcp"),
        ("/mail/mcp", "/mail", "/mcp"),
        ("/mail", "/mail", ""),
        ("/mailbox/mcp", "/mail", "/mailbox/mcp"),
        ("/mcp/mcp", "/mcp", "/mcp"),
    ],
)
def test_the_path_inside_a_prefix_is_that_of_the_router(path: str, prefix: str, inside: str) -> None:
    from starlette._utils import get_route_path

    scope = {"path": path, "root_path": prefix}
    assert path_in(scope) == get_route_path(scope) == inside
