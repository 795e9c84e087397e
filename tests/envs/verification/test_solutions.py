"""Where solutions are looked for, and what of them is not trusted."""

import json
import os
from pathlib import Path

import pytest

from palestra.envs.base import TaskError
from palestra.envs.verification.judged import MAX_SOLUTION_CHARS
from palestra.envs.verification.solutions import Folder, Lines, file_stem, open_solutions

TASK = "code/train/grid-2-6/1"
STEM = "code__train__grid-2-6__1"


def put(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


@pytest.mark.parametrize(
    "name", [f"{STEM}.py", f"{STEM}/main.py", f"{STEM}/other.py", f"{TASK}.py", f"{TASK}/main.py", f"{TASK}/try 1.py"]
)
def test_a_solution_is_a_file_or_in_a_folder(tmp_path: Path, name: str) -> None:
    path = put(tmp_path / name, "print(1)\r\n")
    put(tmp_path / "stranger.py")
    solutions = open_solutions(tmp_path)
    (found,) = solutions.of(TASK, "main.py")
    assert (found.text, found.problem, found.where) == ("print(1)\r\n", "", str(path))
    assert solutions.strangers() == [str(tmp_path / "stranger.py")]


def test_where_there_is_none_its_place_is_told(tmp_path: Path) -> None:
    solutions = Folder(tmp_path)
    put(tmp_path / f"{STEM}.txt")
    put(tmp_path / STEM / "README.md")
    assert solutions.of(TASK, "main.py") == ()
    assert solutions.wanted(TASK, "main.py") == str(tmp_path / f"{STEM}.py")


def test_several_tries_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        put(tmp_path / STEM / f"try{number}.py", str(number))
    put(tmp_path / STEM / "notes.txt")
    assert [found.text for found in Folder(tmp_path).of(TASK, "main.py")] == ["1", "9", "10"]
    put(tmp_path / STEM / "main.py", "the one")
    assert [found.text for found in Folder(tmp_path).of(TASK, "main.py")] == ["the one"]


def test_two_places_are_one_too_many(tmp_path: Path) -> None:
    put(tmp_path / f"{STEM}.py")
    put(tmp_path / STEM / "main.py")
    with pytest.raises(TaskError, match="keep one"):
        Folder(tmp_path).of(TASK, "main.py")


def test_two_tasks_with_one_name_are_told_apart_by_lines(tmp_path: Path) -> None:
    solutions = Folder(tmp_path)
    solutions.of("a/b", "main.py")
    solutions.of("a/b", "main.py")
    with pytest.raises(TaskError, match=r"'a/b' and 'a__b' would have one name"):
        solutions.of("a__b", "main.py")


@pytest.mark.parametrize(
    ("task_id", "stem"),
    [
        ("a/b c", "a__b_c"),
        ("../../etc/passwd", "__..__etc__passwd"),
        ("", "_"),
        ("ä\0\n::", "_____"),
        ("x" * 999, "x" * 200),
    ],
)
def test_no_id_leads_out_of_the_folder(tmp_path: Path, task_id: str, stem: str) -> None:
    assert file_stem(task_id) == stem
    inside = tmp_path / "inside"
    inside.mkdir()
    put(tmp_path / "etc" / "passwd.py")
    assert Folder(inside).of(task_id, "main.py") == ()


def test_what_is_no_plain_text_of_a_fair_size_is_a_problem_and_no_text(tmp_path: Path) -> None:
    secret = put(tmp_path / "secret.py", "a secret")
    inside = tmp_path / "inside"
    inside.mkdir()
    os.symlink(secret, inside / "link.py")
    os.symlink(tmp_path, inside / "folder")
    put(inside / "odd.py", "\ud800")
    put(inside / "huge.py", "\U0001f600" * (MAX_SOLUTION_CHARS + 1))
    os.mkfifo(inside / "pipe.py")
    solutions = Folder(inside)
    problems = {
        name: [(found.text, found.problem) for found in solutions.of(name, "main.py")] for name in ("link", "odd")
    }
    assert problems["link"] == [("", "it is a link that leads out of the folder of solutions")]
    assert problems["odd"][0][1].startswith("it is not UTF-8")
    assert solutions.of("huge", "main.py")[0].problem == f"it has more than {MAX_SOLUTION_CHARS} characters"
    assert solutions.of("pipe", "main.py") == ()
    assert {found.text for found in solutions.of("folder", "main.py")} == {""}


def test_lines_hold_any_number_of_tries(tmp_path: Path) -> None:
    rows = [(TASK, "1"), ("b", "2"), (TASK, "3"), ("c", "\ud800")]
    text = "".join(json.dumps({"task_id": name, "solution": text, "model": "m"}) + "\n" for name, text in rows)
    solutions = open_solutions(put(tmp_path / "solutions.jsonl", text))
    assert [found.text for found in solutions.of(TASK, "main.py")] == ["1", "3"]
    assert solutions.of("d", "main.py") == ()
    assert [name.split(" of ")[0] for name in solutions.strangers()] == ["line 2", "line 4"]
    assert "with this task_id" in solutions.wanted("d", "main.py")


@pytest.mark.parametrize("line", ["[]", '{"task_id": "a"}', '{"task_id": 1, "solution": ""}', "{", "null"])
def test_a_line_of_another_form_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(TaskError, match="line 1 of"):
        Lines(put(tmp_path / "solutions.jsonl", line + "\n"))


def test_what_is_neither_folder_nor_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="is neither"):
        open_solutions(put(tmp_path / "solutions.txt"))
    with pytest.raises(TaskError, match="cannot read the solutions"):
        open_solutions(tmp_path / "none.jsonl")
