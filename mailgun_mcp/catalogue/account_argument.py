"""The `account` argument that callers with several accounts see on tools."""

from collections.abc import Sequence

from mailgun_mcp.catalogue.builtin_tools import READ_RESULT, WHOAMI
from mailgun_mcp.catalogue.search.tools import CALL_TOOL, DESCRIBE_TOOLS, READ_TOOL, SEARCH_TOOLS
from mailgun_mcp.catalogue.types import Record

ACCOUNT = "account"
WITHOUT_ACCOUNT = frozenset({READ_RESULT, WHOAMI, SEARCH_TOOLS, DESCRIBE_TOOLS})
"""Tools that show nothing that belongs to an account."""
WRAPPERS = frozenset({READ_TOOL, CALL_TOOL})
"""Tools that take the account inside the call that they wrap."""


def with_account_argument(tool: Record, names: Sequence[str]) -> Record:
    """Return the tool with an argument that chooses one of these accounts.

    It replaces an argument of that name of an operation that `--spec` added; the catalogue has none.
    It is optional: a call without it uses the account of its domain. The server's instructions say so once, instead of
    every tool.
    """
    if tool["name"] in WITHOUT_ACCOUNT | WRAPPERS:
        return tool
    schema = tool["inputSchema"]
    properties = {**schema["properties"], ACCOUNT: {"type": "string", "enum": list(names)}}
    return {**tool, "inputSchema": {**schema, "properties": properties}}
