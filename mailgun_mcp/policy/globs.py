"""Globs in a policy: `*`, `?`, `[abc]`, ignoring case."""

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import lru_cache

from mailgun_mcp.text.addresses import canonical_glob
from mailgun_mcp.text.characters import first_invisible
from mailgun_mcp.text.host_names import canonical_ip

CLASS = re.compile(r"\[[^\[\]]*\]")
HOST = re.compile(r"[a-z0-9_*?-]+(?:\.[a-z0-9_*?-]+)*|(?:[0-9a-f*?]*:){2,}[0-9a-f*?]*")
"""A canonical host name or IPv6 address with wildcards."""
TextPredicate = Callable[[str], bool]
HOSTS = 64
"""How many results the test of host names remembers. Each takes about 100 bytes."""


def matcher(globs: Iterable[str]) -> TextPredicate:
    """Return a test whether a text matches any of `globs`. Without globs, nothing matches."""
    lowered = list(dict.fromkeys(glob.lower() for glob in globs))
    if "*" in lowered:
        return lambda _: True
    # Most globs are plain names, `*.example.com` or `delete_*`. These need no regular expression.
    plain = frozenset(glob for glob in lowered if not is_glob(glob))
    ends = tuple(glob[1:] for glob in lowered if _is_open(glob, 0))
    begins = tuple(glob[:-1] for glob in lowered if _is_open(glob, -1))
    if len(plain) + len(ends) + len(begins) < len(lowered):
        search = re.compile("|".join(map(translate, lowered))).match
        return lambda text: search(text.lower()) is not None
    if len(plain) == len(lowered):
        return lambda text: text.lower() in plain
    if len(ends) == len(lowered):
        return lambda text: text.lower().endswith(ends)
    return lambda text: (folded := text.lower()) in plain or folded.endswith(ends) or folded.startswith(begins)


def _is_open(glob: str, side: int) -> bool:
    """Return whether a `*` at this side is the only wildcard."""
    rest = glob[1:] if side == 0 else glob[:-1]
    return glob[side : side + 1 or None] == "*" and not is_glob(rest)


def is_glob(text: str) -> bool:
    """Return whether `text` has wildcards."""
    return any(character in text for character in "*?[")


def can_match_host(glob: str) -> bool:
    """Return whether a glob can match a host name as it is compared, or an address there."""
    local, at, host = canonical_glob(glob).rpartition("@")
    if first_invisible(glob) or local != local.strip() or local.endswith("@") or (at and not local):
        return False
    return canonical_ip(host) is not None or HOST.fullmatch(CLASS.sub("x", host.lower())) is not None


def address_matcher(globs: Iterable[str]) -> TextPredicate:
    """Return a test of an address: a glob with `@` is for the whole address, one without for its domain."""
    canonical = [canonical_glob(glob) for glob in globs]
    whole = matcher(glob for glob in canonical if "@" in glob or glob == "*")
    domain = matcher(glob for glob in canonical if "@" not in glob)
    return lambda address: whole(address) or domain(address.rpartition("@")[2])


def host_matcher(globs: Iterable[str]) -> TextPredicate:
    """Return a test of a host name in A-label form.

    It caches results: an account has few domains, but a policy may have a hundred rules about them.
    """
    return lru_cache(maxsize=HOSTS)(matcher(map(canonical_glob, globs)))
