"""Rubrics from pairs: consistency both ways, rejections with reasons, and runs that are stopped and go on."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.rewards.judging.scripted import FormModel

from palestra.agents.judging.rubric_writing import Derivation, Written, read_pairs, write_rubrics
from palestra.envs.base import TaskError
from palestra.rewards.judging.base import StepJudge
from palestra.rewards.judging.contrast import Contrast
from palestra.rewards.judging.generative import GenerativeJudge, Said
from palestra.rewards.judging.responses import COMPARED
from palestra.rewards.judging.rules import FirstJudge
from palestra.sandbox.base import InfraError, PermanentInfraError

PAIRS = [Contrast(task=f"task {number}", preferred="a good one", rejected="a poor one") for number in range(6)]


class Writer:
    """Writes principles one after the other, and the last one from then on."""

    def __init__(self, *principles: str, fails_after: int = 1000, error: type[InfraError] = InfraError) -> None:
        self.principles, self.asked = list(principles), 0
        self.fails_after, self.error = fails_after, error

    async def say(self, system: str, text: str, seed: int) -> Said:
        await asyncio.sleep(0)  # as a server's answer does, it lets others go on
        self.asked += 1
        if self.asked > self.fails_after:
            raise self.error("the server is gone")
        word = re.findall(r"the word (\w+)\.", text)[-1]
        principle = self.principles.pop(0) if len(self.principles) > 1 else self.principles[0]
        return Said(f"PRINCIPLE {word}: {principle}\nEND {word}" if principle else "I would rather not")


def by_rubric(text: str, others: str) -> int:
    """Score as a model that goes by the rubric alone."""
    return 8 if re.findall(r"Principle: is (\w+)", others)[-1] in text else 3


def derivation(writer: Writer, judge: StepJudge | None = None) -> Derivation:
    return Derivation(
        writer=writer, judge=judge or GenerativeJudge(FormModel(by_rubric), wording=COMPARED), name="model", tries=2
    )


def write(one: Derivation, out: Path, pairs: Sequence[Contrast] = PAIRS, *, resume: bool = False) -> Written:
    return asyncio.run(write_rubrics(one, pairs, out, resume=resume, concurrency=1))


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def test_a_rubric_is_kept_if_judging_by_it_gives_the_label(tmp_path: Path) -> None:
    out = tmp_path / "rubrics.jsonl"
    written = write(derivation(Writer("is poor", "is good")), out, PAIRS[:2])
    assert (written.kept, written.rejected) == (2, 0)
    assert written.reasons == {"judging by it does not prefer the preferred one, shown first": 1}
    first, second = rows(out)
    assert (first["prompt"], first["rules"], first["principles"]) == ("task 0", [], ["is good"])
    assert (len(first["reasons"]), second["reasons"]) == (1, [])  # type: ignore[arg-type]
    assert not (tmp_path / "rubrics.rejected.jsonl").exists()


def test_what_is_rejected_stands_beside_with_its_reasons(tmp_path: Path) -> None:
    out = tmp_path / "rubrics.jsonl"
    written = write(derivation(Writer("", "is poor")), out, PAIRS[:1])
    assert (written.kept, written.rejected) == (0, 1)
    (row,) = rows(tmp_path / "rubrics.rejected.jsonl")
    assert row["reasons"] == ["not the form", "judging by it does not prefer the preferred one, shown first"]
    assert not out.exists()


def test_a_judge_that_prefers_a_place_confirms_nothing(tmp_path: Path) -> None:
    written = write(derivation(Writer("is good"), FirstJudge()), tmp_path / "r.jsonl", PAIRS[:1])
    assert written.reasons == {"judging by it does not prefer the preferred one, shown second": 2}
    mute = GenerativeJudge(Silent(), wording=COMPARED)
    told = write(derivation(Writer("is good"), mute), tmp_path / "s.jsonl", PAIRS[:1])
    assert told.reasons == {"the judge abstains, the preferred one shown first": 2}


class Silent:
    async def say(self, system: str, text: str, seed: int) -> Said:
        return Said("")


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    out = tmp_path / "rubrics.jsonl"
    stopped = write(derivation(Writer("is good", fails_after=3)), out)
    assert (stopped.kept, stopped.faults, stopped.last_fault) == (3, 3, "the server is gone")
    with out.open("a", encoding="ascii") as file:
        file.write('{"pair": "broken o')  # the machine went down in the middle of a line
    writer = Writer("is good")
    whole = write(derivation(writer), out, resume=True)
    assert (whole.kept, whole.faults, writer.asked) == (6, 0, 3)
    assert {row["prompt"] for row in rows(out)} == {one.task for one in PAIRS}
    again = Writer("is good")
    assert write(derivation(again), out, resume=True).kept == 6
    assert again.asked == 0


def test_files_in_the_way_are_told(tmp_path: Path) -> None:
    out = tmp_path / "rubrics.jsonl"
    one = derivation(Writer("is good"))
    write(one, out, PAIRS[:1])
    with pytest.raises(TaskError, match="is there already"):
        write(one, out)
    with pytest.raises(TaskError, match="is of 'model', not of 'another'"):
        write(replace(one, name="another"), out, resume=True)
    out.write_text("[]\n", encoding="ascii")
    with pytest.raises(TaskError, match=r"line 1 of .* is not of such a run"):
        write(one, out, resume=True)
    with pytest.raises(TaskError, match="cannot write"):
        write(one, tmp_path / "nowhere" / "rubrics.jsonl", PAIRS[:1])


def test_a_server_that_refuses_or_never_answers_ends_the_run(tmp_path: Path) -> None:
    many = [replace(PAIRS[0], task=str(number)) for number in range(20)]
    refusing = Writer("is good", fails_after=0, error=PermanentInfraError)
    with pytest.raises(PermanentInfraError):
        write(derivation(refusing), tmp_path / "a.jsonl", many)
    assert refusing.asked <= 2
    gone = Writer("is good", fails_after=0)
    with pytest.raises(InfraError):
        write(derivation(gone), tmp_path / "b.jsonl", many)
    assert gone.asked <= 9


def test_pairs_are_texts_or_messages(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    user = {"role": "user", "content": "task"}
    lines = [
        {"prompt": "task", "chosen": "a", "rejected": "b"},
        {
            "prompt": [user],
            "chosen": [user, {"role": "assistant", "content": "c"}],
            "rejected": [{"role": "assistant", "content": "d"}],
        },
        {"prompt": "task", "chosen": "a", "rejected": "b", "more": 1},
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    a, b = read_pairs(file)  # the third is the first once more
    assert a == Contrast(task="task", preferred="a", rejected="b")
    assert b == Contrast(task="task", preferred="c", rejected="d")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "holds no pairs"),
        ("[]", "line 1 of .* is no pair"),
        ("{", "line 1 of .* is no pair"),
        ('{"prompt": "a", "chosen": "b"}', "an object with prompt, chosen, rejected"),
        ('{"prompt": "a", "chosen": "b", "rejected": "b"}', "are the same"),
        ('{"prompt": "a", "chosen": 3, "rejected": "b"}', "'chosen' is a text or a list of messages"),
        ('{"prompt": "a", "chosen": [], "rejected": "b"}', "'chosen' is a text or a list of messages"),
        ('{"prompt": "a", "chosen": [{"content": null}], "rejected": "b"}', "'chosen' is a text or a list"),
    ],
)
def test_what_is_no_pair_is_told(tmp_path: Path, line: str, reason: str) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(TaskError, match=reason):
        read_pairs(file)
    with pytest.raises(TaskError, match="cannot read the pairs"):
        read_pairs(tmp_path / "none.jsonl")
