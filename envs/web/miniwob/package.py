"""The files of the package miniwob, served as they are, under a policy that runs no script but theirs."""

import base64
import hashlib
import importlib.util
import mimetypes
import re
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from palestra.envs.web.chromium import Request, Response
from palestra.sandbox.base import PermanentInfraError

ORIGIN: Final = "http://miniwob.test"
VERSION: Final = "1.1.0"
_INSTALL: Final = f"pip install --no-deps miniwob=={VERSION} (only its HTML files are used)"
_INLINE: Final = re.compile(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)


def url(page: str) -> str:
    """Return the address of a page."""
    return f"{ORIGIN}/miniwob/{page}.html"


@lru_cache(maxsize=1)
def folder() -> Path:
    """Return the folder of the package's HTML files; nothing of the package is imported.

    Raises:
        PermanentInfraError: it is not installed.
    """
    with suppress(PackageNotFoundError):
        found = Path(str(distribution("miniwob").locate_file("miniwob/html"))).resolve()
        if found.is_dir():
            return found
    raise PermanentInfraError(f"the package miniwob is not installed; {_INSTALL}")


def fields(page: str, utterance: str) -> dict[str, str]:
    """Return what MiniWoB++ itself reads from an utterance, by name; nothing where it reads nothing."""
    try:
        return dict(_readers().get_field_extractor(page)(utterance))
    except (KeyError, ValueError):
        return {}


@lru_cache(maxsize=1)
def _readers() -> Any:
    """Return the package's module of fields, which needs none of its others."""
    spec = importlib.util.spec_from_file_location("miniwob_fields", folder().parent / "fields.py")
    if spec is None or spec.loader is None:
        raise PermanentInfraError(f"the package miniwob is not whole; {_INSTALL}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answer(request: Request) -> Response:
    """Return the file that a request asks for; 404 if there is none."""
    split = urlsplit(request.url)
    if f"{split.scheme}://{split.netloc}" != ORIGIN:
        return Response(status=404, content_type="text/plain")
    return _file(unquote(split.path))


@lru_cache(maxsize=512)
def _file(path: str) -> Response:
    found = (folder() / path.replace("\0", "").lstrip("/")).resolve()
    if not found.is_relative_to(folder()) or not found.is_file():
        return Response(status=404, content_type="text/plain")
    body = found.read_bytes()
    kind = mimetypes.guess_type(found.name)[0] or "application/octet-stream"
    headers = {"Cache-Control": "max-age=86400"}
    if kind == "text/html":
        kind, headers = "text/html; charset=utf-8", {"Content-Security-Policy": _policy(body)}
    return Response(body=body, content_type=kind, headers=headers)


def _policy(body: bytes) -> str:
    """Return what a page may do: run the package's scripts, and those that stand in it. No text becomes a script.

    Some pages write what is entered into their HTML.
    """
    inline = _INLINE.findall(body.replace(b"\r\n", b"\n"))  # as a browser reads lines
    hashes = {base64.b64encode(hashlib.sha256(script).digest()).decode() for script in inline}
    scripts = " ".join(["'self'", *(f"'sha256-{one}'" for one in sorted(hashes))])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'"
    )
