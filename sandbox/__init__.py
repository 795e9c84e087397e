"""Where code runs: one protocol, several backends.

with closing(create()) as sandbox:
    print(sandbox.exec(Python("print(input())"), stdin=b"hello").stdout)
"""

import difflib
import importlib
import threading

from palestra.sandbox.base import Backend, Capabilities, CapabilityError, Sandbox, Spec

__all__ = ["BACKENDS", "UnknownBackendError", "create", "probe"]

BACKENDS = {
    "native": "palestra.sandbox.native.backend:NativeBackend",
    "bubblewrap": "palestra.sandbox.bubblewrap.backend:BubblewrapBackend",
    "docker": "palestra.sandbox.docker.backend:DockerBackend",
    "gvisor": "palestra.sandbox.gvisor.backend:GvisorBackend",
    "process": "palestra.sandbox.process:ProcessBackend",
}
"""Every backend's name, and the class behind it; none is imported before it is asked for."""

_UNSAFE = frozenset({"process"})
_made: dict[str, Backend] = {}
_making = threading.Lock()


class UnknownBackendError(LookupError):
    """No backend has this name; the message names the nearest."""


def create(spec: Spec | None = None, *, backend: str = "native", unsafe: bool = False) -> Sandbox:
    """Return a sandbox with an empty workspace; give it back with `close`.

    Args:
        spec: what is wanted of it; the default is `Spec()`.
        backend: a name in `BACKENDS`.
        unsafe: accept a backend that isolates nothing.

    Raises:
        UnknownBackendError: no backend has this name.
        CapabilityError: the backend does not enforce what the spec needs, or isolates nothing and `unsafe` is False.
        InfraError: no sandbox could be started.
    """
    found = _find(backend)
    if backend in _UNSAFE and not unsafe:
        raise CapabilityError(
            f"the {backend!r} backend isolates nothing: what it runs can do anything that you can; "
            "use backend='native', or pass unsafe=True if every program is your own"
        )
    return found.create(spec or Spec())


def probe(backend: str = "native") -> Capabilities:
    """Return what a backend was seen to enforce on this machine; the canary runs once a process.

    Raises:
        UnknownBackendError: no backend has this name.
        InfraError: no sandbox could be started.
    """
    return _find(backend).probe()


def _find(name: str) -> Backend:
    if name not in BACKENDS:
        near = difflib.get_close_matches(name, BACKENDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(BACKENDS)}"
        raise UnknownBackendError(f"no sandbox backend named {name!r}; {hint}")
    with _making:
        if name not in _made:
            module, cls = BACKENDS[name].split(":")
            _made[name] = getattr(importlib.import_module(module), cls)()
        return _made[name]
