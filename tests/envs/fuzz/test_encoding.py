"""Inputs as text: every byte can be written, and what cannot be read is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.fuzz.encoding import InputError, decode, encode, encode_all


@given(st.binary(max_size=300))
def test_every_input_can_be_written_in_two_ways(data: bytes) -> None:
    assert decode(encode(data), 300) == data
    assert decode(encode_all(data), 300) == data
    assert encode(data).isascii()
    assert encode(data).isprintable()


@given(st.text(max_size=60))
def test_any_text_is_an_input_or_an_error(text: str) -> None:
    try:
        data = decode(text, 20)
    except InputError:
        data = b""
    assert len(data) <= 20


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("\n", b""),
        ("\r\n", b""),
        ("a\n\n", b"a\n"),
        ("a\nb\r\n", b"a\nb"),
        (r"a\n", b"a\n"),
        (r"\x00\xfF\0\t\r\\", b"\x00\xff\x00\t\r\\"),
        (r"\\x41", rb"\x41"),
        (r"\x411", b"A1"),
        ("a\0b\tc", b"a\0b\tc"),
    ],
)
def test_what_texts_stand_for(text: str, data: bytes) -> None:
    assert decode(text, 8) == data


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ab\\q", r"unknown escape '\\\\q' at character 2; .*\\xHH"),
        ("\\x4", "unknown escape"),
        ("\\", "unknown escape"),
        ("\\u0041", "unknown escape"),
        ("\\777", "unknown escape"),
        ("caf\u00e9", "not ASCII; write its bytes"),
        ("\ud800", "not ASCII"),
        ("123456789", "too long: 9 bytes; at most 8"),
        ("x" * 100_000, "too long: 100000 characters"),
        (r"\x41" * 9, "too long: 36 characters; at most 8 bytes"),
    ],
)
def test_what_is_no_input_is_told(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        decode(text, 8)
