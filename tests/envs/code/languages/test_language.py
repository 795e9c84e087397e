"""A language is one YAML file: what is wrong with one is told by file and field."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from palestra.envs.code.languages.language import Language, LanguageError, load_language
from palestra.envs.code.languages.shelf import VARIABLE, UnknownLanguageError, find_language, language_files
from palestra.sandbox.base import MIB

OURS = {"python", "c", "cpp", "java", "javascript", "rust", "go", "lua", "r", "ocaml", "fortran", "perl", "ruby"}
SMALL: dict[str, Any] = {
    "name": "small",
    "title": "Small",
    "file": "main.small",
    "execute": "sh main.small",
    "version": "sh -c 'echo sh'",
    "hello": {"program": "read n\necho hello $n\n", "input": "7\n", "output": "hello 7\n"},
    "prompt": "Write for sh.\n",
}


def load(folder: Path, **changes: Any) -> Language:
    fields = {name: value for name, value in {**SMALL, **changes}.items() if value is not None}
    file = folder / "small.yaml"
    file.write_text(yaml.safe_dump(fields))
    return load_language(file)


def test_all_of_ours_can_be_read_and_teach_their_idioms() -> None:
    assert OURS | {"haskell", "julia"} <= set(language_files())
    for name in language_files():
        language = find_language(name)
        assert language.name == name
        assert 100 < len(language.prompt) < 600
        assert "  " not in language.prompt
        assert bool(language.execute) is (language.engine == "command")


def test_a_file_says_all_that_is_known_of_its_language(tmp_path: Path) -> None:
    limits = {"compile": {"seconds": 2, "memory_mb": 64, "processes": 3, "disk_mb": 5}, "run": {"seconds": 1.5}}
    language = load(tmp_path, compile="cc -D 'A B' x", limits=limits, reads=["/opt/*"], env={"A": "b"})
    assert language.compile == ("cc", "-D", "A B", "x")
    assert (language.execute, language.file, language.reads) == (("sh", "main.small"), "main.small", ("/opt/*",))
    assert (language.compiling.cpu_s, language.compiling.memory_bytes, language.compiling.processes) == (2, 64 * MIB, 3)
    assert language.compiling.wall_s > language.compiling.cpu_s
    assert (language.runtime.seconds, language.runtime.memory_mb, language.runtime.processes) == (1.5, 0, 1)
    assert language.prompt == "Write for sh."


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"title": None}, "'title' is a required property"),
        ({"title": " "}, "title: ' ' does not match"),
        ({"colour": "red"}, "'colour' was unexpected"),
        ({"name": "Big"}, "name: 'Big' does not match"),
        ({"name": "other"}, "name: the file must be called other.yaml"),
        ({"file": "../main"}, "file: '../main' does not match"),
        ({"execute": None}, "execute: is missing"),
        ({"engine": "python"}, "execute: goes with 'engine: command' only"),
        ({"engine": "python", "execute": None, "compile": "cc"}, "compile: goes with"),
        ({"engine": "perl"}, "engine: 'perl' is not one of"),
        ({"compile": "cc 'main"}, 'compile: "cc \'main" cannot be split'),
        ({"compile": ["cc", "main"]}, "compile: ['cc', 'main'] is not of type 'string'"),
        ({"execute": "''"}, "execute: has no words"),
        ({"execute": "# nothing"}, None),
        ({"env": {"A=": "b"}}, "env: 'A=' does not match"),
        ({"env": {"A": 3}}, "env.A: 3 is not of type 'string'"),
        ({"reads": ["opt"]}, "reads.0: 'opt' does not match"),
        ({"limits": {"compile": {"seconds": 0}}}, "limits.compile.seconds: 0 is less than or equal"),
        ({"limits": {"run": {"memory_mb": 1.5}}}, "limits.run.memory_mb: 1.5 is not of type 'integer'"),
        ({"limits": {"test": {}}}, "limits: Additional properties"),
        ({"hello": {"program": "x", "input": ""}}, "hello: 'output' is a required property"),
        ({"packages": ["A b"]}, "packages.0: 'A b' does not match"),
    ],
)
def test_what_is_wrong_is_told_by_file_and_field(tmp_path: Path, changes: dict[str, Any], told: str | None) -> None:
    if told is None:
        assert load(tmp_path, **changes).execute == ("#", "nothing")  # no shell reads it
        return
    with pytest.raises(LanguageError) as raised:
        load(tmp_path, **changes)
    assert told in str(raised.value)
    assert str(tmp_path / "small.yaml") in str(raised.value)


@pytest.mark.parametrize(
    "data",
    [b"name: [", b"\xff", b"", b"- 1", b"!!python/object/apply:os.getcwd []", b"a: &a [*a]", b"x" * 70000, b"[" * 5000],
)
def test_a_file_that_is_no_language_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "small.yaml"
    file.write_bytes(data)
    with pytest.raises(LanguageError, match=r"small\.yaml"):
        load_language(file)


def test_a_missing_file_and_a_missing_language_are_told(tmp_path: Path) -> None:
    with pytest.raises(LanguageError, match="cannot be read"):
        load_language(tmp_path / "small.yaml")
    with pytest.raises(UnknownLanguageError, match="did you mean 'ocaml'"):
        find_language("ocamel")
    with pytest.raises(UnknownLanguageError, match="known: c, cpp"):
        find_language("")


def test_a_users_folder_adds_and_replaces_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "lua.yaml").write_text(yaml.safe_dump({**SMALL, "name": "lua", "title": "My Lua"}))
    monkeypatch.setenv(VARIABLE, f"{tmp_path}::{other}")
    assert find_language("small").title == "Small"
    assert find_language("lua").title == "My Lua"
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(LanguageError, match="nowhere"):
        language_files()


def test_another_package_adds_languages_and_none_of_its_code_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "my_languages_of_test"
    package.mkdir()
    load(package)
    information = tmp_path / "my_languages-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: my-languages\nVersion: 1\n")
    points = information / "entry_points.txt"
    points.write_text("[palestra.languages]\nmine = my_languages_of_test\n")
    (package / "__init__.py").write_text("raise SystemExit('run')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_language("small").title == "Small"
    (package / "lua.yaml").write_text(yaml.safe_dump({**SMALL, "name": "lua"}))
    with pytest.raises(LanguageError, match="lua' is told of by palestra itself already"):
        language_files()
    for named in ("no_such_package_of_test", "json.decoder"):
        points.write_text(f"[palestra.languages]\nmine = {named}\n")
        with pytest.raises(LanguageError, match="must name a package"):
            language_files()
