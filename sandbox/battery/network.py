"""Attempts at the network and at what listens on the host. Runs inside a sandbox.

Nothing here sends anything that could leave this machine: where a way out is looked for, a datagram
socket is connected, which asks for a route and sends nothing.
"""

import errno
import fcntl
import itertools
import os
import socket
import struct
from collections.abc import Iterator
from functools import partial

from palestra.sandbox.battery.attempt import Bait, item, refuses

_USUAL = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6}  # and the routing protocol of AF_NETLINK
_KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET)
_LAST_FAMILY, _VSOCK = 46, 40
_IS_UP, _GET_FLAGS = 1, 0x8913


@item("network_off")
def no_interface(bait: Bait) -> Iterator[str]:
    """No network interface but a loopback is up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        for _, name in socket.if_nameindex():
            flags = struct.unpack_from("H", fcntl.ioctl(asker, _GET_FLAGS, struct.pack("256s", name.encode())), 16)[0]
            if name != "lo" and flags & _IS_UP:
                yield f"interface {name} is up"


@item("network_off")
def no_route(bait: Bait) -> Iterator[str]:
    """No address outside has a route."""
    outside = [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET, "10.0.0.1"), (socket.AF_INET, "172.17.0.1")]
    for family, address in [*outside, (socket.AF_INET6, "2001:db8::1")]:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as caller:
                caller.connect((address, 9))
        except OSError:
            continue
        yield f"there is a route to {address}"


@item("network_off")
def no_host_loopback(bait: Bait) -> Iterator[str]:
    """What listens on the host's loopback cannot be reached."""
    with socket.socket() as caller:
        caller.settimeout(2)
        if not refuses(lambda: caller.connect(("127.0.0.1", bait.port)), errno.ECONNREFUSED, errno.ENETUNREACH):
            yield f"connected to port {bait.port} of the host"


@item("network_off")
def no_host_unix_socket(bait: Bait) -> Iterator[str]:
    """What listens on an abstract UNIX socket of the host cannot be reached or seen."""
    with socket.socket(socket.AF_UNIX) as caller:
        if not refuses(lambda: caller.connect(f"\0{bait.unix_name}"), errno.ECONNREFUSED):
            yield f"connected to @{bait.unix_name} of the host"
    if os.path.exists("/proc/net/unix"):
        with open("/proc/net/unix", "rb") as table:
            if bait.unix_name.encode() in table.read():
                yield f"@{bait.unix_name} is listed in /proc/net/unix"


@item("network_off")
def own_loopback(bait: Bait) -> Iterator[str]:
    """A program may talk to itself."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as caller:
            caller.sendall(b"hello")
            with server.accept()[0] as called:
                if called.recv(5) != b"hello":
                    yield "what came is not what was sent"
    except OSError as error:
        yield f"no connection to itself: {error}"


@item("socket_families")
def no_foreign_socket(bait: Bait) -> Iterator[str]:
    """Sockets of families that reach beyond network namespaces (AF_VSOCK), or to raw packets, cannot be made."""
    families = range(1, _LAST_FAMILY)
    if bait.is_under_another_kernel:  # whose other families are its own
        families = range(_VSOCK, _VSOCK + 1)
    for family, kind in itertools.product(families, _KINDS):
        protocols = range(1, 23) if family == socket.AF_NETLINK else (0, 1, 255)
        for protocol in () if family in _USUAL else protocols:
            if not refuses(partial(_make, family, kind, protocol)):
                yield f"a socket of family {family}, kind {int(kind)}, protocol {protocol}"


@item("socket_families")
def usual_sockets(bait: Bait) -> Iterator[str]:
    """Sockets of the families that programs need can be made."""
    for family in (socket.AF_UNIX, socket.AF_INET):
        if refuses(partial(_make, family, socket.SOCK_STREAM, 0)):
            yield f"no socket of family {int(family)}"


def _make(family: int, kind: int, protocol: int) -> None:
    """Make a socket, which is never connected, and close it."""
    socket.socket(family, kind, protocol).close()
