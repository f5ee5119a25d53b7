"""The tools of search mode: they find, describe and call all others, which are not listed."""

from mailgun_mcp.catalogue.types import Record

SEARCH_TOOLS = "search_tools"
DESCRIBE_TOOLS = "describe_tools"
READ_TOOL = "read_tool"
CALL_TOOL = "call_tool"
ALWAYS_LISTED = ("list_domains", "get_bounce")
"""Tools that nearly everyone needs, and that cost few tokens."""
DETAILS = ("names", "short", "full")
MAX_QUERIES = 3
MAX_DESCRIBED = 5
MAX_HITS = 20
DEFAULT_HITS = 8


def _tool(title: str, description: str, schema: Record, output: Record, *, reads: bool, local: bool) -> Record:
    return {
        "title": title,
        "description": description,
        "inputSchema": {"type": "object", **schema},
        "outputSchema": {"type": "object", **output},
        "annotations": {
            "readOnlyHint": reads,
            "destructiveHint": not reads,
            "idempotentHint": reads,
            "openWorldHint": not local,
        },
    }


_HITS: Record = {"properties": {"tools": {"type": "array", "items": {"type": "object"}}}}
_WRAPPED: Record = {
    "properties": {
        "name": {"type": "string", "description": "Tool name, from search_tools"},
        "arguments": {"type": "object", "description": "As describe_tools says", "properties": {}},
    },
    "required": ["name"],
}

TOOLS: dict[str, Record] = {
    SEARCH_TOOLS: _tool(
        "Search tools",
        "Finds the tools for a task among all Mailgun operations: mail, domains, DNS, suppressions, events, metrics, "
        "templates, routes, webhooks, lists, IPs, keys, users, subaccounts.",
        {
            "properties": {
                "queries": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MAX_QUERIES,
                    "items": {"type": "string", "minLength": 1, "maxLength": 500},
                    "description": "The task in different words",
                },
                "toolset": {"type": "string", "description": "Only this section, such as bounces or ip_pools"},
                "limit": {"type": "integer", "minimum": 1, "maximum": MAX_HITS, "default": DEFAULT_HITS},
                "detail": {"type": "string", "enum": list(DETAILS), "default": "short"},
            },
            "required": ["queries"],
        },
        _HITS,
        reads=True,
        local=True,
    ),
    DESCRIBE_TOOLS: _tool(
        "Describe tools",
        "Shows descriptions and input schemas of tools, to call them.",
        {
            "properties": {
                "names": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MAX_DESCRIBED,
                    "items": {"type": "string"},
                }
            },
            "required": ["names"],
        },
        _HITS,
        reads=True,
        local=True,
    ),
    READ_TOOL: _tool(
        "Call a reading tool",
        "Calls a tool that only reads; refuses all others.",
        _WRAPPED,
        {},
        reads=True,
        local=False,
    ),
    CALL_TOOL: _tool(
        "Call a tool",
        "Calls any tool, under the same guard rails as a direct call.",
        _WRAPPED,
        {},
        reads=False,
        local=False,
    ),
}
"""Tool name -> the tool without what all of the server's own tools have alike."""
