"""API keys. They are created with a role, shown only once, and refused after they are deleted or expire."""

from typing import Any

from mailgun_mcp.simulator.model.access import KEY_LIMIT, Access, ApiKey
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY, seconds_date
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

WEB_LIFETIME, LIFETIME = int(DAY), int(100 * 365 * DAY)


@handles("list_api_keys", fidelity="stateful", note="without their secrets")
def list_api_keys(account: Account, request: SimulatedRequest) -> Reply:
    keys = [key for key in _access(account).keys.values() if _listed(key, request)]
    return Reply({"total_count": len(keys), "items": [_to_json(key, account.clock.now()) for key in keys]})


@handles("create_api_key", fidelity="stateful", note="its role and domain restrict its use")
def create_api_key(account: Account, request: SimulatedRequest) -> Reply:
    access = _access(account)
    _check(account, request)
    if len(access.keys) >= KEY_LIMIT:
        raise ApiError(403, "could not create key, account limit reached")
    key = _made(account, request)
    access.keys[key.id] = key
    return success("great success", key={**_to_json(key, account.clock.now()), "secret": key.secret})


@handles("delete_api_key", fidelity="stateful", note="requests with it are refused from then on")
def delete_api_key(account: Account, request: SimulatedRequest) -> Reply:
    key = _access(account).keys.pop(request["key_id"], None)
    if key is None:
        raise ApiError(404, "no key matching id")
    if key.secret:
        _access(account).revoked.add(key.secret)
    return success("key deleted")


@handles("regenerate_public_api_key", fidelity="stateful", note="a new public key")
def regenerate_public_api_key(account: Account) -> Reply:
    _access(account).public_key = f"pubkey-{account.hex_id(32)}"
    return success("The public API key has been successfully regenerated.", key=_access(account).public_key)


def _access(account: Account) -> Access:
    return account.administration.access


def _check(account: Account, request: SimulatedRequest) -> None:
    """Raise ApiError when the kind, the role and the arguments that they require do not fit together."""
    kind = request.get("kind")
    if (kind == "domain") != (request["role"] == "sending"):
        raise ApiError(400, "role 'sending' is for keys of kind 'domain', which can have no other")
    for name in {"domain": ("domain",), "web": ("user_id", "email")}.get(kind, ()):
        if name not in request.arguments:
            raise ApiError(400, f"{'domain_name' if name == 'domain' else name} parameter is missing")
    if kind == "domain" and request["domain"].lower() not in account.domains:
        raise ApiError(404, f"Domain not found: {request['domain']}")
    if "user_id" in request.arguments and request["user_id"] not in _access(account).users:
        raise ApiError(404, "No such user exists")
    longest = WEB_LIFETIME if kind == "web" else LIFETIME
    if request.get("expiration", 1) > longest:
        raise ApiError(400, f"The 'expiration' parameter can't be larger than {longest}")


def _made(account: Account, request: SimulatedRequest) -> ApiKey:
    now, kind = account.clock.now(), request.get("kind")
    user = _access(account).users.get(request.get("user_id", ""))
    lifetime = request.get("expiration", WEB_LIFETIME if kind == "web" else None)
    return ApiKey(
        id=f"{account.hex_id(8)}-{account.hex_id(8)}",
        secret=f"{account.hex_id(32)}-{account.hex_id(8)}-{account.hex_id(8)}",
        role=request["role"],
        created_at=now,
        kind=kind,
        description=request.get("description", ""),
        domain=request["domain"].lower() if kind == "domain" else None,
        expires_at=now + lifetime if lifetime else None,
        user_id=request.get("user_id"),
        user_name=request.get("user_name", user.name if user else None),
        requestor=request.get("email", user.email if user else None),
    )


def _listed(key: ApiKey, request: SimulatedRequest) -> bool:
    named = request.get("domain")
    return request.get("kind", key.kind) == key.kind and (not named or key.domain == named.lower())


def _to_json(key: ApiKey, now: float) -> dict[str, Any]:
    expired = key.expired(now)
    values = {
        "id": key.id,
        "description": key.description,
        "kind": key.kind,
        "role": key.role,
        "created_at": seconds_date(key.created_at),
        "updated_at": seconds_date(key.created_at),
        "expires_at": seconds_date(key.expires_at) if key.expires_at else None,
        "disabled_reason": "expired" if expired else None,
        "is_disabled": expired,
        "domain_name": key.domain,
        "requestor": key.requestor,
        "user_name": key.user_name,
    }
    # Mailgun leaves out unset fields, and clients cannot read null as a date.
    return {name: value for name, value in values.items() if value is not None}
