"""MCP resources: the tool reference, presets, the policy, log entries, and what single tools read in the account."""

from base64 import b64encode
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.results import ReturnedFile
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.policy.globs import host_matcher
from mailgun_mcp.server.apps import TOOLS as VIEWS
from mailgun_mcp.server.apps import view_contents
from mailgun_mcp.server.context import ServerContext, client_name, principal_of
from mailgun_mcp.server.offered import in_each_account, tools_for
from mailgun_mcp.server.resource_kinds import BINARY, JSON, KINDS, SCHEME, ResourceKind, kind_of
from mailgun_mcp.server.resource_texts import TEXTS, log_entry
from mailgun_mcp.server.skills import MARKDOWN, Skills
from mailgun_mcp.server.skills import SCHEME as SKILL_SCHEME
from mailgun_mcp.store.database import in_thread


class Resources:
    """Lists and reads the resources of one server. Those that a principal may not read do not exist for them."""

    def __init__(self, services: Services, principal: Principal | None, skills: Skills) -> None:
        self._services = services
        self._principal = principal
        self._skills = skills

    async def list_resources(self, context: ServerContext, _: types.PaginatedRequestParams | None) -> Any:
        """Answer `resources/list`."""
        listed = [
            types.Resource(
                uri=SCHEME + kind.path,
                name=kind.name,
                title=kind.title,
                description=kind.description,
                mime_type=kind.mime_type,
            )
            for kind in self._kinds(context)
            if not kind.variables
        ]
        return types.ListResourcesResult(resources=listed + self._skills.resources(context))

    async def list_templates(self, context: ServerContext, _: types.PaginatedRequestParams | None) -> Any:
        """Answer `resources/templates/list`."""
        return types.ListResourceTemplatesResult(
            resource_templates=[
                types.ResourceTemplate(
                    uri_template=kind.template,
                    name=kind.name,
                    title=kind.title,
                    description=kind.description,
                    mime_type=kind.mime_type,
                )
                for kind in self._kinds(context)
                if kind.variables
            ]
        )

    async def read(self, context: ServerContext, params: types.ReadResourceRequestParams) -> Any:
        """Answer `resources/read`. An unknown URI is a protocol error that names it."""
        uri = str(params.uri)
        if VIEWS.get(uri) in tools_for(self._services, principal_of(context, self._principal).access):
            return types.ReadResourceResult(contents=[view_contents(uri)])
        picture = self._picture(context, uri)
        if picture is not None:
            mime_type, blob = picture[0], b64encode(picture[1]).decode()
            return types.ReadResourceResult(
                contents=[types.BlobResourceContents(uri=uri, mime_type=mime_type, blob=blob)]
            )
        content = await self._content(context, uri)
        if content is None:
            raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": uri})
        if isinstance(content, ReturnedFile):
            blob = b64encode(content.content).decode()
            return types.ReadResourceResult(
                contents=[types.BlobResourceContents(uri=uri, mime_type=content.mime_type, blob=blob)]
            )
        kind, text = content
        return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, mime_type=kind, text=text)])

    def _picture(self, context: ServerContext, uri: str) -> tuple[str, bytes] | None:
        match = kind_of(uri)
        if match is None or match[0].name != "chart":
            return None
        principal = principal_of(context, self._principal)
        services = [self._services, *self._services.of_accounts.values()]
        pictures = (each.pictures.find(match[1]["chart"], principal.id) for each in services)
        return next((picture for picture in pictures if picture is not None), None)

    async def _content(self, context: ServerContext, uri: str) -> tuple[str, str] | ReturnedFile | None:
        if uri.startswith(SKILL_SCHEME):
            skill = self._skills.read(context, uri)
            return None if skill is None else (MARKDOWN, skill)
        match = kind_of(uri)
        if match is None or match[0] not in self._kinds(context):
            return None
        kind, values = match
        text = await self._text(context, kind, values)
        if text is None or isinstance(text, ReturnedFile):
            return text
        # A file that is text is fenced, so it comes in JSON.
        return (JSON if kind.mime_type == BINARY else kind.mime_type, text)

    async def _text(
        self, context: ServerContext, kind: ResourceKind, values: dict[str, str]
    ) -> str | ReturnedFile | None:
        principal = principal_of(context, self._principal)
        if kind.name == "log":
            return await in_thread(log_entry, self._services, principal, values["call"])
        if kind.name not in TEXTS and kind.tool is None:
            return None
        if kind.tool is None:
            return TEXTS[kind.name](self._services, tools_for(self._services, principal.access), values)
        # Goes through the same stages as a call of the tool.
        calls = await in_each_account(self._services, principal, kind.call(values))
        outcomes = [await run(self._services, kind.tool, each, self._caller(context)) for each in calls]
        binary = [outcome.file for outcome in outcomes if outcome.file is not None and not outcome.file.is_text]
        if binary:
            return binary[0]
        texts = [outcome.text for outcome in outcomes if not outcome.is_error]
        if not texts:
            raise MCPError(types.INVALID_PARAMS, outcomes[0].text)
        return texts[0] if len(texts) == 1 else f"[{','.join(texts)}]"

    def is_readable(self, context: ServerContext, uri: str) -> bool:
        """Return whether the principal may read the resource, as far as that is known without a call."""
        match = kind_of(uri)
        if match is None or match[0] not in self._kinds(context):
            return False
        domains = principal_of(context, self._principal).access.domains
        return match[0].tool is None or domains is None or host_matcher(domains)(match[1].get("domain", ""))

    def _caller(self, context: ServerContext) -> Caller:
        return Caller(principal_of(context, self._principal), client=client_name(context))

    def _kinds(self, context: ServerContext) -> list[ResourceKind]:
        """Return the kinds that the principal may read, judging by tools and scopes."""
        tools = tools_for(self._services, principal_of(context, self._principal).access)
        return [kind for kind in KINDS if kind.tool is None or kind.tool in tools]
