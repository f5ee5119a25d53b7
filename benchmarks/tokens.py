"""What the tools cost a model: o200k tokens of name, description and input schema.

    python benchmarks/tokens.py [TOOLSET ...]

Reads the compiled catalogue, or any `.yaml` documents among the arguments as they are.
"""

import json
import sys
from pathlib import Path
from typing import Any

from bpe_openai import get_encoding

from mailgun_mcp.catalogue.builtin_tools import OWN_TOOLS, builtin_operation
from mailgun_mcp.catalogue.compile.compiler import DATA
from mailgun_mcp.catalogue.openapi.documents import read_document
from mailgun_mcp.catalogue.openapi.operations import compile_document

ENCODING = get_encoding("o200k_base")


def tokens(tool: dict[str, Any]) -> int:
    """Return the number of o200k tokens in what every client sends to its model for `tool`."""
    shown = {key: tool[key] for key in ("name", "description", "inputSchema")}
    return len(ENCODING.encode(json.dumps(shown, ensure_ascii=False, separators=(",", ":"))))


def _records(arguments: list[str]) -> list[dict[str, Any]]:
    documents = [Path(argument) for argument in arguments if argument.endswith(".yaml")]
    if documents:
        return [record for path in documents for record in compile_document(read_document(path), path.name, path.stem)]
    paths = [path for path in sorted((DATA / "tools").glob("*.json")) if not arguments or path.stem in arguments]
    return [record for path in paths for record in json.loads(path.read_text(encoding="utf-8"))["operations"]]


def main() -> None:
    tools = [record["tool"] for record in _records(sys.argv[1:])]
    counted = sorted(((tokens(tool), tool["name"]) for tool in tools), reverse=True)
    for count, name in counted:
        print(f"{count:6} {name}")
    total = sum(count for count, _ in counted)
    if not sys.argv[1:]:
        own = [tokens(builtin_operation(name).tool) for name in OWN_TOOLS]
        print(f"{total:6} tokens in {len(counted)} tools of the API")
        print(f"{sum(own):6} tokens in {len(own)} tools of the server's own")
        counted, total = [*counted, *((count, "") for count in own)], total + sum(own)
    print(f"{total:6} tokens in {len(counted)} tools")


if __name__ == "__main__":
    main()
