"""Suggests the right name in every error about an unknown one."""

from collections.abc import Iterable

from mailgun_mcp.text.characters import excerpt

LONGEST = 100
"""Longest name, in characters, for which one is suggested. A longer one is hardly a typo, and takes long to compare."""


def suggest(name: str, names: Iterable[str]) -> str | None:
    """Return the one of `names` that is most like `name`, or None if none is similar."""
    if len(name) > LONGEST:
        return None
    from difflib import get_close_matches

    options = sorted(names)
    words = set(name.lower().split("_"))
    reordered = next((option for option in options if "_" in name and set(option.lower().split("_")) == words), None)
    if reordered:
        return reordered
    matches = get_close_matches(name, options, n=1, cutoff=0.6)
    if matches:
        return matches[0]
    return next((option for option in options if name and (name in option or option in name)), None)


def sentence(text: str) -> str:
    """Return `text` with a capital first letter. The rest, above all names, stays unchanged."""
    return text[:1].upper() + text[1:]


def unknown(kind: str, name: str, names: Iterable[str], *, none: str = "there are none") -> str:
    """Return a sentence that rejects an unknown name and suggests the right one. Only the start of a long name is repeated.

    `none` says what is the case if there are no names at all.
    """
    options = list(names)
    suggestion = suggest(name, options)
    shown = excerpt(name, LONGEST)
    if not options:
        return f"unknown {kind} {shown!r}: {none}"
    if suggestion:
        return f"unknown {kind} {shown!r}: did you mean {suggestion!r}?"
    if len(options) <= 12:
        return f"unknown {kind} {shown!r}: choose from {', '.join(sorted(options))}"
    return f"unknown {kind} {shown!r}"
