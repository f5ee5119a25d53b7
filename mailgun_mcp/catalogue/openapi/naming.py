"""Makes names for tools whose document gives none: from method, path and summary."""

import re
import unicodedata
from collections.abc import Container, Iterator

LONGEST = 46
NAME = re.compile(r"[a-z][a-z0-9_]{0,45}")
RESERVED = frozenset(
    {"read_result", "search_tools", "describe_tool", "call_tool", "undo_operation", "list_undoable", "whoami"},
)
"""Tools of the server itself."""

VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}
VERBS_OF_SUMMARIES = """
    activate add allow approve assign attach batch block bulk cancel change check clear clone confirm copy count
    create deactivate delegate delete detach disable download edit enable enroll export fetch find generate get
    import initialize invite link list lookup make modify move override pause place post preview purge put query
    read regenerate remove rename replace request resend reset restore resume retrieve return revoke rotate run
    save schedule search select send set show start stop submit subscribe switch sync tag test trigger undo unlink
    unsubscribe update upload validate verify view
"""
SPOKEN = frozenset(VERBS_OF_SUMMARIES.split())
"""First words of a summary that are verbs already."""

DANGLING = re.compile(r"(_(and|by|for|from|in|of|on|or|to|with))+$")
"""What the end of a name that was cut may not be."""

ARTICLES = frozenset({"a", "an", "the"})


def tool_name(method: str, path: str, summary: str, operation_id: object, taken: Container[str]) -> str:
    """Return a tool name, `verb_noun`, that is not `taken`: the same one for the same document."""
    for name in _candidates(method, path, summary, operation_id):
        if name not in taken and name not in RESERVED:
            return name
    raise AssertionError("numbered names do not end")


def _candidates(method: str, path: str, summary: str, operation_id: object) -> Iterator[str]:
    if isinstance(operation_id, str) and NAME.fullmatch(operation_id) and "_" in operation_id:
        yield operation_id
    verb = VERBS[method]
    from_summary = [word for word in _words(summary) if word not in ARTICLES]
    if from_summary and from_summary[0].removesuffix("s") in SPOKEN:
        from_summary[0] = from_summary[0].removesuffix("s")
    elif from_summary:
        from_summary = [verb, *from_summary]
    from_path = [verb, *(word for part in path.split("/") if not part.startswith("{") for word in _words(part))]
    names = [_joined(words) for words in (from_summary, from_path) if len(words) > 1] or [verb]
    yield from names
    number = 2
    while True:
        yield f"{names[0][: LONGEST - len(str(number)) - 1]}_{number}"
        number += 1


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode().replace("'", "")
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", plain)
    return re.findall(r"[a-z0-9]+", spaced.lower())


def _joined(words: list[str]) -> str:
    name = words[0][:LONGEST]
    for word in words[1:]:
        if len(name) + len(word) + 1 > LONGEST:
            return DANGLING.sub("", name) if "_" in name else f"{name}_{word}"[:LONGEST]
        name += f"_{word}"
    return name
