"""Reads a policy file. Everything that is wrong with it is reported at once, with file and line."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.former_names import current_arguments
from mailgun_mcp.errors import reason_of
from mailgun_mcp.policy.conditions import compile_match
from mailgun_mcp.policy.file import checks as policy_checks
from mailgun_mcp.policy.file.hypothetical import assumed_facts, unknown_arguments
from mailgun_mcp.policy.file.old_keys import with_new_keys
from mailgun_mcp.policy.file.schema import PolicyDocument
from mailgun_mcp.policy.file.schema_faults import problems_of
from mailgun_mcp.policy.file.without_faults import values_without_faults
from mailgun_mcp.policy.model import (
    AuditRules,
    CallLimits,
    ConfirmationRules,
    Example,
    HeadRules,
    NotifyRules,
    Policy,
    Rule,
    SendRules,
    SpendRules,
    UndoRules,
    WebhookRules,
)
from mailgun_mcp.policy.profiles import PROFILES, profile
from mailgun_mcp.settings import SettingsError
from mailgun_mcp.text.durations import duration
from mailgun_mcp.text.suggest import unknown
from mailgun_mcp.text.yaml import YamlDocument, YamlError, YamlPath, read

ALONE = Policy("nothing", ())
"""What a file extends when it has no `extends`."""


class PolicyError(SettingsError):
    """A policy file cannot be used."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
        """Each `FILE:LINE: what is wrong`."""


def open_policy(name: str, catalogue: Catalogue | None = None) -> Policy:
    """Return the profile called `name`, or the policy of the file at `name`. Raises PolicyError."""
    if name in PROFILES:
        return profile(name)
    if not _is_file_name(name) and not Path(name).exists():
        raise PolicyError(
            [f"{unknown('policy', name, PROFILES)} (write the name of a file with its suffix: {name}.yaml)"]
        )
    return load_policy(Path(name), catalogue)


def load_policy(path: Path, catalogue: Catalogue | None = None) -> Policy:
    """Return the policy of the file at `path`.

    `catalogue` is everything that a rule may name: the whole of it, not what one server offers. Raises PolicyError.
    """
    return _load(path, catalogue or Catalogue.load(), path.name, ())


def parse_policy(text: str, catalogue: Catalogue, name: str = "policy.yaml", directory: Path | None = None) -> Policy:
    """Return the policy that `text` says; other files are found from `directory`. Raises PolicyError."""
    return _parse(text, _Source(name, (directory or Path()) / name, catalogue, ()))


def read_call(text: str, catalogue: Catalogue) -> tuple[str, dict[str, Any]]:
    """Return the tool and the arguments of `delete_domain {domain: a.example.com}`. Raises ValueError."""
    tool, _, written = text.strip().partition(" ")
    return checked_call(tool, read_arguments(written) if tool in catalogue else {}, catalogue)


def checked_call(tool: str, arguments: dict[str, Any], catalogue: Catalogue) -> tuple[str, dict[str, Any]]:
    """Return the tool and its arguments. Raises ValueError for a name that is unknown."""
    if tool not in catalogue:
        raise ValueError(unknown("tool", tool, catalogue.names))
    operation = catalogue.find(tool)
    arguments = current_arguments(operation, arguments)
    wrong = unknown_arguments(operation, arguments)
    if wrong:
        raise ValueError("; ".join(wrong))
    return tool, arguments


def read_arguments(written: str) -> dict[str, Any]:
    """Return the arguments of `{domain: a.example.com}`, or of JSON. Raises ValueError."""
    document = read(written.strip() or "{}")
    if document.problems:
        raise ValueError(document.problems[0][1])
    if not isinstance(document.value, dict):
        raise ValueError(f"write arguments as {{name: value}}, not {written.strip()!r}")
    return document.value


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a text comes from."""

    name: str
    """The file's name in messages."""
    path: Path
    catalogue: Catalogue
    seen: tuple[Path, ...]
    """The files that extend this one."""

    def error(self, problems: Iterable[tuple[int, str]]) -> PolicyError:
        return PolicyError([f"{self.name}:{line}: {problem}" for line, problem in sorted(problems)])


def _load(path: Path, catalogue: Catalogue, name: str, seen: tuple[Path, ...]) -> Policy:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        whole = path.resolve()
    except UnicodeDecodeError as error:
        raise PolicyError([f"{name}:1: not UTF-8 text"]) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise PolicyError([f"{name}: cannot be read: {reason_of(error)}"]) from error
    return _parse(text, _Source(name, path, catalogue, (*seen, whole)))


def _parse(text: str, source: _Source) -> Policy:
    try:
        document = with_new_keys(read(text, calls=True))
    except YamlError as error:
        raise source.error([(error.line, str(error))]) from error
    return _File(source, document, _validated(document, source)).policy()


def _validated(document: YamlDocument, source: _Source) -> dict[str, Any]:
    """Return the values of the file, without those that are left out."""
    if not isinstance(document.value, dict):
        raise source.error(document.problems[:1] or [(1, "a policy must be a mapping: version, rules, …")])
    problems = list(document.problems)
    try:
        values = PolicyDocument.model_validate(document.value).model_dump(exclude_unset=True)
    except ValidationError as error:
        reported = {line for line, _ in problems}
        problems += [(line, problem) for line, problem in problems_of(error, document) if line not in reported]
        problems += _problems_of_the_rest(document, error, source)
    if problems:
        raise source.error(set(problems))
    return values


def _problems_of_the_rest(document: YamlDocument, error: ValidationError, source: _Source) -> list[tuple[int, str]]:
    """Return what else is wrong with a file, besides the keys that do not have the right shape."""
    values = values_without_faults(document.value, error)
    if values is None:
        return []
    try:
        _File(source, document, values).policy()
    except PolicyError as fault_of_rest:
        own = [
            re.fullmatch(rf"{re.escape(source.name)}:(\d+): (.*)", text, re.DOTALL) for text in fault_of_rest.problems
        ]
        return [(int(match[1]), match[2]) for match in own if match]
    return []


class _File:
    """A file of the right shape, on its way to a policy."""

    def __init__(self, source: _Source, document: YamlDocument, values: Mapping[str, Any]) -> None:
        self._source, self._document, self._values = source, document, values
        self._problems: list[tuple[int, str]] = []
        self._problems_of_base: tuple[str, ...] = ()

    def policy(self) -> Policy:
        for path, problem in policy_checks.problems(self._values, self._source.catalogue):
            self._problem(path, problem)
        base = self._base()
        zone = ZoneInfo(self._values["timezone"]) if "timezone" in self._values else base.timezone
        confirmation = _confirmation(self._values.get("confirmation", {}), base.confirmation)
        for path, problem in policy_checks.unreachable_levels(self._values, confirmation):
            self._problem(path, problem)
        spend = (*_spend(self._values.get("spend")), *base.spend)
        if len({rules.currency for rules in spend}) > 1:
            self._problem(
                ("spend",), f"the budget that this file extends is in {base.spend[0].currency}: use one currency"
            )
        tests = tuple(self._examples(zone))
        if self._problems or self._problems_of_base:
            raise PolicyError([*self._source.error(self._problems).problems, *self._problems_of_base])
        return Policy(
            name=self._source.name,
            rules=(*self._rules(zone), *base.rules),
            send=(*_send(self._values.get("send")), *base.send),
            spend=spend,
            limits=(*_limits(self._values.get("limits")), *base.limits),
            confirmation=confirmation,
            audit=_audit(self._values.get("audit", {}), base.audit),
            undo=_undo(self._values.get("undo", {}), base.undo),
            secrets=self._values.get("secrets", base.secrets),
            notify=_notify(self._values["notify"]) if "notify" in self._values else base.notify,
            timezone=zone,
            otherwise=base.otherwise,
            tests=tests,
            digest=_digest(self._values, base),
        )

    def _problem(self, path: YamlPath, problem: str) -> None:
        self._problems.append((self._document.line(path), problem))

    def _base(self) -> Policy:
        extends = self._values.get("extends")
        if extends is None:
            return ALONE
        if extends in PROFILES:
            return profile(extends)
        path = self._source.path.parent / extends
        if not _is_file_name(extends):
            self._problem(
                ("extends",), f"{unknown('profile', extends, PROFILES)} (write the name of a file with its suffix)"
            )
        elif _resolved(path) in self._source.seen:
            self._problem(("extends",), f"{extends} extends this file: files cannot extend each other in a circle")
        else:
            return self._extended(path, extends)
        return ALONE

    def _extended(self, path: Path, name: str) -> Policy:
        try:
            return _load(path, self._source.catalogue, name, self._source.seen)
        except PolicyError as error:
            self._problems_of_base = error.problems
            return ALONE

    def _rules(self, zone: tzinfo) -> Iterator[Rule]:
        for index, rule in enumerate(self._values.get("rules", [])):
            label = rule.get("name", f"rule {index + 1}")
            yield Rule(
                name=f"{self._source.name}:{self._document.line(('rules', index))} ({label})",
                match=compile_match(rule["match"], rule["decision"], zone),
                effect=rule["decision"],
                level=rule.get("level"),
                reason=rule.get("reason", ""),
            )

    def _examples(self, zone: tzinfo) -> Iterator[Example]:
        for index, example in enumerate(self._values.get("tests", [])):
            assumptions = example.get("facts", {})
            try:
                tool, arguments = self._call(example)
                assumed_facts(self._source.catalogue.find(tool), arguments, assumptions, zone)
            except ValueError as error:
                key = "call" if "call" in example else "tool"
                self._problem(("tests", index, key), f"tests[{index}]: {error}")
                continue
            yield Example(
                line=self._document.line(("tests", index)),
                call=example.get("call") or f"{tool} {json.dumps(arguments, ensure_ascii=False)}",
                tool=tool,
                arguments=arguments,
                assumptions=assumptions,
                expect=example["expect"],
                level=example.get("level"),
                rule=example.get("rule"),
            )

    def _call(self, example: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        catalogue = self._source.catalogue
        if "call" in example:
            return read_call(example["call"], catalogue)
        return checked_call(example["tool"], example.get("arguments", {}), catalogue)


def _resolved(path: Path) -> Path | None:
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):
        return None


def _is_file_name(name: str) -> bool:
    return "/" in name or "\\" in name or name.endswith((".yaml", ".yml"))


def _send(send: Mapping[str, Any] | None) -> tuple[SendRules, ...]:
    if send is None:
        return ()
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in send.items()}
    if "duplicate_window" in values:
        values["duplicate_window"] = duration(send["duplicate_window"])
    return (SendRules(**values),)


def _spend(spend: Mapping[str, Any] | None) -> tuple[SpendRules, ...]:
    return () if spend is None else (SpendRules(**spend),)


def _limits(limits: Mapping[str, Any] | None) -> tuple[CallLimits, ...]:
    return () if limits is None else (CallLimits(**limits),)


def _confirmation(section: Mapping[str, Any], base: ConfirmationRules) -> ConfirmationRules:
    return ConfirmationRules(
        methods=tuple(section.get("methods", base.methods)),
        ttl=duration(section["ttl"]) if "ttl" in section else base.ttl,
        max_pending=section.get("max_pending", base.max_pending),
    )


def _audit(section: Mapping[str, Any], base: AuditRules) -> AuditRules:
    return AuditRules(
        personal=section.get("personal", base.personal),
        reads=section.get("reads", base.reads),
        keep=duration(section["keep"]) if "keep" in section else base.keep,
        most_bytes=section["keep_megabytes"] * 1024 * 1024 if "keep_megabytes" in section else base.most_bytes,
        heads=_heads(section["heads"]) if "heads" in section else base.heads,
    )


def _heads(section: Mapping[str, Any]) -> HeadRules:
    return HeadRules(
        file=section.get("file"),
        syslog=section.get("syslog", False),
        command=tuple(section["command"]) if "command" in section else None,
        every=duration(section.get("every", "10m")),
    )


def _undo(section: Mapping[str, Any], base: UndoRules) -> UndoRules:
    return UndoRules(
        records=section.get("records", base.records),
        keep=duration(section["keep"]) if "keep" in section else base.keep,
        too_many=section.get("too_many", base.too_many),
    )


def _notify(section: Mapping[str, Any]) -> NotifyRules:
    webhooks = tuple(
        WebhookRules(
            each["url"],
            each.get("format", "standard"),
            tuple(each["events"]) if "events" in each else None,
            each.get("secret_file"),
        )
        for each in section.get("webhooks", ())
    )
    return NotifyRules(
        command=tuple(section["command"]) if "command" in section else None, url=section.get("url"), webhooks=webhooks
    )


def _digest(value: Mapping[str, Any], base: Policy) -> str:
    rules = {name: item for name, item in value.items() if name not in ("tests", "extends")}
    content = json.dumps([rules, base.digest], sort_keys=True)
    return sha256(content.encode()).hexdigest()
