"""`palestra/Verilog-v0`: write a hardware module, simulate it, revise it, hand it in."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final, Unpack

from palestra.envs.actions import ToolCall
from palestra.envs.base import Json, Split, Task, TaskError, TaskSource
from palestra.envs.code.judge.bench import Bench
from palestra.envs.env import EnvOptions
from palestra.envs.submission import SubmissionEnv
from palestra.envs.verilog.generate import VerilogTasks
from palestra.envs.verilog.oracle import solve
from palestra.envs.verilog.verify import Examiner, looked_at, told_by
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.kept import Kept

_WORTH: Final = 0.5  # the potential of a module that is right on the whole public stimulus


class VerilogEnv(SubmissionEnv):
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
    no_call: ClassVar[str] = "error: call simulate or submit with the code of your module"
    submits: ClassVar[str] = "code"
    told: ClassVar[tuple[str, str]] = ("right on the hidden stimulus", "wrong on the hidden stimulus")
    system_prompt: ClassVar[str] = "Write the module in Verilog. Try it with simulate, then hand it in with submit."

    def __init__(
        self,
        *,
        sandbox: str = "native",
        unsafe: bool = False,
        **options: Unpack[EnvOptions],
    ) -> None:
        super().__init__(**options)
        self._examiner = Kept(lambda: Examiner(Bench.open(backend=sandbox, unsafe=unsafe)))
        self._best = 0.0  # how good the best module was that was simulated

    def close(self) -> None:
        self._examiner.close()

    def oracle(self) -> Iterator[str]:
        return solve(self.task)

    def artefact(self, task: Task) -> str:
        """Return the name of a file with a solution."""
        return f"{task.public['module']}.v"

    def judge(self, task: Task, text: str) -> Verdict:
        """Return the verdict on a module."""
        return looked_at(task, text) or self._examiner.use(lambda examiner: examiner.judge(task, text))

    def explain(self, task: Task, check: Check) -> str:
        """Return the inputs of the hidden stimulus that a check is about, and what was to be shown."""
        if not (found := re.fullmatch(r"hidden moment (\d+)", check.name)):
            return ""
        return self._examiner.use(lambda examiner: examiner.explain(task, int(found[1])))

    def _source(self, split: Split) -> TaskSource:
        return VerilogTasks(split)

    def _begin(self, task: Task) -> None:
        try:
            told_by(task)
        except VerifierError as error:
            raise TaskError(f"{task.id!r} is not a Verilog task: {error}") from error
        self._best = 0.0

    def _try(self, call: ToolCall) -> str:
        code = call.arguments["code"]
        if refused := looked_at(self.task, code):
            return f"refused: {refused.checks[0].evidence}"
        told, good = self._examiner.use(lambda examiner: examiner.try_out(self.task, code))
        self._best = max(self._best, good)
        return told

    def _potential(self) -> float:
        return _WORTH * self._best

    def _dump(self) -> Json:
        return {"best": self._best}

    def _load(self, state: Json) -> None:
        self._best = float(state["best"])
