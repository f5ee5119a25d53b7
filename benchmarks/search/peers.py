"""Ranks tools with FastMCP and plain BM25. `recall.py` runs it with an interpreter that has both; JSON in, JSON out."""

import asyncio
import json
import re
import sys

from fastmcp.server.transforms.search.bm25 import BM25SearchTransform
from fastmcp.tools.base import Tool
from rank_bm25 import BM25Okapi

HITS = 20


async def by_fastmcp(tools: list[list[str]], questions: list[str]) -> list[list[str]]:
    """Return, for each question, the tool names as FastMCP's BM25 search ranks them."""
    transform = BM25SearchTransform(max_results=HITS)
    listed = [Tool(name=name, description=description, parameters={"type": "object"}) for name, description in tools]
    return [[tool.name for tool in await transform._search(listed, question)] for question in questions]


def by_bm25(tools: list[list[str]], questions: list[str]) -> list[list[str]]:
    """Return, for each question, the tool names as BM25 over names and descriptions ranks them."""
    index = BM25Okapi([_words(f"{name} {description}") for name, description in tools])
    names = [name for name, _ in tools]
    return [index.get_top_n(_words(question), names, n=HITS) for question in questions]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


request = json.load(sys.stdin)
answer = {
    "FastMCP's BM25": asyncio.run(by_fastmcp(request["tools"], request["questions"])),
    "plain BM25": by_bm25(request["tools"], request["questions"]),
}
json.dump(answer, sys.stdout)
