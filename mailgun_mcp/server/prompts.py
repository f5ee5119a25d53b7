"""MCP prompts: the compiled templates from `prompts/`, filled with the user's arguments."""

import json
import re
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from mailgun_mcp.server.context import ServerContext
from mailgun_mcp.text.suggest import sentence, unknown

SOURCES = Path(__file__).resolve().parents[2] / "prompts"


class Prompts:
    """Lists and fills the prompts of the package."""

    @cached_property
    def _prompts(self) -> dict[str, dict[str, Any]]:
        text = (files("mailgun_mcp") / "_data" / "prompts.json").read_text(encoding="utf-8")
        prompts = json.loads(text)
        _check_fresh(prompts)
        return {prompt["name"]: prompt for prompt in prompts}

    async def list_prompts(self, _: ServerContext, __: types.PaginatedRequestParams | None) -> Any:
        """Answer `prompts/list`."""
        fields = ("name", "title", "description", "arguments")
        prompts = [{key: prompt[key] for key in fields} for prompt in self._prompts.values()]
        return types.ListPromptsResult.model_validate({"prompts": prompts})

    async def get_prompt(self, _: ServerContext, params: types.GetPromptRequestParams) -> Any:
        """Answer `prompts/get`. An unknown prompt or argument, or a missing one, is a protocol error."""
        prompt = self._prompts.get(params.name)
        if prompt is None:
            raise MCPError(types.INVALID_PARAMS, sentence(unknown("prompt", params.name, self._prompts)))
        arguments = params.arguments or {}
        _check_arguments(prompt, arguments)
        content = types.TextContent(type="text", text=_filled(prompt, arguments))
        return types.GetPromptResult(
            description=prompt["description"], messages=[types.PromptMessage(role="user", content=content)]
        )


def _check_fresh(prompts: list[dict[str, Any]]) -> None:
    """In a checkout, where the sources are beside the package, refuse prompts compiled from other sources."""
    if not (SOURCES.parent / "pyproject.toml").is_file():
        return
    from hashlib import sha256

    compiled = {prompt["file"]: prompt["source"] for prompt in prompts}
    if compiled != {path.name: sha256(path.read_bytes()).hexdigest() for path in SOURCES.glob("*.md")}:
        message = "The compiled prompts are stale: run `python -m mailgun_mcp.catalogue.compile`"
        raise MCPError(types.INTERNAL_ERROR, message)


def _filled(prompt: dict[str, Any], arguments: dict[str, str]) -> str:
    """Fill all placeholders in one pass, because a value may itself contain braces."""
    names = "|".join(re.escape(argument["name"]) for argument in prompt["arguments"])
    return re.sub(rf"\{{({names})\}}", lambda match: arguments.get(match[1]) or "(not given)", prompt["body"])


def _check_arguments(prompt: dict[str, Any], arguments: dict[str, str]) -> None:
    names = [argument["name"] for argument in prompt["arguments"]]
    for name in arguments:
        if name not in names:
            raise MCPError(types.INVALID_PARAMS, sentence(unknown(f"argument of prompt {prompt['name']}", name, names)))
    missing = [
        argument["name"]
        for argument in prompt["arguments"]
        if argument["required"] and not arguments.get(argument["name"])
    ]
    if missing:
        raise MCPError(types.INVALID_PARAMS, f"Prompt {prompt['name']} needs {', '.join(missing)}")
