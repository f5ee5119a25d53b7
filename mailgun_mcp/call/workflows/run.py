"""Runs a workflow, and puts its answer together."""

from collections.abc import Awaitable, Callable
from typing import Any

from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.workflows.charts import chart_metrics
from mailgun_mcp.call.workflows.data_flows import audit_data_flows
from mailgun_mcp.call.workflows.delivery import explain_delivery, find_recipient
from mailgun_mcp.call.workflows.domain_health import check_domain_health
from mailgun_mcp.call.workflows.findings import Finding
from mailgun_mcp.call.workflows.reads import Reads, Run
from mailgun_mcp.call.workflows.report import compare_domains, deliverability_report
from mailgun_mcp.call.workflows.suppressions import plan_suppression_cleanup
from mailgun_mcp.errors import CallError

Workflow = Callable[[Reads], Awaitable[tuple[list[Finding], dict[str, Any]]]]
WORKFLOWS: dict[str, Workflow] = {
    "check_domain_health": check_domain_health,
    "explain_delivery": explain_delivery,
    "find_recipient": find_recipient,
    "deliverability_report": deliverability_report,
    "compare_domains": compare_domains,
    "audit_data_flows": audit_data_flows,
    "plan_suppression_cleanup": plan_suppression_cleanup,
    "chart_metrics": chart_metrics,
}
NOTHING = {
    "explain_delivery": "No cause was found that stops this mail or affects several messages. The events say what "
    "happened.",
    "find_recipient": "Nothing prevents mail to this address. The facts list what the account knows about it.",
    "audit_data_flows": "No flow contradicts another. The facts list all of them.",
    "plan_suppression_cleanup": "The facts say which addresses could be removed, and why. Nothing was removed.",
    "chart_metrics": "The chart shows the figures, which are those of query_metrics.",
}
"""What is said where a workflow finds no cause."""


async def run_workflow(call: Call, run: Run) -> dict[str, Any]:
    """Return the answer of a workflow. `run` makes the calls of single tools. Raises CallError when none is answered."""
    reads = Reads(call, run)
    findings, facts = await WORKFLOWS[call.operation.name](reads)
    if reads.answered == 0:
        raise CallError(
            "None of the calls succeeded. " + " ".join(dict.fromkeys(each["why"] for each in reads.not_read))
        )
    await call.services.recorder.finish(call.record, "done")
    answer = {
        "summary": _summary(findings, reads, NOTHING.get(call.operation.name, "Nothing wrong was found.")),
        "findings": [finding.shown() for finding in findings],
        "facts": facts,
        **({"not_read": reads.not_read} if reads.not_read else {}),
        "sources": reads.sources,
    }
    return reads.with_notice(answer)


def _summary(findings: list[Finding], reads: Reads, nothing: str) -> str:
    missing = f" {len(reads.not_read)} of the calls failed, so this may be incomplete." if reads.not_read else ""
    if not findings:
        return f"{nothing}{missing}"
    return f"{findings[0].what}{f' And {len(findings) - 1} more.' if len(findings) > 1 else ''}{missing}"
