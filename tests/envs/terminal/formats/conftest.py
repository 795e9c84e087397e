"""Small folders of tasks to read, and what comes of playing them."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from palestra.envs.actions import call_text
from palestra.envs.base import Task
from palestra.envs.scripts import SCRIPTS, Episode, Script, play
from palestra.envs.terminal.env import TerminalEnv
from palestra.envs.terminal.generate import TerminalTasks

TOML = 'schema_version = "1.1"\n[task]\nname = "acme/hello"\n[agent]\ntimeout_sec = 60.0\n'
HELLO: Mapping[str, str] = {
    "instruction.md": "Write hello into hello.txt.\n",
    "task.toml": TOML,
    "environment/Dockerfile": (
        "FROM debian:12\nENV WORD=hello\nWORKDIR /app\nCOPY given.txt .\nRUN echo $WORD > made.txt\n"
    ),
    "environment/given.txt": "given\n",
    "solution/solve.sh": 'echo "$WORD" > hello.txt\n',
    "tests/test.sh": (
        "set -e\n[ $(cat hello.txt) = hello ] && grep -q hello made.txt && grep -q given /app/given.txt "
        "&& echo 1 > /logs/verifier/reward.txt || echo 0 > /logs/verifier/reward.txt\n"
    ),
}
BENCH: Mapping[str, str] = {
    "task.yaml": "instruction: |-\n  Write hello.\ndifficulty: easy\ntags:\n  - files\nparser_name: pytest\n",
    "Dockerfile": "FROM ghcr.io/laude-institute/t-bench/ubuntu-24-04:20250624\nWORKDIR /app\n",
    "docker-compose.yaml": (
        "services:\n  client:\n    build:\n      dockerfile: Dockerfile\n"
        "    image: ${T_BENCH_TASK_DOCKER_CLIENT_IMAGE_NAME}\n"
        '    command: ["sh", "-c", "sleep infinity"]\n    environment:\n'
        "      - TEST_DIR=${T_BENCH_TEST_DIR}\n      - WORD=hello\n"
        "    volumes:\n      - ${T_BENCH_TASK_LOGS_PATH}:${T_BENCH_CONTAINER_LOGS_PATH}\n"
    ),
    "solution.sh": "#!/bin/bash\necho $WORD > hello.txt\n",
    "run-tests.sh": (
        "#!/bin/bash\napt-get update\napt-get install -y curl\n"
        "curl -LsSf https://astral.sh/uv/0.7.13/install.sh | sh\nsource $HOME/.local/bin/env\n"
        "uv init\nuv add pytest==8.4.1\nuv run pytest $TEST_DIR/test_outputs.py -rA\n"
    ),
    "tests/test_outputs.py": (
        "from pathlib import Path\n\n\ndef test_hello():\n    assert Path('/app/hello.txt').read_text() == 'hello\\n'\n"
    ),
}


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """Write texts by their paths."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(autouse=True)
def no_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers where a docker daemon could be."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")


@pytest.fixture
def env() -> Iterator[TerminalEnv]:
    """An environment whose episodes are of tasks that are given to it."""
    with closing(TerminalEnv(tasks=TerminalTasks("train"))) as env:
        yield env


def played(env: TerminalEnv, task: Task, name: str) -> Episode:
    """Let the oracle play a task, or let nothing be done ("nop") before it is handed in."""
    script: Script = SCRIPTS["oracle"] if name == "oracle" else lambda env, rng: iter([call_text("done", {})])
    return play(env, script, 0, task)
