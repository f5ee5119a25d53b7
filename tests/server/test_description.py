"""What the server says of itself is what the SDK says of it."""

from mailgun_mcp.identity.principal import local_user
from mailgun_mcp.server.description import EXTENSIONS, SERVER_INFO, capabilities
from mailgun_mcp.server.server import create_server
from tests.support.stdio_sessions import few_tools


def test_the_description_is_the_sdks() -> None:
    options = create_server(few_tools(), local_user()).create_initialization_options()
    described = options.capabilities.model_dump(by_alias=True, exclude_none=True)
    expected = {**capabilities(modern=False), "extensions": EXTENSIONS}
    assert described == expected, "the older era does not send the extensions"
    assert (options.server_name, options.server_version) == (SERVER_INFO["name"], SERVER_INFO["version"])
