"""Large messages are bounded before the SDK parses them, and their files are taken out."""

import base64
import json
from typing import Any

import pytest

from mailgun_mcp.request.received_files import ReceivedFiles
from mailgun_mcp.server.large_messages import (
    LEAST_FILE,
    MOST_NAMES,
    MOST_TEXT,
    MOST_VALUES,
    TooLargeError,
    bounded,
    message_id,
)

DATA = bytes(range(256)) * 2_000
TEXT = base64.b64encode(DATA).decode()


def message(arguments: Any, **fields: Any) -> bytes:
    call = {"name": "send_message", "arguments": arguments}
    return json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": call, **fields}).encode()


def taken_out(body: bytes) -> tuple[Any, list[bytes | None]]:
    files = ReceivedFiles()
    rest, names = bounded(body, files)
    arguments = json.loads(rest)["params"]["arguments"]
    return arguments, [files.find(name) for name in names]


def test_large_files_are_taken_out_and_everything_else_stays() -> None:
    small = {"base64": "QUFB"}
    arguments, found = taken_out(message({"a": [{"base64": TEXT, "filename": "x"}, small], "b": {"base64": TEXT}}))
    assert found == [DATA, DATA]
    assert arguments["a"][1] == small
    assert arguments["a"][0]["filename"] == "x"
    assert arguments["b"]["base64"].startswith("received file ")


@pytest.mark.parametrize(
    "written",
    [TEXT.replace("/", "\\/"), "\\r\\n".join(TEXT[at : at + 76] for at in range(0, len(TEXT), 76)), TEXT + "\\n"],
    ids=["PHP", "lines", "end"],
)
def test_base64_is_read_as_programs_write_it(written: str) -> None:
    body = message({"a": {"base64": "HERE"}}).replace(b"HERE", written.encode())
    assert taken_out(body)[1] == [DATA]


@pytest.mark.parametrize("size", [65_537, 262_144, 262_145, 262_146, 500_003])
def test_a_file_of_any_size_is_decoded_whole(size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    assert taken_out(message({"a": {"base64": base64.b64encode(data).decode()}}))[1] == [data]


@pytest.mark.parametrize(
    "broken", ["!" + TEXT[1:], TEXT[:300_000] + "====" + TEXT[300_000:], TEXT[:-1], TEXT[:-4] + "\\u0041\\u0041=="]
)
def test_a_file_that_is_not_base64_is_refused_and_nothing_is_kept(broken: str) -> None:
    files = ReceivedFiles()
    body = message({"a": {"base64": TEXT}, "b": {"base64": "HERE"}}).replace(b"HERE", broken.encode())
    with pytest.raises(TooLargeError, match="not valid base64"):
        bounded(body, files)
    assert files._files == {}


def test_what_only_looks_like_a_file_stays_as_it_is() -> None:
    """A text may quote a call, and an odd name may end like the right one."""
    quoted = {"text": json.dumps({"base64": "A" * LEAST_FILE}), 'x"base64': "A" * LEAST_FILE, "base64": ["A"]}
    arguments, found = taken_out(message(quoted))
    assert (arguments, found) == (quoted, [])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"text": "x" * (MOST_TEXT + 1)}, r"has 4\.0 MB in addition to its base64 files.*\{path\}.*--files"),
        ({"to": [1] * (MOST_VALUES + 1)}, "more than 50,000 values"),
        ({"to": [[] for _ in range(MOST_VALUES + 1)]}, "more than 50,000 values"),
        ({"to": ["," for _ in range(MOST_VALUES * 2)]}, "more than 50,000 values"),
        ({str(number): 1 for number in range(MOST_VALUES + 1)}, "more than 50,000 values"),
        ({"variables": {str(number): 1 for number in range(MOST_NAMES + 1)}}, "more than 25,000 names"),
    ],
)
def test_what_would_take_long_to_parse_is_refused_with_the_way_out(arguments: Any, reason: str) -> None:
    with pytest.raises(TooLargeError, match=reason):
        bounded(message(arguments), ReceivedFiles())


def test_commas_inside_a_text_are_not_values() -> None:
    table = "a@example.com,1,2,3\n" * 100_000
    assert taken_out(message({"file": {"text": table}}))[0] == {"file": {"text": table}}


@pytest.mark.parametrize("sign", ["\\", '"', "\\\\x", "é"])
@pytest.mark.parametrize("shift", range(4))
def test_a_text_that_is_read_in_several_parts_ends_where_it_ends(sign: str, shift: int) -> None:
    """Each part may end inside an escape. What stands after the text is counted, and what stands in it is not."""
    text = "x" * (262_144 - shift) + sign * 8 + '","' * 60_000
    arguments = {"text": text, "to": [1] * 40_000}
    assert taken_out(message(arguments))[0] == arguments
    with pytest.raises(TooLargeError, match="more than 50,000 values"):
        bounded(message({**arguments, "cc": [1] * 10_000}), ReceivedFiles())


@pytest.mark.parametrize("body", [b"[," * 60_000 + b'"', b"[," * 60_000 + b'"\\', b"[," * 60_000 + b'"a\\'])
def test_a_message_that_breaks_off_inside_a_text_is_refused_like_others(body: bytes) -> None:
    with pytest.raises(TooLargeError):
        bounded(body, ReceivedFiles())


@pytest.mark.parametrize(
    ("body", "identifier"),
    [
        (message({"id": 1, "a": '"id": 2,'}), 7),
        (message({"x": "y" * 3_000_000}, id="seven"), "seven"),
        (b'{"params": {"id": 3}, "method": "id", "id" : 9}', 9),
        (b'{"params": {"id": 3}}', None),
        (b"[" * 100_000, None),
        (b'{"a": ' + b"1," * 1_000_000, None),
        (b'{"a": "never closed', None),
        (b'{"id": {"a": 1}}', None),
        (b"", None),
    ],
)
def test_the_id_is_found_without_parsing(body: bytes, identifier: Any) -> None:
    assert message_id(body) == identifier
