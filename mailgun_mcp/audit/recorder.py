"""Writes calls into the audit log: the intent before a call is made, the outcome after it.

One thread writes for all calls, and commits all waiting entries in one transaction. A call that changes something waits
until its intent is on disk, and is not made if that fails. A read does not wait, but its result is held back until its
intent is in the store. If that fails, the result is shown anyway.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sized
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

from mailgun_mcp.audit.call_record import CallRecord
from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.head_schedule import HeadSchedule
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.audit.pending_write import PendingWrite
from mailgun_mcp.audit.refusals import Refusals, without_large_arguments
from mailgun_mcp.errors import Outcome, StateError
from mailgun_mcp.output.logs import logger
from mailgun_mcp.policy.model import AuditRules
from mailgun_mcp.store.database import Store

GATHERED = 200
"""Most entries that are written in one transaction."""
LINGERING = 0.05
"""Seconds within which the outcome of a read is written; no caller waits for it."""
QUIET_TURNS = 4
"""Turns of the event loop without a new entry after which entries are sent to a shared database."""
MANY = 4
"""Number of calls being made from which the reads among them wait for each other's entries. With fewer, the thread is
woken for each. With many, it would take turns with the event loop for each, and that takes longer than writing.
"""
LONGEST_GATHERING = 0.01
"""Most seconds for which they wait for more."""
LONGEST_BUSY = 1.0
"""Most seconds for which pruning the log and noting its head wait for a transaction that no call waits for."""
PRUNED_EVERY = 10_000
"""Entries between two checks whether old entries can be removed."""


@dataclass(slots=True)
class _Job:
    entry: LogEntry | None
    durable: bool
    pending: PendingWrite | None


class Recorder:
    """The audit log as calls use it. `monotonic` measures how long they take."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        rules: AuditRules,
        *,
        monotonic: Callable[[], float],
        running: Sized = (),
    ) -> None:
        """`running` are the calls that are being made."""
        self._store = store
        self._clock = clock
        self._rules = rules
        self._monotonic = monotonic
        self._running = running
        self._log = AuditLog(store)
        self._heads = HeadSchedule(self._log, clock, monotonic, rules.heads)
        self._refusals = Refusals(clock)
        self._jobs: deque[_Job] = deque()
        """Jobs in the order of the calls. One that nobody waits for does not wake the thread: it would delay a call."""
        self._wakes: SimpleQueue[None] = SimpleQueue()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        """The event loop that owns the timer."""
        self._thread: Thread | None = None
        self._starting = Lock()
        """Held to start the thread: there must be only one."""
        self._is_closed = False
        self._gathering: asyncio.AbstractEventLoop | None = None
        """The event loop in which entries wait for more."""
        self._quiet_turns = 0
        self._busy_since: float | None = None
        """When calls began to wait for each transaction; None if the last was one that no call waited for."""
        self._unpruned = PRUNED_EVERY
        """Number of entries since the log was pruned. The first transaction is followed by it."""
        self._complained = False

    async def begin(self, record: CallRecord) -> None:
        """Write that the call is about to be made.

        Raises StateError if the call changes something and this cannot be written: the call must not be made then.
        A read is made meanwhile. Its result is not shown before `finish`, which waits for the intent.
        """
        record.started = self._monotonic()
        if not self._is_recorded(record):
            return
        writing = self._writing(LogEntry(record.call, "intent", record.body()), durable=record.changes)
        if record.changes:
            await writing.wait()
        else:
            record.intent = writing
        record.begun = True

    async def finish(self, record: CallRecord, outcome: Outcome, **result: Any) -> None:
        """Write the call's outcome, or that it was not made, but only once. A failure to write is logged."""
        record.outcome = record.outcome or outcome
        if record.finished or not self._is_recorded(record):
            return
        record.finished = True
        try:
            await self._wait_for_intent(record)
        finally:
            entry = self._outcome(record, outcome, result)
            waited_for = record.changes and record.begun
            if entry and not waited_for:
                # If the process ends before it is written, the outcome is unknown.
                self._put_later(entry)
        if entry is None or not waited_for:
            return
        try:
            await self._writing(entry, durable=True).wait()
        except StateError as error:
            logger().error("an outcome is not recorded", call=record.call, outcome=outcome, reason=str(error))

    def _outcome(self, record: CallRecord, outcome: Outcome, result: dict[str, Any]) -> LogEntry | None:
        """Return the entry for the outcome; None for a refusal that is only counted."""
        for summary in self._refusals.ended():
            self._put_later(summary)
        if self._refusals.is_counted(record, outcome):
            return None
        details = {name: value for name, value in result.items() if value is not None}
        if record.started:
            details["ms"] = round((self._monotonic() - record.started) * 1000, 1)
        body: dict[str, Any] = {"result": {"outcome": outcome, **details}}
        if not record.begun:
            body |= without_large_arguments(record.body())
        return LogEntry(record.call, "outcome", body)

    def prepare(self) -> None:
        """Open an existing log and start the thread, so that the first call does not wait for them. Raises StateError.

        May run in any thread, even beside the first call or the end of the session.
        """
        self._log.prepare()
        with self._starting:
            if not self._is_closed:
                self._start_thread()

    def close(self) -> None:
        """Write the remaining entries, and end the thread."""
        with self._starting:
            self._is_closed = True
        self._jobs += [_Job(summary, False, None) for summary in self._refusals.ended(now=True)]
        if self._jobs:
            self._wake_thread()
        thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.append(_Job(None, False, None))
            self._wakes.put(None)
            thread.join()
        self._store.close()

    def _is_recorded(self, record: CallRecord) -> bool:
        return record.changes or self._rules.reads

    async def _wait_for_intent(self, record: CallRecord) -> None:
        if record.intent is None:
            return
        try:
            await record.intent.wait()
        except StateError as error:
            record.begun = False
            self._complain(error)

    def _writing(self, entry: LogEntry, *, durable: bool) -> PendingWrite:
        """Queue the entry, and return what its call can wait for."""
        pending = PendingWrite()
        self._jobs.append(_Job(entry, durable, pending))
        if self._store.sealer is None and (durable or len(self._running) < MANY):
            self._wake_thread()
            return pending
        loop = asyncio.get_running_loop()
        self._quiet_turns = 0
        if self._gathering is not loop:
            self._gathering = loop
            loop.call_soon(self._gather, loop, loop.time() + LONGEST_GATHERING)
        return pending

    def _gather(self, loop: asyncio.AbstractEventLoop, until: float) -> None:
        """Let the loop run the calls that are ready, so that their entries share one round trip to the database.

        If nothing else is ready, the turns end at once. For a file, the current turn is enough.
        """
        turns = QUIET_TURNS if self._store.sealer else 0
        if self._quiet_turns < turns and len(self._jobs) < GATHERED and loop.time() < until:
            self._quiet_turns += 1
            loop.call_soon(self._gather, loop, until)
            return
        self._gathering = None
        if self._jobs:
            self._wake_thread()

    def _wake_thread(self) -> None:
        if self._thread is None:
            with self._starting:
                self._start_thread()
        self._wakes.put(None)

    def _start_thread(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._run, name="audit log", daemon=True)
            self._thread.start()

    def _put_later(self, entry: LogEntry) -> None:
        """Have an entry written that nobody waits for: with the next that somebody waits for, or after a moment."""
        self._jobs.append(_Job(entry, False, None))
        loop = asyncio.get_running_loop()
        if self._timer is None or self._loop is not loop:
            self._loop, self._timer = loop, loop.call_later(LINGERING, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._jobs:
            self._wake_thread()

    def _run(self) -> None:
        while True:
            jobs = self._gathered()
            self._commit([job for job in jobs if job.entry is not None])
            ends = any(job.entry is None for job in jobs)
            if self._has_time(jobs) or ends:
                self._tidy(now=ends)
            if ends:
                return

    def _tidy(self, *, now: bool) -> None:
        """Prune the log and note its head if that is due; with `now`, note the head in any case."""
        try:
            self._prune_if_due()
            self._heads.run(now=now)
        except Exception as error:  # noqa: BLE001 - without the thread, all further calls would wait for ever
            self._complain(error)

    def _has_time(self, jobs: list[_Job]) -> bool:
        """Return whether to do what no call waits for: when none does, or after a while.

        Otherwise it would use the processor while the call goes on, and the first call would take twice as long.
        """
        now = self._monotonic()
        if self._busy_since is None:
            self._busy_since = now
        if any(job.pending is not None for job in jobs) and now - self._busy_since < LONGEST_BUSY:
            return False
        self._busy_since = None
        return True

    def _gathered(self) -> list[_Job]:
        """Return the next jobs, which share one transaction, in the order of the calls."""
        with suppress(Empty):
            self._wakes.get(timeout=self._heads.wait if self._busy_since is None else LONGEST_BUSY)
            # Only this thread takes from the queue. A job is there before its wake, so none is missed.
            while not self._wakes.empty():
                self._wakes.get(block=False)
        jobs: list[_Job] = []
        while self._jobs and len(jobs) < GATHERED:
            jobs.append(self._jobs.popleft())
        if len(jobs) == GATHERED:
            self._wakes.put(None)
        return jobs

    def _commit(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        fault = self._append([job.entry for job in jobs if job.entry is not None], any(job.durable for job in jobs))
        saved = fault is not None and self._append_outcomes_again(jobs)
        waiting: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        for job in jobs:
            of_job = None if saved and _is_outcome(job) else fault
            if job.pending is not None:
                if waiter := job.pending.end(of_job):
                    loop, written = waiter
                    waiting.setdefault(loop, []).append(written)
            elif of_job is not None:
                self._complain(of_job)
        for loop, written_by_now in waiting.items():
            _wake(loop, written_by_now)
        if fault is None:
            self._heads.wrote()
            self._unpruned += len(jobs)
        else:
            # A log that cannot be written cannot be pruned either.
            self._unpruned = min(self._unpruned, PRUNED_EVERY)

    def _append(self, entries: list[LogEntry], durable: bool, *, missing_only: bool = False) -> StateError | None:
        try:
            self._log.append(entries, self._clock(), durable=durable, missing_only=missing_only)
        except StateError as error:
            return error
        except Exception as error:  # noqa: BLE001 - whoever waits is told, or would wait for ever
            return StateError(f"the audit log cannot be written: {error!r}")
        return None

    def _append_outcomes_again(self, jobs: list[_Job]) -> bool:
        """Write outcomes again after losing the connection: those calls were made. Return whether it worked.

        Some of them may have been written after all, so only missing ones are.
        """
        outcomes = [job.entry for job in jobs if job.entry is not None and _is_outcome(job)]
        attempts = range(self._store.retries if outcomes else 0)
        return any(self._append(outcomes, True, missing_only=True) is None for _ in attempts)

    def _prune_if_due(self) -> None:
        if self._unpruned <= PRUNED_EVERY:
            return
        self._unpruned = 0
        now = self._clock()
        try:
            self._log.prune(now, before=now - self._rules.keep, most_bytes=self._rules.most_bytes)
        except StateError as error:
            self._complain(error)

    def _complain(self, error: BaseException) -> None:
        """Log the error once: every read would repeat it."""
        if not self._complained:
            self._complained = True
            logger().error("calls are not recorded", reason=str(error))


def _is_outcome(job: _Job) -> bool:
    return job.entry is not None and job.entry.kind == "outcome"


def _wake(loop: asyncio.AbstractEventLoop, ended: "list[asyncio.Future[None]]") -> None:
    """Complete the futures in the loop, all at once, because each wake-up costs the loop a turn."""

    def resolve() -> None:
        for each in ended:
            if not each.done():
                each.set_result(None)

    # If the loop is closed, nobody waits any more.
    if not loop.is_closed():
        loop.call_soon_threadsafe(resolve)
