"""The start-up token is its owner, a static token is whom it names, and neither is taken for the other."""

import pytest

from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.principal import local_user
from mailgun_mcp.identity.tokens import Tokens
from mailgun_mcp.store.database import Store
from mailgun_mcp.web.authentication import TokenRefused
from mailgun_mcp.web.local_tokens import StartToken, StaticTokens
from tests.support.state import NOW

pytestmark = pytest.mark.anyio
TOKEN = "a" * 43
READER = Access(parse_scopes(["read"]))


async def test_the_start_up_token_is_the_user_who_runs_the_server() -> None:
    verifier = StartToken(TOKEN)
    wrong = [TOKEN[:-1], f"{TOKEN}a", TOKEN.upper(), "", "mgmcp_" + TOKEN]
    assert ([verifier.takes(token) for token in wrong], verifier.takes(TOKEN)) == ([False] * len(wrong), True)
    assert await verifier.verify(TOKEN) == local_user()


async def test_a_static_token_is_its_name_with_its_access(store: Store) -> None:
    token, text = Tokens(store).create("ci", READER, by="ann", now=NOW, expires=NOW + 60)
    verifier = StaticTokens(Tokens(store), lambda: NOW)
    principal = await verifier.verify(text)
    assert (principal.id, principal.access, principal.expires) == (token.name, READER, NOW + 60)
    assert (verifier.takes(text), verifier.takes(TOKEN)) == (True, False)
    with pytest.raises(TokenRefused, match="unknown, revoked or expired"):
        await verifier.verify(text[:-1])
