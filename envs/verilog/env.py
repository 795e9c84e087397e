"""`palestra/Verilog-v0`: write a hardware module, simulate it, revise it, hand it in."""

import re
from collections.abc import Callable, Iterator
from typing import ClassVar, Final, TypeVar, Unpack

from palestra import sandbox as sandboxes
from palestra.envs.actions import Action
from palestra.envs.base import Json, Split, Task, TaskError, TaskSource
from palestra.envs.code.judge.bench import NEEDS, Bench
from palestra.envs.env import AgentEnv, EnvOptions, StepResult
from palestra.envs.verilog.generate import VerilogTasks
from palestra.envs.verilog.oracle import solve
from palestra.envs.verilog.verify import Examiner, looked_at, told_by
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import InfraError, Spec

MOST_CALLS: Final = 4  # carried out in one turn
NO_CALL: Final = "error: call simulate or submit with the code of your module"
TOO_MANY: Final = f"error: not done; at most {MOST_CALLS} calls are carried out in one turn"
ENDED: Final = "error: not done; the episode is over"
_WORTH: Final = 0.5  # the potential of a module that is right on the whole public stimulus

Made = TypeVar("Made")


class VerilogEnv(AgentEnv):
    """Specifications that a Verilog-2005 module fulfils.

    ``simulate(code)`` compiles a module and runs it on a short stimulus; ``submit(code)`` ends the episode with the
    outcome 1.0 if the module shows what the golden one shows at every moment of a hidden stimulus, else 0.0. The
    potential is half of the best share of the short stimulus that was right, beyond what a constant gets right.

    Simulations run in a sandbox that is started at the first call and given back by `close`; it must see Icarus Verilog
    and Yosys.

    Args:
        sandbox: the backend that runs the simulations.
        unsafe: accept a backend that does not isolate programs from this machine.
    """

    env_id: ClassVar[str] = "palestra/Verilog-v0"
    system_prompt: ClassVar[str] = "Write the module in Verilog. Try it with simulate, then hand it in with submit."

    def __init__(
        self,
        *,
        sandbox: str = "native",
        unsafe: bool = False,
        **options: Unpack[EnvOptions],
    ) -> None:
        super().__init__(**options)
        self._backend = sandbox
        self._unsafe = unsafe
        self._examiner: Examiner | None = None
        self._best = 0.0  # how good the best module was that was simulated

    def close(self) -> None:
        examiner, self._examiner = self._examiner, None
        if examiner is not None:
            examiner.bench.close()

    def oracle(self) -> Iterator[str]:
        return solve(self.task)

    def artefact(self, task: Task) -> str:
        """Return the name of a file with a solution."""
        return f"{task.public['module']}.v"

    def judge(self, task: Task, text: str) -> Verdict:
        """Return the verdict on a module."""
        return looked_at(task, text) or self._examined(lambda examiner: examiner.judge(task, text))

    def explain(self, task: Task, check: Check) -> str:
        """Return the inputs of the hidden stimulus that a check is about, and what was to be shown."""
        if not (found := re.fullmatch(r"hidden moment (\d+)", check.name)):
            return ""
        return self._examined(lambda examiner: examiner.explain(task, int(found[1])))

    def _source(self, split: Split) -> TaskSource:
        return VerilogTasks(split)

    def _begin(self, task: Task) -> None:
        try:
            told_by(task)
        except VerifierError as error:
            raise TaskError(f"{task.id!r} is not a Verilog task: {error}") from error
        self._best = 0.0

    def _act(self, action: Action) -> StepResult:
        if not action.calls:
            return StepResult(replies=(NO_CALL,))
        replies: list[str] = []
        for call in action.calls[:MOST_CALLS]:
            code = call.arguments["code"]
            if call.name == "simulate":
                replies.append(self._simulate(code))
                continue
            passed = self.judge(self.task, code).passed
            replies.append("right on the hidden stimulus" if passed else "wrong on the hidden stimulus")
            left = len(action.calls) - len(replies)
            return StepResult(
                replies=(*replies, *[ENDED] * left), parts={"outcome": float(passed)}, done=True, is_success=passed
            )
        return StepResult(replies=(*replies, *[TOO_MANY] * (len(action.calls) - len(replies))))

    def _simulate(self, code: str) -> str:
        if refused := looked_at(self.task, code):
            return f"refused: {refused.checks[0].evidence}"
        told, good = self._examined(lambda examiner: examiner.try_out(self.task, code))
        self._best = max(self._best, good)
        return told

    def _examined(self, job: Callable[[Examiner], Made]) -> Made:
        """Do a job with the environment's examiner, set up if need be; one that failed is not used again."""
        try:
            if self._examiner is None:
                spec = Spec(needs=frozenset() if self._unsafe else NEEDS, env={"PYTHONHASHSEED": "0"})
                self._examiner = Examiner(Bench(sandboxes.create(spec, backend=self._backend, unsafe=self._unsafe)))
            return job(self._examiner)
        except InfraError:
            self.close()
            raise

    def _potential(self) -> float:
        return _WORTH * self._best

    def _dump(self) -> Json:
        return {"best": self._best}

    def _load(self, state: Json) -> None:
        self._best = float(state["best"])
