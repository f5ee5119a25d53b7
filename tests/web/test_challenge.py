"""The challenges of RFC 6750, with the address of the metadata where an authorization server issues tokens."""

import json

from mailgun_mcp.web.challenge import INVALID, Challenge

OAUTH = Challenge("https://mail.example.com")


def test_without_an_authorization_server_a_challenge_names_no_metadata() -> None:
    answer = Challenge().unauthorized("/mcp")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="mailgun-mcp"')


def test_with_one_it_names_the_metadata_of_the_path_and_the_least_scope() -> None:
    metadata = 'resource_metadata="https://mail.example.com/.well-known/oauth-protected-resource'
    assert OAUTH.unauthorized("/mcp").headers["www-authenticate"] == (
        f'Bearer realm="mailgun-mcp", scope="mailgun:read", {metadata}/mcp"'
    )
    assert OAUTH.unauthorized("/messages/").headers["www-authenticate"].endswith(f'{metadata}/sse"')


def test_a_token_that_is_not_valid_is_told_apart_from_none() -> None:
    assert 'error="invalid_token"' in OAUTH.unauthorized("/mcp", fault=INVALID).headers["www-authenticate"]
    assert "error" not in OAUTH.unauthorized("/mcp").headers["www-authenticate"]


def test_a_missing_scope_is_named_with_those_that_the_token_has() -> None:
    answer = OAUTH.insufficient_scope("/mcp", {"mailgun:destructive"}, ["mailgun:read", "mailgun:send"])
    header = answer.headers["www-authenticate"]
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in header
    assert 'scope="mailgun:read mailgun:send mailgun:destructive"' in header
    assert (
        "needs the scope mailgun:destructive. Nothing was done" in json.loads(bytes(answer.body))["error_description"]
    )
