"""Routes are the account's, tried in the order of their priority."""

import httpx
import pytest

from mailgun_mcp.simulator import Account

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def no_routes(account: Account) -> None:
    account.routes.by_id.clear()


async def created(mailgun: httpx.AsyncClient, expression: str, **fields: object) -> dict[str, object]:
    answer = await mailgun.post("/v3/routes", data={"expression": expression, **fields})
    assert answer.status_code == 200, answer.text
    route: dict[str, object] = answer.json()["route"]
    return route


async def test_a_route_is_kept_as_it_was_made(mailgun: httpx.AsyncClient) -> None:
    actions = ['forward("https://x.example/in")', "stop()"]
    route = await created(mailgun, "catch_all()", priority="7", description="all", action=actions)
    assert {name: route[name] for name in ("priority", "description", "expression", "actions")} == {
        "priority": 7,
        "description": "all",
        "expression": "catch_all()",
        "actions": actions,
    }
    assert (await mailgun.get(f"/v3/routes/{route['id']}")).json() == {"route": route}


async def test_the_list_is_in_the_order_of_trying(mailgun: httpx.AsyncClient) -> None:
    for priority, description in ((5, "c"), (0, "a"), (5, "d"), (1, "b")):
        await created(mailgun, "catch_all()", priority=str(priority), description=description)
    answer = (await mailgun.get("/v3/routes", params={"skip": 1, "limit": 2})).json()
    assert (answer["total_count"], [route["description"] for route in answer["items"]]) == (4, ["b", "c"])


async def test_an_update_changes_only_what_it_names_and_answers_bare(mailgun: httpx.AsyncClient) -> None:
    route = await created(mailgun, "catch_all()", description="all", action=["stop()"])
    answer = await mailgun.put(f"/v3/routes/{route['id']}", data={"priority": "3", "action": ["store()"]})
    changed = {**route, "priority": 3, "actions": ["store()"]}
    assert answer.json() == {"message": "Route has been updated", **changed}
    assert (await mailgun.get(f"/v3/routes/{route['id']}")).json() == {"route": changed}


async def test_a_deleted_route_is_gone(mailgun: httpx.AsyncClient) -> None:
    route = await created(mailgun, "catch_all()")
    answer = await mailgun.delete(f"/v3/routes/{route['id']}")
    assert answer.json() == {"message": "Route has been deleted", "id": route["id"]}
    for method in ("GET", "PUT", "DELETE"):
        answer = await mailgun.request(method, f"/v3/routes/{route['id']}")
        assert (answer.status_code, answer.json()) == (404, {"message": "Route not found"})


async def test_an_address_is_matched_to_the_first_route_that_takes_it(mailgun: httpx.AsyncClient) -> None:
    await created(mailgun, "catch_all()", priority="9", description="rest")
    await created(mailgun, 'match_header("subject", ".*") or match_recipient("ann@.*")', description="ann")
    for address, expected in (("ann@x.example", "ann"), ("bob@x.example", "rest")):
        answer = await mailgun.get("/v3/routes/match", params={"address": address})
        assert answer.json()["route"]["description"] == expected


async def test_an_address_that_no_route_takes_is_not_found(mailgun: httpx.AsyncClient) -> None:
    await created(mailgun, 'match_recipient("ann@.*")')
    answer = await mailgun.get("/v3/routes/match", params={"address": "bob@x.example"})
    assert (answer.status_code, answer.json()) == (404, {"message": "Route not found"})


@pytest.mark.parametrize(
    "fields",
    [{"expression": "match_all()"}, {"expression": "catch_all()", "action": 'run("x")'}],
    ids=["expression", "action"],
)
async def test_what_is_not_of_the_language_is_refused(mailgun: httpx.AsyncClient, fields: dict[str, str]) -> None:
    assert (await mailgun.post("/v3/routes", data=fields)).status_code == 400
    route = await created(mailgun, "catch_all()")
    assert (await mailgun.put(f"/v3/routes/{route['id']}", data=fields)).status_code == 400
    assert (await mailgun.get(f"/v3/routes/{route['id']}")).json() == {"route": route}
