"""Generated tasks as folders of Harbor: solved by their solution, not by doing nothing, judged by the same rules."""

from pathlib import Path

import pytest
from tests.envs.terminal.formats.conftest import played

from palestra.envs.base import Task, TaskError
from palestra.envs.terminal.env import TerminalEnv
from palestra.envs.terminal.formats.exported import checker, exported, folder_name
from palestra.envs.terminal.formats.harbor import read_harbor, read_package, write_package
from palestra.envs.terminal.generate import TerminalTasks


def with_hidden(task: Task, **hidden: object) -> Task:
    return Task.from_dict({**task.to_dict(), "hidden": {**task.hidden, **hidden}})


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    for seed in range(8):
        package = exported(TerminalTasks("train").sample(seed))
        write_package(package, tmp_path / package.name)
        assert read_package(tmp_path / package.name) == package
        [task] = read_harbor(tmp_path / package.name)
        assert exported(task) == package


@pytest.mark.slow
def test_exported_tasks_are_solved_by_their_solution_and_not_by_doing_nothing(env: TerminalEnv, tmp_path: Path) -> None:
    for seed in range(6):
        package = exported(TerminalTasks("train").sample(seed))
        write_package(package, tmp_path / package.name)
    for task in read_harbor(tmp_path):
        assert played(env, task, "oracle").is_success, (task.id, env.verdict())
        assert not played(env, task, "nop").is_success
        verdict = env.verdict()
        assert verdict is not None
        assert "step 1" in verdict.checks[0].evidence or "/" in verdict.checks[0].evidence


RUNS = {
    "kind": "runs", "group": 0, "command": ["bash", "/workspace/double.sh"], "files": ["/workspace/double.sh"],
    "cases": [{"stdin": "4\n", "stdout": "8\n"}, {"args": ["-n"], "stdin": "5\n", "stdout": "10\n"}],
}  # fmt: skip
LISTENS = {
    "kind": "listens", "group": 0, "command": ["python3", "/workspace/serve.py"], "files": ["/workspace/serve.py"],
    "port": 8123, "cases": [{"send": "hi\n", "contains": "HI"}],
}  # fmt: skip
SERVE = (
    "import socket\ns = socket.create_server((\"127.0.0.1\", 8123))\nwhile True:\n    c, _ = s.accept()\n"
    "    c.sendall(c.recv(99).upper())\n    c.close()\n"
)  # fmt: skip


@pytest.mark.slow
def test_what_has_to_be_run_is_run(env: TerminalEnv, tmp_path: Path) -> None:
    solve = f"echo 'read n; echo $((n * 2))' > double.sh\ncat > serve.py <<'E'\n{SERVE}E\n"
    steps = [{"operator": "x", "choices": [], "solve": solve, "wrong": {}}]
    task = with_hidden(TerminalTasks("train").sample(0), checks=[RUNS, LISTENS], steps=steps, keeps={}, collect=[])
    package = exported(task)
    write_package(package, tmp_path / package.name)
    [task] = read_harbor(tmp_path)
    assert played(env, task, "oracle").is_success, env.verdict()
    wrong = {**task.hidden["steps"][0], "solve": "echo 'echo 8' > double.sh"}
    assert not played(env, with_hidden(task, steps=[wrong]), "oracle").is_success
    verdict = env.verdict()
    assert verdict is not None
    assert "hidden run 2 of bash /workspace/double.sh" in verdict.checks[0].evidence


def test_what_harbor_has_not_is_refused() -> None:
    task = TerminalTasks("train").sample(0)
    with pytest.raises(TaskError, match="has services"):
        exported(with_hidden(task, services=["sleep 1"]))
    with pytest.raises(TaskError, match="takes python3 away"):
        exported(with_hidden(task, setup="rm -f /usr/bin/python3* /usr/local/bin/python3*"))
    with pytest.raises(TaskError, match="is no task of a terminal"):
        exported(with_hidden(task, checks=[]))


def test_names_and_the_checker() -> None:
    task = TerminalTasks("train").sample(3)
    assert "/" not in folder_name(task)
    compile(checker(), "check.py", "exec")
    assert "import palestra" not in checker().split("MODULES")[0]
