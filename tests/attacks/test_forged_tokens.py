"""The attacker wants to be taken for somebody, or to have more scopes, with a token that the authorization server did not issue for this server.

They forge signatures, headers and claims, bring tokens that are old, revoked or for others, and have the server fetch keys from where it must not.
"""

import time
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from hmac import digest as hmac_digest
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from mailgun_mcp.call.services import Services
from mailgun_mcp.policy.profiles import profile
from tests.support.identity_provider import ISSUER, RESOURCE, IdentityProvider
from tests.support.oauth import SETTINGS, issuer_http, segment
from tests.support.recorder import Recorder, recorded_services
from tests.support.team import GREETING, bearer, call_modern, list_modern, open_session, request, team_server

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def provider() -> IdentityProvider:
    return IdentityProvider()


@pytest.fixture(scope="module")
def attacker() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "rsa-1"})


@pytest.fixture
def services() -> Services:
    return recorded_services(Recorder(), policy=profile("unguarded"), clock=time.time)


@pytest.fixture
async def client(services: Services, provider: IdentityProvider) -> AsyncIterator[httpx.AsyncClient]:
    async with team_server(services, SETTINGS, http=issuer_http(provider)) as client:
        yield client


async def test_a_token_of_the_authorization_server_is_its_subject(
    client: httpx.AsyncClient, services: Services, provider: IdentityProvider
) -> None:
    token = bearer(provider.token(sub="ann"))
    assert "get_domain" in await list_modern(client, token)
    assert (await call_modern(client, token, "get_domain", {"name": "mg.example.com"})).status_code == 200
    assert (await call_modern(client, token, "clear_bounces", {})).status_code == 403
    services.recorder.close()
    assert {call.fields["principal"] for call in services.audit_log.calls()} == {"ann@login.example.com"}


def unsigned(provider: IdentityProvider, algorithm: str) -> str:
    return f"{segment({'alg': algorithm, 'typ': 'at+jwt', 'kid': 'rsa-1'})}.{provider.token().split('.')[1]}."


def signed_with_the_public_key(provider: IdentityProvider) -> str:
    """The old confusion: what everybody can read of the key is taken for a shared secret."""
    head = segment({"alg": "HS256", "typ": "at+jwt", "kid": "rsa-1"})
    text = f"{head}.{provider.token().split('.')[1]}"
    secret = provider.keys["rsa-1"].as_pem(private=False)
    return f"{text}.{segment(hmac_digest(secret, text.encode(), 'sha256'))}"


def other_claims(provider: IdentityProvider) -> str:
    """The signature of one token under the claims of another."""
    good, other = provider.token().split("."), provider.token(scope="mailgun:destructive", sub="root").split(".")
    return ".".join([good[0], other[1], good[2]])


Forge = Callable[[IdentityProvider, RSAKey], str]
FORGED: dict[str, Forge] = {
    "no algorithm": lambda provider, _: unsigned(provider, "none"),
    "no algorithm in capitals": lambda provider, _: unsigned(provider, "NONE"),
    "no signature": lambda provider, _: provider.token().rpartition(".")[0] + ".",
    "the public key as a secret": lambda provider, _: signed_with_the_public_key(provider),
    "a secret of their own": lambda provider, _: provider.token(OctKey.import_key("x" * 32), header={"alg": "HS256"}),
    "their key under our key id": lambda provider, key: provider.token(key),
    "their key under its own id": lambda provider, key: provider.token(key, header={"kid": "theirs"}),
    "their key in the header": lambda provider, key: provider.token(key, header={"jwk": key.as_dict(private=False)}),
    "their keys at an address": lambda provider, key: provider.token(key, header={"jku": "https://evil.example/jwks"}),
    "a key id that is a path": lambda provider, key: provider.token(key, header={"kid": "../../dev/null"}),
    "another kind of key": lambda provider, _: provider.token(
        ECKey.generate_key("P-256"), header={"alg": "ES256", "kid": "rsa-1"}
    ),
    "the claims of another token": lambda provider, _: other_claims(provider),
    "an extension": lambda provider, _: provider.token(header={"crit": ["b64"], "b64": True}),
    "an identity token": lambda provider, _: provider.token(header={"typ": "id+jwt"}),
    "expired": lambda provider, _: provider.token(exp=int(time.time()) - 60),
    "without an end": lambda provider, _: provider.token(without=("exp",)),
    "an end that is text": lambda provider, _: provider.token(exp="never"),
    "not valid yet": lambda provider, _: provider.token(nbf=int(time.time()) + 600),
    "for another server": lambda provider, _: provider.token(aud="https://other.example.com/mcp"),
    "for a server that is called alike": lambda provider, _: provider.token(aud=f"{RESOURCE}.evil.example/mcp"),
    "for the client": lambda provider, _: provider.token(aud="the-client"),
    "for nobody": lambda provider, _: provider.token(without=("aud",)),
    "of another issuer": lambda provider, _: provider.token(iss="https://evil.example"),
    "of an issuer with a slash": lambda provider, _: provider.token(iss=f"{ISSUER}/"),
    "of no issuer": lambda provider, _: provider.token(without=("iss",)),
    "of nobody": lambda provider, _: provider.token(without=("sub",)),
    "of an empty name": lambda provider, _: provider.token(sub=" "),
    "of a name with a line break": lambda provider, _: provider.token(sub="ann\nroot"),
    "of a very long name": lambda provider, _: provider.token(sub="a" * 300),
    "no token at all": lambda _, __: "a.b.c",
    "nesting without end": lambda _, __: f"{segment(b'[' * 3000)}.e30.x",
    "very long": lambda provider, _: provider.token(padding="x" * 20_000),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
async def test_a_token_that_is_not_right_in_every_part_lets_nobody_in(
    forge: Forge, client: httpx.AsyncClient, provider: IdentityProvider, attacker: RSAKey
) -> None:
    answer = await client.post("/mcp", json=GREETING, headers=bearer(forge(provider, attacker)))
    assert (answer.status_code, 'error="invalid_token"' in answer.headers["www-authenticate"]) == (401, True)


async def test_a_right_token_counts_in_its_one_header_only(
    client: httpx.AsyncClient, provider: IdentityProvider
) -> None:
    token = provider.token()
    twice = [*bearer(token).items(), *bearer(token).items()]
    assert (await client.post("/mcp", json=GREETING, headers=twice)).status_code == 401
    assert (await client.post(f"/mcp?access_token={token}", json=GREETING)).status_code == 401
    assert (await client.post("/mcp", json=GREETING, headers={"Authorization": f"DPoP {token}"})).status_code == 401
    assert (await client.post("/mcp", json=GREETING, headers=bearer(token))).status_code == 200


async def test_nobody_can_choose_to_be_a_local_user_or_a_static_token(
    client: httpx.AsyncClient, services: Services, provider: IdentityProvider
) -> None:
    for name in ("root", "ci", "anonymous", "root@login.example.com"):
        token = bearer(provider.token(sub=name))
        assert (await call_modern(client, token, "get_domain", {"name": "mg.example.com"})).status_code == 200
    services.recorder.close()
    principals = {call.fields["principal"] for call in services.audit_log.calls()}
    assert principals == {
        *(f"{name}@login.example.com" for name in ("root", "ci", "anonymous", "root@login.example.com"))
    }


async def test_scopes_that_are_not_ours_or_only_look_so_give_nothing(
    client: httpx.AsyncClient, provider: IdentityProvider
) -> None:
    for scope in ("", "mailgun:*", "mailgun", "MAILGUN:READ", "mailgun:read,mailgun:send", "openid admin"):
        answer = await call_modern(client, bearer(provider.token(scope=scope)), "get_domain", {})
        assert answer.status_code == 403


async def test_a_session_of_one_subject_does_not_exist_for_another(
    client: httpx.AsyncClient, provider: IdentityProvider
) -> None:
    session = await open_session(client, bearer(provider.token(sub="ann")))
    listing, ben = request("tools/list", 2), bearer(provider.token(sub="ben"))
    assert (await client.post("/mcp", json=listing, headers={**ben, **session})).status_code == 404
    again = bearer(provider.token(sub="ann", jti="another"))
    assert (await client.post("/mcp", json=listing, headers={**again, **session})).status_code == 200


async def test_made_up_key_ids_do_not_make_the_server_ask_for_each(services: Services, attacker: RSAKey) -> None:
    provider = IdentityProvider()
    async with team_server(services, SETTINGS, http=issuer_http(provider)) as client:
        for number in range(20):
            token = provider.token(attacker, header={"kid": f"made-up-{number}"})
            assert (await client.post("/mcp", json=GREETING, headers=bearer(token))).status_code == 401
    assert provider.requests.count("/jwks") == 1


PRIVATE = ["127.0.0.1", "10.0.0.5", "169.254.169.254", "192.168.1.1", "::1", "fd00::1", "::ffff:10.0.0.5", "100.64.0.1"]
PRIVATE += ["0.0.0.0", "64:ff9b::a00:5", "2002:0a00:0005::1", "fe80::1%eth0", "224.0.0.1"]


@pytest.mark.parametrize("address", PRIVATE)
async def test_keys_are_not_fetched_from_inside_the_network_whatever_dns_says(address: str, services: Services) -> None:
    provider = IdentityProvider()
    for addresses in ([address], ["93.184.215.14", address]):
        async with team_server(services, SETTINGS, http=issuer_http(provider, addresses=addresses)) as client:
            answer = await client.post("/mcp", json=GREETING, headers=bearer(provider.token()))
            assert (answer.status_code, address in answer.text) == (503, False)
    assert provider.requests == []


async def test_a_revoked_token_is_refused_within_a_minute_where_the_server_asks(
    services: Services, provider: IdentityProvider, tmp_path: Any
) -> None:
    from tests.support.oauth import introspecting

    clock = [time.time()]
    services = recorded_services(Recorder(), policy=profile("unguarded"), clock=lambda: clock[0])
    async with team_server(services, introspecting(tmp_path), http=issuer_http(provider)) as client:
        text = provider.token(scope="mailgun:read")
        session = await open_session(client, bearer(text))
        provider.issued[text].revoke()
        clock[0] += 61
        answer = await client.post("/mcp", json=request("ping", 2), headers={**bearer(text), **session})
        assert answer.status_code == 401
    assert sha256(text.encode()).hexdigest() not in "".join(path.name for path in services.state.iterdir())
