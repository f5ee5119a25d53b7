"""The users of this machine, as names of principals."""

from collections.abc import Iterable

from mailgun_mcp.identity.principal import ANONYMOUS, local_user


def principals_here(words: Iterable[str]) -> list[str] | None:
    """Return who can call a server on this machine, or None if the system cannot list its users.

    A directory service may not list all its users, so each of `words` is also looked up individually.
    """
    try:
        from pwd import getpwall, getpwnam
    except ImportError:  # pragma: no cover - on Windows
        return None
    names = [entry.pw_name for entry in getpwall()]
    for word in words:
        try:
            names.append(getpwnam(word).pw_name)
        except (KeyError, ValueError, OSError):
            continue
    return [*names, local_user().id, ANONYMOUS.id]
