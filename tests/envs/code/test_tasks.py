"""Tasks in other languages, with other checkers, with limits of their own, and of modules: played and judged."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from palestra.envs.actions import call_text
from palestra.envs.base import Judging, Task, TaskError
from palestra.envs.certify.task import certify
from palestra.envs.code.env import CodeEnv
from palestra.envs.code.languages.shelf import VARIABLE, find_language
from palestra.envs.code.writing import module_task, program_task
from palestra.envs.registry import find
from palestra.envs.scripts import SCRIPTS, play
from palestra.rewards.base import Verdict, VerifierError
from palestra.sandbox.base import PermanentInfraError

SOURCES = {
    "python": "print(2 * int(input()))\n",
    "c": '#include <stdio.h>\nint main(void) { int n; scanf("%d", &n); printf("%d\\n", 2 * n); return 0; }\n',
    "javascript": 'console.log(2 * Number(require("fs").readFileSync(0, "utf8")));\n',
    "lua": "print(2 * io.read('n'))\n",
    "ocaml": 'let () = Scanf.scanf " %d" (fun n -> Printf.printf "%d\\n" (2 * n))\n',
}
SOME = {"split": "train", "template": "double"}
QUICK = {"cpu_s": 1.0, "wall_s": 1.0}
SHARES = "from solution import share\ndef test_thirds():\n    assert share(1, 3) == 0\n\ndef test_halves():\n    "
SHARES += "assert share(6, 2) == 3\n"


@pytest.fixture(scope="module")
def env() -> Iterator[CodeEnv]:
    with closing(CodeEnv()) as made:
        yield made


def doubling(language: str = "python", **options: Any) -> Task:
    cases = [{"input": f"{n}\n", "output": f"{2 * n}\n"} for n in (1, 3, 40, 7919)]
    given: dict[str, Any] = {"examples": cases[:1], "tests": cases[1:], "oracle": SOURCES[language], **options}
    return program_task(
        name=f"double/{language}", seed=0, statement="Double it.", provenance=SOME, language=language, **given
    )


def sharing(**options: Any) -> Task:
    told: dict[str, Any] = {"module": "solution", "tests": SHARES, "asked": ["share"], **options}
    oracle = "def share(a, b):\n    return a // b\n"
    return module_task(name="share", seed=0, statement="Share it.", provenance=SOME, oracle=oracle, **told)


def submit(code: str) -> str:
    return call_text("submit", {"code": code})


def run(code: str) -> str:
    return call_text("run", {"code": code})


def judged(env: CodeEnv, task: Task, text: str) -> Verdict:
    return env.judge(Task.from_dict(task.to_dict()), text)


@pytest.mark.parametrize("language", SOURCES)
def test_a_task_may_be_in_any_language(env: CodeEnv, language: str) -> None:
    task = doubling(language)
    title, prompt = find_language(language).title, find_language(language).prompt
    episode = play(env, SCRIPTS["oracle"], 0, task)
    assert (episode.reward, episode.is_success) == (1.0, True)
    assert title in env.messages[0]["content"]
    assert env.messages[1]["content"].endswith(prompt)
    assert env.artefact(task) == find_language(language).file
    verdict = judged(env, task, SOURCES[language].replace("2 *", "3 *"))
    assert not verdict.passed
    assert "wanted:" in env.explain(task, verdict.checks[-1])


def test_programs_in_other_languages_than_the_task_earn_nothing(env: CodeEnv) -> None:
    for language in SOURCES:
        for other in set(SOURCES) - {language}:
            assert not judged(env, doubling(language), SOURCES[other]).passed, (language, other)


def test_what_the_compiler_says_is_told(env: CodeEnv) -> None:
    env.reset(options={"task": doubling("c")})
    told = env.step(run("int main(void) { return x; }"))[0].splitlines()
    assert told[:3] == ["passed 0 of 1 examples", "does not compile: exit code 1", "errors:"]
    assert "main.c" in told[3]
    assert env.step(run(SOURCES["c"]))[0] == "passed 1 of 1 examples"


def test_a_language_that_does_not_work_here_is_a_fault_that_says_what_to_install(
    env: CodeEnv, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nowhere.yaml").write_text(
        "name: nowhere\ntitle: Nowhere\nfile: main.nw\nexecute: no-such-command main.nw\nversion: no-such-command -v\n"
        "packages: [nowhere-tools]\nhello: {program: 'x', input: '', output: 'x'}\nprompt: Write Nowhere.\n"
    )
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    task = replace(doubling(), public={**doubling().public, "language": "nowhere"})
    env.reset(options={"task": task})
    with pytest.raises(PermanentInfraError, match="apt-get install nowhere-tools"):
        env.step(submit("x"))


def test_the_checker_of_a_task_decides_and_examples_follow_it(env: CodeEnv) -> None:
    hasty = 'print(f"{2 * int(input()):.1f}")\n'
    assert not judged(env, doubling(), hasty).passed
    task = doubling(checker={"kind": "floats", "absolute": 1e-6})
    assert judged(env, task, hasty).passed
    env.reset(options={"task": task})
    assert env.step(run(hasty))[0] == "passed 1 of 1 examples"


def test_a_checker_may_be_a_program_in_another_language(env: CodeEnv) -> None:
    source = "import sys\nsys.exit(int(open('output').read()) % int(open('input').read()) != 0)\n"
    task = doubling("c", checker={"kind": "program", "language": "python", "source": source})
    assert judged(env, task, SOURCES["c"].replace("2 *", "7 *")).passed
    assert not judged(env, task, SOURCES["c"].replace("2 * n", "n + 1")).passed
    assert play(env, SCRIPTS["oracle"], 0, task).is_success


def test_tests_may_have_limits_of_their_own(env: CodeEnv) -> None:
    slow = "import time\nn = int(input())\ntime.sleep(1.5 if n > 100 else 0)\nprint(2 * n)\n"
    cases: list[dict[str, Any]] = [{"input": f"{n}\n", "output": f"{2 * n}\n"} for n in (3, 7919)]
    assert not judged(env, doubling(tests=cases, limits=QUICK), slow).passed
    generous = [cases[0], {**cases[1], "limits": {"wall_s": 20.0}}]
    assert judged(env, doubling(tests=generous, limits=QUICK), slow).passed
    swapped = [{**cases[0], "limits": {"wall_s": 20.0}}, cases[1]]
    assert not judged(env, doubling(tests=swapped, limits=QUICK), slow).passed


def test_large_tests_tell_classes_of_complexity_apart(env: CodeEnv) -> None:
    """How often does each number occur before? By counting, or by looking at every pair."""
    head = "numbers = list(map(int, input().split()))\n"
    fast = (
        head + "seen, total = {}, 0\nfor n in numbers:\n    total += seen.get(n, 0)\n    seen[n] = seen.get(n, 0) + 1\n"
    )
    fast += "print(total)\n"
    naive = head + "print(sum(numbers[:i].count(n) for i, n in enumerate(numbers)))\n"
    small = {"input": "1 2 1 1\n", "output": "3\n"}
    numbers = [n % 1000 for n in range(60_000)]
    large = {
        "input": " ".join(map(str, numbers)) + "\n",
        "output": "1770000\n",
        "limits": {"cpu_s": 2.0, "wall_s": 20.0},
    }
    task = doubling(examples=[small], tests=[{**small, "input": "1 1\n", "output": "1\n"}, large])
    assert judged(env, task, fast).passed
    verdict = judged(env, task, naive)
    assert not verdict.passed
    assert verdict.checks[-1].evidence == "out of time"
    assert verdict.checks[-1].name == "hidden test 1"  # the small one was passed or had yet to come


@pytest.mark.parametrize(
    ("public", "hidden", "told"),
    [
        ({"language": "klingon"}, {}, "klingon"),
        ({"language": 3}, {}, "language"),
        ({}, {"checker": "same"}, "a checker is one of"),
        ({}, {"checker": {"kind": "program", "language": "python"}}, "'source'"),
        ({}, {"checker": {"kind": "program", "language": "klingon", "source": ""}}, "klingon"),
        ({}, {"tests": [{"input": "", "output": "", "limits": {"cpu_s": -1}}]}, "limits"),
        ({}, {"tests": [{"input": "", "output": "", "limits": {"seconds": 1}}]}, "limits"),
        ({}, {"tests": [{"input": "", "output": "", "limits": 3}]}, "limits"),
        ({}, {"kind": "unittest"}, "kind"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused_at_the_start(
    env: CodeEnv, public: dict[str, Any], hidden: dict[str, Any], told: str
) -> None:
    task = doubling()
    with pytest.raises(TaskError, match=told):
        env.reset(options={"task": replace(task, public={**task.public, **public}, hidden={**task.hidden, **hidden})})


def test_a_module_is_judged_by_tests_that_it_never_meets(env: CodeEnv) -> None:
    task = sharing()
    assert isinstance(env, Judging)
    assert env.artefact(task) == "solution.py"
    assert play(env, SCRIPTS["oracle"], 0, task).reward == 1.0
    assert play(env, SCRIPTS["nop"], 0, task).reward == 0.0
    verdict = judged(env, task, "def share(a, b):\n    return a / b\n")
    failed = [check for check in verdict.checks if not check.passed]
    assert [check.name for check in failed] == ["test_thirds"]
    assert env.explain(task, failed[0]) == "the test:\ndef test_thirds():\n    assert share(1, 3) == 0"
    assert not judged(env, task, "").passed


def test_a_run_of_a_module_tells_whether_all_is_there_and_pays_nothing(env: CodeEnv) -> None:
    env.reset(options={"task": sharing()})
    told, reward, *_ = env.step(run("def share(a, b):\n    return 0\n"))
    assert (told, reward) == ("passed 1 of 1 public tests", 0.0)
    assert env.step(run("x = 1\n"))[0].splitlines()[0] == "passed 0 of 1 public tests"
    assert "ZeroDivisionError" in env.step(run("1 / 0\n"))[0]
    env.reset(options={"task": sharing(asked=())})
    assert env.step(run(""))[0] == "passed 1 of 1 public tests"


@pytest.mark.parametrize(
    ("hidden", "public"),
    [
        *(({"tests": ""}, {}), ({"tests": []}, {}), ({}, {"module": "a b"})),
        *(({}, {"language": "c"}), ({}, {"tests": 3}), ({}, {"limits": {}})),
    ],
)
def test_a_module_task_that_makes_no_sense_is_refused(
    env: CodeEnv, hidden: dict[str, Any], public: dict[str, Any]
) -> None:
    task = sharing()
    spoilt = replace(task, public={**task.public, **public}, hidden={**task.hidden, **hidden})
    with pytest.raises(TaskError, match="is not a code task"):
        env.reset(options={"task": spoilt})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["python", "c", "javascript", "lua", "module"])
def test_tasks_of_every_kind_pass_the_whole_gate(env: CodeEnv, name: str) -> None:
    task = sharing() if name == "module" else doubling(name)
    certificate = certify(find("palestra/Code-v0"), env, task, level="full")
    assert certificate.ok, certificate.failures


def test_a_task_without_a_solution_has_no_oracle(env: CodeEnv) -> None:
    env.reset(options={"task": doubling(oracle="")})
    with pytest.raises(VerifierError, match="no solution of its own"):
        next(iter(env.oracle()))
