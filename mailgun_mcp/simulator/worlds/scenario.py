"""Reads scenarios: YAML that describes an account and the incidents in it."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.text.suggest import suggest
from mailgun_mcp.text.yaml import YamlError, read

MOST_MESSAGES = 20_000
SUFFIXES = (".yaml", ".yml")

Rate = Annotated[float, Field(ge=0, le=1)]
Hours = Annotated[float, Field(gt=0, le=24 * 30)]
HostName = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]


class ScenarioError(SettingsError):
    """A scenario that does not exist or is not valid."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Volume(_Part):
    """How much mail a domain sent over the days until now, and the rates of its outcomes."""

    messages: int = Field(ge=0, le=MOST_MESSAGES)
    days: float = Field(default=7, gt=0, le=30)
    tag: str = "newsletter"
    open_rate: Rate = 0.25
    click_rate: Rate = 0.05
    bounce_rate: Rate = 0.01
    complaint_rate: Rate = 0.0005


class DomainPart(_Part):
    """A domain of the account."""

    name: HostName
    state: Literal["active", "unverified"] = "active"
    ip: Annotated[str, Field(pattern=r"^(\d{1,3}\.){3}\d{1,3}$")] | None = None
    """A dedicated IP that it sends from. Without one it sends from the shared IP."""
    volume: Volume | None = None


class Blocklisting(_Part):
    """The IP of the domain got onto a blocklist. From then on one provider refuses all mail from that IP, whichever domain sends it."""

    kind: Literal["blocklisting"]
    domain: HostName
    hours: Hours = 24
    provider: HostName = "outlook.com"
    blocklist: HostName = "zen.spamhaus.org"


class ComplaintSpike(_Part):
    """Recipients of one campaign report its mail as spam, far more often than before."""

    kind: Literal["complaint_spike"]
    domain: HostName
    hours: Hours = 24
    rate: Rate = 0.03
    campaign: str = "win-back"
    """The tag of the mail that they report: every second message since then."""


class BrokenDkim(_Part):
    """The DKIM record is missing from the DNS, and providers that require DKIM refuse the mail."""

    kind: Literal["broken_dkim"]
    domain: HostName
    hours: Hours = 24
    providers: tuple[HostName, ...] = ("gmail.com", "yahoo.com")


class Injection(_Part):
    """An inbound message contains instructions for AI assistants that read it."""

    kind: Literal["injection"]
    domain: HostName
    hours: Hours = 5
    sender: str = "Supplier Ltd <accounts@supplier.example>"
    subject: str = "Invoice 4471: new bank details"
    text: str


Incident = Annotated[Blocklisting | ComplaintSpike | BrokenDkim | Injection, Field(discriminator="kind")]


class Scenario(_Part):
    """An account and its incidents."""

    description: str = ""
    seed: int = 0
    domains: tuple[DomainPart, ...]
    incidents: tuple[Incident, ...] = ()

    @model_validator(mode="after")
    def _names_agree(self) -> "Scenario":
        names = [domain.name for domain in self.domains]
        if not names:
            raise ValueError("a scenario needs at least one domain")
        if len(set(names)) < len(names):
            raise ValueError("two domains have the same name")
        for incident in self.incidents:
            if incident.domain not in names:
                raise ValueError(
                    f"incident in {incident.domain!r}, which is not one of the domains: {', '.join(names)}"
                )
        return self


def shipped_names() -> list[str]:
    """Return the names of the scenarios that come with the package."""
    directory = files("mailgun_mcp") / "_data" / "scenarios"
    return sorted(entry.name.removesuffix(".yaml") for entry in directory.iterdir() if entry.name.endswith(".yaml"))


def open_scenario(name: str) -> Scenario:
    """Return a shipped scenario by its name, or one in a file. Raises ScenarioError with all that is wrong."""
    if name in shipped_names():
        text = (files("mailgun_mcp") / "_data" / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")
        return parse_scenario(text, name)
    if not name.endswith(SUFFIXES):
        like = suggest(name, shipped_names())
        raise ScenarioError(
            f"unknown scenario {name!r}; shipped are {', '.join(shipped_names())}"
            + (f" (did you mean {like!r}?)" if like else "")
            + "; a file's name ends with .yaml"
        )
    try:
        return parse_scenario(Path(name).expanduser().read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{name}: cannot be read: {error}") from error


def scenario_from_json(value: Any) -> Scenario:
    """Return a shipped scenario by its name, or the one in a JSON object. Never opens a file. Raises ScenarioError."""
    if isinstance(value, str):
        if value not in shipped_names():
            raise ScenarioError(f"unknown scenario {value!r}; shipped are {', '.join(shipped_names())}")
        return open_scenario(value)
    try:
        return Scenario.model_validate(value)
    except ValidationError as error:
        raise ScenarioError("; ".join(_fault(fault) for fault in error.errors())) from error


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
        faults = [f"{name}:{document.line(fault['loc'])}: {_fault(fault)}" for fault in error.errors()]
        raise ScenarioError("\n".join(faults)) from error


def _fault(fault: Any) -> str:
    where = ".".join(str(part) for part in fault["loc"])
    text = "unknown key" if fault["type"] == "extra_forbidden" else fault["msg"].removeprefix("Value error, ")
    return f"{where}: {text}" if where else str(text)
