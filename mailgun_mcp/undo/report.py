"""What people and models read about snapshots, planned undos and completed ones."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.confirm.bounded_text import one_line, shorten
from mailgun_mcp.confirm.form import Preview
from mailgun_mcp.output.names import is_name
from mailgun_mcp.text.durations import iso
from mailgun_mcp.text.sizes import count_of
from mailgun_mcp.undo.plan import Conflict, Failure, Plan, Step
from mailgun_mcp.undo.records import ResourceRef
from mailgun_mcp.undo.snapshots import Snapshot

SHOWN = 20
"""Most steps, conflicts and failures that are listed."""
NAMED = 3
"""Most resources that are named in one step."""
ACTIONS = {"put": "put back", "replace": "restore", "remove": "remove"}
COUNTS = re.compile(r"(?:[0-9,]+ [a-z ]{1,40}(?:, |$))+")


@dataclass(frozen=True, slots=True)
class Report:
    """What a model reads about an undo."""

    result: dict[str, Any]
    quoted: tuple[str, ...]
    """The parts of its texts that third parties may have written."""


def undo_entry(snapshot: Snapshot, operation: Operation | None) -> dict[str, Any]:
    """Return a call that can be undone, as list_undoable lists it."""
    missing = _never_put_back(operation)
    return {
        "id": snapshot.id,
        "tool": snapshot.tool,
        "what": one_line(snapshot.summary) or (operation.title if operation else snapshot.tool),
        "at": iso(snapshot.created),
        "until": iso(snapshot.until),
        **({"outcome": snapshot.outcome} if snapshot.outcome != "done" else {}),
        **({"except": missing} if missing else {}),
    }


def quoted_summary(snapshot: Snapshot, operation: Operation | None) -> list[str]:
    """Return the summary of a snapshot if third parties may have written some of it, else nothing."""
    summary = one_line(snapshot.summary)
    kinds = [effect.resource.replace("_", " ") for effect in operation.affects] if operation else []
    names = [summary.removeprefix(f"{kind} ") for kind in kinds if summary.startswith(f"{kind} ")]
    plain = not summary or COUNTS.fullmatch(summary) or any(map(is_name, names))
    return [] if plain else [summary]


def dry_run_result(plan: Plan) -> Report:
    """Return what the undo would do, without doing it."""
    calls = count_of(len(plan.steps), "call")
    unchanged = f"{plan.unchanged:,} {'is' if plan.unchanged == 1 else 'are'} already as before"
    refs = [ref for step in plan.steps[:SHOWN] for ref in step.refs[:NAMED]]
    return Report(
        {
            "message": f"Would put back or remove {plan.count:,} with {calls}; {unchanged}.",
            "put_back": 0,
            "steps": _steps(plan),
            "not_put_back": _lines(plan.impossible),
        },
        (*(shorten(str(ref)) for ref in refs if not _is_plain(ref)), *_quoted(plan.impossible)),
    )


def undo_preview(snapshot: Snapshot, plan: Plan) -> Preview:
    """Return what a person sees of the undo."""
    lines = [
        f"Undoes {snapshot.tool} of {iso(snapshot.created)} ({one_line(snapshot.summary) or 'nothing was there'}).",
        *(f"- {step}" for step in _steps(plan)),
        *(f"- not possible: {reason}" for reason in _lines(plan.impossible)),
    ]
    return Preview("\n".join(lines), plan.digest, third_party=bool(dry_run_result(plan).quoted))


def changed_since(snapshot: Snapshot, plan: Plan) -> tuple[str, list[str]]:
    """Return why the undo is refused after somebody changed something since the call, and the quotations in it."""
    conflicts = "\n".join(f"- {line}" for line in _lines(plan.conflicts))
    more = f"\nand {len(plan.conflicts) - SHOWN:,} more" if len(plan.conflicts) > SHOWN else ""
    text = (
        f"Not undone: what {snapshot.tool} ({snapshot.id}) affected has changed since. Nothing was sent.\n"
        f"{conflicts}{more}\n"
        "Tell the user. Use the normal tools to set what they want."
    )
    return text, _quoted(plan.conflicts)


def undo_result(
    snapshot: Snapshot, put_back: int, failures: Sequence[Failure | Conflict], operation: Operation | None
) -> Report:
    """Return the result of undoing a call of `operation`."""
    call = f"{snapshot.tool} ({one_line(snapshot.summary)})" if snapshot.summary else snapshot.tool
    return Report(
        {
            "message": f"{call} {_outcome(put_back, len(failures), _never_put_back(operation))}",
            "put_back": put_back,
            "not_put_back": _lines(failures),
        },
        (*quoted_summary(snapshot, operation), *_quoted(failures)),
    )


def _outcome(put_back: int, failures: int, missing: str | None) -> str:
    if failures and not put_back:
        return f"is not undone: nothing was put back, and {failures:,} could not be."
    if failures:
        return f"is partly undone: {put_back:,} put back or removed, and {failures:,} could not be."
    if not put_back:
        return "has nothing to put back: everything that was saved is as it was before the call."
    return f"is undone: {put_back:,} put back or removed.{f' Not put back: {missing}.' if missing else ''}"


def _never_put_back(operation: Operation | None) -> str | None:
    """Return what no undo of such a call restores."""
    return operation.undo.missing if operation and operation.undo else None


def _steps(plan: Plan) -> list[str]:
    steps = [_step(step) for step in plan.steps[:SHOWN]]
    more = len(plan.steps) - SHOWN
    return [*steps, *([f"and {more:,} more calls"] if more > 0 else [])]


def _step(step: Step) -> str:
    names = ", ".join(shorten(str(ref)) for ref in step.refs[:NAMED])
    more = f" and {len(step.refs) - NAMED:,} more" if len(step.refs) > NAMED else ""
    return f"{ACTIONS[step.action]} {names}{more} ({step.write.tool})"


def _lines(reasons: Sequence[Failure | Conflict]) -> list[str]:
    return [one_line(str(reason)) for reason in reasons[:SHOWN]]


def _quoted(reasons: Sequence[Failure | Conflict]) -> list[str]:
    """Return the lines that may contain an instruction, and the parts of others that third parties may have written."""
    quoted: list[str] = []
    for reason in reasons[:SHOWN]:
        if not _is_plain(reason.ref):
            quoted.append(one_line(str(reason)))
        elif isinstance(reason, Failure):
            quoted += map(one_line, reason.quoted)
    return quoted


def _is_plain(ref: ResourceRef) -> bool:
    return all(map(is_name, ref.names))
