"""The latest pictures that calls drew, so that a client can read them again. Their number is limited."""

from collections import OrderedDict
from secrets import token_urlsafe

MOST_PICTURES = 32


class Pictures:
    """Pictures by name. Only the principal whose call drew a picture can read it."""

    def __init__(self, most: int = MOST_PICTURES) -> None:
        self._most = most
        self._pictures: OrderedDict[str, tuple[str, str, bytes]] = OrderedDict()

    def keep(self, picture: bytes, mime_type: str, owner: str) -> str:
        """Keep a picture, and return its name."""
        name = token_urlsafe(12)
        self._pictures[name] = (owner, mime_type, picture)
        while len(self._pictures) > self._most:
            self._pictures.popitem(last=False)
        return name

    def find(self, name: str, owner: str) -> tuple[str, bytes] | None:
        """Return the media type and the picture, or None if there is none or it belongs to somebody else."""
        picture = self._pictures.get(name)
        return None if picture is None or picture[0] != owner else picture[1:]
