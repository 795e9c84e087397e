"""What CI installs works: every language there compiles, runs, is limited and is told of by its doctor."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from palestra.cli import main
from palestra.envs.code.doctor import examine_languages
from palestra.envs.code.judge.bench import Bench, Program
from palestra.envs.code.judge.case import Case
from palestra.envs.code.languages.shelf import VARIABLE, find_language, language_files
from palestra.sandbox.base import Limits, PermanentInfraError

IN_CI = ("python", "c", "cpp", "javascript", "lua", "ocaml", "fortran", "r", "perl", "ruby", "verilog")
COMMANDS = {"c": "gcc", "cpp": "g++", "fortran": "gfortran", "go": "go", "haskell": "ghc", "java": "javac"}
COMMANDS |= {"javascript": "node", "julia": "julia", "lua": "lua5.4", "ocaml": "ocamlopt", "perl": "perl"}
COMMANDS |= {"python": "python3", "r": "Rscript", "ruby": "ruby", "rust": "rustc", "verilog": "iverilog"}


def is_there(name: str) -> bool:
    """Whether a language must work: CI has it, or this machine does where programs see it."""
    found = shutil.which(COMMANDS[name], path="/usr/bin")
    return bool(found) or name == "python" or (name in IN_CI and "CI" in os.environ)


THERE = [name for name in COMMANDS if is_there(name)]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with closing(Bench.open(disk_mb=512)) as made:
        yield made


def test_every_language_of_ours_is_looked_for() -> None:
    assert set(COMMANDS) == set(language_files())


@pytest.mark.parametrize("name", THERE)
def test_a_hello_world_is_right_and_another_answer_is_wrong(bench: Bench, name: str) -> None:
    language = find_language(name)
    assert bench.greet(language) == ""
    made = bench.prepare(language, language.hello.program)
    assert isinstance(made, Program)
    limits = Limits(wall_s=30, cpu_s=5)
    assert bench.attempt(made, Case(b"1 2\n", b"hello 3\n"), limits).passed
    assert bench.attempt(made, Case(b"1 2\n", b"hello 4\n"), limits).problem == "wrong output"
    assert bench.version(language)[1] == ""


@pytest.mark.parametrize("name", THERE)
def test_what_does_not_compile_or_run_says_why(bench: Bench, name: str) -> None:
    language = find_language(name)
    made = bench.prepare(language, "this is no program (\n")
    if isinstance(made, Program):
        made = bench.attempt(made, Case(b"", b""), Limits(wall_s=30, cpu_s=5))
    elif language.compile:
        assert made.problem.startswith("does not compile")
    assert not made.passed
    assert made.problem != "wrong output"
    assert made.stderr


def test_the_doctor_tells_of_every_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["palestra", "code", "doctor", *words])
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0)

    assert run("perl", "python", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["works"] is True
    assert [(one["name"], one["works"], one["trouble"]) for one in told["languages"]] == [
        ("perl", True, ""),
        ("python", True, ""),
    ]
    assert run("perl") == 0
    assert "perl v5" in capsys.readouterr().out
    assert run("lau") == 2
    assert "did you mean 'lua'" in capsys.readouterr().err


SHELL: dict[str, Any] = {
    "name": "mine",
    "title": "My language",
    "file": "main.txt",
    "compile": "cp main.txt copy.txt",
    "execute": "cat copy.txt",
    "version": "cat --version",
    "packages": ["coreutils"],
    "hello": {"program": "hello\n", "input": "", "output": "hello\n"},
    "prompt": "Write what shall be printed.",
}


def test_a_language_of_ones_own_needs_no_python(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(**changes: Any) -> None:
        (tmp_path / f"{changes.get('name', 'mine')}.yaml").write_text(yaml.safe_dump({**SHELL, **changes}))

    write()
    write(name="gone", execute="no_such_interpreter copy.txt", version="no_such_interpreter")
    write(name="wrong", hello={**SHELL["hello"], "output": "other\n"})
    write(name="broken", compile="false")
    (tmp_path / "odd.yaml").write_text("name: odd\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    own = ("mine", "gone", "wrong", "broken", "odd")
    monkeypatch.setattr(
        "palestra.envs.code.doctor.language_files", lambda: {name: tmp_path / f"{name}.yaml" for name in own}
    )
    found = {finding.name: finding for finding in examine_languages()}
    assert {name for name, finding in found.items() if finding.works} == {"mine"}
    assert found["mine"].version.startswith("cat (GNU coreutils)")
    assert found["gone"].trouble == "no_such_interpreter is not installed where the sandbox sees it"
    assert found["gone"].remedy == "apt-get install coreutils"
    assert found["wrong"].trouble == "its hello world printed b'hello\\n', not 'other\\n'"
    assert found["broken"].trouble == "its hello world: does not compile: exit code 1"
    assert "odd.yaml" in found["odd"].trouble
    made = bench.prepare(find_language("mine"), "anything\n")
    assert isinstance(made, Program)
    assert bench.attempt(made, Case(b"", b"anything\n"), Limits(wall_s=30)).passed
    with pytest.raises(PermanentInfraError, match="My language does not work here"):
        bench.prepare(find_language("gone"), "anything\n")
    capsys.readouterr()


def test_the_pages_examples_work(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[4] / "docs" / "code.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(example, "example", "exec"), {})
    assert capsys.readouterr().out == "True\n"
    (language,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "awk.yaml").write_text(language)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert bench.greet(find_language("awk")) == ""
    assert all(f"`{name}`" in page for name in COMMANDS)


LIBRARIES = {  # more of a language than its hello world needs; each prints 2 to the power of 100, and 3
    "c": "#include <iconv.h>\n#include <locale.h>\n#include <math.h>\n#include <stdio.h>\n#include <time.h>\n"
    "int main(void) {\n"
    'setlocale(LC_ALL, ""); iconv_open("UTF-8", "LATIN1"); time_t t = 0; localtime(&t);\n'
    'printf("1267650600228229401496703205376 %g\\n", floor(3.5)); return 0; }\n',
    "cpp": '#include <bits/stdc++.h>\nint main() { std::regex r("a+"); std::thread t([] {}); t.join();\n'
    "std::map<int, int> m{{1, 3}}; std::cout << \"1267650600228229401496703205376 \" << m[1] << '\\n'; }\n",
    "fortran": "program p\n  use iso_fortran_env\n  implicit none\n  real(real64) :: x(3)\n  call random_number(x)\n"
    "  print '(a, i0)', '1267650600228229401496703205376 ', size(x)\nend program p\n",
    "go": 'package main\nimport ("fmt"; "math/big"; "regexp"; "sort")\nfunc main() { x := []int{3, 1}; sort.Ints(x)\n'
    'regexp.MustCompile("a+"); c := make(chan int); go func() { c <- x[1] }()\n'
    "fmt.Println(new(big.Int).Exp(big.NewInt(2), big.NewInt(100), nil), <-c) }\n",
    "haskell": "import qualified Data.Map.Strict as M\nimport Text.Printf\nmain :: IO ()\n"
    'main = printf "%d %d\\n" (2 ^ (100 :: Int) :: Integer) (M.size (M.fromList (zip "abc" [1 :: Int ..])))\n',
    "java": "import java.math.BigInteger;\nimport java.security.*;\nimport java.util.*;\nimport java.util.stream.*;\n"
    "public class Main { record Pair(int x) {}\npublic static void main(String[] words) throws Exception {\n"
    'new SecureRandom(); MessageDigest.getInstance("SHA-256"); String.format("%.2f", 1.5);\n'
    'System.out.println(BigInteger.TWO.pow(100) + " " + Stream.of(new Pair(3)).map(Pair::x).findFirst().get()); } }\n',
    "javascript": "const { createHash } = require('crypto');\nrequire('readline'); createHash('sha256');\n"
    "console.log(String(2n ** 100n), [1, 2].reduce((a, b) => a + b));\n",
    "lua": "print('1267650600228229401496703205376 ' .. string.format('%d', #utf8.char(228) + 1))\n",
    "ocaml": "module M = Map.Make (String)\nlet () = Random.self_init (); "
    'Printf.printf "1267650600228229401496703205376 %d\\n" '
    '(M.cardinal (M.of_seq (List.to_seq ["a", 1; "b", 2; "c", 3])))\n',
    "perl": "use strict; use warnings; use List::Util qw(sum); use POSIX qw(floor); use Math::BigInt; use JSON::PP;\n"
    'print Math::BigInt->new(2)->bpow(100), " ", floor(sum(1, 2)), "\\n";\n',
    "python": "import bz2, decimal, fractions, hashlib, lzma, sqlite3, ssl, statistics, zlib\n"
    "sqlite3.connect(':memory:').execute('select 1')\nprint(2**100, statistics.median([1, 3, 5]))\n",
    "r": "m <- matrix(c(2, 0, 0, 2), 2); fit <- lm(y ~ z, data.frame(y = c(1, 2, 3), z = c(1, 2, 4)))\n"
    "cat('1267650600228229401496703205376', sum(solve(m)) + median(c(1, 2, 3)), '\\n')\n",
    "ruby": "require 'set'\nrequire 'json'\nrequire 'bigdecimal'\nputs \"#{2**100} #{Set.new([1, 2]).sum}\"\n",
    "rust": "use std::collections::BTreeMap;\nfn main() { let mut m = BTreeMap::new(); m.insert(1, 3);\n"
    "let h = std::thread::spawn(move || m[&1]);\n"
    'println!("1267650600228229401496703205376 {}", h.join().unwrap()); }\n',
    "verilog": "module main;\n  reg [127:0] power; integer n;\n  initial begin power = 1; n = $clog2(5);\n"
    '    repeat (100) power = power * 2; $display("%0d %0d", power, n); $finish(0);\n  end\nendmodule\n',
}


@pytest.mark.parametrize("name", THERE)
def test_a_languages_own_libraries_are_there(bench: Bench, name: str) -> None:
    """What locks a program in leaves it all of its language, within a small limit on memory."""
    made = bench.prepare(find_language(name), LIBRARIES[name])
    limits = Limits(wall_s=60, cpu_s=10, memory_bytes=64 << 20)
    attempt = bench.attempt(made, Case(b"", b"1267650600228229401496703205376 3\n"), limits)
    assert (attempt.problem, attempt.stderr) == ("", b"")
