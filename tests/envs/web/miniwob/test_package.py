"""The package's files are served as they are, and only they."""

import base64
import hashlib
import re
import sys

import pytest

from palestra.envs.web.chromium import Request
from palestra.envs.web.miniwob import package
from palestra.envs.web.miniwob.names import PAGES
from palestra.sandbox.base import PermanentInfraError


def ask(url: str) -> tuple[int, bytes]:
    response = package.answer(Request(method="GET", url=url))
    return response.status, response.body


def test_every_page_is_there() -> None:
    for page in PAGES:
        status, body = ask(package.url(page))
        assert status == 200
        assert b"core.startEpisode" in body


@pytest.mark.parametrize(
    "url",
    [
        "http://miniwob.test/../__init__.py",
        "http://miniwob.test/miniwob/../../__init__.py",
        "http://miniwob.test/%2e%2e/__init__.py",
        "http://miniwob.test//etc/passwd",
        "http://miniwob.test/miniwob/",
        "http://miniwob.test/miniwob/none.html",
        "http://miniwob.test/a%00b",
        "http://other.test/miniwob/click-test.html",
        "https://miniwob.test/miniwob/click-test.html",
    ],
)
def test_nothing_else_is(url: str) -> None:
    assert ask(url) == (404, b"")


def test_a_page_may_run_its_own_scripts_and_no_others() -> None:
    response = package.answer(Request(method="GET", url=package.url("terminal")))
    policy = response.headers["Content-Security-Policy"]
    scripts = re.findall(rb"<script>(.*?)</script>", response.body, re.DOTALL)
    assert scripts
    for script in scripts:
        assert f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" in policy
    directives = dict(one.split(" ", 1) for one in policy.split("; "))
    assert "unsafe" not in directives["script-src"]
    assert directives["connect-src"] == directives["form-action"] == directives["base-uri"] == "'none'"


def test_fields_are_what_miniwob_reads() -> None:
    assert package.fields("click-option", "Select Vdpn2dP and click Submit.") == {"target": "Vdpn2dP"}
    assert package.fields("click-option", "Something else.") == {}
    assert package.fields("simon-says", "Push the buttons in the order displayed.") == {}


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    package.folder.cache_clear()
    with pytest.raises(PermanentInfraError, match=r"pip install --no-deps miniwob==1\.1\.0"):
        package.folder()
    package.folder.cache_clear()
