"""Multipart bodies, read again by a parser that others wrote."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.request.multipart import Part, encode_multipart
from tests.support.bodies import decode_multipart

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)
PARTS = st.lists(
    st.one_of(
        st.builds(Part, NAMES, st.binary()),
        st.builds(Part, NAMES, st.binary(), NAMES, st.sampled_from(["text/plain", "image/png"])),
    ),
    min_size=1,
    max_size=6,
)


def test_fields_and_files_are_written_as_browsers_do() -> None:
    content, content_type = encode_multipart(
        [
            Part("to", b"a@b.c"),
            Part('a"b\r\n', b"x"),
            Part("file", b"\x00\xff", "ü.bin", "image/png"),
            Part("f", b"", "n"),
        ]
    )
    boundary = content_type.removeprefix("multipart/form-data; boundary=")
    assert content == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="to"\r\n\r\na@b.c\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="a%22b%0D%0A"\r\n\r\nx\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="ü.bin"\r\nContent-Type: image/png\r\n\r\n'
    ).encode() + (
        b"\x00\xff\r\n"
        + f'--{boundary}\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n'.encode()
        + f"Content-Type: application/octet-stream\r\n\r\n\r\n--{boundary}--\r\n".encode()
    )


@given(PARTS)
def test_every_part_is_read_again_as_it_was(parts: list[Part]) -> None:
    content, content_type = encode_multipart(parts)
    assert decode_multipart(content, content_type) == [
        Part(escaped(part.name), part.data, escaped(part.filename), part.content_type) for part in parts
    ]


def escaped(name: Any) -> Any:
    return name if name is None else name.replace('"', "%22")


@given(PARTS, PARTS)
def test_bodies_are_equal_exactly_when_their_parts_are(one: list[Part], other: list[Part]) -> None:
    assert encode_multipart(one) == encode_multipart(list(one))
    assert (encode_multipart(one) == encode_multipart(other)) == (one == other)


@given(PARTS)
def test_the_boundary_is_in_no_part(parts: list[Part]) -> None:
    _, content_type = encode_multipart(parts)
    boundary = content_type.rpartition("=")[2].encode()
    assert not any(boundary in part.data for part in parts)


def test_the_boundary_follows_from_the_whole_content() -> None:
    contents = [b"x" * 100, b"x" * 99 + b"y", b"x" * 101, b""]
    assert len({encode_multipart([Part("file", data, "n")])[1] for data in contents}) == len(contents)
