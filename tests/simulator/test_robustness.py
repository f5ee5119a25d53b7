"""Nothing that comes in makes it fail: wrong requests are refused, never answered with a 500."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.request.multipart import Part, encode_multipart
from mailgun_mcp.simulator import create_app
from tests.simulator.conftest import client
from tests.support.everything import ADDRESS, NAME, TEXT, account_with_everything
from tests.support.operations import catalogue

segments = st.sampled_from([NAME, ADDRESS, TEXT, "..", "%", "ü", ""]) | st.text(max_size=5)
texts = st.text(max_size=8) | st.sampled_from(
    [
        "0",
        "-1",
        "1e999",
        "nan",
        "yes",
        "{",
        "[]",
        "[1]",
        '"x"',
        "null",
        '{"a": "\\ud800"}',
        "a@x.example",
        "<>",
        "1 OR",
        "NOT",
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2), max_leaves=4
)
Body = tuple[bytes, str]


@st.composite
def requests(draw: st.DrawFn) -> tuple[Operation, str, Body]:
    operation = draw(st.sampled_from(list(catalogue())))
    path = operation.path
    while "{" in path:
        start, end = path.index("{"), path.index("}")
        known = (
            NAME
            if any(path[start + 1 : end] == a.wire and a.format == "hostname" for a in operation.arguments)
            else None
        )
        path = path[:start] + quote(known or draw(segments), safe="") + path[end + 1 :]
    query = [(name, draw(texts)) for name in _drawn(draw, operation, ("query",))]
    return operation, f"{path}?{urlencode(query)}", draw(bodies(operation))


@st.composite
def bodies(draw: st.DrawFn, operation: Operation) -> Body:
    if operation.body is None or draw(st.integers(0, 9)) == 0:
        media = st.sampled_from(
            ["", "application/json", "multipart/form-data; boundary=b", "multipart/form-data", "text/x"]
        )
        return draw(st.binary(max_size=20)), draw(media)
    if operation.body == "json":
        whole = [argument for argument in operation.arguments if argument.location == "body"]
        names = _drawn(draw, operation, ("json",))
        body: Any = draw(values) if whole else {name: draw(values) for name in names}
        return json.dumps(body).encode(), "application/json"
    names = _drawn(draw, operation, ("form",))
    parts = [
        Part(name, draw(texts).encode("utf-8", "replace"), draw(st.sampled_from([None, None, "a.csv"])))
        for name in names
    ]
    return encode_multipart(parts) if parts else (b"", "")


def _drawn(draw: st.DrawFn, operation: Operation, places: tuple[str, ...]) -> list[str]:
    wires = [argument.wire for argument in operation.arguments if argument.location in places]
    return draw(st.lists(st.sampled_from(wires), max_size=5)) if wires else []


@pytest.mark.slow
@settings(max_examples=400)
@given(requests())
def test_no_request_makes_it_fail(request: tuple[Operation, str, Body]) -> None:
    operation, target, (content, content_type) = request

    async def ask() -> int:
        async with client(create_app(catalogue(), account=account_with_everything())) as mailgun:
            headers = {"Content-Type": content_type} if content_type else {}
            return (await mailgun.request(operation.method, target, content=content, headers=headers)).status_code

    assert anyio.run(ask) < 500
