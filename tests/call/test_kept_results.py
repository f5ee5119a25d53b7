"""Long results outlast the server that made them: in the state, for an hour, bounded, and for their owner only."""

from dataclasses import replace
from pathlib import Path

import pytest

from mailgun_mcp.call.kept_results import KeptResults
from mailgun_mcp.call.results import KEPT_SECONDS, KeptResult, Owner, Results
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.endpoint import resolve
from mailgun_mcp.store.database import Store
from tests.support.calls import LOCAL, run
from tests.support.engines import on_both_engines
from tests.support.recorder import Clock, Recorder, recorded_services
from tests.support.several_accounts import ANN, PRO, two_accounts
from tests.support.state import NOW, rows

pytestmark = [pytest.mark.anyio, on_both_engines]
TEXT = "⟦abcd1234 mail⟧ Grüße \N{GRINNING FACE} ⟦abcd1234⟧" * 100
ANNS = Owner("ann", "a1")


def result(name: str, text: str = TEXT, owner: Owner = ANNS) -> KeptResult:
    return KeptResult(name, text, owner, "abcd1234")


def names(store: Store) -> list[str]:
    return sorted(name for (name,) in rows(store, "SELECT name FROM kept_results"))


def test_another_server_finds_it_as_it_was_for_an_hour(store: Store) -> None:
    KeptResults(store).save([result("one")], NOW)
    other = store.reopened()
    assert KeptResults(other).find("one", NOW + KEPT_SECONDS - 1) == result("one")
    assert KeptResults(other).find("one", NOW + KEPT_SECONDS) is None
    assert KeptResults(other).find("two", NOW) is None
    other.close()


def test_what_is_over_is_removed_when_the_next_is_saved(store: Store) -> None:
    KeptResults(store).save([result("one")], NOW)
    KeptResults(store).save([result("two")], NOW + KEPT_SECONDS)
    assert names(store) == ["two"]


def test_a_principal_has_a_bounded_number_and_takes_none_from_others(store: Store) -> None:
    results = KeptResults(store, most_results=2)
    results.save([result("of ben", owner=Owner("ben", "a1"))], NOW)
    for number in range(4):
        results.save([result(f"{number}")], NOW + number)
    assert names(store) == ["2", "3", "of ben"]


def test_all_together_have_a_bounded_size_and_the_oldest_go_first(store: Store) -> None:
    text = "".join(map(str, range(3_000)))
    results = KeptResults(store, most_bytes=10_000)
    for number in range(4):
        results.save([result(f"{number}", text=text)], NOW + number)
    sizes = [size for (size,) in rows(store, "SELECT size FROM kept_results")]
    assert (names(store)[-1], sum(sizes) <= 10_000, 1 <= len(sizes) < 4) == ("3", True, True)


def test_where_servers_share_a_database_it_is_sealed(store: Store) -> None:
    KeptResults(store).save([result("one"), result("two")], NOW)
    data = {name: bytes(data) for name, data in rows(store, "SELECT name, data FROM kept_results")}
    assert (store.sealer is not None) is (data["one"] != data["two"])
    with store.writing() as connection:
        connection.execute("UPDATE kept_results SET data = ? WHERE name = 'one'", (data["two"][:-1] + b"?",))
    assert KeptResults(store).find("one", NOW) is None
    assert KeptResults(store).find("two", NOW) is not None


def test_a_state_that_cannot_be_used_keeps_no_call_from_its_result(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("not a directory")
    results = KeptResults(Store(tmp_path / "state"))
    results.save([result("one")], NOW)
    assert results.find("one", NOW) is None


def long_answer() -> Recorder:
    import httpx

    items = [{"address": f"person{number}@example.com", "error": "no such user"} for number in range(1_000)]
    return Recorder(lambda _: httpx.Response(200, json={"items": items}))


async def cut(services: Services, caller: Caller = LOCAL) -> str:
    """Read a list that is too long, and return the name of the whole result."""
    outcome = await run(services, "list_bounces", {"domain": "mg.example.com"}, caller)
    assert outcome.structured is not None, outcome.text
    name: str = outcome.structured["cut"]["read_on"].split("'")[1]
    return name


def restarted(services: Services) -> Services:
    return replace(services, results=Results())


async def test_after_a_restart_a_long_result_is_read_on_fenced_and_marked(store: Store) -> None:
    services = recorded_services(long_answer(), state=store.directory, state_store=store, clock=Clock())
    name = await cut(services)
    again = restarted(services)
    part = await run(again, "read_result", {"result": name, "offset": 40_000})
    assert part.structured is not None, part.text
    boundary = part.structured["untrusted_text"]["boundary"]
    assert f"⟦{boundary} receiving server⟧ no such user ⟦{boundary}⟧" in part.structured["text"]


async def test_nobody_else_reads_it_and_nobody_in_another_account(store: Store) -> None:
    services = recorded_services(long_answer(), state=store.directory, state_store=store, clock=Clock())
    name = await cut(services)
    again = restarted(services)
    ben = await run(again, "read_result", {"result": name}, Caller(Principal("ben")))
    other = replace(again, client=Client(resolve(url="http://127.0.0.1:2"), "another key", user_agent="tests"))
    refused = await run(other, "read_result", {"result": name})
    assert [ben.kind, refused.kind, "does not exist, or has expired" in ben.text] == ["invalid", "invalid", True]
    assert (await run(again, "read_result", {"result": name})).kind == "done"


async def test_an_hour_later_it_is_gone(store: Store) -> None:
    clock = Clock()
    services = recorded_services(long_answer(), state=store.directory, state_store=store, clock=clock)
    name = await cut(services)
    clock.now += KEPT_SECONDS
    assert (await run(restarted(services), "read_result", {"result": name})).kind == "invalid"


async def test_on_a_server_of_several_accounts_it_belongs_to_one_of_them(tmp_path: Path) -> None:
    services = two_accounts(tmp_path / "state", policy="unguarded")
    outcome = await run(services, "list_domains", {"account": "staging", "limit": 1}, ANN)
    staging = await services.of_accounts["staging"].account.current(changes=False)
    name = services.results.keep("of staging", owner=Owner("ann", staging.key))
    assert outcome.kind == (await run(services, "read_result", {"result": name}, ANN)).kind == "done"
    # Her token no longer reaches it.
    now_bounded = Caller(replace(PRO.principal, id="ann"))
    assert (await run(services, "read_result", {"result": name}, now_bounded)).kind == "invalid"
