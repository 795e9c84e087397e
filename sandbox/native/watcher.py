"""What a launcher becomes once its slot has started: waits for the end of the host or the slot, and cleans up.

Run as a file by an interpreter of its own, so that it holds little memory for as long as the slot lives.
"""

import os
import select
import signal
import sys
import time

LIFELINE = 0  # a pipe that the host closes to end the slot


def main(host: int, slot: int, folders: list[str]) -> None:
    """Wait, kill the slot, and remove its control groups.

    Args:
        host: a descriptor of the process that the slot belongs to.
        slot: the id of the slot's first process, a child of this one.
        folders: the control groups.
    """
    poll = select.poll()
    for descriptor in (LIFELINE, host, os.pidfd_open(slot)):
        poll.register(descriptor, select.POLLIN)
    poll.poll()
    os.kill(slot, signal.SIGKILL)  # which is there, if only to be waited for
    os.waitpid(slot, 0)
    remove_folders(folders)


def remove_folders(folders: "list[str] | tuple[str, ...]") -> None:
    """Remove empty control groups, waiting a moment for the kernel to let go of their last process."""
    for folder in folders:
        for _ in range(100):
            try:
                os.rmdir(folder)
                break
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(0.01)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
