"""Reads scenarios: YAML that describes an account and the incidents in it."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from mailgun_mcp.errors import SettingsError, reason_of
from mailgun_mcp.request.route_language import parse_action, parse_expression
from mailgun_mcp.simulator.model.webhooks import EVENT_TYPES
from mailgun_mcp.simulator.worlds.case import Case
from mailgun_mcp.simulator.worlds.incidents import (
    Address,
    BadList,
    BrokenTemplate,
    ComplaintSpike,
    HostName,
    Incident,
    IpAddress,
    Rate,
    ScenarioPart,
    Throttling,
)
from mailgun_mcp.text.suggest import suggest, unknown
from mailgun_mcp.text.validation_words import fault_in_words
from mailgun_mcp.text.yaml import YamlError, read

MOST_MESSAGES = 20_000
SUFFIXES = (".yaml", ".yml")


OF_CAMPAIGNS = (BadList, BrokenTemplate, ComplaintSpike)
"""Incidents that only the mail of their domain shows."""


class ScenarioError(SettingsError):
    """A scenario that does not exist or is invalid."""


class _Disagreement(ValueError):
    """Two parts of a scenario do not fit together. `path` leads to the one that is named."""

    def __init__(self, path: tuple[str | int, ...], text: str) -> None:
        super().__init__(text)
        self.path = path


def _event_types(webhooks: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    for name in webhooks:
        if name not in EVENT_TYPES:
            raise ValueError(unknown("event type", name, EVENT_TYPES))
    return webhooks


def _expression(text: str) -> str:
    parse_expression(text)
    return text


def _action(text: str) -> str:
    parse_action(text)
    return text


class Volume(ScenarioPart):
    """How much mail a domain sent over the days until now, and the rates of its outcomes."""

    messages: int = Field(ge=0, le=MOST_MESSAGES, description="How many messages, each to one recipient.")
    days: float = Field(default=7, gt=0, le=30, description="Over how many days until now.")
    tag: str = Field(default="newsletter", description="Their tag.")
    open_rate: Rate = Field(default=0.25, description="Share of the delivered messages that are opened.")
    click_rate: Rate = Field(default=0.05, description="Share of the delivered messages that are clicked.")
    bounce_rate: Rate = Field(default=0.01, description="Share of the messages that bounce.")
    complaint_rate: Rate = Field(default=0.0005, description="Share of the recipients that complain.")


class DomainPart(ScenarioPart):
    """A domain of the account."""

    name: HostName = Field(description="Its name.")
    state: Literal["active", "unverified"] = Field(default="active", description="Whether it can send.")
    ip: IpAddress | None = Field(
        default=None, description="A dedicated IP that it sends from. Without one it sends from the shared IP."
    )
    volume: Volume | None = Field(default=None, description="The mail that it sent. Without it, none.")
    missing_records: tuple[Literal["spf", "dkim", "tracking", "mx"], ...] = Field(
        default=(), description="Its DNS records that are missing."
    )
    webhooks: Annotated[dict[str, tuple[str, ...]], AfterValidator(_event_types)] = Field(
        default={},
        json_schema_extra={"propertyNames": {"enum": list(EVENT_TYPES)}},
        description="Event type, such as `permanent_fail` -> URLs that are called.",
    )


class RoutePart(ScenarioPart):
    """A route of the account."""

    expression: Annotated[str, AfterValidator(_expression)] = Field(
        description='Which inbound mail it is for, such as `match_recipient(".*@mail.example.com")`.'
    )
    actions: tuple[Annotated[str, AfterValidator(_action)], ...] = Field(
        description='What is done, such as `forward("ann@example.com")` and `stop()`.'
    )
    priority: int = Field(default=0, description="Routes with lower numbers are tried first.")
    description: str = Field(default="", description="Its description.")
    days: float = Field(default=100, ge=0, le=1000, description="How many days ago it was created.")


class InboundPart(ScenarioPart):
    """A message that came in, and went the way that the routes say."""

    to: Address = Field(description="Recipient.")
    sender: str = Field(default="Ann Reader <ann@reader.example>", description="From header.")
    subject: str = Field(default="Question about my order", description="Subject header.")
    text: str = Field(default="Hello, when will my order arrive?", description="Text.")


class Scenario(ScenarioPart):
    """An account, what went wrong in it, and a question about it."""

    description: str = Field(default="", description="What went wrong, for people. No tool shows it.")
    seed: int = Field(default=0, description="Another number makes another history of the same kind.")
    domains: tuple[DomainPart, ...] = Field(description="At least one.")
    routes: tuple[RoutePart, ...] = Field(default=(), description="The routes for inbound mail.")
    inbound: tuple[InboundPart, ...] = Field(default=(), description="Mail that came in just now.")
    incidents: tuple[Incident, ...] = Field(default=(), description="What went wrong.")
    case: Case | None = Field(default=None, description="A question for an agent, and how its answer is judged.")

    @model_validator(mode="after")
    def _names_agree(self) -> "Scenario":
        names = [domain.name for domain in self.domains]
        if not names:
            raise _Disagreement(("domains",), "a scenario needs at least one domain")
        for index, name in enumerate(names):
            if name in names[:index]:
                raise _Disagreement(("domains", index, "name"), f"two domains have the same name: {name!r}")
        for index, incident in enumerate(self.incidents):
            self._check_incident(("incidents", index, "domain"), incident)
        return self

    def _check_incident(self, path: tuple[str | int, ...], incident: Incident) -> None:
        domains = {domain.name: domain for domain in self.domains}
        domain = domains.get(incident.domain)
        if domain is None:
            raise _Disagreement(
                path, f"incident in {incident.domain!r}, which is not one of the domains: {', '.join(domains)}"
            )
        if isinstance(incident, Throttling) and not domain.ip:
            raise _Disagreement(path, f"throttling of {domain.name!r}: give the domain an ip, which is warmed up")
        if isinstance(incident, OF_CAMPAIGNS) and not (domain.volume and domain.volume.messages):
            raise _Disagreement(
                path, f"{incident.kind} in {domain.name!r}: give the domain a volume, because only its mail shows it"
            )


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a scenario."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema()}


def shipped_names() -> list[str]:
    """Return the names of the scenarios that come with the package."""
    directory = files("mailgun_mcp") / "_data" / "scenarios"
    return sorted(entry.name.removesuffix(".yaml") for entry in directory.iterdir() if entry.name.endswith(".yaml"))


def open_scenario(name: str) -> Scenario:
    """Return a shipped scenario by its name, or the one in a file. Raises ScenarioError with all faults."""
    if name in shipped_names():
        text = (files("mailgun_mcp") / "_data" / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")
        return parse_scenario(text, name)
    if not name.endswith(SUFFIXES):
        like = suggest(name, shipped_names())
        raise ScenarioError(
            f"unknown scenario {name!r}; the built-in ones are {', '.join(shipped_names())}"
            + (f" (did you mean {like!r}?)" if like else "")
            + "; a file's name ends with .yaml"
        )
    try:
        return parse_scenario(Path(name).expanduser().read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{name}: cannot be read: {reason_of(error)}") from error


def scenario_from_json(value: Any) -> Scenario:
    """Return a shipped scenario by its name, or the one in a JSON object. Never opens a file. Raises ScenarioError."""
    if isinstance(value, str):
        if value not in shipped_names():
            raise ScenarioError(f"unknown scenario {value!r}; the built-in ones are {', '.join(shipped_names())}")
        return open_scenario(value)
    try:
        return Scenario.model_validate(value)
    except ValidationError as error:
        raise ScenarioError("; ".join(fault_in_words(_located(fault)) for fault in error.errors())) from error


def parse_scenario(text: str, name: str) -> Scenario:
    """Return the scenario in a YAML text. Raises ScenarioError with the line of each fault."""
    try:
        document = read(text)
    except YamlError as error:
        raise ScenarioError(f"{name}:{error.line}: not valid YAML: {error}") from error
    if document.problems:
        raise ScenarioError("\n".join(f"{name}:{line}: {problem}" for line, problem in document.problems))
    try:
        return Scenario.model_validate(document.value)
    except ValidationError as error:
        faults = [
            f"{name}:{document.line(_path(fault))}: {fault_in_words(_located(fault))}" for fault in error.errors()
        ]
        raise ScenarioError("\n".join(faults)) from error


def _located(fault: Any) -> Any:
    """Return one of `ValidationError.errors()` with the path in the file, without the kind of an incident."""
    path = fault["loc"]
    return {**fault, "loc": (*path[:2], *path[3:])} if path[:1] == ("incidents",) else fault


def _path(fault: Any) -> tuple[str | int, ...]:
    error = fault.get("ctx", {}).get("error")
    path: tuple[str | int, ...] = error.path if isinstance(error, _Disagreement) else _located(fault)["loc"]
    return path
