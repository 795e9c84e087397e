"""The stages that write a task: each asks a model, tries what it answers, and asks again with the reason if that fails.

What a stage returns is plain JSON data, so that it can be written down and gone on from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from palestra.envs.actions import compact_json
from palestra.envs.base import Json, Task
from palestra.envs.endpoint import Backend, NoJson, RequestRefused, Usage, read_object
from palestra.envs.terminal.pipeline.answers import Description, Exam, Layout, Refused
from palestra.envs.terminal.pipeline.assembly import solving, staged, tasked
from palestra.envs.terminal.pipeline.pools import Place
from palestra.envs.terminal.pipeline.prompts import AGAIN, BUILD, CUT, DESCRIBE, EXAMINE, system_text
from palestra.envs.terminal.pipeline.trials import apart, changed, hashes, programs, set_up, touching, try_out
from palestra.envs.terminal.tree import File, Tree

_REPLY_CHARS: Final = 500_000
_KEPT_CHARS: Final = 20_000  # of an answer that is kept with its rejection
_TOLD_CHARS: Final = 60_000  # of files that a model is shown
_FILE_CHARS: Final = 4_000  # of one
_KEEPS: Final = 300
_UNSTEADY: Final = frozenset({"archive", "sqlite", "git"})  # whose bytes hold times, or the order of writing
Made = TypeVar("Made")


class Rejected(Exception):
    """A stage has failed for good; `args` are the reason and the model's last words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes: a model, and how often it may mend an answer."""

    backend: Backend
    repairs: int = 2


def describe(writer: Writer, place: Place, usage: Usage) -> Json:
    """Return a task in words, with what only its author knows.

    Raises:
        Rejected: the model writes none.
        InfraError: the server fails.
    """
    asked = place.idea.to_json()
    made = _asked(writer, system_text(DESCRIBE, programs()), asked, place.draw("describe"), usage, Description.read)
    return {"title": made.title, "task": made.text, "truth": made.truth}


def build(writer: Writer, place: Place, told: Mapping[str, Json], usage: Usage) -> Json:
    """Return the start of a described task, as `palestra.envs.base.Task.hidden` holds it.

    It was laid out twice, alike, and all that should hold at the start does.

    Raises:
        Rejected: the model builds none.
        InfraError: the server or a machine fails.
    """

    def tried(answer: dict[str, Json]) -> Json:
        layout = Layout.read(answer)
        task = staged(place, layout)
        first = set_up(task)
        trial = try_out(task, [])
        if not trial.passed:
            raise Refused(f"at the start, an initial predicate does not hold: {trial.why}")
        other = try_out(task, []).tree if layout.services else first  # what services write is there with them alone
        if path := apart(other, trial.tree):
            raise Refused(f"laid out again, {path} is something else; nothing may depend on clock or chance")
        return {name: task.hidden[name] for name in ("start", "setup", "services")}

    system = system_text(BUILD, programs(), with_predicates=True)
    return _asked(writer, system, _words(told), place.draw("build"), usage, tried)


def examine(writer: Writer, place: Place, told: Mapping[str, Json], start: Mapping[str, Json], usage: Usage) -> Json:
    """Return a task, as JSON data: with checks that tell its author's solution from what is nearly one.

    Raises:
        Rejected: the model writes none.
        InfraError: the server or a machine fails.
    """
    before = try_out(staged(place, start), []).tree
    system = system_text(EXAMINE, programs(), with_predicates=True)
    asked = {**_words(told), "files": _shown(before)}

    def tried(answer: dict[str, Json]) -> Json:
        exam = Exam.read(answer, str(told["task"]))
        return _proved(tasked(place, told, start, exam), exam, before).to_dict()

    return _asked(writer, system, asked, place.draw("examine"), usage, tried)


def _proved(task: Task, exam: Exam, before: Tree) -> Task:
    """Return a task with what its author's solution shows of it.

    Raises:
        Refused: a check is wrong, or blind.
    """
    if try_out(task, []).passed:
        raise Refused("all checks hold at the start, so there is nothing to do")
    if try_out(task, [touching(task)]).passed:
        raise Refused("the checks hold of empty files: let them look at the content")
    solves = [solving(step.solve) for step in exam.steps]
    done, again = (try_out(task, solves) for _ in range(2))
    if not (done.passed and again.passed):
        raise Refused(f"after all steps, a check does not hold: {done.why or again.why}")
    spoilt = [path for path in changed(before, done.tree) if not _is_below(path, exam.changes)]
    if spoilt:
        raise Refused(f"the solution changes {spoilt[0]}, which the task does not ask to change")
    if done.shown != again.shown:  # what differs from run to run is not to be seen in the episode of the oracle
        solves = [solving(step.solve, is_quiet=True) for step in exam.steps]
    wrong = _near_misses(task, exam, solves, done.files)
    same = hashes(before).items() & hashes(done.tree).items() & hashes(again.tree).items()
    keeps = {path: value for path, value in sorted(same) if not _is_below(path, exam.changes)}
    unsteady = [str(check.get("path")) for check in exam.checks if check["kind"] in _UNSTEADY]
    looked_at = {str(check["path"]) for check in exam.checks if "path" in check}
    steady = hashes(done.tree).items() & hashes(again.tree).items()
    made = {path: value for path, value in sorted(steady) if path in looked_at and not _is_below(path, unsteady)}
    steps = [
        {"operator": "written", "choices": [], "source": -1, "solve": solve, "wrong": ways}
        for solve, ways in zip(solves, wrong, strict=True)
    ]
    hidden = {**task.hidden, "keeps": dict(list(keeps.items())[:_KEEPS]), "made": made, "steps": steps}
    return replace(task, hidden=hidden)


def _near_misses(task: Task, exam: Exam, solves: list[str], files: str) -> list[dict[str, str]]:
    """Return for each step its wrong variants, all of which fail; those that do the same in other words are left out.

    Raises:
        Refused: a step is not needed, a variant passes, or none is left.
    """
    found: list[dict[str, str]] = []
    for at, step in enumerate(exam.steps):
        if try_out(task, [*solves[:at], *solves[at + 1 :]]).passed:
            raise Refused(f"without step {at + 1} all checks hold: it is not needed, or nothing looks at it")
        ways: dict[str, str] = {}
        for name, wrong in step.wrong.items():
            bash = solving(wrong)
            trial = try_out(task, [*solves[:at], bash, *solves[at + 1 :]])
            if trial.passed and trial.files != files:
                raise Refused(f"step {at + 1} done wrongly passes all checks: {name}")
            if not trial.passed:
                ways[name] = bash
        if not ways:
            raise Refused(f"step {at + 1} has no wrong way that leaves something wrong")
        found.append(ways)
    return found


def _asked(
    writer: Writer,
    system: str,
    asked: Json,
    seed: int,
    usage: Usage,
    read: Callable[[dict[str, Json]], Made],
) -> Made:
    """Return what is made of a model's answer, which may mend it as often as it may."""
    opening = [{"role": "system", "content": system}, {"role": "user", "content": compact_json(asked)}]
    messages = opening
    for number in range(writer.repairs + 1):
        text = ""
        try:
            reply = writer.backend.chat(messages, seed=seed + number, usage=usage)
            text = reply.content
            if reply.is_cut:
                raise Refused(CUT)
            return read(read_object(text, limit_chars=_REPLY_CHARS))
        except RequestRefused as error:
            raise Rejected(str(error), "") from error
        except (Refused, NoJson) as error:
            reason, kept = str(error), text[:_KEPT_CHARS]
            if number == writer.repairs:
                raise Rejected(reason, kept) from error
            again = {"role": "user", "content": AGAIN.format(reason=reason)}
            messages = [*opening, {"role": "assistant", "content": text[:_REPLY_CHARS]}, again]
    raise ValueError(f"repairs must be at least 0, not {writer.repairs!r}")


def _words(told: Mapping[str, Json]) -> dict[str, Json]:
    return {"task": told["task"], "truth": told["truth"]}


def _shown(tree: Tree) -> Json:
    """Return what a model is shown of files: names of all, and the texts of as many as there is room for."""
    left, told = _TOLD_CHARS, {}
    for path, node in tree.items():
        if "/.git/" in path or left <= 0:
            continue
        text = node.data[:_FILE_CHARS].decode("utf-8", "replace") if isinstance(node, File) else type(node).__name__
        more = len(node.data) - _FILE_CHARS if isinstance(node, File) else 0
        told[path] = text + f"... and {more} bytes more" * (more > 0)
        left -= len(told[path]) + len(path)
    return told


def _is_below(path: str, places: "list[str] | tuple[str, ...]") -> bool:
    return any(f"{path}/".startswith(f"{place}/") for place in places)
