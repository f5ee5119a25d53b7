"""The chat agent backend: conversations with a model that administers the account through the call pipeline.

Must not know how a call is made (`call` does), or any terminal. An adapter for a chat protocol only translates.

Every entry point uses one `Runner` (`runner.py`), made by `create_runner` (`setup.py`):

    run = await runner.start(principal, conversation, text, run="id of the client", client="chat:agui")
    run = await runner.answer(principal, conversation, [Answer(approval, yes=True, typed="…")], run="…", client="…")
    async for event in runner.watch(run): ...           # until the run ends; the run goes on if nobody watches
    async for event in runner.events(principal, conversation, after=0): ...   # replay by event id, then what follows
    await runner.cancel(principal, conversation)
    await runner.get(principal, conversation); runner.conversations(principal); runner.delete(principal, conversation)
    await runner.open_approvals(principal, conversation)

- A conversation belongs to one principal; for everybody else it does not exist (NotFoundError, HTTP 404).
- History is the server's: `start` takes the newest message of the user and nothing else. An adapter drops whatever
  else a client sends.
- One run at a time in a conversation (BusyError, 409). While approvals are open, a new message is refused
  (WaitingError, 409, with the open approvals). The same run id again returns the same run: nothing is done twice.
- `answer` is a person's answer on that person's own authenticated request. An adapter passes the principal of the
  request and never a client's claim that something was approved. The approvals store checks the answer; the call is
  then made through the pipeline, which uses the approval up. Arguments cannot be edited. At the levels `approval` and
  `two_people` the asker's yes is refused (ForbiddenError, 403): somebody else answers elsewhere, and the run continues
  by itself.
- `events.py` lists the events. Their texts are safe to show: no image or live link of third parties is in them.
- All errors are in `errors.py`; each has the HTTP status that an adapter answers with.

`Agent` is the same for a Python program: see docs/agent.md.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailgun_mcp.agent.agent import Agent

__all__ = ["Agent"]


def __getattr__(name: str) -> Any:
    if name != "Agent":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mailgun_mcp.agent.agent import Agent

    return Agent
