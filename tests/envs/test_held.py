"""Snapshots of sandboxes within snapshots of episodes: compared by content, and written only to travel."""

import json
import pickle
from dataclasses import dataclass, field

import pytest

from palestra.envs.base import Held, Snapshot, SnapshotError


@dataclass
class Counted:
    """A sandbox's snapshot that tells how often its bytes were asked for."""

    content: str
    changed: str
    asked: list[str] = field(default_factory=list)

    @property
    def data(self) -> bytes:
        self.asked.append("data")
        return f"{self.content}, changed {self.changed}".encode()

    @property
    def digest(self) -> str:
        self.asked.append("digest")
        return f"digest of {self.content}"


def test_equal_content_makes_equal_snapshots_whenever_it_was_written() -> None:
    early, late, other = (Held(Counted(*told)) for told in (("a", "early"), ("a", "late"), ("b", "early")))
    assert Snapshot.take("x/Y-v0", {}, {"machine": early}) == Snapshot.take("x/Y-v0", {}, {"machine": late})
    assert Snapshot.take("x/Y-v0", {}, {"machine": early}) != Snapshot.take("x/Y-v0", {}, {"machine": other})
    assert len({early, late, other}) == 2
    assert early != b"a, changed early"


def test_bytes_are_made_only_to_travel() -> None:
    machine = Counted("a", "early")
    snapshot = Snapshot.take("x/Y-v0", {"n": 1}, {"machine": Held(machine), "more": b"z"})
    assert snapshot.verify("x/Y-v0") == {"n": 1}
    assert "data" not in machine.asked
    for read in (
        pickle.loads(pickle.dumps(snapshot)),
        Snapshot.from_dict(json.loads(json.dumps(snapshot.to_dict()))),
    ):
        assert read == snapshot
        assert read.verify("x/Y-v0") == {"n": 1}
        held = read.blobs["machine"]
        assert isinstance(held, Held)
        assert held.snapshot.data == b"a, changed early"


@pytest.mark.parametrize("change", [{"data": "YQ=="}, {"data": "%"}, {"sha256": ""}, {"digest": 3}, {"digest": "b"}])
def test_damage_is_found(change: dict[str, object]) -> None:
    told = Snapshot.take("x/Y-v0", {}, {"machine": Held(Counted("a", "early"))}).to_dict()
    told["blobs"]["machine"].update(change)
    with pytest.raises(SnapshotError):
        Snapshot.from_dict(told).verify("x/Y-v0")
    del told["blobs"]["machine"]["data"]
    with pytest.raises(SnapshotError):
        Snapshot.from_dict(told)
