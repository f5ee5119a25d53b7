"""What a workflow found: a cause in words, what to do, and where it was read."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

Cause = Literal[
    "sending_limit_reached",
    "domain_not_active",
    "dns_record_missing",
    "authentication_failed",
    "ip_blocklisted",
    "throttled",
    "suppressed",
    "unfit_addresses",
    "complaints",
    "several_api_keys",
    "clicks_stopped",
    "webhooks_differ",
    "route_shadowed",
]
"""From what stops all mail to what concerns little of it: findings are in this order."""
ORDER: tuple[str, ...] = Cause.__args__  # type: ignore[attr-defined] # a Literal has them


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause."""

    cause: Cause
    what: str
    do: str
    sources: tuple[int, ...]
    evidence: Any = None
    """What a tool returned that shows it."""

    def shown(self) -> dict[str, Any]:
        """Return the finding as a model reads it."""
        evidence = {} if self.evidence is None else {"evidence": self.evidence}
        return {"cause": self.cause, "what": self.what, "do": self.do, "from": list(self.sources), **evidence}


def in_order(findings: Iterable[Finding | None]) -> list[Finding]:
    """Return the findings, the most urgent first, each once."""
    distinct = {(finding.cause, finding.what): finding for finding in findings if finding is not None}
    return sorted(_with_proof(list(distinct.values())), key=lambda finding: ORDER.index(finding.cause))


def _with_proof(findings: list[Finding]) -> list[Finding]:
    """Return the findings with refusals for want of a signature as the proof of the missing record, not as a second cause."""
    refused = [finding for finding in findings if finding.cause == "authentication_failed"]
    if not refused or not any(finding.cause == "dns_record_missing" for finding in findings):
        return findings
    proof = refused[0]
    return [
        replace(finding, what=f"{finding.what} {proof.what}", sources=(*finding.sources, *proof.sources))
        if finding.cause == "dns_record_missing"
        else finding
        for finding in findings
        if finding.cause != "authentication_failed"
    ]
