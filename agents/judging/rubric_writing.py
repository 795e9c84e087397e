"""Rubrics from pairs of responses, written to a file: a rubric is kept only if judging by it gives the pair's label.

A run can be stopped at any moment, and goes on where it was. After the rejection sampling of OpenRubrics,
arXiv:2510.07743; here the label must come back whichever response is shown first.
"""

import asyncio
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from palestra.envs.base import Json, TaskError
from palestra.envs.reading import NOT_JSON, read_json
from palestra.envs.rows import json_line
from palestra.rewards.judging.base import StepJudge
from palestra.rewards.judging.contrast import Contrast, Derived, derived
from palestra.rewards.judging.fences import Nonces
from palestra.rewards.judging.generative import Speaker, Unasked
from palestra.rewards.judging.prompt import Malformed
from palestra.rewards.judging.responses import asked, preference
from palestra.sandbox.base import InfraError, PermanentInfraError

_HOPELESS: Final = 8  # pairs that fail before any is settled
_NAMES: Final = ("prompt", "chosen", "rejected")


@dataclass(slots=True, kw_only=True)
class Written:
    """What a run has come to, earlier ones that it goes on with included.

    Attributes:
        kept, rejected: pairs.
        faults: pairs that were begun and could not be settled, because the server failed; they are left to `resume`.
        reasons: of all tries that came to nothing, and how many.
    """

    kept: int = 0
    rejected: int = 0
    faults: int = 0
    last_fault: str = ""
    reasons: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON data."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """How rubrics are derived and held against their pairs.

    Attributes:
        writer: the model that writes them.
        judge: of two responses, worded `COMPARED`; it may be the same model.
        name: of model and settings: a file holds rubrics of one name.
        tries: rubrics of a pair at most, until one is kept.
        votes: of the judge, each way; the preferred response must have more than half of them both ways.
        seed: of what writer and judge draw.
        nonces: of the prompts.
    """

    writer: Speaker
    judge: StepJudge
    name: str
    tries: int = 3
    votes: int = 1
    seed: int = 0
    nonces: Nonces = field(default_factory=Nonces)

    async def of(self, contrast: Contrast) -> tuple[Derived | None, list[str]]:
        """Return the rubric of a pair, None if no try came to one, and why the others were rejected.

        Raises:
            InfraError: a model cannot be asked.
        """
        reasons: list[str] = []
        for number in range(self.tries):
            seed = self.seed + number * 2 * self.votes
            try:
                found = await derived(self.writer, contrast, self.nonces, seed)
            except (Malformed, Unasked) as error:
                reasons.append(str(error))
                continue
            fault = await self._inconsistent(contrast, found, seed)
            if not fault:
                return found, reasons
            reasons.append(fault)
        return None, reasons

    async def _inconsistent(self, contrast: Contrast, found: Derived, seed: int) -> str:
        question = asked(contrast.task, contrast.preferred, contrast.rejected, rubric=found.lines)
        told = await preference(self.judge, question, votes=self.votes, seed=seed)
        for share, way in zip(told.ways, ("first", "second"), strict=True):
            if share is None:
                return f"the judge abstains, the preferred one shown {way}"
            if share <= 0.5:
                return f"judging by it does not prefer the preferred one, shown {way}"
        return ""


def read_pairs(path: Path) -> list[Contrast]:
    """Return the pairs of a JSONL file: "prompt", "chosen" and "rejected", each a text or a list of messages.

    Of messages the texts count; a prompt that chosen and rejected begin with again is taken off there.

    Raises:
        TaskError: it cannot be read, or a line of it is no pair.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"cannot read the pairs {str(path)!r}: {error}") from error
    pairs = [_pair(line, f"line {number} of {str(path)!r}") for number, line in enumerate(lines, 1) if line.strip()]
    if not pairs:
        raise TaskError(f"{str(path)!r} holds no pairs: lines with prompt, chosen and rejected")
    return list(dict.fromkeys(pairs))


async def write_rubrics(
    derivation: Derivation,
    pairs: Sequence[Contrast],
    out: Path,
    *,
    resume: bool = False,
    concurrency: int = 8,
    seen: Callable[[Written], None] = lambda written: None,
) -> Written:
    """Write the rubrics of pairs, one line each as soon as it is settled, and return what came of all.

    What is rejected stands with its reasons in ``NAME.rejected.jsonl`` beside the file. Lines are in the order in which
    pairs were settled.

    Args:
        derivation: how.
        pairs: of which.
        out: the file, NAME.jsonl.
        resume: go on with a file of a run that was stopped; pairs that it or the rejected ones hold are left alone.
        concurrency: pairs in work at one time.
        seen: told after each pair.

    Raises:
        TaskError: a file is in the way, of another derivation, or cannot be written.
        InfraError: the server refuses, or fails from the beginning. What fails later is counted, and left to `resume`.
    """
    rejects = out.with_suffix(".rejected.jsonl")
    settled = _settled(out, rejects, derivation.name, resume=resume)
    written = Written()
    for path, row in settled.values():
        _count(written, row, is_kept=path == out)
    gate, begun = asyncio.Semaphore(concurrency), len(settled)

    async def one(contrast: Contrast) -> None:
        async with gate:
            try:
                found, reasons = await derivation.of(contrast)
            except InfraError as error:
                written.faults, written.last_fault = written.faults + 1, str(error)
                is_hopeless = written.faults >= _HOPELESS and written.kept + written.rejected == begun
                if isinstance(error, PermanentInfraError) or is_hopeless:
                    raise
                return
        row = _row(derivation.name, contrast, found, reasons)
        _append(rejects if found is None else out, row)
        _count(written, row, is_kept=found is not None)
        seen(written)

    try:
        async with asyncio.TaskGroup() as group:
            for contrast in pairs:
                if _key(contrast) not in settled:
                    group.create_task(one(contrast))
    except ExceptionGroup as errors:  # the first one says it
        raise errors.exceptions[0] from errors
    return written


def _row(name: str, contrast: Contrast, found: Derived | None, reasons: Sequence[str]) -> dict[str, Json]:
    told: dict[str, Json] = {"pair": _key(contrast), "by": name, "prompt": contrast.task}
    if found is not None:
        told |= {"rules": list(found.rules), "principles": list(found.principles)}
    return {**told, "reasons": list(reasons)}


def _count(written: Written, row: Mapping[str, Any], *, is_kept: bool) -> None:
    written.kept += is_kept
    written.rejected += not is_kept
    for reason in row["reasons"]:
        short = str(reason).split(":")[0]
        written.reasons[short] = written.reasons.get(short, 0) + 1


def _settled(out: Path, rejects: Path, name: str, *, resume: bool) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Return what files hold by pair; a line that was broken off at the end is cut off."""
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    for path in (out, rejects):
        if not path.exists():
            continue
        if not resume:
            raise TaskError(f"{str(path)!r} is there already; go on with it (--resume) or write to another file")
        data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            _cut(path, len(whole))
        for number, line in enumerate(whole.decode("utf-8", "replace").splitlines(), 1):
            row = read_json(line)
            if not (
                isinstance(row, dict) and isinstance(row.get("pair"), str) and isinstance(row.get("reasons"), list)
            ):
                raise TaskError(f"line {number} of {str(path)!r} is not of such a run; write to another file")
            if row.get("by") != name:
                raise TaskError(f"{str(path)!r} is of {row.get('by')!r}, not of {name!r}; write to another file")
            found[row["pair"]] = (path, row)
    return found


def _cut(path: Path, size: int) -> None:
    try:
        os.truncate(path, size)
    except OSError as error:
        raise TaskError(f"cannot write {str(path)!r}: {error.strerror or error}") from error


def _append(path: Path, row: dict[str, Json]) -> None:
    try:
        with path.open("a", encoding="ascii") as file:
            file.write(json_line(row))
    except OSError as error:
        raise TaskError(f"cannot write {str(path)!r}: {error.strerror or error}") from error


def _key(contrast: Contrast) -> str:
    told = json.dumps([contrast.task, contrast.preferred, contrast.rejected])
    return hashlib.sha256(told.encode("ascii")).hexdigest()[:16]


def _pair(line: str, where: str) -> Contrast:
    told = read_json(line)
    if told is NOT_JSON or not isinstance(told, dict) or any(name not in told for name in _NAMES):
        raise TaskError(f"{where} is no pair: an object with {', '.join(_NAMES)}")
    prompt, chosen, rejected = (told[name] for name in _NAMES)
    if isinstance(prompt, list):
        chosen, rejected = (
            one[len(prompt) :] if isinstance(one, list) and one[: len(prompt)] == prompt else one
            for one in (chosen, rejected)
        )
    task, preferred, other = (
        _text(value, name, where) for value, name in zip((prompt, chosen, rejected), _NAMES, strict=True)
    )
    if preferred == other:
        raise TaskError(f"{where} is no pair: chosen and rejected are the same")
    return Contrast(task=task, preferred=preferred, rejected=other)


def _text(value: Any, name: str, where: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        texts = [one.get("content") for one in value]
        if all(isinstance(text, str) for text in texts):
            return "\n\n".join(texts)
    raise TaskError(f"{where} is no pair: {name!r} is a text or a list of messages with texts, not {str(value)[:80]!r}")
