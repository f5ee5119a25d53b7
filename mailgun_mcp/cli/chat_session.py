"""A chat in the terminal: reads what the person types, and shows what the agent does."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.conversations import Run
from mailgun_mcp.agent.errors import AgentError, AnswerError, BusyError
from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.call.pipeline import run as call
from mailgun_mcp.call.services import Services
from mailgun_mcp.cli.chat_screen import Screen
from mailgun_mcp.confirm.asker import FormAnswer, read_answer
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.confirm.confirm import MODEL_ADVICE
from mailgun_mcp.confirm.form import Form
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.settings import shell_command
from mailgun_mcp.store.ids import new_id

CLIENT = "chat:terminal"
HELP = """/undo     undo the last change that this chat made
/cost     show what this chat has cost
/new      start a new chat
/resume   list your chats; /resume ID continues one
/history  show this chat from its beginning
/quit     end; Ctrl+D does too. Ctrl+C stops the assistant, not the program"""
POLL = 1.0

Read = Callable[[str], Awaitable[str]]
"""Prompts the person for a line. Raises EOFError at the end of input, KeyboardInterrupt for Ctrl+C."""


class ChatSession:
    """A chat with one person."""

    def __init__(self, services: Services, runner: Runner, principal: Principal, screen: Screen, read: Read) -> None:
        self._services = services
        self._runner = runner
        self._principal = principal
        self._screen = screen
        self._read = read
        self._conversation = new_id(12)
        self._undo: list[str] = []
        self._last = 0
        """Id of the last event that was shown."""
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
            self._screen.line("")
            try:
                text = (await self._read("> ")).strip()
            except KeyboardInterrupt:
                self._screen.line("Nothing is running. Ctrl+D or /quit ends the chat.", "dim")
                continue
            except EOFError:
                return
            if text in ("/quit", "/exit"):
                return
            if text:
                await self.handle(text)

    async def handle(self, text: str) -> None:
        """Run a command, or send a message and show what happens."""
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
        except (AgentError, StateError) as error:
            self._screen.line(str(error), "yellow")

    async def _follow(self, run: Run) -> None:
        """Show a run, and ask the person until nothing is waiting for them."""
        await self._ask_until_done(*await self._show(self._runner.watch(run, self._principal)))

    async def _ask_until_done(self, outcome: str, asked: list[dict[str, Any]]) -> None:
        while outcome == "waiting":
            answers = await self._answers(asked)
            if not answers:
                outcome, asked = await self._wait(asked)
                continue
            try:
                run = await self._runner.answer(
                    self._principal, self._conversation, answers, run=f"run-{token_hex(8)}", client=CLIENT
                )
            except (AnswerError, BusyError) as error:
                # The approval has expired or was answered elsewhere, so the turn continues by itself.
                self._screen.line(str(error), "yellow")
                outcome, asked = await self._wait(await self._open())
                continue
            outcome, asked = await self._show(self._runner.watch(run, self._principal))
            asked = asked or await self._open()

    async def _show(self, events: AsyncIterator[Event]) -> tuple[str, list[dict[str, Any]]]:
        outcome, asked = "done", list[dict[str, Any]]()
        with self._stopping():
            async for event in events:
                self._screen.show(event)
                self._note(event)
                if event.kind == "approval_needed":
                    asked.append(event.body)
                elif event.kind == "ended":
                    outcome = event.body["outcome"]
        return outcome, asked

    def _note(self, event: Event) -> None:
        self._last = event.id
        if event.kind == "tool_finished" and event.body["undo"]:
            self._undo.append(event.body["undo"])

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Make Ctrl+C stop the turn instead of the program."""
        loop = asyncio.get_running_loop()
        stopping = set[asyncio.Task[None]]()

        def stop() -> None:
            self._screen.line("\n  stopping …", "yellow")
            stopping.add(loop.create_task(self._runner.cancel(self._principal, self._conversation)))

        try:
            loop.add_signal_handler(signal.SIGINT, stop)
        except (NotImplementedError, RuntimeError, ValueError):  # pragma: no cover - on Windows or in a thread
            yield
            return
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    async def _answers(self, asked: list[dict[str, Any]]) -> list[Answer]:
        """Ask the person the questions that they may answer.

        The result is empty if they stopped the turn, or if somebody answered elsewhere.
        """
        answers = []
        for body in asked:
            if body["answerable"]:
                answer = await self._answer(body)
                if answer is None:
                    return []
                answers.append(answer)
        return answers

    async def _answer(self, body: dict[str, Any]) -> Answer | None:
        """Ask the person one question. None if they stopped the turn, or if it was answered elsewhere meanwhile."""
        self._screen.ask(body)
        typed = body["typed"]
        prompt = "y = do it, anything else = no, with your reason > "
        if typed is not None:
            prompt = f"type {typed} to do it, anything else = no, with your reason > "
        text: str | None = ""
        while not text:
            reading = asyncio.ensure_future(self._line(prompt))
            elsewhere = asyncio.ensure_future(self._answered_elsewhere(body["approval"]))
            await asyncio.wait({reading, elsewhere}, return_when=asyncio.FIRST_COMPLETED)
            elsewhere.cancel()
            if not reading.done():
                reading.cancel()
                await asyncio.wait({reading})
                self._screen.line("")
                return None
            text = reading.result()
            if text is None:
                await self._runner.cancel(self._principal, self._conversation)
                return None
        if text == typed or (typed is None and text.lower() in ("y", "yes")):
            return Answer(body["approval"], True, typed)
        return Answer(body["approval"], False, reason="" if text.lower() in ("n", "no") else text)

    async def _line(self, prompt: str) -> str | None:
        """Return the line that the person types, None for Ctrl+C and Ctrl+D. KeyboardInterrupt must not end a task."""
        try:
            return (await self._read(prompt)).strip()
        except (KeyboardInterrupt, EOFError):
            return None

    async def _answered_elsewhere(self, approval: str) -> None:
        """Return when somebody has answered in another way, or when the time to answer is over."""
        while approval in {body["approval"] for body in await self._open()}:
            await self._pause()

    async def _wait(self, asked: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
        """Wait for somebody else's answer. Ctrl+C cancels."""
        for body in asked:
            if not body["answerable"]:
                self._screen.ask(body)
                command = shell_command("approvals", "approve", body["approval"], state=self._services.state)
                self._screen.line(f"  Somebody else must approve this: {command}\n  Ctrl+C stops waiting.", "yellow")
        with self._stopping():
            while (await self._runner.get(self._principal, self._conversation)).status == "waiting":
                await self._pause()
        return await self._show(self._runner.events(self._principal, self._conversation, after=self._last))

    async def _pause(self) -> None:
        """Wait before checking again, because another process may continue the turn."""
        await asyncio.sleep(POLL)

    async def _open(self) -> list[dict[str, Any]]:
        return await self._runner.open_approvals(self._principal, self._conversation)

    async def _undo_last(self, _: str) -> None:
        if not self._undo:
            self._screen.line("There is no change of this chat to undo.", "yellow")
            return
        caller = Caller(self._principal, client=CLIENT, asker=_AskHere(self._screen, self._read))
        result = await call(self._services, "undo_operation", {"id": self._undo[-1]}, caller)
        message = (result.structured or {}).get("message") if not result.is_error else result.text
        message = str(message).removesuffix(MODEL_ADVICE).rstrip()
        self._screen.line(f"  {message}", "yellow" if result.is_error else "green")
        if result.kind in ("done", "failed"):
            # Drop changes that cannot be undone or were already undone, so that the previous change comes next.
            self._undo.pop()

    async def _cost(self, _: str) -> None:
        used = await self._runner.usage(self._principal, self._conversation)
        cost = f"${used.cost:.4f}" if used.cost else "price not known"
        self._screen.line(
            f"{used.requests} requests to the model, {used.input_tokens:,} tokens in, {used.output_tokens:,} out, {cost}, "
            f"{used.tool_calls} tool calls"
        )

    async def _new(self, _: str) -> None:
        self._conversation, self._last = new_id(12), 0
        self._undo.clear()
        self._screen.line("A new chat.", "dim")

    async def _resume(self, name: str) -> None:
        if not name:
            for each in (await self._runner.conversations(self._principal))[:20]:
                waiting = "  (waits for an answer)" if each.status == "waiting" else ""
                self._screen.line(f"/resume {each.id}  {each.title}{waiting}")
            return
        conversation = await self._runner.get(self._principal, name)
        self._conversation, self._last = name, 0
        self._undo.clear()
        async for event in self._runner.events(self._principal, self._conversation, follow=False):
            self._screen.show(event, history=True)
            self._note(event)
        self._screen.end_text()
        if conversation.status == "running":
            await self._ask_until_done(*await self._show(self._runner.events(self._principal, name, after=self._last)))
        elif open_ones := await self._open():
            await self._ask_until_done("waiting", open_ones)

    async def _history(self, _: str) -> None:
        async for event in self._runner.events(self._principal, self._conversation, follow=False):
            self._screen.show(event, history=True)

    async def _help(self, _: str) -> None:
        self._screen.line(HELP)


class _AskHere:
    """Asks the person in the chat to confirm an undo that they requested."""

    can_ask = True

    def __init__(self, screen: Screen, read: Read) -> None:
        self._screen = screen
        self._read = read

    async def ask(self, form: Form, *, patience: float) -> FormAnswer:
        """Return the meaning of the person's answer. No answer in time counts as a no."""
        self._screen.console.print(form.text, markup=False)
        prompt = "y = do it > " if form.typed is None else f"type {form.typed} to do it > "
        try:
            # Not `wait_for`: it creates a task, and Ctrl+C in that task would end the program.
            async with asyncio.timeout(patience):
                text = (await self._read(prompt)).strip()
        except TimeoutError:
            return FormAnswer("timeout")
        except (KeyboardInterrupt, EOFError):
            return FormAnswer("cancelled")
        confirm = text.lower() in ("y", "yes") if form.typed is None else text
        return read_answer(form, "accept", {"confirm": confirm})
