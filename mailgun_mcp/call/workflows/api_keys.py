"""Which API keys mail is sent with: one that nobody knows has leaked."""

from mailgun_mcp.call.workflows.findings import Finding
from mailgun_mcp.call.workflows.queries import Request, logs
from mailgun_mcp.call.workflows.reads import Read, Reads


def accepted(days: int, domain: str | None) -> Request:
    """Ask with which keys, and from where, the newest mail was sent."""
    return logs(days, ["accepted"], ["api-key-id", "originating-ip"], domain=domain)


async def key_findings(reads: Reads, newest: Read) -> list[Finding]:
    """Return a finding if mail is sent with several API keys from several addresses."""
    used = {(event["api-key-id"], event.get("originating-ip")) for event in newest.items if event.get("api-key-id")}
    if len({key for key, _ in used}) < 2:
        return []
    listed = (await reads.all({"keys": ("list_api_keys", {})}))["keys"]
    described = {item.get("id"): item.get("description") for item in listed.items}
    uses = [{"key": key, "description": described.get(key), "originating_ip": ip} for key, ip in sorted(used, key=str)]
    return [
        Finding(
            "several_api_keys",
            "Mail is sent with more than one API key. A key that nobody recognizes, or that is used from an "
            "unfamiliar address, has probably leaked.",
            "Ask the owner which of the addresses are theirs. Delete a leaked key with delete_api_key, and only that one.",
            (newest.source, listed.source),
            uses,
        )
    ]
