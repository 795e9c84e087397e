"""Play the same tasks in a process where everything that must not matter is different."""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing
from dataclasses import asdict

from palestra.envs.base import Json, Split
from palestra.envs.env import AgentEnv
from palestra.envs.registry import EnvEntry, make, register
from palestra.envs.scripts import SCRIPTS, play
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import InfraError

LIMIT_S = 1800.0


def play_elsewhere(entry: EnvEntry, tasks: list[tuple[Split, int]]) -> list[tuple[str, list[str]]]:
    """Play the oracle on tasks, given by split and seed, in a new process.

    Its hash seed, time zone, locale and working folder are other than ours.

    Returns:
        For each task its digest and the stream of what was shown and paid.

    Raises:
        InfraError: the machine or a verifier failed over there.
        RuntimeError: the environment raised something else; the message ends its traceback.
    """
    hash_seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    child_env = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Pacific/Kiritimati", "LC_ALL": "C"}
    child_env["PYTHONPATH"] = os.pathsep.join(os.path.abspath(folder) for folder in sys.path)
    program = "from palestra.envs.certify.matrix import _child; _child()"
    known = {**asdict(entry), "needs": sorted(entry.needs)}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps({"entry": known, "tasks": tasks}),
            env=child_env,
            cwd=folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=LIMIT_S,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"playing in another process failed: {done.stderr.strip()[-500:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    if "fault" in told:
        raise InfraError(told["fault"])
    return [(task_digest, stream) for task_digest, stream in told["episodes"]]


def _child() -> None:
    """Play the oracle on the tasks that stand on standard input; print their digests and streams."""
    wanted = json.load(sys.stdin)
    register(EnvEntry(**{**wanted["entry"], "needs": frozenset(wanted["entry"]["needs"])}))
    told: dict[str, Json] = {"episodes": []}
    with ExitStack() as stack:
        envs: dict[Split, AgentEnv] = {}
        try:
            for split, seed in wanted["tasks"]:
                if split not in envs:
                    envs[split] = stack.enter_context(closing(make(wanted["entry"]["id"], split=split)))
                episode = play(envs[split], SCRIPTS["oracle"], seed)
                told["episodes"].append([episode.task_digest, episode.stream])
        except (InfraError, VerifierError) as error:
            told = {"fault": f"in another process: {error!r}"}
    print(json.dumps(told))
