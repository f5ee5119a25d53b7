"""MCP prompts: the compiled templates of `prompts/`, filled with the person's arguments."""

import json
from functools import cached_property
from importlib.resources import files
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from mailgun_mcp.nearest import unknown

Context = ServerRequestContext[dict[str, Any], Any]


class Prompts:
    """Lists and fills the prompts that ship with the package."""

    @cached_property
    def _prompts(self) -> dict[str, dict[str, Any]]:
        text = (files("mailgun_mcp") / "_data" / "prompts.json").read_text(encoding="utf-8")
        return {prompt["name"]: prompt for prompt in json.loads(text)}

    async def list_prompts(self, _: Context, __: types.PaginatedRequestParams | None) -> Any:
        """Answer `prompts/list`."""
        shown = ("name", "title", "description", "arguments")
        return {"prompts": [{key: prompt[key] for key in shown} for prompt in self._prompts.values()]}

    async def get_prompt(self, _: Context, params: types.GetPromptRequestParams) -> Any:
        """Answer `prompts/get`. An unknown prompt or argument, or a missing one, is a protocol error."""
        prompt = self._prompts.get(params.name)
        if prompt is None:
            raise MCPError(types.INVALID_PARAMS, unknown("prompt", params.name, self._prompts).capitalize())
        given = params.arguments or {}
        _check_arguments(prompt, given)
        text = prompt["body"]
        for argument in prompt["arguments"]:
            text = text.replace("{" + argument["name"] + "}", given.get(argument["name"]) or "(not given)")
        return {
            "description": prompt["description"],
            "messages": [{"role": "user", "content": {"type": "text", "text": text}}],
        }


def _check_arguments(prompt: dict[str, Any], given: dict[str, str]) -> None:
    known = [argument["name"] for argument in prompt["arguments"]]
    for name in given:
        if name not in known:
            raise MCPError(
                types.INVALID_PARAMS, unknown(f"argument of prompt {prompt['name']}", name, known).capitalize()
            )
    missing = [
        argument["name"] for argument in prompt["arguments"] if argument["required"] and not given.get(argument["name"])
    ]
    if missing:
        raise MCPError(types.INVALID_PARAMS, f"Prompt {prompt['name']} needs {', '.join(missing)}")
