"""What every operator's step must hold to, shown on a machine."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import pytest

from palestra.envs.draws import Draws
from palestra.envs.terminal.predicates import evaluate
from palestra.envs.terminal.step import HOME, Artefact, Knobs, Operator, Step
from palestra.envs.terminal.tree import File, Tree
from palestra.sandbox import create
from palestra.sandbox.base import MIB, Limits, Sandbox, SandboxSnapshot, Spec

FOLDER = f"{HOME}/part"
SPEC = Spec(terminal=True, limits=Limits(wall_s=20.0, memory_bytes=256 * MIB, processes=64, disk_bytes=32 * MIB))
UNPACK = ("/bin/tar", "--extract", "--file=/tmp/start.tar", "--directory=/", "--preserve-permissions", "--same-owner")
RUN_KINDS = ("runs", "listens")


@dataclass(frozen=True, slots=True)
class Bench:
    """A machine that stands at its beginning before each trial."""

    box: Sandbox
    empty: SandboxSnapshot

    def end(self, step: Step, start: Tree, line: str) -> Tree:
        """Return what is there after a line of bash, run as the oracle runs it, in the step's start."""
        self.box.restore(self.empty)
        self.box.write("/tmp/start.tar", start.to_tar())
        laid = self.box.exec(UNPACK)
        assert laid.ok, laid.stderr
        self.box.exec(("/bin/rm", "/tmp/start.tar"))
        if step.setup:
            ready = self.box.exec(("/bin/bash", "-c", step.setup))
            assert ready.ok, ready.stderr
        for service in step.extra.get("services", ()):
            self.box.write("/tmp/service.sh", service["run"].encode())
            begun = "(cd /; setsid bash /tmp/service.sh </dev/null >/dev/null 2>&1 &)"
            waited = self.box.shell().run(f"{begun}; until {service['ready']}; do :; done", timeout_s=20.0)
            assert waited.exit_code == 0, waited.output
        if line:
            ran = self.box.shell().run(line, timeout_s=20.0)
            assert not ran.timed_out, ran.output
            if line == step.solve:
                assert ran.exit_code == 0, ran.output.decode(errors="replace")
        tops = {"/" + path.split("/")[1] for path in (*start, *step.makes, *map(str, paths(step)), HOME)}
        found = Tree()
        for top in sorted(tops):
            found = found.joined(Tree.from_tar(self.box.collect(top)))
        return found


def paths(step: Step) -> list[str]:
    """Return the paths that a step's predicates are about."""
    return [check["path"] for check in step.checks if "path" in check]


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """One machine for all operators."""
    with closing(create(SPEC)) as box:
        yield Bench(box, box.snapshot())


def drawn(
    operator: Operator,
    seed: int,
    given: Artefact | None = None,
    knobs: Knobs | None = None,
    *,
    heldout: bool = False,
) -> Step | None:
    """Return an operator's step of a seed."""
    draws = Draws("terminal", operator.name, seed, "step")
    return operator.draw(draws, FOLDER, given, knobs or Knobs(), heldout=heldout)


def failed(step: Step, tree: Tree) -> list[str]:
    """Return the reasons of the predicates that a tree fails, of those that are judged of a tree alone."""
    judged = [evaluate(tree, check) for check in step.checks if check["kind"] not in RUN_KINDS]
    return [one.evidence for one in judged if not one.passed]


def is_kept(step: Step, start: Tree, end: Tree) -> bool:
    return all(isinstance(kept := end.get(path), File) and kept.data == start.data(path) for path in step.keeps)


def is_told(path: str, text: str) -> bool:
    """Return whether a text names a path, or all of it up to the last dot, or a folder of the task's that it is in."""
    parents = [path[:at] for at in range(len(FOLDER) + 1, len(path)) if path[at] == "/"]
    return any(one in text for one in (path, path.rpartition(".")[0] or path, *parents))


def check_shape(operator: Operator, step: Step, given: Artefact | None) -> None:
    """What can be seen of a step without running it."""
    assert step.operator == operator.name
    assert len(step.wrong) >= 2, "fewer than two wrong variants"
    assert step.checks, "nothing is asked"
    assert step.solve not in step.wrong.values()
    for path in (one.path for one in (step.gives, given) if one is not None):
        assert path in step.text, f"the text does not name {path}"
    for path in step.makes:
        assert is_told(path, step.text), f"the text does not name {path}, nor what it is called after or stands in"
    for path in step.keeps:
        assert is_told(path, step.text) or FOLDER in step.text, f"the text names neither {path} nor a folder it is in"
        assert path in step.starts
    for path in step.starts:
        assert path.startswith(f"{FOLDER}/") or path == FOLDER or not path.startswith(f"{HOME}/"), (
            f"not its own: {path}"
        )
    assert all(isinstance(choice, str) and choice for choice in step.choices)
    assert all(check["group"] == 0 for check in step.checks)


Prove = Callable[..., Step | None]


@pytest.fixture
def prove(bench: Bench) -> Prove:
    """Return the function that shows all that must hold of the step that a seed draws; it returns the step."""

    def prove_it(
        operator: Operator,
        seed: int,
        given: Artefact | None = None,
        before: Tree | None = None,  # what earlier steps made: the given artefact's file
        knobs: Knobs | None = None,
        *,
        heldout: bool = False,
        judge_runs: Callable[[Step, Tree], list[str]] | None = None,  # the reasons of `runs` and `listens`
    ) -> Step | None:
        step = drawn(operator, seed, given, knobs, heldout=heldout)
        again = drawn(operator, seed, given, knobs, heldout=heldout)
        if step is None or again is None:
            assert step is again
            return None
        assert replace(again, effect=step.effect) == step, "the same draws gave another step"
        check_shape(operator, step, given)
        start = (before or Tree()).joined(step.starts)
        reasons = [failed] + ([judge_runs] if judge_runs else [])

        def faults(end: Tree) -> list[str]:
            kept = [] if is_kept(step, start, end) else ["an input is not as it was"]
            return kept + [reason for judge in reasons for reason in judge(step, end)]

        meant = start if step.setup else step.effect(start)
        if not step.setup:
            assert failed(step, start) or faults(start), "nothing is left to do"
            assert not failed(step, meant), failed(step, meant)
        end = bench.end(step, start, step.solve)
        assert not faults(end), faults(end)
        if step.setup:
            before_it = bench.end(step, start, "")
            assert faults(before_it), "nothing is left to do"
            meant = step.effect(before_it)
        for path in step.makes:
            assert end.data(path) == meant.data(path), f"{path}: bash and Python differ"
        for name, line in step.wrong.items():
            assert faults(bench.end(step, start, line)), f"{name!r} passes"
        return step

    return prove_it


@pytest.fixture(name="drawn")
def drawn_step() -> Callable[..., Step | None]:
    """Return the function that draws an operator's step."""
    return drawn


@pytest.fixture
def templates() -> Callable[[Operator, range], set[tuple[str, ...]]]:
    """Return the function that tells all the choices that an operator makes over some seeds."""

    def of(operator: Operator, seeds: range) -> set[tuple[str, ...]]:
        return {step.choices for step in (drawn(operator, seed) for seed in seeds) if step is not None}

    return of
