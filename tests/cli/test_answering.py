"""Who answers is the user who is logged in, or an approver with a secret."""

from pathlib import Path

import pytest

from mailgun_mcp.cli import answering as module
from mailgun_mcp.cli.answering import answering
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.approvers import Approvers
from mailgun_mcp.identity.principal import login_user
from mailgun_mcp.settings import SettingsError
from mailgun_mcp.store.database import Store
from tests.support.state import NOW

USER = login_user().id


@pytest.mark.parametrize("name", [None, USER, f" {USER.upper()} "])
def test_without_another_name_it_is_the_user(store: Store, name: str | None) -> None:
    assert answering(store, name, None, level="two_people") == USER


def test_the_secret_is_asked_for_at_the_terminal(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Approvers(store).add("olga", NOW)
    prompts: list[str] = []

    def typed(prompt: str) -> str:
        prompts.append(prompt)
        return f"{secret}\n"

    monkeypatch.setattr(module, "read_secret", typed)
    assert answering(store, "olga", None, level="two_people") == "olga"
    assert prompts == ["Secret of olga: "]


def test_an_approver_proves_who_they_are_at_every_level(store: Store, tmp_path: Path) -> None:
    Approvers(store).add("olga", NOW)
    (tmp_path / "wrong").write_text("wrong\n", encoding="utf-8")
    with pytest.raises(StateError, match="not the secret of olga"):
        answering(store, "olga", str(tmp_path / "wrong"), level="ask")
    with pytest.raises(SettingsError, match="cannot read"):
        answering(store, "olga", str(tmp_path / "missing"))


def test_an_empty_name_is_nobody(store: Store) -> None:
    with pytest.raises(StateError, match="needs the name"):
        answering(store, " ", None)
