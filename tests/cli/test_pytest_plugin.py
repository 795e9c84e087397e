"""The pytest plug-in in pytest's own process: tasks become tests, and who does not ask for it notices nothing."""

import importlib
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from palestra.envs.certify.panel import NEGATIVES
from palestra.envs.registry import make

pytest_plugins = ["pytester"]
TOYS = Path(__file__).parents[1] / "envs"
QUESTIONS = ["oracle", *NEGATIVES, "attack:forwards"]
CONFTEST = f"import sys\nsys.path.insert(0, {str(TOYS)!r})\nfrom wordgym.env import register_words\nregister_words()\n"


@pytest.fixture
def words(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with a file of two tasks, and nothing else that is to be collected."""
    monkeypatch.syspath_prepend(str(TOYS))
    importlib.import_module("wordgym.env").register_words()
    source = make("toy/Word-v0").tasks
    pytester.makeconftest(CONFTEST)
    pytester.mkdir("tasks")
    lines = [json.dumps(source.sample(seed).to_dict()) + "\n" for seed in range(2)]
    Path("tasks/words.jsonl").write_text("".join(lines))
    Path("tasks/words.rejected.jsonl").write_text("no task\n")
    return pytester


def run(words: pytest.Pytester, *args: str, env: str = "toy/Word-v0") -> pytest.RunResult:
    return words.runpytest_subprocess(
        "-W", "error", "-p", "no:cacheprovider", "--palestra-tasks", "tasks", "--palestra-env", env, *args
    )


def test_each_question_about_each_task_is_a_test(words: pytest.Pytester) -> None:
    words.makepyfile("def test_of_mine():\n    pass\n")
    said = run(words, "-v", "--junitxml", "out.xml")
    said.assert_outcomes(passed=2 * len(QUESTIONS) + 1)
    for name in ("word/train/0::oracle", "word/train/1::nop", "word/train/1::attack:forwards"):
        said.stdout.fnmatch_lines([f"tasks/words.jsonl::{name} PASSED*"])
    names = [case.attrib["name"] for case in ElementTree.parse("out.xml").iter("testcase")]
    assert names == [*QUESTIONS * 2, "test_of_mine"]


@pytest.mark.slow  # a pytest of its own, each time
def test_some_of_them_are_chosen_as_of_any_tests(words: pytest.Pytester) -> None:
    run(words, "-k", "oracle or attack:forwards").assert_outcomes(passed=4, deselected=2 * len(QUESTIONS) - 4)
    run(words, "tasks/words.jsonl::word/train/1::attack:forwards").assert_outcomes(passed=1)


@pytest.mark.slow  # a pytest of its own, each time
def test_workers_share_them(words: pytest.Pytester) -> None:
    run(words, "-n", "2", "-k", "oracle or nop").assert_outcomes(passed=4)


@pytest.mark.slow  # a pytest of its own, each time
def test_an_oracle_that_fails_and_a_cheat_that_earns_are_failures(words: pytest.Pytester) -> None:
    said = run(words, "-k", "train/0", env="toy/WordGivesUp-v0")
    said.assert_outcomes(failed=1, passed=len(QUESTIONS) - 1, deselected=len(QUESTIONS))
    said.stdout.fnmatch_lines(["failed: the oracle earned 0 and did not succeed", "*submit*"])
    said = run(words, "-k", "train/0 and (oracle or nop or forwards)", env="toy/WordPaysAll-v0")
    said.assert_outcomes(failed=1, passed=2, deselected=2 * len(QUESTIONS) - 3)
    said.stdout.fnmatch_lines(["failed: it earned 1", "FAILED tasks/words.jsonl::word/train/0::attack:forwards*"])


def test_a_fault_is_no_pass(words: pytest.Pytester) -> None:
    task = json.loads(Path("tasks/words.jsonl").read_text().splitlines()[0])
    task["hidden"]["broken"] = True
    Path("tasks/words.jsonl").write_text(json.dumps(task) + "\n")
    said = run(words, "-k", "oracle")
    said.assert_outcomes(failed=1, deselected=len(QUESTIONS) - 1)
    said.stdout.fnmatch_lines(["fault: VerifierError: the task has no tests"])


def test_a_file_that_holds_no_tasks_is_an_error_in_one_line(words: pytest.Pytester) -> None:
    Path("tasks/bad.jsonl").write_text('{"id": "\\u001b[31m"}\n')
    said = run(words)
    assert said.ret == pytest.ExitCode.INTERRUPTED
    said.stdout.fnmatch_lines(["line 1 of '*bad.jsonl' holds no task: *"])


def test_without_the_option_nothing_is_collected_and_nothing_heavy_imported(words: pytest.Pytester) -> None:
    words.makeconftest("")
    words.makepyfile(
        """
        import sys
        def test_light():
            heavy = {"numpy", "gymnasium", "jsonschema", "yaml", "rich", "palestra.pytest_tasks", "palestra.envs.env"}
            assert "palestra.pytest_plugin" in sys.modules
            assert heavy & set(sys.modules) == set()
        """
    )
    said = words.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    said.assert_outcomes(passed=1)
