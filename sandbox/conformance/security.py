"""Laws about escapes: the battery, item by item, and tricks at the border between sandbox and host."""

import os
from collections.abc import Iterator

import pytest

from palestra.sandbox.base import Backend, Python, Sandbox, SandboxFileError
from palestra.sandbox.battery.attempt import ITEMS, Bait
from palestra.sandbox.battery.host import items_of, set_out_bait, try_items
from palestra.sandbox.conformance.case import Case, run


class SecurityLaws(Case):
    """Whatever is claimed, every attempt at it fails; see `palestra.sandbox.battery`."""

    @pytest.fixture(scope="class")
    @classmethod
    def bait(cls) -> Iterator[Bait]:
        """What attempts go for."""
        with set_out_bait() as bait:
            yield bait

    @pytest.mark.parametrize("name", list(ITEMS))
    def test_battery(self, backend: Backend, bait: Bait, sandbox: Sandbox, name: str) -> None:
        item = ITEMS[name]
        if name not in items_of(self.spec.terminal) or not self.claims(backend, item.capability):
            return
        came_through = try_items(sandbox, bait, [name], terminal=self.spec.terminal)[name]
        assert not came_through, f"{item.capability} is claimed, but: {item.claim}"

    def test_a_program_cannot_forge_its_outcome(self, backend: Backend, sandbox: Sandbox) -> None:
        """It holds no channel to whoever reports on it, and may write to every descriptor that it has."""
        forge = """
            import os, socket
            for descriptor in range(3, 1024):
                for action in (lambda: os.write(descriptor, b"{}"), lambda: os.write(descriptor, b'{"code": 0}')):
                    try:
                        action()
                        print("wrote to", descriptor)
                    except OSError:
                        pass
            os._exit(3)
        """
        result = run(sandbox, forge)
        assert (result.exit_code, result.signal, result.stdout) == (3, None, b"")

    def test_input_cannot_be_changed_for_others(self, sandbox: Sandbox) -> None:
        """Nor is the caller's memory behind it: what was given is what the next program is given."""
        given = b"given" * 1000
        run(sandbox, "import os; os.open('/dev/stdin', os.O_RDWR); os.write(0, b'x')", stdin=given)
        assert sandbox.exec(["cat"], stdin=given).stdout == given

    def test_a_folder_swapped_for_a_link_reaches_nothing(self, sandbox: Sandbox) -> None:
        """The folder on a path is a folder when the host looks, and a link to elsewhere when it looks again."""
        sandbox.write("folder/file", b"inside")
        swap = ["sh", "-c", "mv folder kept; ln -s /etc folder"]
        assert sandbox.exec(swap).ok
        for action in (lambda: sandbox.read("folder/passwd"), lambda: sandbox.write("folder/new", b"x")):
            with pytest.raises(SandboxFileError, match="folder"):
                action()
        assert not os.path.exists("/etc/new")

    def test_hard_links_and_devices_reach_nothing(self, backend: Backend, sandbox: Sandbox) -> None:
        """A second name for a file of the system, or a device, is not made, or is not read as a file."""
        if not self.claims(backend, "read_only_root"):
            return
        made = Python(
            "import os, stat\n"
            "for action in (lambda: os.link('/etc/passwd', 'second'), lambda: os.link('/usr/bin/env', 'third'),\n"
            "               lambda: os.mknod('null', 0o666 | stat.S_IFCHR, os.makedev(1, 3)),\n"
            "               lambda: os.mknod('disk', 0o666 | stat.S_IFBLK, os.makedev(8, 0))):\n"
            "    try: action()\n"
            "    except OSError: pass\n"
        )
        assert sandbox.exec(made).ok
        for name in ("null", "disk"):
            with pytest.raises(SandboxFileError, match=name):
                sandbox.read(name)
        if not self.spec.terminal:
            assert sandbox.exec(["ls", "-A", "."]).stdout == b""
