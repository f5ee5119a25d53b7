"""Skills over MCP, the extension `io.modelcontextprotocol/skills` (SEP-2640): each file of a skill is a resource."""

from collections.abc import Mapping
from typing import Any

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from pydantic import Field

from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.skills import FILE, Skill, skills_for
from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server.context import ServerContext, principal_of
from mailgun_mcp.server.description import EXTENSIONS, SKILLS
from mailgun_mcp.server.offered import tools_for

SCHEME = "skill://"
MARKDOWN, DIRECTORY = "text/markdown", "inode/directory"
HOUR = 3_600_000
"""One hour in milliseconds, for cache hints. Skills do not change while the server runs."""
COMPLETE = "complete"


class UriParams(types.RequestParams):
    """The parameters of a request about one resource."""

    uri: str = Field(max_length=2_048)


class DirectoryParams(types.PaginatedRequestParams):
    """The parameters of `resources/directory/read`."""

    uri: str = Field(max_length=2_048)


class Skills:
    """Lists and reads the skills of one server, limited to the principal's tools."""

    def __init__(self, services: Services, principal: Principal | None) -> None:
        self._services = services
        self._principal = principal
        self._narrowed: dict[frozenset[str] | None, dict[str, Skill]] = {}

    def add_to(self, server: Server[dict[str, Any]]) -> None:
        """Announce the extension and answer its methods."""
        server.extensions |= {SKILLS: EXTENSIONS[SKILLS]}
        server.add_request_handler("skills/list", types.PaginatedRequestParams, self._list)
        server.add_request_handler("skills/get", UriParams, self._get)
        server.add_request_handler("resources/directory/read", DirectoryParams, self._read_directory)

    def resources(self, context: ServerContext) -> list[types.Resource]:
        """Return the SKILL.md of each skill, for `resources/list`."""
        return [
            types.Resource(
                uri=_uri(skill.name, FILE), name=skill.name, description=skill.description, mime_type=MARKDOWN
            )
            for skill in self._skills(context).values()
        ]

    def read(self, context: ServerContext, uri: str) -> str | None:
        """Return a file of a skill, or None if there is no such file."""
        name, _, path = uri.removeprefix(SCHEME).partition("/")
        skill = self._skills(context).get(name)
        content = skill.files.get(path) if skill else None
        return content.decode() if content is not None else None

    async def _list(self, context: ServerContext, _: types.PaginatedRequestParams) -> Record:
        entries = [_entry(skill) for skill in self._skills(context).values()]
        return {"resultType": COMPLETE, "skills": entries, "ttlMs": HOUR, "cacheScope": self._scope}

    async def _get(self, context: ServerContext, params: UriParams) -> Record:
        name, _, path = params.uri.removeprefix(SCHEME).partition("/")
        skill = self._skills(context).get(name)
        if skill is None or path != FILE or not params.uri.startswith(SCHEME):
            raise MCPError(types.INVALID_PARAMS, f"No skill is served at {params.uri}", {"uri": params.uri})
        return {"resultType": COMPLETE, "skill": _entry(skill), "ttlMs": HOUR, "cacheScope": self._scope}

    async def _read_directory(self, context: ServerContext, params: DirectoryParams) -> Record:
        if params.cursor:
            raise MCPError(types.INVALID_PARAMS, "Unknown cursor: this list has one page")
        name, _, folder = params.uri.removeprefix(SCHEME).partition("/")
        skill = self._skills(context).get(name)
        # A directory's URI has no trailing slash.
        named = params.uri.startswith(SCHEME) and not params.uri.endswith("/")
        children = _children(skill, folder) if skill and named else {}
        if not children:
            raise MCPError(types.INVALID_PARAMS, f"{params.uri} is not a directory resource", {"uri": params.uri})
        listed = [{"uri": f"{params.uri}/{child}", "name": child, "mimeType": kind} for child, kind in children.items()]
        return {"resultType": COMPLETE, "resources": listed}

    @property
    def _scope(self) -> str:
        return "public" if self._principal else "private"

    def _skills(self, context: ServerContext) -> Mapping[str, Skill]:
        access = principal_of(context, self._principal).access
        if access.scopes not in self._narrowed:
            self._narrowed[access.scopes] = skills_for(tools_for(self._services, access))
        return self._narrowed[access.scopes]


def _uri(skill: str, path: str) -> str:
    return f"{SCHEME}{skill}/{path}"


def _entry(skill: Skill) -> Record:
    digests = skill.digests()
    return {
        "uri": _uri(skill.name, FILE),
        "frontmatter": skill.frontmatter,
        "resources": [
            {"uri": _uri(skill.name, path), "digest": digests[path], "size": len(content)}
            for path, content in skill.files.items()
        ],
    }


def _children(skill: Skill, folder: str) -> dict[str, str]:
    """Return the direct children of a directory with their kinds. Empty if it is not a directory."""
    prefix = f"{folder}/" if folder else ""
    below = [path.removeprefix(prefix) for path in skill.files if path.startswith(prefix)]
    return {path.partition("/")[0]: DIRECTORY if "/" in path else MARKDOWN for path in below}
