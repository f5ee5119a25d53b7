"""Who acts in Slack. What nobody in the workspace typed is refused in tests/attacks/test_slack.py."""

import os
from pathlib import Path

from mailgun_mcp.agent.slack.config import read_file
from mailgun_mcp.agent.slack.people import People
from tests.support.fake_slack import TEAM
from tests.support.slack_chats import U_ANN, U_EVE, USERS, write_file


def known(directory: Path) -> People:
    path = write_file(directory)
    return People(path, read_file(path))


def test_a_user_is_the_principal_of_the_file_and_others_are_nobody(tmp_path: Path) -> None:
    people = known(tmp_path)
    ann = people.who(TEAM, U_ANN)
    assert ann is not None
    assert ann.id == "ann@example.com"
    assert [people.who(TEAM, U_EVE), people.who("T0OTHER", U_ANN), people.who(None, U_ANN), people.who(TEAM, None)] == [
        None
    ] * 4


def test_a_changed_file_counts_at_once_and_a_broken_one_lets_nobody_in(tmp_path: Path) -> None:
    people = known(tmp_path)
    path = write_file(tmp_path, users={U_EVE: USERS[U_ANN]})
    os.utime(path, ns=(1, 1))
    assert people.who(TEAM, U_ANN) is None
    assert people.who(TEAM, U_EVE) is not None
    path.write_text("users: [", encoding="utf-8")
    os.utime(path, ns=(2, 2))
    assert people.who(TEAM, U_EVE) is None
    path.unlink()
    assert people.who(TEAM, U_EVE) is None
    os.utime(write_file(tmp_path), ns=(3, 3))
    assert people.who(TEAM, U_ANN) is not None


def test_a_click_counts_for_a_user_of_the_workspace_alone(tmp_path: Path) -> None:
    people = known(tmp_path)
    click = {"team": {"id": TEAM}, "user": {"id": U_ANN, "team_id": TEAM}}
    assert people.clicker(click) is not None
    assert people.clicker({**click, "user": {"id": U_ANN, "team_id": "T0OTHER"}}) is None
    assert people.clicker({**click, "team": None}) is None


def test_who_is_removed_or_becomes_somebody_else_does_not_go_on_with_what_they_began(tmp_path: Path) -> None:
    people = known(tmp_path)
    ann = people.who(TEAM, U_ANN)
    assert ann is not None
    assert people.still(ann) == ann
    path = write_file(tmp_path, users={U_ANN: {**USERS[U_ANN], "scopes": ["read"]}})
    os.utime(path, ns=(1, 1))
    fewer = people.still(ann)
    assert fewer is not None
    assert fewer.access.scopes == frozenset({"mailgun:read"})
    for number, users in enumerate(({U_ANN: {**USERS[U_ANN], "principal": "kim"}}, {U_EVE: USERS[U_ANN]}), 2):
        os.utime(write_file(tmp_path, users=users), ns=(number, number))
        assert people.still(ann) is None
