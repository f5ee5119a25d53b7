"""Administer an account in words: chat with an assistant in the terminal.

It reads and changes the account with the tools of the server, under the same guard rails.
Calls that could do harm are shown to you first.

`--demo` plays a chat against the simulator, without key, account or network.
"""

import argparse
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mailgun_mcp.cli.exits import OK, USAGE
from mailgun_mcp.cli.output import note
from mailgun_mcp.cli.parser import CALL_SETTINGS, add_settings, settings_given
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.identity.principal import local_user
from mailgun_mcp.output import logs
from mailgun_mcp.settings import Settings, load, state_directory

if TYPE_CHECKING:
    from mailgun_mcp.cli.chat_screen import Screen
    from mailgun_mcp.cli.chat_session import ChatSession, Read

EXAMPLES = """\
  mailgun-mcp chat --demo
  mailgun-mcp chat --model anthropic:claude-sonnet-5-5
  mailgun-mcp chat --model ollama:qwen3 --simulator
  mailgun-mcp chat --model openai:NAME --model-url http://localhost:8080/v1"""
MODEL_SETTINGS = (
    "model",
    "model_url",
    "summary_model",
    "instructions",
    "context_tokens",
    "chat_cost",
    "chat_cost_per_day",
)
EXTRA = "chat needs more packages: pip install 'mailgun-mcp-server[agent]'"
HISTORY = "chat_history"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--demo", action="store_true", help="watch a scripted chat against the simulator")
    add_settings(parser, only=[*CALL_SETTINGS, *MODEL_SETTINGS])


def run(arguments: argparse.Namespace) -> int:
    """Chat until the person ends it."""
    try:
        import prompt_toolkit  # noqa: F401 - to report a missing package before anything starts
        import pydantic_ai  # noqa: F401
        import rich  # noqa: F401
    except ImportError:
        note(EXTRA)
        return USAGE
    import anyio

    if not arguments.demo:
        return anyio.run(_chat, load(settings_given(arguments)))
    with TemporaryDirectory(prefix="mailgun-mcp-") as state:
        return anyio.run(_demo, state)


async def _demo(state: str) -> int:
    from rich.panel import Panel

    import mailgun_mcp.agent
    from mailgun_mcp.cli.chat_demo import DemoPerson
    from mailgun_mcp.cli.chat_screen import Screen

    script = Path(str(mailgun_mcp.agent.__file__)).with_name("demo.yaml")
    settings = Settings(simulator=True, state=state, model=f"script:{script}")
    screen = Screen()
    screen.console.print(
        Panel(
            "Both the person and the model follow a script. The tools, guard rails and approvals are real; "
            "Mailgun is simulated.",
            title="mailgun-mcp chat --demo",
            border_style="cyan",
        )
    )
    async with AsyncExitStack() as stack:
        session = await _session(stack, settings, screen, DemoPerson(screen).read)
        await session.run()
    screen.line("\nNext: mailgun-mcp chat --model anthropic:NAME (or openai:, google:, ollama:) --simulator", "bold")
    return OK


async def _chat(settings: Settings) -> int:
    from mailgun_mcp.cli.chat_screen import Screen

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise SettingsError("chat needs a terminal; for programs there is `Agent`: see docs/agent.md")
    screen = Screen()
    async with AsyncExitStack() as stack:
        session = await _session(stack, settings, screen, _prompt(settings))
        await session.run()
    return OK


async def _session(stack: AsyncExitStack, settings: Settings, screen: "Screen", read: "Read") -> "ChatSession":
    from mailgun_mcp.agent.setup import create_runner
    from mailgun_mcp.app.compose import create_services
    from mailgun_mcp.cli.chat_session import ChatSession

    # The server's warnings would appear in the middle of the chat. Everything a person must know is said in the chat.
    logs.configure("error")
    services = await stack.enter_async_context(create_services(settings))
    runner = create_runner(services, settings)
    stack.push_async_callback(runner.aclose)
    return ChatSession(services, runner, local_user(), screen, read)


def _prompt(settings: Settings) -> "Read":
    """Return the function that prompts the person, with a history for the arrow keys."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.formatted_text import FormattedText
    from prompt_toolkit.history import FileHistory

    from mailgun_mcp.store.database import prepare_directory

    directory = state_directory(settings.state)
    prepare_directory(directory)
    history = directory / HISTORY
    history.touch(0o600)
    messages: PromptSession[str] = PromptSession(history=FileHistory(str(history)))
    answers: PromptSession[str] = PromptSession()

    async def read(prompt: str) -> str:
        # Answers to approvals stay out of the history of messages, because nobody would want to repeat them.
        session = messages if prompt.startswith("> ") else answers
        return await session.prompt_async(FormattedText([("bold ansicyan", prompt)]))

    return read
