"""Chat events in words, for protocols whose clients show only text. Answers come back as lines of a message."""

import re
from collections.abc import Sequence
from typing import Any

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.errors import BadMessageError

COMMAND = re.compile(r"/(?P<verb>approve|deny)(?:[ \t]+(?P<approval>\S+)(?:[ \t]+(?P<rest>.*\S))?)?", re.IGNORECASE)
ALONE = "Send the answer alone: each line of the message is `/approve ID`, `/approve ID NAME` or `/deny ID REASON`."


def answers_in(text: str) -> list[Answer]:
    """Return the answers that a person typed, if any line is one. Raises BadMessageError if other text is mixed in.

    This runs before a model sees the message.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    commands = [COMMAND.fullmatch(line) for line in lines]
    if not any(commands):
        return []
    answers = []
    for command in commands:
        if command is None or command["approval"] is None:
            raise BadMessageError(ALONE)
        approval, rest = command["approval"].strip("`"), command["rest"]
        if command["verb"].lower() == "approve":
            answers.append(Answer(approval, True, typed=rest))
        else:
            answers.append(Answer(approval, False, reason=rest or ""))
    return answers


def question(approval: dict[str, Any], link: str | None) -> str:
    """Return the question to the person, with how to answer it."""
    name = approval["approval"]
    form = "\n".join(f"> {line}" for line in approval["form"].splitlines())
    where = f"Or open {link}/{name}" if link else f"Or run `mailgun-mcp approvals approve {name}` in a terminal"
    if approval["answerable"]:
        typed = f" {approval['typed']}" if approval["typed"] else ""
        how = f"To allow it, send `/approve {name}{typed}`. To refuse, send `/deny {name} your reason`. {where}."
    else:
        how = f"Somebody else must approve this. You can refuse: `/deny {name} your reason`. {where}."
    return f"\n\n**A person must answer** ({name}, until {approval['expires']}):\n\n{form}\n\n{how}\n"


def questions(approvals: Sequence[dict[str, Any]], link: str | None) -> str:
    """Return all questions."""
    return "".join(question(approval, link) for approval in approvals)


def finished(body: dict[str, Any]) -> str:
    """Return one line about a finished call."""
    undo = f", undo: {body['undo']}" if body.get("undo") else ""
    return f"\n\n`{body['tool']}`: {body['status']}{undo}\n\n"
