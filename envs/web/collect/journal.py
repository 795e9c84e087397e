"""What a collection has come to, a line for each episode: who goes on with it begins where the last whole line ends."""

import fcntl
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from palestra.envs.base import Json, TaskError
from palestra.envs.rows import json_line


class Journal:
    """A collection's file, written by one process at a time and any of its threads.

    Args:
        path: of the file.
        header: what was asked for; another collection's file is refused.
        resume: go on with a file that is there.

    Raises:
        TaskError: the file is another collection's, in use, damaged, or there without `resume`.
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, header: Mapping[str, Json], *, resume: bool) -> None:
        self.path, self.lines = path, dict[int, Mapping[str, Any]]()  # by episode
        self._lock = threading.Lock()
        if path.exists() and path.stat().st_size and not resume:
            raise TaskError(f"{str(path)!r} is of an earlier run: go on with --resume, or remove it")
        self._file = path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._begin(dict(header))
        except BlockingIOError as error:
            self._file.close()
            raise TaskError(f"another run is writing {str(path)!r}") from error
        except BaseException:
            self._file.close()
            raise

    def note(self, episode: int, line: Mapping[str, Json]) -> None:
        """Write down what came of an episode."""
        with self._lock:
            self._file.write(json_line({"episode": episode, **line}).encode())
            self._file.flush()
            self.lines[episode] = line

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _begin(self, header: dict[str, Json]) -> None:
        self._file.seek(0)
        whole = 0
        for number, line in enumerate(self._file, start=1):
            if not line.endswith(b"\n"):
                break  # it was torn off
            try:
                told = json.loads(line)
                if number > 1:
                    self.lines[int(told.pop("episode"))] = told
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise TaskError(f"line {number} of {str(self.path)!r} is damaged: remove the file") from error
            if number == 1 and told != header:
                raise TaskError(f"{str(self.path)!r} is of a run that was asked for something else: {told}")
            whole += len(line)
        self._file.truncate(whole)
        self._file.seek(whole)
        if not whole:
            self._file.write(json_line(header).encode())
            self._file.flush()
