"""Reads the compiled catalogue and selects from it."""

import json
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from mailgun_mcp.catalogue.errors import CatalogueError, StaleDataError
from mailgun_mcp.catalogue.former_names import current_tool
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.resource import Resource
from mailgun_mcp.catalogue.saved_files import with_save_as
from mailgun_mcp.catalogue.stored_record import StoredRecord
from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.text.suggest import unknown

ON_BEHALF_OF = "on_behalf_of"
SUBACCOUNT_HEADER = "X-Mailgun-On-Behalf-Of"

CHECKOUT = Path(__file__).resolve().parents[2]
"""The root of the checkout, if the package runs from one."""
DATA = Path(__file__).parents[1] / "_data"
"""The compiled data. `importlib.resources` finds it too, but takes 5 ms of each start to import."""
COMPILE = "python -m mailgun_mcp.catalogue.compile"
"""The command that compiles the sources in a checkout. An installed package does not have it."""


def deprecated_last(tools: list[Record]) -> list[Record]:
    """Return the tools in the same order, but with the deprecated ones last."""
    return sorted(tools, key=is_deprecated)


def is_deprecated(tool: Record) -> bool:
    """Return whether Mailgun advises against using the operation of the tool."""
    return bool(tool["_meta"].get("mailgun-mcp/deprecated"))


class Catalogue:
    """The operations of one server, in a fixed order.

    Records become `Operation` objects when they are first needed: a start only lists tools.
    """

    def __init__(
        self,
        records: Iterable[Record | StoredRecord],
        toolsets: dict[str, str],
        resources: dict[str, Record] | None = None,
    ) -> None:
        stored = (each if isinstance(each, StoredRecord) else StoredRecord(each) for each in records)
        self._stored = {each.name: each for each in stored}
        self._operations: dict[str, Operation] = {}
        self.toolsets = toolsets
        """Toolset name -> title, in order."""
        self._resources = resources or {}

    @classmethod
    def load(cls, *, packed: bool = False) -> "Catalogue":
        """Return the whole catalogue that ships with the package. With `packed`, it is as `pack` would leave it.

        Raises StaleDataError in a checkout whose `tools/` has changed since the last compile.
        """
        records: list[StoredRecord] = []
        toolsets: dict[str, str] = {}
        resources: dict[str, Record] = {}
        for document in _documents(packed=packed):
            toolsets[document.toolset] = document.title
            records += document.records
            resources |= document.resources
        return cls(records, toolsets, resources)

    def __len__(self) -> int:
        return len(self._stored)

    def __iter__(self) -> Iterator[Operation]:
        return (self.find(name) for name in self._stored)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and current_tool(name) in self._stored

    @property
    def names(self) -> Collection[str]:
        """The tool names, in order."""
        return self._stored.keys()

    @property
    def _records(self) -> Iterator[Record]:
        return (stored.record for stored in self._stored.values())

    @cached_property
    def changes_something(self) -> bool:
        """Whether any of the tools does more than read."""
        return any(record["risk"] != "read" for record in self._records)

    def tools(self) -> list[dict[str, Any]]:
        """Return the tools of the operations, in the order of the catalogue."""
        return [record["tool"] for record in self._records]

    def pack(self) -> None:
        """Store the records as JSON text from now on: once clients have the list, few records are needed."""
        for stored in self._stored.values():
            stored.pack()

    def find(self, name: str) -> Operation:
        """Return the operation with that name or former name. Raises KeyError if there is none."""
        name = current_tool(name)
        if name not in self._operations:
            self._operations[name] = Operation.from_record(self._stored[name].record)
        return self._operations[name]

    def resource(self, name: str) -> Resource:
        """Return the resource called `name`. Raises KeyError if there is none."""
        return Resource.from_record(name, self._resources[name])

    def parts_of(self, name: str) -> list[Resource]:
        """Return the resources that are parts of the resource called `name`."""
        return [self.resource(part) for part, record in self._resources.items() if name in record["of"].values()]

    def extended(self, records: Iterable[Record], toolset: str, title: str) -> "Catalogue":
        """Return this catalogue plus those operations of `records` that it lacks."""
        calls = {(record["method"], record["path"]) for record in self._records}
        new = [record for record in records if (record["method"], record["path"]) not in calls]
        taken = [record["tool"]["name"] for record in new if record["tool"]["name"] in self._stored]
        if taken:
            raise CatalogueError(f"tool names already taken: {', '.join(taken)}")
        return self._with([*self._stored.values(), *new], {**self.toolsets, toolset: title})

    def select(
        self,
        *,
        toolsets: Collection[str] = (),
        tools: Collection[str] = (),
        exclude: Collection[str] = (),
        read_only: bool = False,
        deprecated: bool = True,
    ) -> "Catalogue":
        """Return the part of the catalogue that a server offers.

        `toolsets` and `tools` are combined; without either, all tools are selected. `exclude`, `read_only` and
        `deprecated=False` always apply. Raises CatalogueError for a name that does not exist.
        """
        tools = {current_tool(name) for name in tools}
        exclude = {current_tool(name) for name in exclude}
        for kind, names, choices in (
            ("toolset", toolsets, self.toolsets),
            ("tool", [*tools, *exclude], self._stored),
        ):
            for name in names:
                if name not in choices:
                    raise CatalogueError(unknown(kind, name, choices))
        chosen = [
            stored
            for (name, stored), record in zip(self._stored.items(), self._records, strict=True)
            if (not toolsets and not tools) or name in tools or _toolset(record) in toolsets
            if name not in exclude and not (read_only and record["risk"] != "read")
            if deprecated or not is_deprecated(record["tool"])
        ]
        present = {_toolset(stored.record) for stored in chosen}
        return self._with(chosen, {name: title for name, title in self.toolsets.items() if name in present})

    def with_subaccount_argument(self) -> "Catalogue":
        """Return the catalogue with `on_behalf_of` on every tool whose own arguments do not name the subaccount."""
        return self._with(map(_on_behalf_of, self._records), self.toolsets)

    def with_save_as(self) -> "Catalogue":
        """Return the catalogue with `save_as` on the tools that return files."""
        return self._with(map(with_save_as, self._records), self.toolsets)

    def _with(self, records: Iterable[Record | StoredRecord], toolsets: dict[str, str]) -> "Catalogue":
        return Catalogue(records, toolsets, self._resources)


def _toolset(record: Record) -> str:
    name: str = record["tool"]["_meta"]["mailgun-mcp/toolset"]
    return name


def _on_behalf_of(record: Record) -> Record:
    if any(argument["wire"] == SUBACCOUNT_HEADER for argument in record["arguments"]):
        return record
    tool = record["tool"]
    schema = tool["inputSchema"]
    properties = {
        **schema.get("properties", {}),
        ON_BEHALF_OF: {"type": "string", "description": "Id of the subaccount to act in"},
    }
    argument = {"name": ON_BEHALF_OF, "in": "header", "wire": SUBACCOUNT_HEADER, "encode": "text"}
    return {
        **record,
        "tool": {**tool, "inputSchema": {**schema, "properties": properties}},
        "arguments": [*record["arguments"], argument],
    }


class _Document(NamedTuple):
    """A compiled toolset."""

    order: int
    toolset: str
    title: str
    source: str
    resources: dict[str, Record]
    records: list[StoredRecord]


def _documents(*, packed: bool) -> list[_Document]:
    folder = DATA / "tools"
    texts = (item.read_text(encoding="utf-8") for item in folder.iterdir() if item.name.endswith(".json"))
    documents = sorted(_document(text, packed=packed) for text in texts)
    if not documents:
        remedy = f"run `{COMPILE}`" if _is_checkout() else "the installation is damaged, install the package again"
        raise CatalogueError(f"{folder} contains no compiled catalogue: {remedy}")
    _check_fresh(documents)
    return documents


def _document(text: str, *, packed: bool) -> _Document:
    document = json.loads(text)
    # The compiler writes one operation per line.
    lines = (line.removesuffix(",") for line in text.rstrip().split("\n")[1:-1])
    records = list(map(StoredRecord, document.pop("operations"), lines))
    if packed:
        for record in records:
            record.pack()
    return _Document(**document, records=records)


def _is_checkout() -> bool:
    return (CHECKOUT / "pyproject.toml").is_file()


def _check_fresh(documents: list[_Document]) -> None:
    """In a checkout, refuse data that was compiled from other sources than those beside the package."""
    if not _is_checkout():
        return
    from hashlib import sha256

    compiled = {document.toolset: document.source for document in documents}
    present = {path.stem: sha256(path.read_bytes()).hexdigest() for path in (CHECKOUT / "tools").glob("*.yaml")}
    stale = sorted(name for name in compiled.keys() | present.keys() if compiled.get(name) != present.get(name))
    if stale:
        raise StaleDataError(f"the compiled catalogue is stale ({', '.join(stale)}): run `{COMPILE}`")
