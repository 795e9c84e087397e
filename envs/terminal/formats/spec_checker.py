"""Judges a machine by the predicates in spec.json, which lies beside this file, and writes a reward.

The modules that judge are part of this file, when it has been written for a task; it needs Python 3.11 or later, and
nothing else. What has to be run is run here, in the machine where the work was done, with a clean environment.
"""

import io
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import time
import types
from pathlib import Path
from typing import Any

MODULES: list[tuple[str, str]] = []  # names and sources, in the order in which they import each other

LOGS = Path("/logs/verifier")
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/root", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
HOME = "/workspace"
SECONDS = 5.0


def main() -> None:
    """Judge, print why what does not hold does not, and write reward.json and reward.txt."""
    LOGS.mkdir(parents=True, exist_ok=True)
    reward = 0
    try:
        spec = json.loads(Path(__file__).with_name("spec.json").read_text(encoding="utf-8"))
        reasons = [told for told in judged(spec) if told]
        print("\n".join(reasons) or f"all of {len(spec['checks'])} checks hold")
        reward = int(not reasons and bool(spec["checks"]))
    finally:
        (LOGS / "reward.json").write_text(json.dumps({"reward": reward}))
        (LOGS / "reward.txt").write_text(f"{reward}\n")


def load() -> None:
    """Make the modules that are part of this file."""
    for name, source in MODULES:
        module = sys.modules[name] = types.ModuleType(name)
        package, _, last = name.rpartition(".")
        setattr(sys.modules.setdefault(package, types.ModuleType(package)), last, module)
        exec(compile(source, name, "exec"), module.__dict__)


def judged(spec: dict[str, Any]) -> list[str]:
    """Return for each check why it does not hold, or ""."""
    if MODULES:
        sys.modules["palestra.envs.base"] = base = types.ModuleType("palestra.envs.base")
        base.Json = object  # type: ignore[attr-defined]  # a name for annotations
        load()
    judging: Any = sys.modules["palestra.envs.terminal.predicates.judging"]
    tree = collected(spec["collect"])
    still = {number: judging.reason(tree, one) for number, one in enumerate(spec["checks"]) if not runs(one)}
    return [still[number] if number in still else run(one) for number, one in enumerate(spec["checks"])]


def runs(check: dict[str, Any]) -> bool:
    """Tell whether a check is about what has to be run."""
    return check["kind"] in ("runs", "listens")


def collected(paths: list[str]) -> Any:
    """Return what lies at some paths, links not followed."""
    tree: Any = sys.modules["palestra.envs.terminal.tree"].Tree()
    for path in paths:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
            if os.path.lexists(path):
                archive.add(path, path[1:])
        tree = tree.joined(type(tree).from_tar(packed.getvalue()))
    return tree


def run(check: dict[str, Any]) -> str:
    """Return why what has to be run does not do as it should, or ""."""
    try:
        if check["kind"] == "listens":
            return served(check)
        for number, case in enumerate(check["cases"], 1):
            if told := tried(check, case):
                return f"hidden run {number} of {' '.join(check['command'])}: {told}"
    except (OSError, subprocess.SubprocessError) as error:
        return f"{' '.join(check['command'])}: {error}"
    return ""


def tried(check: dict[str, Any], case: dict[str, Any]) -> str:
    """Return why one case does not end as it should, or ""."""
    for path, text in case.get("files", {}).items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
    done = subprocess.run(
        [*check["command"], *case.get("args", ())],
        input=case.get("stdin", "").encode(),
        capture_output=True,
        env=ENVIRONMENT,
        cwd=HOME,
        timeout=check.get("seconds", SECONDS),
        check=False,
    )
    if done.returncode != case.get("exit", 0):
        return f"exit code {done.returncode}, not {case.get('exit', 0)}"
    kinds: Any = sys.modules["palestra.envs.code.judge.checkers"].KINDS
    same = kinds[check.get("compare", "lines")]()
    if not same(done.stdout, case["stdout"].encode()):
        return f"it prints {done.stdout[:200]!r}, not {case['stdout'][:200]!r}"
    for path, text in case.get("makes", {}).items():
        if not os.path.isfile(path) or not same(Path(path).read_bytes(), text.encode()):
            return f"{path} is not written as it should be"
    return ""


def served(check: dict[str, Any]) -> str:
    """Return why a service does not answer as it should, or ""."""
    nothing = subprocess.DEVNULL
    service = subprocess.Popen(
        check["command"], stdin=nothing, stdout=nothing, stderr=nothing, env=ENVIRONMENT, cwd=HOME
    )
    try:
        end = time.monotonic() + check.get("seconds", SECONDS)
        while not is_open(check["port"]):
            if time.monotonic() > end:
                return f"nothing listens on port {check['port']}"
            time.sleep(0.02)
        for case in check["cases"]:
            reply = answer(check["port"], case["send"].encode()).decode("utf-8", "replace")
            is_right = (
                ("equals" not in case or reply == case["equals"])
                and ("contains" not in case or case["contains"] in reply)
                and ("matches" not in case or re.fullmatch(case["matches"], reply) is not None)
            )
            if not is_right:
                return f"the service answers {reply[:200]!r} when it is asked {case['send'][:80]!r}"
    finally:
        service.kill()
        service.wait()
    return ""


def is_open(port: int) -> bool:
    """Tell whether somebody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
    except OSError:
        return False
    return True


def answer(port: int, text: bytes) -> bytes:
    """Return what is answered until the connection ends, or nothing comes for a second."""
    got = b""
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0) as connection:
            connection.sendall(text)
            while len(got) < 256 * 1024 and (chunk := connection.recv(65536)):
                got += chunk
    except OSError:
        pass
    return got


if __name__ == "__main__":
    main()
