"""Folders whose environments only Docker can build: played, imported, exported and read again."""

import json
import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.cli.conftest import Run
from tests.envs.terminal.docker.conftest import BASE, USUAL
from tests.envs.terminal.formats.conftest import BENCH, HELLO, played, written

from palestra.envs.base import TaskError
from palestra.envs.terminal.env import TerminalEnv
from palestra.envs.terminal.formats.harbor import read_harbor, read_package
from palestra.envs.terminal.formats.tasks import package_of
from palestra.envs.terminal.formats.terminal_bench import read_terminal_bench
from palestra.envs.terminal.tree import Link
from palestra.sandbox.images import find_image
from palestra.sandbox.images.store import remove_image

pytestmark = pytest.mark.slow
STAGES = f"""# syntax=docker/dockerfile:1
ARG FROM={BASE}
FROM $FROM AS made
WORKDIR /out
RUN echo "made by $(id -un)" > made.txt
FROM {BASE}
ENV WORD=hello
COPY --from=made /out/made.txt /srv/
COPY given.txt /workspace/in/
USER 1000
RUN id -u > /tmp/who
USER root
RUN rm -f /usr/bin/python3*
WORKDIR /app
"""
HARBOR: Mapping[str, str] = {
    **HELLO,
    "instruction.md": "Write all that was given into all.txt, and the word.\n",
    "environment/Dockerfile": STAGES,
    "solution/solve.sh": 'cat /srv/made.txt /tmp/who /workspace/in/given.txt > all.txt; echo "$WORD" >> all.txt\n',
    "tests/test.sh": (
        "apt-get update\napt-get install -y curl\ncurl -LsSf https://astral.sh/uv/0.9.5/install.sh | sh\n"
        "source $HOME/.local/bin/env\n"
        "uvx -p 3.13 -w pytest==8.4.1 -w pytest-json-ctrf==0.3.5 pytest --ctrf /logs/verifier/ctrf.json "
        "/tests/test_all.py -rA\n"
        "if [ $? -eq 0 ]; then echo 1 > /logs/verifier/reward.txt; else echo 0 > /logs/verifier/reward.txt; fi\n"
    ),
    "tests/test_all.py": (
        "from pathlib import Path\n\n\ndef test_all():\n"
        "    assert Path('/app/all.txt').read_text() == 'made by root\\n1000\\ngiven\\nhello\\n'\n"
        "    assert not Path('/usr/bin/python3').exists()\n"
    ),
}


def test_a_folder_that_needs_docker_is_played_imported_and_exported(base: str, run: Run, tmp_path: Path) -> None:
    written(tmp_path / "set" / "stages", HARBOR)
    written(tmp_path / "set" / "plain", HELLO)
    wrong = written(tmp_path / "set" / "wrong", {**HARBOR, "environment/Dockerfile": f"FROM {BASE}\nRUN exit 7\n"})
    for agent in ("oracle", "nop"):
        report = tmp_path / f"{agent}.xml"
        said = run("run", str(tmp_path / "set"), "--agent", agent, "--junit", str(report))
        assert said.code == 0, said.out + said.err
        assert "terminal/harbor/stages" in said.out
        [suite] = ElementTree.parse(report).getroot()
        assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "0", "1")
        told = [str(one.get("message")) for one in suite.iter("skipped")]
        assert "returned a non-zero code: 7" in told[0]
        assert f"Dockerfile:1: FROM {BASE} is none of" in told[0]
    tasks, out = tmp_path / "tasks.jsonl", tmp_path / "out"
    said = run("import", "harbor", str(tmp_path / "set"), "-o", str(tasks), "--workers", "1", "--skip", "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["certified"] == 2, said.err
    shutil.rmtree(wrong)
    assert run("export", "harbor", str(tasks), "--out", str(out)).code == 0
    for name in ("stages", "plain"):
        assert read_package(out / name) == read_package(tmp_path / "set" / name)
    assert [task.digest for task in read_harbor(out)] == [task.digest for task in read_harbor(tmp_path / "set")]


def test_a_task_builds_its_image_where_it_is_not_there(base: str, tmp_path: Path) -> None:
    [task] = read_harbor(written(tmp_path / "stages", HARBOR))
    remove_image(find_image(task.public["image"]))
    with closing(TerminalEnv()) as env:
        assert played(env, task, "oracle").reward == 1.0
        other = package_of(task)
        told = {**other.to_json(), "environment": other.environment.put("/Dockerfile", "FROM scratch\n").to_json()}
        remove_image(find_image(task.public["image"]))
        with pytest.raises(TaskError, match="what would be built is"):
            env.reset(options={"task": replace(task, hidden={**task.hidden, "package": told})})


def test_terminal_bench_is_played_in_its_image(base: str, tmp_path: Path) -> None:
    files = {**BENCH, "Dockerfile": f"FROM {BASE}\nRUN mkdir /app\nWORKDIR /app\nRUN rm -f /usr/bin/python3*\n"}
    [task] = read_terminal_bench(written(tmp_path / "bench", files))
    assert task.public["sandbox"] == "docker"
    with closing(TerminalEnv()) as env:
        assert [played(env, task, name).reward for name in ("oracle", "nop")] == [1.0, 0.0]


def test_a_dockerfile_that_could_do_without_is_built_when_it_is_asked_for(base: str, tmp_path: Path) -> None:
    dockerfile = HELLO["environment/Dockerfile"].replace("debian:12", USUAL)
    folder = written(tmp_path / "plain", {**HELLO, "environment/Dockerfile": dockerfile})
    [here], [there] = read_harbor(folder), read_harbor(folder, in_docker=True)
    assert [task.public.get("sandbox", "native") for task in (here, there)] == ["native", "docker"]
    with closing(TerminalEnv()) as env:
        assert [played(env, task, "oracle").reward for task in (here, there)] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("dockerfile", "told"),
    [
        (f"FROM {BASE}\nCOPY ../../etc/passwd /x\n", "its build failed:"),
        (f"FROM {BASE}\nCOPY missing /x\n", "'missing' is not in the folder|its build failed:"),
        (f"FROM {BASE}\nVOLUME /data\n", "VOLUME /data"),
        (f"FROM {BASE}\nUSER 1000\n", "ends as USER 1000"),
        (f'FROM {BASE}\nENTRYPOINT ["/start"]\n', "is not started here"),
        (f"FROM {BASE}\nRUN rm -f /bin/bash /usr/bin/bash\n", "has no bash"),
        ("FROM palestra.test/nowhere\n", "its build failed:"),
    ],
)
def test_what_docker_cannot_build_either_is_told(base: str, dockerfile: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=told):
        list(read_harbor(written(tmp_path / "one", {**HELLO, "environment/Dockerfile": dockerfile})))


def test_names_and_links_of_a_folder_are_data(base: str, tmp_path: Path) -> None:
    files = {
        **HELLO,
        "environment/Dockerfile": f"FROM {BASE}\nENV WORD=hello\nWORKDIR /app\nCOPY . .\nRUN echo $WORD > made.txt\n",
        "environment/new\nline; $(reboot)": "x\n",
        "environment/-rf": "y\n",
        "environment/.dockerignore": "secret\n",
        "environment/secret": "z\n",
        "solution/solve.sh": "ls | wc -l > count.txt; echo hello > hello.txt\n",
    }
    folder = written(tmp_path / "names", files)
    (folder / "environment" / "to").symlink_to("given.txt")
    [task] = read_harbor(folder)
    root = find_image(task.public["image"]).root
    names = {"new\nline; $(reboot)", "-rf", ".dockerignore", "Dockerfile", "given.txt", "made.txt", "to"}
    assert {place.name for place in (root / "app").iterdir()} == names
    assert package_of(task).environment["/to"] == Link("given.txt")
    with closing(TerminalEnv()) as env:
        assert played(env, task, "oracle").reward == 1.0
