"""The proof that the oracle survives a stack on a task: each obligation is asked for, by a run and by the specs."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator

from palestra.envs.actions import ToolCall, fits
from palestra.envs.augment.faults import Faults
from palestra.envs.augment.layer import Layer, Spec, Tool, name_of, parameters_of, same_reply
from palestra.envs.augment.operators import OPERATORS
from palestra.envs.augment.rehearse import Rehearsal, Run, carry_out, record, rehearse
from palestra.envs.augment.stack import Stack
from palestra.envs.augment.wrapper import Augmented, AugmentedTasks, augment
from palestra.envs.base import Json, Task, canonical_json, digest
from palestra.envs.certify.certificate import Certificate, Level
from palestra.envs.certify.declared import Declared, declared
from palestra.envs.certify.findings import ZERO, CheckResult, Finding, ask
from palestra.envs.certify.task import Certifier
from palestra.envs.env import AgentEnv
from palestra.envs.registry import EnvEntry
from palestra.envs.scripts import SCRIPTS, Episode, Shown, draw_arguments, play

_PROBES = 8  # calls of each tool, to see where they arrive
_PATIENCE = 64  # times that a call is made until it arrives
Known = Mapping[str, type[Layer]]


def prove(
    env: AgentEnv, task: Task, specs: Sequence[Spec], known: Known = OPERATORS, seed: int = 0
) -> list[CheckResult]:
    """Return what was found of each obligation; the stack keeps the oracle if all are ok.

    Args:
        env: of the task's kind, without augmentations; it is not used, only others like it.
        task: without augmentations.
        specs: of the stack, the lowest first.
        known: the operators that there are.
        seed: of the calls that are tried.
    """
    tasks = AugmentedTasks(env, (), known=known)
    proof = _Proof(env, tasks, task, specs, known, seed)
    try:
        results: list[CheckResult] = []
        for name, question in proof.questions.items():
            results.append(ask(name, question))
            if name in ("specs", "oracle") and not results[-1].ok:
                break  # there is nothing to ask about
        return results
    finally:
        proof.close()


def certify(entry: EnvEntry, env: Augmented, task: Task, *, level: Level = "full", seed: int = 0) -> Certificate:
    """Return the certificate of an augmented task.

    The family's own attacks, mutants and variants read its own hidden part, so they are for the task below; the
    general ones are asked here. Calls that only repeat others after a fault, or turn a page, may be idle.
    """
    family = declared(entry)
    idle = {**family.optional, **task.hidden["optional"]}
    above = Declared(floors=family.floors, optional=idle, world=lambda state: family.world(state["below"]))
    return Certifier(entry, env, level, seed, above).certify(task)


class _Proof:
    """The questions about one stack on one task."""

    def __init__(
        self, env: AgentEnv, tasks: AugmentedTasks, task: Task, specs: Sequence[Spec], known: Known, seed: int
    ) -> None:
        self.env, self.tasks, self.task, self.specs, self.known = env, tasks, task, list(specs), known
        self._rng = np.random.default_rng(seed)
        self._above: Augmented | None = None

    @property
    def questions(self) -> dict[str, Callable[[], Finding]]:
        """The questions by name, in the order in which they are asked."""
        return {
            "specs": self.written,
            "oracle": self.solved,
            "rehearsal": self.rehearsed,
            "instruction": self.told,
            "tools": self.named,
            "reach": self.reached,
            "layers": self.kept,
            "retries": self.missed,
            "replay": self.replayed,
            "replies": self.understood,
        }

    def close(self) -> None:
        self.tasks.close()
        if self._above is not None:
            self._above.close()

    @cached_property
    def run(self) -> Run:
        return record(self.tasks.scout, self.task)

    @cached_property
    def rehearsal(self) -> Rehearsal:
        return rehearse(self._stack(), self.run)

    @cached_property
    def above(self) -> tuple[Augmented, Task]:
        """The augmented environment and its task."""
        self._above = Augmented(self.env._fresh(), (), known=self.known)
        return self._above, augment(self.tasks, self.task, self.specs)

    def _stack(self, upto: int | None = None) -> Stack:
        return Stack(self.specs[:upto], self.known)

    def written(self) -> Finding:
        """The specs are JSON and build a stack."""
        canonical_json(self.specs)
        return Finding(True, f"{len(self._stack().layers)} layers", {"digest": digest(self.specs)})

    def solved(self) -> Finding:
        """The oracle solves the task below."""
        return Finding(True, f"the oracle solves the task in {len(self.run.turns)} turns")

    def rehearsed(self) -> Finding:
        """By the recorded replies, every call arrives once and every reply is understood."""
        return self._compared(self.rehearsal.replies, f"in {len(self.rehearsal.actions)} turns")

    def told(self) -> Finding:
        """No layer loses anything of the instruction."""
        text = self.task.instruction
        for layer in self._stack().layers:
            after = layer.instruction(text)
            if not layer.keeps(text, after):
                return Finding(False, f"{layer.name} loses a part of the instruction", {"before": text, "after": after})
            text = after
        return Finding(True, "the instruction is there, whole", {"instruction": text})

    def named(self) -> Finding:
        """Tools have names of their own and schemas that are valid."""
        tools = self._stack().tools(self.run.tools)
        names = [name_of(tool) for tool in tools]
        if twice := [name for name in names if names.count(name) > 1]:
            return Finding(False, f"{names.count(twice[0])} tools are named {twice[0]!r}")
        for tool in tools:
            Draft202012Validator.check_schema(tool["function"]["parameters"])
        return Finding(True, f"{len(names)} tools, each with a name of its own")

    def reached(self) -> Finding:
        """Each tool below is reached by one tool above, with arguments that it takes; other tools reach nothing."""
        below = {name_of(tool): tool for tool in self.run.tools}
        by: dict[str, str] = {}
        for tool in self.rehearsal.seen.tools:
            arrivals = [call for call in map(self._arrival, self._probes(tool)) if call is not None]
            for call in arrivals:
                name = name_of(tool)
                if by.setdefault(call.name, name) != name:
                    return Finding(False, f"both {by[call.name]} and {name} reach {call.name}")
                if call.name not in below:
                    return Finding(False, f"{name} reaches {call.name}, which is no tool below")
                if not fits(call.arguments, below[call.name]["function"]["parameters"]):
                    return Finding(False, f"{name} reaches {call.name} with arguments that it does not take")
        if lost := [name for name in below if name not in by]:
            return Finding(False, f"no tool reaches {lost[0]}")
        if len(set(by.values())) < len(by):
            return Finding(False, f"one tool reaches several: {by}")
        others = len(self.rehearsal.seen.tools) - len(by)
        return Finding(True, f"{len(by)} tools are reached by one each; {others} others reach nothing")

    def kept(self) -> Finding:
        """Each layer's own obligations hold where it stands."""
        for place, layer in enumerate(self._stack().layers):
            seen = rehearse(self._stack(place), self.run).seen
            if problem := next(iter(layer.problems(seen)), ""):
                return Finding(False, f"{layer.name}: {problem}")
        return Finding(True, "each layer's own obligations hold")

    def missed(self) -> Finding:
        """Who does not call again after a fault misses a reply."""
        stack, total = self._stack(), 0
        for layer in stack.layers:
            if isinstance(layer, Faults):
                layer.retries, total = False, total + layer.total
        if not total:
            return Finding(True, "there are no faults")
        once = rehearse(stack, self.run)
        if self._compared(once.replies, "").passed:
            return Finding(False, "the oracle gets all replies without calling again")
        env, task = self.above
        earned = play(env, lambda env, rng: iter(once.actions), self.task.seed, task).reward
        return Finding(True, f"without calling again a reply is missing; it earned {earned:g}", {"reward": earned})

    def replayed(self) -> Finding:
        """The oracle's actions above earn the maximum, twice alike, and write nothing that is forbidden."""
        one, two = self._played(), self._played()
        if not (one.is_success and abs(one.reward - 1.0) <= ZERO):
            return Finding(False, f"the oracle above earns {one.reward:g}", {"actions": list(one.actions)})
        if one.stream != two.stream:
            return Finding(False, "played again, the oracle above sees something else")
        if self.above[0].stack.forbidden:
            return Finding(False, "the oracle above writes what is forbidden")
        return Finding(
            True, f"the oracle earns 1 in {len(one.actions)} turns, twice alike", {"trace": digest(list(one.stream))}
        )

    def understood(self) -> Finding:
        """In the environment itself, every reply is understood as what was replied below."""
        env, task = self.above
        env.reset(seed=self.task.seed, options={"task": task})

        def act(number: int, text: str, asked: Mapping[int, ToolCall]) -> dict[int, str]:
            said = len(env.messages)
            env.step(text)
            told = [str(message["content"]) for message in env.messages[said + 1 :]]
            return dict(zip(asked, told, strict=bool(asked)))

        return self._compared(carry_out(self._stack(), self.run.turns, act), "in the environment")

    def _compared(self, replies: Sequence[Sequence[str]], where: str) -> Finding:
        for turn, understood in zip(self.run.turns, replies, strict=True):
            wanted = turn.replies if turn.action.calls else ()
            for call, one, two in zip(turn.action.calls, understood, wanted, strict=True):
                if not same_reply(one, two):
                    evidence: dict[str, Json] = {"understood": one, "replied": two}
                    return Finding(False, f"the reply of {call.name} is not what is understood of it", evidence)
        return Finding(True, f"every reply is understood {where}")

    def _played(self) -> Episode:
        env, task = self.above
        return play(env, SCRIPTS["oracle"], self.task.seed, task)

    def _probes(self, tool: Tool) -> list[ToolCall]:
        """Return calls of a tool with values that the oracle saw and used."""
        schema = tool["function"]["parameters"]
        messages: list[dict[str, Any]] = [{"role": "user", "content": self.rehearsal.seen.text}]
        shown = Shown.of(messages)
        drawn = [draw_arguments(schema, shown, self._rng) for _ in range(_PROBES)]
        for call, _ in self.rehearsal.seen.steps:
            used = {**drawn[0], **{key: value for key, value in call.arguments.items() if key in parameters_of(tool)}}
            drawn.append(used)
        return [ToolCall(name_of(tool), arguments) for arguments in drawn if fits(arguments, schema)]

    def _arrival(self, call: ToolCall) -> ToolCall | None:
        """Return what arrives below of a call that is made again and again; None if nothing does."""
        stack = self._stack()
        for _ in range(_PATIENCE):
            passage = stack.call(call)
            if passage.call is not None:
                return passage.call
        return None
