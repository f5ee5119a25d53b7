"""One call on its way through the stages."""

from dataclasses import dataclass, field

from mailgun_mcp.audit.call_record import CallRecord, new_record
from mailgun_mcp.call.results import ReturnedFile
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.raised_risk import as_called
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.account import Account
from mailgun_mcp.request.subaccount import acting_subaccount
from mailgun_mcp.undo.capture import Capture


@dataclass
class Call:
    """A call: who makes it, which tool it uses, and its audit record."""

    services: Services
    operation: Operation
    arguments: Arguments
    caller: Caller
    account: Account
    subaccount: str | None
    """The subaccount that the call acts in."""
    record: CallRecord
    capture: Capture | None = None
    """What the call removes or overwrites, if it can be undone."""
    pictures: list[tuple[str, bytes]] = field(default_factory=list)
    """Pictures that belong to the result, each with its media type."""
    file: ReturnedFile | None = None

    @classmethod
    def start(
        cls,
        services: Services,
        operation: Operation,
        arguments: Arguments,
        caller: Caller,
        account: Account,
        *,
        configured_subaccount: str | None = None,
    ) -> "Call":
        """Return a call on which nothing has been decided yet."""
        operation = as_called(operation, arguments)
        subaccount = acting_subaccount(arguments, configured_subaccount)
        policy = services.policy
        record = new_record(
            operation,
            arguments,
            caller,
            account,
            subaccount,
            policy=(policy.name, policy.digest),
            rules=policy.audit,
        )
        return cls(services, operation, arguments, caller, account, subaccount, record)
