"""What talks to a service in the machine where it is started: start it, wait for its port, send, print the answers."""

import base64
import json
import socket
import subprocess
import sys
import time

QUIET_S = 1.0  # after so long without a byte an answer is over
MOST_BYTES = 256 * 1024  # of one answer
LOOKS = 100  # a hundredth of a second apart, at another port, before the right one is taken to stay closed
LISTENS = "0A"  # how the kernel writes that state of a socket


def main() -> None:
    """Read what to do from stdin and print {"error": "..."} or {"replies": [base64, ...]}."""
    asked = json.load(sys.stdin)
    nothing = subprocess.DEVNULL
    try:
        service = subprocess.Popen(asked["command"], stdin=nothing, stdout=nothing, stderr=nothing)
    except OSError as error:
        print(json.dumps({"error": f"it cannot be started: {error.strerror}"}))
        return
    address = ("127.0.0.1", asked["port"])
    begun, looks = time.monotonic(), 0  # since something listens elsewhere
    while not is_open(address):
        others = listening()
        looks += bool(others)
        if time.monotonic() - begun > asked["seconds"] or looks > LOOKS or service.poll():  # one that forks ends with 0
            ended = f", and it ended with {service.returncode}" if service.returncode is not None else ""
            found = f"; port {min(others)} is open instead" if others else ""
            waited = f"{time.monotonic() - begun:.0f} s"
            print(json.dumps({"error": f"nothing listens on port {address[1]} after {waited}{found}{ended}"}))
            return
        time.sleep(0.01)
    replies = [base64.b64encode(answer(address, base64.b64decode(text))).decode() for text in asked["send"]]
    print(json.dumps({"replies": replies}))


def is_open(address: tuple[str, int]) -> bool:
    """Return whether somebody listens."""
    try:
        socket.create_connection(address, 1.0).close()
    except OSError:
        return False
    return True


def listening() -> set[int]:
    """Return the ports of this machine that somebody listens on; nothing but the service runs here."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as rows:
                fields = [row.split() for row in rows][1:]
        except OSError:  # this kernel has no such addresses
            continue
        found |= {int(field[1].rpartition(":")[2], 16) for field in fields if field[3] == LISTENS}
    return found


def answer(address: tuple[str, int], text: bytes) -> bytes:
    """Return what is answered to a text."""
    got = b""
    try:
        with socket.create_connection(address, QUIET_S) as connection:
            connection.sendall(text)
            while len(got) < MOST_BYTES and (chunk := connection.recv(65536)):
                got += chunk
    except OSError:
        pass
    return got[:MOST_BYTES]


if __name__ == "__main__":
    main()
