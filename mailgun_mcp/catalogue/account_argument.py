"""The argument `account` of tools, which callers with several accounts are shown."""

from collections.abc import Sequence

from mailgun_mcp.catalogue.builtin_tools import READ_RESULT, WHOAMI
from mailgun_mcp.catalogue.search.tools import CALL_TOOL, DESCRIBE_TOOLS, READ_TOOL, SEARCH_TOOLS
from mailgun_mcp.catalogue.types import Record

ACCOUNT = "account"
WITHOUT_ACCOUNT = frozenset({READ_RESULT, WHOAMI, SEARCH_TOOLS, DESCRIBE_TOOLS})
"""Tools that show nothing of an account."""
WRAPPERS = frozenset({READ_TOOL, CALL_TOOL})
"""Tools whose account is an argument of the call inside of them."""


def with_account_argument(tool: Record, names: Sequence[str]) -> Record:
    """Return the tool with an argument that chooses one of these accounts.

    It takes the place of an argument of that name of an operation that `--spec` added; the catalogue has none.
    It is not required: a call without it is made in the account of its domain. The server's instructions say so once,
    and not each tool.
    """
    if tool["name"] in WITHOUT_ACCOUNT | WRAPPERS:
        return tool
    schema = tool["inputSchema"]
    properties = {**schema["properties"], ACCOUNT: {"type": "string", "enum": list(names)}}
    return {**tool, "inputSchema": {**schema, "properties": properties}}
