"""Laws about the shell of a terminal sandbox: what is typed, what is shown, and when the prompt is back."""

import contextlib
from collections.abc import Iterator

import pytest

from palestra.sandbox.base import Limits, Python, Sandbox, Shell
from palestra.sandbox.conformance.case import Case, Create

_INTERRUPT, _END_OF_INPUT, _SUSPEND = b"\x03", b"\x04", b"\x1a"
_LONG_S = 60.0
_SPEAKS_LIKE_A_PROMPT = (
    r"""printf '\033]7770;99\007\033]133;A\007$ # user@host:~$ '; sleep 0.3; printf 'P9 0\0P99 0\0end'"""
)


class ShellLaws(Case):
    """`run`, `send`, `read`, `wait`, `resize` and `close`."""

    @pytest.fixture
    def shell(self, sandbox: Sandbox) -> Iterator[Shell]:
        """A new shell in a new sandbox."""
        with contextlib.closing(sandbox.shell()) as shell:
            yield shell

    @pytest.mark.parametrize(
        ("line", "output", "code"),
        [
            ("echo hello", b"hello\n", 0),
            ("false", b"", 1),
            ("(exit 42)", b"", 42),
            ("true", b"", 0),
            ("printf 'no end'", b"no end", 0),
            ("echo out; echo err >&2", b"out\nerr\n", 0),
            ("echo 'ünï 文件'", "ünï 文件\n".encode(), 0),
            ("printf '\\377\\376'", b"\xff\xfe", 0),
            ("echo \"it's\" '$HOME' \\\\ '!x' '#'", b"it's $HOME \\ !x #\n", 0),
            ("for i in 1 2 3; do\n  echo $i\ndone", b"1\n2\n3\n", 0),
            ("cat <<END\nfirst\n  second\nEND", b"first\n  second\n", 0),
            ("sh -c 'kill -9 $$' 2>/dev/null", None, 137),
            ("echo " + "x" * 20_000, b"x" * 20_000 + b"\n", 0),
            ("", b"", None),
            ("# a comment", b"", None),
        ],
        ids=[
            *("echo", "false", "exit code", "true", "no newline", "two streams", "unicode", "bytes", "quotes"),
            *("lines", "here document", "killed program", "long line", "empty", "comment"),
        ],
    )
    def test_a_line_has_its_output_and_its_exit_code(
        self, shell: Shell, line: str, output: bytes | None, code: int | None
    ) -> None:
        """Nothing else is shown: no echo of the line, no prompt."""
        result = shell.run(line)
        assert not result.timed_out
        if output is not None:
            assert shown(result.output) == output
        assert result.exit_code == code or code is None
        assert shell.is_idle
        assert shown(shell.run("echo next").output) == b"next\n"

    def test_a_command_that_does_not_exist_says_so(self, shell: Shell) -> None:
        result = shell.run("no-such-command")
        assert result.exit_code == 127
        assert b"not found" in result.output

    def test_a_syntax_error_is_an_exit_code(self, shell: Shell) -> None:
        assert shell.run("if then fi )").exit_code not in (0, None)
        assert shell.run("echo fine").exit_code == 0

    def test_the_shell_remembers(self, shell: Shell) -> None:
        shell.run('mkdir -p sub; cd sub; plain=1; export PASSED=2; greet() { echo "hello $1"; }; umask 027')
        result = shell.run("greet you; echo $plain; sh -c 'echo $plain$PASSED'; pwd; umask")
        assert shown(result.output) == b"hello you\n1\n2\n/workspace/sub\n0027\n"

    def test_the_shell_begins_in_the_workspace_on_a_terminal(
        self, create: Create, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("API_KEY", "host-secret")
        shell = create(env={"GIVEN": "yes"}).shell()
        result = shell.run("pwd; test -t 0 && test -t 1 && test -t 2 && tty; echo $GIVEN$API_KEY; echo ${HOME:+home}")
        where, terminal, given, home = shown(result.output).split(b"\n")[:4]
        assert (where, given, home) == (b"/workspace", b"yes", b"home")
        assert terminal.startswith(b"/dev/")

    def test_a_prompt_that_does_not_come_back_is_told(self, shell: Shell) -> None:
        result = shell.run("echo begun; sleep 60", timeout_s=1.0)
        assert (shown(result.output), result.exit_code, result.timed_out) == (b"begun\n", None, True)
        assert not shell.is_idle
        with pytest.raises(ValueError, match="prompt"):
            shell.run("echo too early")
        shell.send(_INTERRUPT)
        result = shell.wait(timeout_s=_LONG_S)
        assert (result.exit_code, result.timed_out) == (130, False)
        assert shown(shell.run("echo again").output) == b"again\n"

    def test_waiting_goes_on(self, shell: Shell) -> None:
        assert shell.run("sleep 0.6; echo late; (exit 7)", timeout_s=0.1).timed_out
        result = shell.wait(timeout_s=_LONG_S)
        assert (shown(result.output), result.exit_code, result.timed_out) == (b"late\n", 7, False)

    def test_a_program_that_ignores_an_interrupt_goes_on(self, shell: Shell) -> None:
        shell.run("trap '' INT; sh -c 'sleep 1; echo survived'", timeout_s=0.2)
        shell.send(_INTERRUPT)
        assert shown(shell.wait(timeout_s=_LONG_S).output).endswith(b"survived\n")

    def test_a_program_that_eats_all_input_does_not_eat_the_prompt(self, shell: Shell) -> None:
        assert shell.run("cat", timeout_s=0.3).timed_out
        shell.send(b"typed\n")
        assert eventually_reads(shell, b"typed")
        shell.send(_END_OF_INPUT)
        result = shell.wait(timeout_s=_LONG_S)
        assert (result.exit_code, result.timed_out) == (0, False)
        assert shown(shell.run("echo mine").output) == b"mine\n"

    def test_a_program_reads_what_is_sent(self, shell: Shell) -> None:
        assert shell.run('read -r first; read -r second; echo "[$second $first]"', timeout_s=0.3).timed_out
        shell.send(b"one\n")
        shell.send(b"two\n")
        result = shell.wait(timeout_s=_LONG_S)
        assert shown(result.output).endswith(b"[two one]\n")

    def test_a_python_prompt_is_talked_to(self, shell: Shell) -> None:
        assert shell.run("python3 -q -i", timeout_s=1.0).timed_out
        shell.send(b"print(6 * 7)\n")
        assert eventually_reads(shell, b"42")
        shell.send(b"import os; os._exit(5)\n")
        assert shell.wait(timeout_s=_LONG_S).exit_code == 5

    def test_fake_prompts_mislead_nobody(self, shell: Shell) -> None:
        result = shell.run(_SPEAKS_LIKE_A_PROMPT)
        assert (result.output.replace(b"\0", b"")[-3:], result.exit_code) == (b"end", 0)
        assert shown(shell.run("echo next").output) == b"next\n"

    @pytest.mark.parametrize(
        "line",
        [
            "stty raw -echo",
            "stty -icanon min 0 time 1",
            "printf '\\033c\\033[2J\\033[?1049h'",
            "exec 2>/dev/null",
            "set -x",
        ],
        ids=["raw", "no lines", "cleared", "errors closed", "traced"],
    )
    def test_what_a_program_leaves_behind_does_not_matter(self, shell: Shell, line: str) -> None:
        shell.run(line)
        result = shell.run("echo next")
        assert (shown(result.output).splitlines()[-1], result.exit_code) == (b"next", 0)

    def test_much_output_is_cut_and_the_prompt_comes_back(self, create: Create) -> None:
        shell = create(limits=Limits(output_bytes=10_000)).shell()
        result = shell.run("yes | head -n 3000000", timeout_s=_LONG_S)
        assert (result.truncated, result.timed_out, result.exit_code) == (True, False, 0)
        assert len(result.output) == 10_000
        assert shown(result.output).startswith(b"y\ny\n")
        result = shell.run("echo short")
        assert (shown(result.output), result.truncated) == (b"short\n", False)

    def test_an_endless_flood_can_be_interrupted(self, shell: Shell) -> None:
        assert shell.run("yes", timeout_s=0.5).timed_out
        shell.send(_INTERRUPT)
        assert shell.wait(timeout_s=_LONG_S).exit_code == 130
        assert shown(shell.run("echo calm").output).endswith(b"calm\n")

    def test_the_window_has_the_size_that_it_is_given(self, shell: Shell) -> None:
        shell.resize(40, 123)
        assert shown(shell.run("stty size").output) == b"40 123\n"
        program = """sh -c 'trap "echo changed" WINCH; while :; do sleep 0.1; done'"""  # the one that a window tells
        assert shell.run(program, timeout_s=0.3).timed_out
        shell.resize(41, 99)
        assert eventually_reads(shell, b"changed")

    @pytest.mark.parametrize("size", [(0, 80), (24, -1), (10**6, 80)])
    def test_a_window_of_no_size_is_refused(self, shell: Shell, size: tuple[int, int]) -> None:
        with pytest.raises(ValueError, match=str(size[0] if size[0] != 24 else size[1])):
            shell.resize(*size)

    def test_jobs_go_on_in_the_background(self, shell: Shell, sandbox: Sandbox) -> None:
        shell.run("sleep 300 & first=$!")
        assert shell.run("kill -0 $first").exit_code == 0
        sandbox.exec(["true"])
        assert shell.run("kill -0 $first").exit_code == 0, "a program beside the shell ends nothing of it"
        assert b"sleep 300" in shell.run("jobs").output
        shell.run("kill $first; wait $first")
        assert shell.run("kill -0 $first").exit_code == 1

    def test_a_job_can_be_suspended_and_go_on(self, shell: Shell) -> None:
        assert shell.run("sleep 300", timeout_s=0.3).timed_out
        shell.send(_SUSPEND)
        result = shell.wait(timeout_s=_LONG_S)
        assert not result.timed_out
        shell.run("bg; kill %1; wait %1")
        assert shown(shell.run("echo free").output).endswith(b"free\n")

    @pytest.mark.parametrize(
        "line", ["exit 3", "kill -9 $$", "exec true", "exec sh -c 'exit 4'"], ids=["exit", "kill", "exec", "other"]
    )
    def test_a_shell_that_ends_itself_is_started_again(self, shell: Shell, line: str) -> None:
        shell.run("echo kept > kept; was=here; cd /")
        result = shell.run(line)
        assert not result.timed_out
        result = shell.run('cat kept; echo "[$was]"; pwd')
        assert shown(result.output) == b"kept\n[]\n/workspace\n", "the files are there, the shell is new"

    def test_the_end_of_input_at_the_prompt_ends_the_shell(self, shell: Shell) -> None:
        shell.run("was=here")
        shell.send(_END_OF_INPUT)
        shell.wait(timeout_s=2.0)
        assert shown(shell.run('echo "[$was]"').output).endswith(b"[]\n")

    def test_a_line_that_is_not_finished_can_be_given_up(self, shell: Shell) -> None:
        shell.run("echo 'no end", timeout_s=0.5)
        shell.send(_INTERRUPT)
        shell.wait(timeout_s=_LONG_S)
        assert shown(shell.run("echo fine").output).endswith(b"fine\n")

    @pytest.mark.parametrize("line", ["a\0b", b"bytes", None], ids=["NUL", "bytes", "none"])
    def test_what_cannot_be_typed_is_refused(self, shell: Shell, line: object) -> None:
        with pytest.raises(ValueError, match="line"):
            shell.run(line)  # type: ignore[arg-type]
        assert shown(shell.run("echo fine").output) == b"fine\n"

    def test_programs_run_beside_the_shell(self, shell: Shell, sandbox: Sandbox) -> None:
        assert shell.run("echo from the shell > shared; sleep 60", timeout_s=0.5).timed_out
        assert sandbox.exec(["cat", "shared"]).stdout == b"from the shell\n"
        assert sandbox.exec(Python("open('answer', 'w').write('from beside')")).ok
        sandbox.write("given", b"from outside\n")
        shell.send(_INTERRUPT)
        shell.wait(timeout_s=_LONG_S)
        assert shown(shell.run("cat answer given").output) == b"from besidefrom outside\n"

    def test_a_closed_shell_is_hung_up_and_another_is_started(self, sandbox: Sandbox) -> None:
        shell = sandbox.shell()
        shell.run("was=here; (while :; do date +%s%N > beat; sleep 0.05; done) &")
        shell.close()
        shell.close()
        with pytest.raises(ValueError, match="closed"):
            shell.run("echo no")
        last = sandbox.exec(["cat", "beat"]).stdout
        assert sandbox.exec(["sh", "-c", "sleep 0.3; cat beat"]).stdout == last
        with contextlib.closing(sandbox.shell()) as again:
            assert shown(again.run('echo "[$was]"').output) == b"[]\n"


def shown(output: bytes) -> bytes:
    """Return what a terminal showed with plain ends of lines."""
    return output.replace(b"\r\n", b"\n")


def eventually_reads(shell: Shell, text: bytes) -> bool:
    """Whether a text is shown in the end."""
    seen = b""
    for _ in range(100):
        seen += shell.read(timeout_s=0.1)
        if text in seen:
            return True
    return False
