"""Builds the agent from the settings of a server."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mailgun_mcp.agent.models import open_model
from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.usage import Limits
from mailgun_mcp.call.services import Services
from mailgun_mcp.errors import SettingsError, reason_of
from mailgun_mcp.settings import Settings

if TYPE_CHECKING:
    from pydantic_ai.models import Model


def create_runner(services: Services, settings: Settings, model: "Model | None" = None) -> Runner:
    """Return the runner of conversations, with the given model or the one in the settings. Raises SettingsError."""
    model = model or open_model(settings.model, settings.model_url)
    summary_model = open_model(settings.summary_model, settings.model_url) if settings.summary_model else None
    return Runner(services, model, options_of(settings), summary_model=summary_model)


def options_of(settings: Settings) -> AgentOptions:
    """Return the operator's choices. Raises SettingsError."""
    limits = Limits()
    conversation, day = limits.conversation, limits.principal_per_day
    if settings.chat_cost is not None:
        conversation = replace(conversation, cost=settings.chat_cost)
    if settings.chat_cost_per_day is not None:
        day = replace(day, cost=settings.chat_cost_per_day)
    options = AgentOptions(
        limits=replace(limits, conversation=conversation, principal_per_day=day),
        context_tokens=settings.context_tokens,
    )
    if settings.instructions is None:
        return options
    try:
        own = Path(settings.instructions).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"instructions: cannot read {settings.instructions}: {reason_of(error)}") from error
    return replace(options, instructions=f"{options.instructions}\n\n{own}")
