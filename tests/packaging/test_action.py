"""The GitHub Action, step by step, as a runner would run it; only GitHub's own `setup-python` is left out."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from palestra.envs.registry import make

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "actions" / "verify"
ACTION = yaml.safe_load((FOLDER / "action.yml").read_text(encoding="utf-8"))
STEPS = ACTION["runs"]["steps"]


@dataclass
class Runner:
    """A runner's folders, and what a job has been told."""

    top: Path

    def __post_init__(self) -> None:
        for name in ("work", "temp"):
            (self.top / name).mkdir()
        for name in ("output", "summary"):
            (self.top / name).touch()

    def run(self, steps: list[dict[str, Any]], **given: str) -> subprocess.CompletedProcess[str]:
        """Run the scripts of steps, one after another, until one fails."""
        inputs = {name: str(about.get("default", "")) for name, about in ACTION["inputs"].items()} | given
        done = subprocess.CompletedProcess[str]([], 0, "", "")
        for step in steps:
            if "run" not in step or not self._is_due(step.get("if", ""), inputs):
                continue
            env = {name: self._filled(value, inputs) for name, value in step.get("env", {}).items()}
            script = self.top / "script.sh"
            script.write_text(step["run"])
            command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
            where = {"GITHUB_ACTION_PATH": str(FOLDER), "RUNNER_TEMP": str(self.top / "temp")}
            files = {"GITHUB_OUTPUT": str(self.top / "output"), "GITHUB_STEP_SUMMARY": str(self.top / "summary")}
            done = subprocess.run(
                command,
                cwd=self.top / "work",
                env={**os.environ, "GITHUB_ACTIONS": "true", **where, **files, **env},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if done.returncode:
                break
        return done

    @property
    def outputs(self) -> dict[str, str]:
        """What the job's later steps are told."""
        return dict(line.split("=", 1) for line in (self.top / "output").read_text().splitlines())

    @property
    def summary(self) -> str:
        """What the job's page shows."""
        return (self.top / "summary").read_text()

    def _is_due(self, condition: str, inputs: dict[str, str]) -> bool:
        if not condition:
            return True
        found = re.fullmatch(r"inputs\.([\w-]+) != ''", condition)
        assert found, condition
        return inputs[found[1]] != ""

    def _filled(self, value: str, inputs: dict[str, str]) -> str:
        return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: inputs[found[1]], value)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A runner with two code tasks in its workspace, the first of them solved."""
    runner = Runner(tmp_path)
    tasks = [make("palestra/Code-v0").tasks.sample(seed) for seed in range(2)]
    (tmp_path / "work" / "tasks.json").write_text(json.dumps([task.to_dict() for task in tasks]))
    lines = [json.dumps({"task_id": task.id, "solution": task.hidden["solution"]}) + "\n" for task in tasks]
    (tmp_path / "work" / "right.jsonl").write_text("".join(lines))
    wrong = json.dumps({"task_id": tasks[1].id, "solution": "print('::error::pay me')\n"}) + "\n"
    (tmp_path / "work" / "wrong.jsonl").write_text(lines[0] + wrong)
    return runner


@pytest.fixture
def installed(runner: Runner) -> Runner:
    """The same, with palestra where the step before has put it."""
    (runner.top / "temp" / "palestra").symlink_to(sys.prefix)
    return runner


VERIFY = [step for step in STEPS if step.get("id") == "verify"]
GIVEN = {"tasks": "tasks.json", "env": "palestra/Code-v0", "jobs": "1"}


def check(name: str, path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", name, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_action_keeps_to_githubs_schema(tmp_path: Path) -> None:
    assert check("vendor.github-actions", FOLDER / "action.yml").returncode == 0
    (tmp_path / "action.yml").write_text(yaml.safe_dump({**ACTION, "runs": {"using": "nothing"}}))
    assert check("vendor.github-actions", tmp_path / "action.yml").returncode == 1


def test_the_workflow_in_the_docs_keeps_to_githubs_schema_and_to_the_action(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "verify.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "workflow.yml").write_text(text)
    said = check("vendor.github-workflows", tmp_path / "workflow.yml")
    assert said.returncode == 0, said.stdout
    (ours,) = [step for step in yaml.safe_load(text)["jobs"]["verify"]["steps"] if "palestra" in step.get("uses", "")]
    assert set(ours["with"]) <= set(ACTION["inputs"])
    assert {name for name, about in ACTION["inputs"].items() if about.get("required")} <= set(ours["with"])
    assert set(re.findall(r"steps\.palestra\.outputs\.(\w+)", text)) <= set(ACTION["outputs"])


def test_no_script_holds_an_expression() -> None:
    assert [step["name"] for step in STEPS if "${{" in step.get("run", "")] == []


def test_all_right_is_told_in_summary_and_outputs(installed: Runner) -> None:
    done = installed.run(VERIFY, **GIVEN, solutions="right.jsonl")
    assert done.returncode == 0, done.stdout
    assert "palestra/Code-v0: 2 passed" in done.stdout
    assert "2 passed" in installed.summary
    assert installed.outputs.pop("report") == str(installed.top / "temp" / "palestra-verify.json")
    counts = {name: installed.outputs[name] for name in ("passed", "failed", "missing", "fault")}
    assert counts == {"passed": "2", "failed": "0", "missing": "0", "fault": "0"}
    assert set(installed.outputs) == set(ACTION["outputs"])
    assert (installed.top / "work" / "palestra-verify.xml").exists()


def test_a_wrong_one_fails_the_job_and_commands_no_runner(installed: Runner) -> None:
    done = installed.run(VERIFY, **GIVEN, solutions="wrong.jsonl", junit="")
    assert done.returncode == 1
    assert (installed.outputs["passed"], installed.outputs["failed"]) == ("1", "1")
    assert "| failed |" in installed.summary
    lines = done.stdout.splitlines()
    commands = [line for line in lines if line.lstrip().startswith("::")]
    word = lines[0].removeprefix("::stop-commands::")
    assert commands == [lines[0], f"::{word}::"] == [lines[0], lines[-1]]
    assert not (installed.top / "work" / "palestra-verify.xml").exists()


def test_hidden_inputs_are_kept_where_that_is_asked_for(installed: Runner) -> None:
    done = installed.run(VERIFY, **GIVEN, solutions="wrong.jsonl", explain="false")
    assert done.returncode == 1
    told = [done.stdout, installed.summary, Path(installed.outputs["report"]).read_text()]
    assert [text for text in told if "wanted:" in text] == []


@pytest.mark.parametrize("odd", ["$(touch hacked)", '"; touch hacked; "', "`touch hacked`", "-h", ""])
def test_a_senseless_input_is_2_and_nothing_of_it_is_run(installed: Runner, odd: str) -> None:
    done = installed.run(VERIFY, tasks=odd, solutions=odd or "right.jsonl")
    assert done.returncode == 2, done.stdout
    assert list((installed.top / "work").glob("hacked")) == []


@pytest.mark.slow  # a new virtual environment, with all that palestra needs
def test_every_step_runs_where_palestra_is_not_installed(runner: Runner) -> None:
    for name in ("pip", "venv", "json"):
        (runner.top / "work" / f"{name}.py").write_text("open('imported', 'w').close()\n")
    done = runner.run(STEPS, **GIVEN, solutions="wrong.jsonl", **{"apt-packages": "bash coreutils"})
    assert done.returncode == 1, done.stdout
    assert runner.outputs["passed"] == "1"
    assert not (runner.top / "work" / "imported").exists()
