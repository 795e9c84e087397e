"""Laws about claims: what is not enforced is refused, and what makes no sense is named."""

import pickle
from dataclasses import fields, replace

import pytest

from palestra.sandbox.base import Backend, Capabilities, CapabilityError, InfraError, Limits, Sandbox, Spec
from palestra.sandbox.conformance.case import Case

_SENSELESS = (
    *(("wall_s", 0), ("wall_s", float("nan")), ("wall_s", float("inf")), ("wall_s", "5"), ("cpu_s", -1)),
    *(("memory_bytes", 0), ("memory_bytes", 1.5e6), ("processes", 1.5), ("processes", 0), ("file_bytes", -1)),
    *(("disk_bytes", 1 << 60), ("output_bytes", True), ("output_bytes", None)),
)


class ClaimLaws(Case):
    """`probe`, and what `create` refuses."""

    def test_probing_twice_gives_the_same(self, backend: Backend) -> None:
        assert isinstance(backend.probe(), Capabilities)
        assert backend.probe() == backend.probe()

    @pytest.mark.parametrize("name", [entry.name for entry in fields(Capabilities)])
    def test_what_is_claimed_can_be_asked_for_and_the_rest_is_refused_by_name(
        self, backend: Backend, name: str
    ) -> None:
        spec = replace(self.spec, needs=frozenset({name}))
        if getattr(backend.probe(), name):
            sandbox = backend.create(spec)
            sandbox.close()
            assert getattr(sandbox.capabilities, name)
        else:
            with pytest.raises(CapabilityError, match=name) as caught:
                backend.create(spec)
            assert not caught.value.retryable
            assert type(pickle.loads(pickle.dumps(caught.value))) is CapabilityError

    def test_every_missing_need_is_named(self, backend: Backend) -> None:
        every = frozenset(entry.name for entry in fields(Capabilities))
        missing = backend.probe().missing(every)
        if not missing:
            backend.create(replace(self.spec, needs=every)).close()
            return
        with pytest.raises(CapabilityError) as caught:
            backend.create(replace(self.spec, needs=every))
        assert all(name in str(caught.value) for name in missing)
        assert isinstance(caught.value, InfraError)

    def test_an_unknown_need_is_no_need_that_nobody_meets(self, backend: Backend) -> None:
        with pytest.raises(ValueError, match="netwrok_off"):
            backend.create(replace(self.spec, needs=frozenset({"netwrok_off"})))

    @pytest.mark.parametrize(("name", "value"), _SENSELESS)
    def test_a_limit_that_makes_no_sense_is_named_with_its_value(
        self, backend: Backend, sandbox: Sandbox, name: str, value: object
    ) -> None:
        limits = Limits(**{name: value})  # type: ignore[arg-type]
        for action in (
            lambda: sandbox.exec(["true"], limits=limits),
            lambda: backend.create(replace(self.spec, limits=limits)),
        ):
            with pytest.raises(ValueError, match=name) as caught:
                action()
            assert repr(value) in str(caught.value)
        assert sandbox.exec(["true"]).ok

    @pytest.mark.parametrize("image", ["../../etc", "Upper", "a/b", "-rf", "x" * 100, " "])
    def test_an_image_that_can_be_no_name_is_named(self, backend: Backend, image: str) -> None:
        with pytest.raises(ValueError, match="image"):
            backend.create(replace(self.spec, image=image))

    def test_an_image_that_is_not_there_is_named(self, backend: Backend) -> None:
        with pytest.raises(InfraError, match="image"):
            backend.create(replace(self.spec, image="no-such-image-here"))

    def test_a_shell_without_a_terminal_is_refused(self, sandbox: Sandbox) -> None:
        with pytest.raises(CapabilityError, match="terminal"):
            sandbox.shell()

    def test_a_terminal_is_refused_where_it_is_not_claimed(self, backend: Backend) -> None:
        if backend.probe().terminal:
            backend.create(Spec(terminal=True)).close()
            return
        with pytest.raises(CapabilityError, match="terminal"):
            backend.create(Spec(terminal=True))
