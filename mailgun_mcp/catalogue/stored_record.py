"""A compiled record, either parsed or as the JSON text that it was read from."""

import json

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.text.compact_json import compact


class StoredRecord:
    """A compiled record. After `pack`, it is kept as text and parsed each time it is needed."""

    __slots__ = ("_record", "_text", "name")

    def __init__(self, record: Record, text: str | None = None) -> None:
        self.name: str = record["tool"]["name"]
        self._record: Record | None = record
        self._text = text

    @property
    def record(self) -> Record:
        """The record. It must not be changed."""
        # Another thread may call `pack` meanwhile.
        record = self._record
        return json.loads(self._text or "") if record is None else record

    def pack(self) -> None:
        """Store only the JSON text, which takes a sixth of the memory."""
        if self._text is None:
            self._text = compact(self._record)
        self._record = None
