"""Encodes long answers while other requests run."""

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.replies.give_way import in_turns
from mailgun_mcp.simulator.replies.reply import COMPACT, Reply


async def large_reply(answer: Record) -> Reply:
    """Return the reply for a JSON object. Other requests run while the items of its lists are encoded."""
    fields = []
    for name, value in answer.items():
        if isinstance(value, list):
            text = f"[{','.join(await in_turns(map(COMPACT.encode, value)))}]"
        else:
            text = COMPACT.encode(value)
        fields.append(f"{COMPACT.encode(name)}:{text}")
    return Reply(f"{{{','.join(fields)}}}".encode())
