"""A browser for a user who is not root: as isolated, in namespaces that such a user may make."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

import palestra

NOBODY = 65534
PACKAGES = ("playwright", "greenlet")
SCRIPT = """
import os, socket, time
from pathlib import Path
from palestra.envs.web.chromium import Chromium, Response

outside = socket.create_server(("127.0.0.1", 0))
outside.settimeout(0.2)
visit = Chromium.shared().visit(lambda request: Response(body=b"<p>" + request.url.encode() + b"</p>"))
visit.run(visit.page.goto(f"http://127.0.0.1:{outside.getsockname()[1]}/x"))
print(visit.run(visit.page.inner_text("p")).endswith("/x"))
try:
    outside.accept()
except TimeoutError:
    print("nobody came")
outside.close()

def sandboxed():
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words, status = (folder / "cmdline").read_bytes(), (folder / "status").read_text()
        except OSError:
            continue
        if b"--type=renderer" in words and b"glob" not in words and f"Uid:\\t{os.getuid()}\\t" in status:
            found.append("Seccomp:\\t2\\n" in status)
    return found

for _ in range(200):  # those kept warm may only just have started
    if (found := sandboxed()) and all(found):
        break
    time.sleep(0.05)
print(bool(found) and all(found))
visit.close()
Chromium.shared().close()
print(os.getuid(), "done")
"""


@dataclass(frozen=True)
class Ordinary:
    """Python for a user who is not root."""

    folder: Path
    python: str

    def run(self, source: str) -> "subprocess.CompletedProcess[str]":
        environment = {"PYTHONPATH": str(self.folder / "code"), "PATH": os.environ["PATH"], "HOME": str(self.folder)}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(self.folder / "tmp")}
        is_root = os.geteuid() == 0
        return subprocess.run(
            [self.python, "-W", "error", "-c", source],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=250,
            user=NOBODY if is_root else None,
            group=NOBODY if is_root else None,
            extra_groups=[] if is_root else None,
        )


@pytest.fixture(scope="module")
def ordinary() -> Iterator[Ordinary]:
    with tempfile.TemporaryDirectory(prefix="palestra-ordinary-", dir="/tmp") as name:
        folder, package = Path(name), Path(palestra.__file__).parent
        folder.chmod(0o711)
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o777)
        shutil.copytree(package, folder / "code" / "palestra", ignore=shutil.ignore_patterns("__pycache__", "agents"))
        for module in PACKAGES:
            spec = find_spec(module)
            assert spec is not None, module
            source = Path(spec.origin or "")
            if spec.submodule_search_locations:
                shutil.copytree(source.parent, folder / "code" / module, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / "code")
        for python in dict.fromkeys((sys.executable, "/usr/bin/python3", shutil.which("python3") or sys.executable)):
            found = Ordinary(folder, python)
            try:
                if found.run("import playwright.async_api, palestra.envs.web.chromium").returncode == 0:
                    yield found
                    return
            except OSError:
                continue
        pytest.fail("no interpreter that an ordinary user can read has Playwright's; Debian's is in python3")


@pytest.mark.slow
def test_an_ordinary_user_has_a_browser_that_is_as_isolated(ordinary: Ordinary) -> None:
    done = ordinary.run(SCRIPT)
    user = NOBODY if os.geteuid() == 0 else os.geteuid()
    assert done.stdout.splitlines() == ["True", "nobody came", "True", f"{user} done"], done.stderr[-3000:]
    assert list((ordinary.folder / "tmp").iterdir()) == []


@pytest.mark.slow
def test_root_of_a_container_with_too_few_users_is_told_so() -> None:
    source = (
        "from palestra.envs.web.chromium import Chromium, Response\n"
        "from palestra.sandbox.base import PermanentInfraError\n"
        "try:\n"
        "    Chromium.shared().visit(lambda request: Response())\n"
        "except PermanentInfraError as error:\n"
        "    print(error)\n"
    )
    words = ["unshare", "--user", "--map-root-user", sys.executable, "-c", source]
    done = subprocess.run(words, capture_output=True, text=True, timeout=250)
    assert "root in this container has none of the user ids" in done.stdout, done.stderr[-3000:]
