"""Laws about input and output: bytes in, bytes out, bounded, and nothing blocks."""

import hashlib
import random

import pytest

from palestra.sandbox.base import MIB, Limits, Python, Sandbox
from palestra.sandbox.conformance.case import Case, run

_LARGE = 20_000_000


class StreamLaws(Case):
    """Standard input, output and errors."""

    def test_output_is_bytes_and_kept_apart(self, sandbox: Sandbox) -> None:
        source = 'import os; os.write(1, bytes(range(256))); os.write(2, b"\\xff\\x00 error")'
        for command in (Python(source), ["python3", "-c", source]):
            result = sandbox.exec(command)
            assert result.stdout == bytes(range(256))
            assert (result.stderr, result.truncated) == (b"\xff\x00 error", False)

    def test_ten_megabytes_of_output_arrive(self, sandbox: Sandbox) -> None:
        """When the limit allows it: every byte, in order."""
        source = "import sys, random; sys.stdout.buffer.write(random.Random(7).randbytes(10 << 20))"
        result = run(sandbox, source, limits=Limits(output_bytes=10 * MIB, wall_s=60.0))
        assert result.truncated is False
        assert hashlib.sha256(result.stdout).digest() == hashlib.sha256(random.Random(7).randbytes(10 * MIB)).digest()

    def test_ten_megabytes_of_output_are_cut_and_the_program_goes_on(self, sandbox: Sandbox) -> None:
        result = run(sandbox, "import sys; sys.stdout.write('ab' * 5_000_000); sys.stderr.write('done')")
        assert result.stdout == b"ab" * (Limits().output_bytes // 2)
        assert (result.exit_code, result.truncated, result.stderr) == (0, True, b"done")

    def test_many_errors_are_cut_too(self, sandbox: Sandbox) -> None:
        result = run(sandbox, "import sys; sys.stderr.write('e' * 1_000_000); print('done')")
        assert result.stderr == b"e" * Limits().output_bytes
        assert (result.stdout, result.truncated) == (b"done\n", True)

    @pytest.mark.parametrize("size", [0, 1, 65536, 65537])
    def test_output_is_cut_at_the_limit_exactly(self, sandbox: Sandbox, size: int) -> None:
        result = run(sandbox, f"print('x' * {size}, end='')", limits=Limits(output_bytes=65536))
        assert (len(result.stdout), result.truncated) == (min(size, 65536), size > 65536)

    def test_an_endless_flood_ends(self, sandbox: Sandbox) -> None:
        flood = ["sh", "-c", "while :; do echo flood; done"]
        result = sandbox.exec(flood, limits=Limits(file_bytes=1 << 20, wall_s=30))
        assert result.truncated
        assert not result.timed_out
        assert result.stdout.startswith(b"flood\nflood\n")

    def test_large_input_is_read_in_full(self, sandbox: Sandbox) -> None:
        data = bytes(range(256)) * (_LARGE // 256)
        source = "import sys, hashlib; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"
        result = run(sandbox, source, stdin=data, limits=Limits(wall_s=60.0))
        assert result.stdout.decode().strip() == hashlib.sha256(data).hexdigest()

    def test_large_input_that_nobody_reads_blocks_nothing(self, sandbox: Sandbox) -> None:
        result = sandbox.exec(["true"], stdin=b"x" * _LARGE, limits=Limits(wall_s=60.0))
        assert (result.exit_code, result.timed_out) == (0, False)

    def test_large_input_and_output_together_block_nothing(self, sandbox: Sandbox) -> None:
        data = bytes(range(256)) * 8192
        result = sandbox.exec(["cat"], stdin=data, limits=Limits(output_bytes=4 * MIB, wall_s=60.0))
        assert (result.stdout == data, result.truncated, result.exit_code) == (True, False, 0)

    def test_no_input_is_the_end_of_input(self, sandbox: Sandbox) -> None:
        assert run(sandbox, "import sys; print(repr(sys.stdin.read()))").stdout == b"''\n"
        assert run(sandbox, "input()").stderr.endswith(b"EOFError: EOF when reading a line\n")
        assert sandbox.exec(["cat"]).stdout == b""

    def test_input_by_lines(self, sandbox: Sandbox) -> None:
        result = run(
            sandbox, "n = int(input())\nfor _ in range(n): print(input()[::-1])", stdin="2\nabc\nüß\n".encode()
        )
        assert result.stdout.decode() == "cba\nßü\n"

    def test_input_is_bytes(self, sandbox: Sandbox) -> None:
        data = bytes(range(256)) + b"\x04\x03\x1a no control characters\n"
        assert sandbox.exec(["cat"], stdin=data).stdout == data

    def test_input_of_one_program_is_not_the_next_ones(self, sandbox: Sandbox) -> None:
        sandbox.exec(["head", "-c", "1"], stdin=b"first and more")
        assert sandbox.exec(["cat"], stdin=b"second").stdout == b"second"
        assert sandbox.exec(["cat"]).stdout == b""

    def test_text_where_bytes_belong_is_refused(self, sandbox: Sandbox) -> None:
        with pytest.raises(ValueError, match="stdin is bytes"):
            sandbox.exec(["cat"], stdin="text")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="bytes-like"):
            sandbox.write("x", "text")  # type: ignore[arg-type]
        assert sandbox.exec(["ls", "-A", "."]).stdout == b""

    def test_a_closed_output_is_no_hang(self, sandbox: Sandbox) -> None:
        result = run(sandbox, "import os; os.close(1); os.close(2); os.close(0)")
        assert (result.stdout, result.timed_out) == (b"", False)

    def test_output_of_a_child_that_outlives_its_parent_is_no_hang(self, sandbox: Sandbox) -> None:
        """A child that keeps the output open does not keep the caller waiting."""
        result = sandbox.exec(["sh", "-c", "sleep 60 & echo parent"], limits=Limits(wall_s=40.0))
        assert (result.stdout, result.exit_code, result.timed_out) == (b"parent\n", 0, False)
