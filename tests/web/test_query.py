"""Query parameters of our own APIs: known ones, once each."""

import pytest
from starlette.requests import Request

from mailgun_mcp.web.query import QueryError, check_query


def request(query: str) -> Request:
    return Request({"type": "http", "method": "GET", "headers": [], "query_string": query.encode()})


def test_known_parameters_may_be_there_once_in_any_order() -> None:
    for query in ("", "state=x&status=all", "status="):
        check_query(request(query), ("status", "state"))


@pytest.mark.parametrize(
    ("query", "names", "message"),
    [
        ("limit=5", ("status",), "Unknown parameter 'limit': choose from status."),
        ("Status=all", ("status",), "Unknown parameter 'Status': did you mean 'status'?"),
        ("status=all&status=pending", ("status",), "The parameter status is given more than once."),
        ("x", (), "Unknown parameter 'x': no parameter is accepted here."),
    ],
)
def test_any_other_is_refused_with_what_there_is(query: str, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(QueryError) as caught:
        check_query(request(query), names)
    assert str(caught.value) == message
