"""What people and models are told of snapshots, of planned undos and of finished ones."""

from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.confirm.bounded_text import one_line, shorten
from mailgun_mcp.confirm.form import Preview
from mailgun_mcp.text.durations import iso
from mailgun_mcp.undo.plan import Plan, Step
from mailgun_mcp.undo.snapshots import Snapshot

SHOWN = 20
"""Steps, conflicts and failures that are listed."""
NAMED = 3
"""Resources that are named in one step."""
ACTIONS = {"put": "put back", "replace": "restore", "remove": "remove"}


def undo_entry(snapshot: Snapshot, operation: Operation | None) -> dict[str, Any]:
    """Return a call that can be undone, as list_undoable lists it."""
    missing = operation.undo.missing if operation and operation.undo else None
    return {
        "id": snapshot.id,
        "tool": snapshot.tool,
        "what": one_line(snapshot.summary),
        "at": iso(snapshot.created),
        "until": iso(snapshot.until),
        **({"outcome": snapshot.outcome} if snapshot.outcome != "done" else {}),
        **({"except": missing} if missing else {}),
    }


def dry_run_result(plan: Plan) -> dict[str, Any]:
    """Return what the undo would do, without doing it."""
    calls = f"{len(plan.steps):,} call{'' if len(plan.steps) == 1 else 's'}"
    unchanged = f"{plan.unchanged:,} {'is' if plan.unchanged == 1 else 'are'} already as before"
    return {
        "message": f"Would put back or remove {plan.count:,} by {calls}; {unchanged}.",
        "put_back": 0,
        "steps": _steps(plan),
        "not_put_back": [one_line(reason) for reason in plan.impossible[:SHOWN]],
    }


def undo_preview(snapshot: Snapshot, plan: Plan) -> Preview:
    """Return what a person is shown of the undo."""
    lines = [
        f"Undoes {snapshot.tool} of {iso(snapshot.created)} ({one_line(snapshot.summary) or 'nothing was there'}).",
        *(f"- {step}" for step in _steps(plan)),
        *(f"- not possible: {one_line(reason)}" for reason in plan.impossible[:SHOWN]),
    ]
    return Preview("\n".join(lines), plan.digest)


def changed_since(snapshot: Snapshot, plan: Plan) -> str:
    """Return why the undo is refused, where somebody changed something since the call."""
    conflicts = "\n".join(f"- {one_line(str(conflict))}" for conflict in plan.conflicts[:SHOWN])
    more = f"\nand {len(plan.conflicts) - SHOWN:,} more" if len(plan.conflicts) > SHOWN else ""
    return (
        f"Not undone: what {snapshot.tool} ({snapshot.id}) affected was changed since. Nothing was sent.\n"
        f"{conflicts}{more}\n"
        "Tell the user. Use the normal tools to set what they want."
    )


def undo_result(snapshot: Snapshot, put_back: int, failures: list[str], missing: str | None) -> dict[str, Any]:
    """Return what came of the undo. `missing` is what no undo of such a call puts back."""
    call = f"{snapshot.tool} ({one_line(snapshot.summary)})" if snapshot.summary else snapshot.tool
    return {
        "message": f"{call} {_outcome(put_back, failures, missing)}",
        "put_back": put_back,
        "not_put_back": [one_line(failure) for failure in failures[:SHOWN]],
    }


def _outcome(put_back: int, failures: list[str], missing: str | None) -> str:
    if failures and not put_back:
        return f"is not undone: nothing was put back, {len(failures):,} could not be."
    if failures:
        return f"is partly undone: {put_back:,} put back or removed, {len(failures):,} not."
    if not put_back:
        return "has nothing to put back: everything that was saved is as it was before the call."
    return f"is undone: {put_back:,} put back or removed.{f' Not put back: {missing}.' if missing else ''}"


def _steps(plan: Plan) -> list[str]:
    steps = [_step(step) for step in plan.steps[:SHOWN]]
    more = len(plan.steps) - SHOWN
    return [*steps, *([f"and {more:,} more calls"] if more > 0 else [])]


def _step(step: Step) -> str:
    names = ", ".join(shorten(str(ref)) for ref in step.refs[:NAMED])
    more = f" and {len(step.refs) - NAMED:,} more" if len(step.refs) > NAMED else ""
    return f"{ACTIONS[step.action]} {names}{more} ({step.write.tool})"
