"""What is read from an agent's text, and what it is shown of a terminal: functions of texts alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.terminal.keys import KEYS, typed
from palestra.envs.terminal.looking import only_looks
from palestra.envs.terminal.shown import as_text, shortened, split_cwd
from palestra.envs.terminal.text_action import command_of


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("```bash\nls -la\n```", "ls -la"),
        ("First I look.\n```sh\ncd /tmp\nls\n```\nThen I go on.", "cd /tmp\nls"),
        ("```\npwd\n```", "pwd"),
        ("```console\n$ pwd\n```", "pwd"),
        ("$ echo a\n", "echo a"),
        ("```bash\n```", ""),
        ("I am done.", None),
        ("ls -la", None),
        ("", None),
        ("It costs $ 5", None),
        ("```python\nprint(1)\n```", None),
        ("```bash\nrm a\n```\nor\n```bash\nrm b\n```", None),
        ("```bash\nls", None),
    ],
)
def test_a_text_is_a_command_only_if_it_says_so(text: str, command: str | None) -> None:
    assert command_of(text) == command


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    found = command_of(text)
    assert found is None or found in text


@pytest.mark.parametrize(
    ("keys", "sent"),
    [
        (["print(1)", "Enter"], b"print(1)\r"),
        (["C-c", "C-D", "C-["], b"\x03\x04\x1b"),
        (["Up", "Up"], b"\x1b[A\x1b[A"),
        (["C-cc", "enter", "é"], "C-ccenteré".encode()),
        ([], b""),
    ],
)
def test_keys_have_names(keys: list[str], sent: bytes) -> None:
    assert typed(keys) == sent
    assert all(typed([name]) == KEYS[name] for name in KEYS)


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (b"a\r\nb\r\n", "a\nb\n"),
        (b"\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b(Bplain\x1b[2J\x1b[1;1H", "red plain"),
        (b"10%\r20%\r100%\r\n", "100%\n"),
        (b"abcdef\rxy\r\n", "xycdef\n"),
        (b"ab\x08c", "ac"),
        (b"a\x08\x08\x08b", "b"),
        (b"\xff\x00\x07bell", "\ufffdbell"),
        (b"\x1bP hidden \x1b\\x\x1b", "x"),
        ("tab\té".encode(), "tab\té"),
    ],
)
def test_a_screen_is_shown_as_it_stands(output: bytes, text: str) -> None:
    assert as_text(output, ansi=False) == text


def test_escapes_are_shown_when_asked_for() -> None:
    assert as_text(b"\x1b[31mred\rR\r\n", ansi=True) == "\x1b[31mred\rR\n"


@given(st.binary(max_size=300))
def test_no_output_is_too_odd(output: bytes) -> None:
    rest, cwd = split_cwd(output)
    text = as_text(rest, ansi=False)
    assert "\x1b" not in text
    assert cwd is None or rest != output


def test_the_folder_is_told_beside_the_output() -> None:
    assert split_cwd(b"a\x1b]7;/x\x07b\x1b]7;/y z\x07") == (b"ab", "/y z")
    assert split_cwd(b"plain") == (b"plain", None)


def test_much_output_keeps_its_beginning_and_its_end() -> None:
    assert shortened("x" * 10, 10) == "x" * 10
    assert shortened("ab" * 50 + "z", 4) == "ab\n[... 97 characters left out ...]\nbz"
    assert shortened("x" * 5000, 1000, 70_000).splitlines()[1] == "[... at least 74,000 characters left out ...]"
    assert shortened("abc", 0) == "\n[... 3 characters left out ...]\n"


@pytest.mark.parametrize(
    "command",
    ["ls", "ls -la /tmp | wc -l", "cat a b", "cd /tmp && ls", 'grep -c "a;b" x', 'echo "$HOME"', ":", "pwd || true"],
)
def test_what_only_looks_is_seen(command: str) -> None:
    assert only_looks(command) == ('"a;b"' not in command)


@pytest.mark.parametrize(
    "command",
    [
        "",
        " ",
        "rm a",
        "ls > a",
        "cat <(rm a)",
        "ls; rm a",
        "ls $(rm a)",
        "ls `rm a`",
        "ls & rm a",
        "A=1 ls",
        "ls\nrm a",
        "sort a",
        "find . -delete",
        "ls | tee a",
        "echo ${x:=3}",
        "env rm a",
        "xargs rm",
        "cd;",
        "f() { ls; }",
        "#ls",
    ],
)
def test_what_may_change_something_is_not_taken_for_looking(command: str) -> None:
    assert not only_looks(command)
