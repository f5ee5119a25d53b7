"""MCP prompts: the compiled procedures, limited to the principal's tools and filled with the user's arguments."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.procedures import Procedure, Tools, compiled_procedures, procedure_records
from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server.context import ServerContext, principal_of
from mailgun_mcp.server.offered import tools_for
from mailgun_mcp.text.suggest import sentence, unknown

SOURCES = Path(__file__).resolve().parents[2] / "prompts"


class Prompts:
    """Lists and fills the prompts of one server."""

    def __init__(self, services: Services, principal: Principal | None) -> None:
        self._services = services
        self._principal = principal

    async def list_prompts(self, context: ServerContext, _: types.PaginatedRequestParams | None) -> Any:
        """Answer `prompts/list`."""
        tools = self._tools(context)
        prompts = [_listing(procedure) for procedure in self._procedures.values() if procedure.is_offered(tools)]
        return types.ListPromptsResult.model_validate({"prompts": prompts})

    async def get_prompt(self, context: ServerContext, params: types.GetPromptRequestParams) -> Any:
        """Answer `prompts/get`. An unknown prompt, and an unknown or missing argument, is a protocol error."""
        procedure = self._procedures.get(params.name)
        if procedure is None:
            raise MCPError(types.INVALID_PARAMS, sentence(unknown("prompt", params.name, self._procedures)))
        tools = self._tools(context)
        _check_offered(procedure, tools)
        arguments = params.arguments or {}
        _check_arguments(procedure, arguments)
        content = types.TextContent(type="text", text=procedure.text(tools, arguments))
        return types.GetPromptResult(
            description=procedure.description, messages=[types.PromptMessage(role="user", content=content)]
        )

    @cached_property
    def _procedures(self) -> Mapping[str, Procedure]:
        check_fresh(procedure_records(), SOURCES)
        return compiled_procedures()

    def _tools(self, context: ServerContext) -> Tools:
        return tools_for(self._services, principal_of(context, self._principal).access)


def check_fresh(records: Iterable[Record], sources: Path) -> None:
    """In a checkout, where the sources are beside the package, refuse prompts that were compiled from other sources."""
    if not (sources.parent / "pyproject.toml").is_file():
        return
    from hashlib import sha256

    compiled = {record["file"]: record["source"] for record in records}
    if compiled != {path.name: sha256(path.read_bytes()).hexdigest() for path in sources.glob("*.md")}:
        message = "The compiled prompts are stale: run `python -m mailgun_mcp.catalogue.compile`"
        raise MCPError(types.INTERNAL_ERROR, message)


def _listing(procedure: Procedure) -> Record:
    arguments = [
        {"name": argument.name, "description": argument.description, "required": argument.required}
        for argument in procedure.arguments
    ]
    return {
        "name": procedure.name,
        "title": procedure.title,
        "description": procedure.description,
        "arguments": arguments,
    }


def _check_offered(procedure: Procedure, tools: Tools) -> None:
    missing = [name for name in procedure.needs if name not in tools]
    if missing:
        raise MCPError(
            types.INVALID_PARAMS, f"Prompt {procedure.name} needs tools that are not offered here: {', '.join(missing)}"
        )


def _check_arguments(procedure: Procedure, arguments: Mapping[str, str]) -> None:
    names = [argument.name for argument in procedure.arguments]
    for name in arguments:
        if name not in names:
            raise MCPError(types.INVALID_PARAMS, sentence(unknown(f"argument of prompt {procedure.name}", name, names)))
    missing = [
        argument.name for argument in procedure.arguments if argument.required and not arguments.get(argument.name)
    ]
    if missing:
        raise MCPError(types.INVALID_PARAMS, f"Prompt {procedure.name} needs {', '.join(missing)}")
