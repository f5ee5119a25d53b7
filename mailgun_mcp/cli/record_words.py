"""Recorded calls and saved copies as a person reads them: one fact per line, without the braces of JSON."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from mailgun_mcp.cli.output import label, words
from mailgun_mcp.text.sizes import count_of

WIDTH = 11
"""Width in characters of the names in front of the facts."""
NAMED = 2
"""How many resources that a call created are named in a list."""
OUTCOMES = {
    "done": "done",
    "failed": "failed: Mailgun or the network refused it",
    "unknown": "unknown: it was sent, and no complete answer came",
    "refused": "refused: the policy or a person said no; nothing was sent",
    "pending": "pending: it waited for an approval; nothing was sent",
    "asked": "asked: a person was asked; nothing was sent yet",
    "invalid": "invalid: its arguments were not valid; nothing was sent",
}
"""Outcome of a call -> what it means. `audit list --outcome` takes the words before the colon."""


def call_lines(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is recorded about a call, as `audit show` prints it; `record` is as `audit show --json` prints it."""
    facts = {
        "id": record["id"],
        "when": record["when"],
        "tool": _joined(record.get("tool"), record.get("risk"), form="{}, risk {}"),
        "by": _joined(record.get("principal"), record.get("client"), form="{}, with the client {}"),
        "account": _joined(record.get("account"), record.get("endpoint"), form="{} at {}"),
        "API key": record.get("key") and f"its fingerprint starts with {record['key']}",
        "region": record.get("region"),
        "subaccount": record.get("subaccount"),
        "undoes": record.get("undoes"),
        "decision": _decision(record.get("decision")),
        "confirmed": _confirmation(record.get("confirmation")),
        "grants": "; ".join(record.get("grants") or ()),
        "third party": _untrusted(record.get("untrusted")),
        "saved": _snapshot(record.get("snapshot")),
        "outcome": OUTCOMES.get(record["outcome"], record["outcome"]),
        "answer": _answer(record),
        "policy": _joined(*(record.get("policy") or ()), form="{}, digest {}"),
        "reached": _reached(record.get("reached")),
        "request": record.get("digest") and f"digest {record['digest']}",
    }
    for name, fact in facts.items():
        if fact:
            yield f"{name:<{WIDTH}}  {words(fact)}"
    if "argument_names" in record:
        yield f"{'arguments':<{WIDTH}}  {words(record['argument_names'])} (--values shows what they were)"
    elif record.get("arguments"):
        yield "arguments"
        yield from value_lines(record["arguments"])


def snapshot_lines(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is known of a call that can be undone, without the copies; `record` is as `undo list --json` prints it."""
    facts = {
        "id": record["id"],
        "tool": record["tool"],
        "when": record["created"],
        "account": _joined(record["account"], record.get("endpoint"), form="{} at {}"),
        "subaccount": record.get("subaccount"),
        "outcome": OUTCOMES.get(record["outcome"], record["outcome"]),
        "undo": "done" if record["status"] == "undone" else f"possible until {record['until']}",
        "saved": record["summary"] or "nothing: the call created what is named below",
    }
    for name, fact in facts.items():
        if fact:
            yield f"{name:<{WIDTH}}  {words(fact)}"


def resource_lines(resource: Mapping[str, Any]) -> Iterator[str]:
    """Yield a saved copy, with each value on a line of its own."""
    yield f"\nsaved: {resource_name(resource)}"
    value = resource["value"]
    if value is None:
        yield "  (did not exist; an undo removes it)"
    else:
        yield from value_lines(value if isinstance(value, Mapping) else {"value": value})


def resource_name(resource: Mapping[str, Any]) -> str:
    """Return the kind, key and place of a resource: `bounce kim@example.org (domain: mail.example.com)`."""
    parts = [label(str(resource["resource"])), words(resource["key"]), f"({words(resource['in'])})"]
    return " ".join(filter(None, parts if resource["in"] else parts[:-1]))


def created(resources: Iterator[Mapping[str, Any]]) -> str:
    """Return what a call created, as `undo list` names it: `new bounce kim@example.org`."""
    names = [f"{label(str(one['resource']))} {words(one['key'])}" for one in islice(resources, NAMED + 1)]
    more = ", …" if len(names) > NAMED else ""
    return f"new: {', '.join(names[:NAMED])}{more}" if names else ""


def value_lines(value: Any, indent: str = "  ") -> Iterator[str]:
    """Yield a JSON object or array with a line for each simple value, indented by its depth."""
    pairs = (
        value.items() if isinstance(value, Mapping) else [(f"{number}.", item) for number, item in enumerate(value, 1)]
    )
    for name, item in pairs:
        head = f"{indent}{words(str(name)) if isinstance(value, Mapping) else name}"
        colon = ":" if isinstance(value, Mapping) else ""
        if _is_simple(item):
            yield f"{head}{colon} {words(item)}".rstrip()
        else:
            yield f"{head}{colon}"
            yield from value_lines(item, f"{indent}  ")


def _is_simple(value: Any) -> bool:
    if isinstance(value, Mapping):
        return not value
    return not isinstance(value, (list, tuple)) or not any(isinstance(item, (Mapping, list, tuple)) for item in value)


def _joined(*values: Any, form: str) -> str | None:
    """Return the values in the form, or the only one there is."""
    present = [str(value) for value in values if value]
    return form.format(*present) if len(present) == form.count("{}") else (present[0] if present else None)


def _decision(decision: Mapping[str, Any] | None) -> str | None:
    if not decision:
        return None
    level = f" ({decision['level']})" if decision.get("level") else ""
    return f"{decision['effect']}{level} by the rule {decision['rule']}: {decision.get('reason') or 'no reason given'}"


def _confirmation(confirmation: Mapping[str, Any] | None) -> str | None:
    if not confirmation:
        return None
    return f"by {words(confirmation['by'])}, by {confirmation['method']}, at the level {confirmation['level']}"


def _reached(reached: Mapping[str, Any] | None) -> str | None:
    """Return whom the call reached, if its recorded arguments do not show it."""
    if not reached:
        return None
    shown = [str(one) for one in reached.get("names") or reached.get("domains") or ()]
    left = reached["count"] - len(shown)
    return words([*shown, *([f"{left:,} more"] if left > 0 and "names" in reached else [])])


def _untrusted(untrusted: Any) -> str | None:
    age = untrusted.get("age") if isinstance(untrusted, Mapping) else None
    return f"their text had been shown {age:,.0f} seconds before" if isinstance(age, (int, float)) else None


def _snapshot(snapshot: Mapping[str, Any] | None) -> str | None:
    if not snapshot:
        return None
    records = snapshot.get("records", 0)
    if not snapshot.get("copied"):
        return f"nothing: {records:,} records are too many to copy, so it cannot be undone"
    return f"a copy of {count_of(records, 'record')}" if records else "nothing: it did not exist before"


def _answer(record: Mapping[str, Any]) -> str | None:
    facts = [
        f"HTTP {record['status']}" if record.get("status") else None,
        f"after {record['ms']:,} ms" if record.get("ms") is not None else None,
        f"in {record['attempts']} attempts" if (record.get("attempts") or 1) > 1 else None,
        f"request id {record['request_id']}" if record.get("request_id") else None,
    ]
    return ", ".join(filter(None, facts)) or None
