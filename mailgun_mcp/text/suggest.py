"""Names the nearest of what is known, for every error about an unknown name."""

from collections.abc import Iterable


def suggest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None when none is like it."""
    from difflib import get_close_matches

    options = sorted(known)
    found = get_close_matches(name, options, n=1, cutoff=0.6)
    if found:
        return found[0]
    return next((option for option in options if name and (name in option or option in name)), None)


def sentence(text: str) -> str:
    """Return `text` with a capital first letter and the rest, names above all, as it is."""
    return text[:1].upper() + text[1:]


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the sentence that refuses an unknown name and offers the nearest."""
    options = list(known)
    like = suggest(name, options)
    if like:
        return f"unknown {kind} {name!r}: did you mean {like!r}?"
    if 0 < len(options) <= 12:
        return f"unknown {kind} {name!r}: known are {', '.join(sorted(options))}"
    return f"unknown {kind} {name!r}"
