"""A chat in the terminal: reads what the person types, and shows what the agent does."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.conversations import Run
from mailgun_mcp.agent.errors import AgentError
from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.call.pipeline import run as call
from mailgun_mcp.call.services import Services
from mailgun_mcp.cli.chat_screen import Screen
from mailgun_mcp.confirm.asker import FormAnswer, read_answer
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.confirm.form import Form
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.settings import shell_command
from mailgun_mcp.store.ids import new_id

CLIENT = "chat:terminal"
HELP = """/undo     undo the last change that this chat made
/cost     show what this chat has cost
/new      begin a new chat
/resume   list your chats; /resume ID continues one
/history  show this chat from its beginning
/quit     end; Ctrl+D does too. Ctrl+C stops the assistant, not the program"""
POLL = 1.0

Read = Callable[[str], Awaitable[str]]
"""Asks the person for a line. Raises EOFError at the end, KeyboardInterrupt for Ctrl+C."""


class ChatSession:
    """One person's chat."""

    def __init__(self, services: Services, runner: Runner, principal: Principal, screen: Screen, read: Read) -> None:
        self._services = services
        self._runner = runner
        self._principal = principal
        self._screen = screen
        self._read = read
        self._conversation = new_id(12)
        self._undo: list[str] = []
        self._commands: dict[str, Callable[[str], Awaitable[None]]] = {
            "/undo": self._undo_last,
            "/cost": self._cost,
            "/new": self._new,
            "/resume": self._resume,
            "/history": self._history,
            "/help": self._help,
        }

    async def run(self) -> None:
        """Chat until the person ends it."""
        self._screen.line("Ask in your own words; /help lists commands.", "dim")
        while True:
            try:
                text = (await self._read("> ")).strip()
            except KeyboardInterrupt:
                continue
            except EOFError:
                return
            if text in ("/quit", "/exit"):
                return
            if text:
                await self.handle(text)

    async def handle(self, text: str) -> None:
        """Do a command, or send a message and show what happens."""
        name, _, rest = text.partition(" ")
        try:
            if name in self._commands:
                await self._commands[name](rest.strip())
            elif text.startswith("/"):
                self._screen.line(f"There is no command {name}.\n{HELP}", "yellow")
            else:
                run = await self._runner.start(
                    self._principal, self._conversation, text, run=f"run-{token_hex(8)}", client=CLIENT
                )
                await self._follow(run)
        except AgentError as error:
            self._screen.line(str(error), "yellow")

    async def _follow(self, run: Run) -> None:
        """Show a run, and ask the person until nothing waits for them any more."""
        outcome, asked = await self._show(self._runner.watch(run, self._principal))
        while outcome == "waiting":
            answers = [await self._answer(body) for body in asked if body["answerable"]]
            if not answers or None in answers:
                outcome, asked = await self._wait(asked)
                continue
            run = await self._runner.answer(
                self._principal,
                self._conversation,
                [answer for answer in answers if answer],
                run=f"run-{token_hex(8)}",
                client=CLIENT,
            )
            outcome, asked = await self._show(self._runner.watch(run, self._principal))
            asked = asked or await self._open()

    async def _show(self, events: AsyncIterator[Event]) -> tuple[str, list[dict[str, Any]]]:
        outcome, asked = "done", list[dict[str, Any]]()
        with self._stopping():
            async for event in events:
                self._screen.show(event)
                if event.kind == "approval_needed":
                    asked.append(event.body)
                elif event.kind == "tool_finished" and event.body["undo"]:
                    self._undo.append(event.body["undo"])
                elif event.kind == "ended":
                    outcome = event.body["outcome"]
        return outcome, asked

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Let Ctrl+C stop the turn, and not the program."""
        loop = asyncio.get_running_loop()
        stopping = set[asyncio.Task[None]]()

        def stop() -> None:
            self._screen.line("\n  stopping …", "yellow")
            stopping.add(loop.create_task(self._runner.cancel(self._principal, self._conversation)))

        try:
            loop.add_signal_handler(signal.SIGINT, stop)
        except (NotImplementedError, RuntimeError, ValueError):  # pragma: no cover - not on Windows or in a thread
            yield
            return
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    async def _answer(self, body: dict[str, Any]) -> Answer | None:
        """Ask the person. None when they stopped the turn instead."""
        self._screen.ask(body)
        typed = body["typed"]
        prompt = "y = do it, anything else = no, with your reason > "
        if typed is not None:
            prompt = f"type {typed} to do it, anything else = no, with your reason > "
        while True:
            try:
                text = (await self._read(prompt)).strip()
            except (KeyboardInterrupt, EOFError):
                await self._runner.cancel(self._principal, self._conversation)
                self._screen.line("  Cancelled.", "yellow")
                return None
            if not text:
                continue
            if text == typed or (typed is None and text.lower() in ("y", "yes")):
                return Answer(body["approval"], True, typed)
            reason = "" if text.lower() in ("n", "no") else text
            return Answer(body["approval"], False, reason=reason)

    async def _wait(self, asked: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
        """Wait for somebody else's answer. Ctrl+C cancels."""
        for body in asked:
            if not body["answerable"]:
                self._screen.ask(body)
                command = shell_command("approvals", "approve", body["approval"], state=self._services.state)
                self._screen.line(f"  Somebody else must approve this: {command}\n  Ctrl+C stops waiting.", "yellow")
        last = 0
        async for event in self._runner.events(self._principal, self._conversation, follow=False):
            last = event.id
        with self._stopping():
            while (await self._runner.get(self._principal, self._conversation)).status == "waiting":
                await self._pause()
        return await self._show(self._runner.events(self._principal, self._conversation, after=last))

    async def _pause(self) -> None:
        """Wait before the next look: another process may be the one that continues the turn."""
        await asyncio.sleep(POLL)

    async def _open(self) -> list[dict[str, Any]]:
        return await self._runner.open_approvals(self._principal, self._conversation)

    async def _undo_last(self, _: str) -> None:
        if not self._undo:
            self._screen.line("Nothing that this chat changed can be undone.", "yellow")
            return
        caller = Caller(self._principal, client=CLIENT, asker=_AskHere(self._screen, self._read))
        result = await call(self._services, "undo_operation", {"id": self._undo[-1]}, caller)
        message = (result.structured or {}).get("message") if not result.is_error else result.text
        self._screen.line(f"  {message}", "yellow" if result.is_error else "green")
        if not result.is_error:
            self._undo.pop()

    async def _cost(self, _: str) -> None:
        used = await self._runner.usage(self._principal, self._conversation)
        cost = f"${used.cost:.4f}" if used.cost else "no price known"
        self._screen.line(
            f"{used.requests} requests, {used.input_tokens:,} tokens in, {used.output_tokens:,} out, {cost}, "
            f"{used.tool_calls} calls of tools"
        )

    async def _new(self, _: str) -> None:
        self._conversation = new_id(12)
        self._undo.clear()
        self._screen.line("A new chat.", "dim")

    async def _resume(self, name: str) -> None:
        if not name:
            for each in (await self._runner.conversations(self._principal))[:20]:
                waiting = "  (waits for an answer)" if each.status == "waiting" else ""
                self._screen.line(f"/resume {each.id}  {each.title}{waiting}")
            return
        await self._runner.get(self._principal, name)
        self._conversation = name
        self._undo.clear()
        await self._history("")
        open_ones = await self._open()
        if open_ones:
            answers = [answer for body in open_ones if body["answerable"] and (answer := await self._answer(body))]
            if answers:
                run = await self._runner.answer(
                    self._principal, self._conversation, answers, run=f"run-{token_hex(8)}", client=CLIENT
                )
                await self._follow(run)

    async def _history(self, _: str) -> None:
        async for event in self._runner.events(self._principal, self._conversation, follow=False):
            self._screen.show(event, history=True)

    async def _help(self, _: str) -> None:
        self._screen.line(HELP)


class _AskHere:
    """Asks the person in the chat about an undo that they want themselves."""

    can_ask = True

    def __init__(self, screen: Screen, read: Read) -> None:
        self._screen = screen
        self._read = read

    async def ask(self, form: Form, *, patience: float) -> FormAnswer:
        """Return what the person's answer means. No answer in time is a no."""
        self._screen.console.print(form.text, markup=False)
        prompt = "y = do it > " if form.typed is None else f"type {form.typed} to do it > "
        try:
            text = (await asyncio.wait_for(self._read(prompt), patience)).strip()
        except TimeoutError:
            return FormAnswer("timeout")
        except (KeyboardInterrupt, EOFError):
            return FormAnswer("cancelled")
        confirm = text.lower() in ("y", "yes") if form.typed is None else text
        return read_answer(form, "accept", {"confirm": confirm})
