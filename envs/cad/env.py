"""`palestra/Cad-v0` and its kin: build the part that is described, edited, broken or drawn, in CadQuery."""

import functools
import importlib.util
import os
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final, Literal, Unpack, get_args

import numpy as np
from numpy.typing import NDArray

from palestra.envs.actions import ToolCall, call_text
from palestra.envs.base import Blob, Json, Split, Task, TaskError, TaskSource
from palestra.envs.cad.actions import BUILD, MEASURE, NOTHING_BUILT, SUBMIT, built, measured
from palestra.envs.cad.drawing.png import png
from palestra.envs.cad.generate import CadTasks, Mode
from palestra.envs.cad.known import KnownKernel
from palestra.envs.cad.records import VIEWS, Comparison, Kernel, Picture, ShapeError, View
from palestra.envs.cad.rewards import Weights, bench_cad, cad_coder, cad_rl, cadrille, gain_over
from palestra.envs.cad.verify import Found, check_task, compare, reference, verdict
from palestra.envs.env import EnvOptions
from palestra.envs.submission import SubmissionEnv
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import PermanentInfraError

Reward = Literal["graded", "exact", "cad_rl", "cadrille", "cad_coder", "edit"]
Images = Literal["png", "array"]
BUILD_S: Final = 5.0
NO_RESULT: Final = "error: the program leaves nothing in the name result; end it with result = ..."
_RESULT: Final = re.compile(r"\bresult\b")  # what does not have the word does not need a sandbox to be refused
PIXELS: Final = 256  # of the edge of a view
SHEET_PIXELS: Final = 384  # where millimetres are to be told apart
SHEET: Final[tuple[View, ...]] = VIEWS  # what a part to be read from views is shown as


class CadEnv(SubmissionEnv):
    """Parts described in words, to be built in CadQuery and judged by an exact kernel.

    ``build(code)`` runs a program in a sandbox and tells of its shape, or why there is none; ``measure()`` and
    ``render(views)`` tell and draw it; ``submit()`` ends the episode with the last valid shape that was built.

    The reward is ``valid * (5/8 gain + 2/8 features + 1/8 topology)`` beyond what is had for free, and 1.0 for a shape
    that passes: the planned number of solids, an IoU of at least 0.99, and every test of its features. The gain is that
    of the IoU over the filled bounding box, or over the part that was given. The potential is the present shape's gain.

    The kernel is shared by all environments of a process, and ends with it. Rendering as "rgb_array" draws the shape.

    Args:
        reward: "graded"; "exact", 1.0 for what passes and else 0.0; or that of others (see `rewards`), of which
            "cadrille" pays from -10 to 10.
        weights: of the gain, the features and the topology.
        evaluation: what "cad_rl" is told by somebody else of a shape, in [0, 1].
        kernel: in place of the shared one; it is not closed with the environment.
        sandbox: the backend that the shared kernel works in.
        unsafe: accept a backend that does not isolate programs from this machine.
        build_s: seconds that a program may take.
        images: what pictures in `info` are: "png", a data URL as chat messages take it; "array", (height, width, 3).
    """

    env_id: ClassVar[str] = "palestra/Cad-v0"
    mode: ClassVar[Mode] = "text"
    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 1}  # type: ignore[misc]
    no_call: ClassVar[str] = "error: call build with a program, and submit when its shape is the part"
    told: ClassVar[tuple[str, str]] = ("the shape is the part that was asked for", "the shape is not the part")
    system_prompt: ClassVar[str] = (
        "Write a CadQuery program that builds the part and leaves it in the name result. Lengths are millimetres. Try "
        "it with build, look at it with measure and render, then hand it in with submit."
    )

    def __init__(
        self,
        *,
        reward: Reward = "graded",
        weights: tuple[float, float, float] = (0.625, 0.25, 0.125),
        evaluation: Callable[[Comparison], float] | None = None,
        kernel: Kernel | None = None,
        sandbox: str = "native",
        unsafe: bool = False,
        build_s: float = BUILD_S,
        images: Images = "png",
        **options: Unpack[EnvOptions],
    ) -> None:
        if reward not in get_args(Reward):
            raise ValueError(f"reward must be one of {', '.join(get_args(Reward))}, not {reward!r}")
        if images not in get_args(Images):
            raise ValueError(f"images must be 'png' or 'array', not {images!r}")
        is_drawn = options.get("render_mode") == "rgb_array"
        if is_drawn:
            options["render_mode"] = None
        super().__init__(**options)
        if is_drawn:
            self.render_mode = "rgb_array"
        self.reward: Reward = reward
        self.weights = Weights(gain=weights[0], features=weights[1], topology=weights[2])
        self._evaluation = evaluation
        self._given = kernel
        self._shared = functools.partial(shared_kernel, sandbox, unsafe=unsafe)
        self._build_s = build_s
        self._images: Images = images
        self._program = ""  # of the last valid shape
        self._brep: bytes | None = None
        self._picture: NDArray[np.uint8] | None = None  # drawn in this turn

    @property
    def kernel(self) -> Kernel:
        """The kernel that builds and judges.

        Raises:
            InfraError: there is none, or it does not start.
        """
        return self._shared() if self._given is None else self._given

    # -- what a family says ------------------------------------------------------------------

    def oracle(self) -> Iterator[str]:
        yield call_text(BUILD, {"code": self.task.hidden["program"]})
        yield call_text(SUBMIT, {})

    def artefact(self, task: Task) -> str:
        """Return the name of a file with a solution."""
        return "part.py"

    def judge(self, task: Task, text: str) -> Verdict:
        """Return the verdict on the shape of a program."""
        return verdict(self._found(task, text), self.weights)

    def explain(self, task: Task, check: Check) -> str:
        """Return what a check saw, which tells of the reference."""
        return check.evidence

    def picture(self, views: tuple[View, ...] = ("isometric",)) -> NDArray[np.uint8]:
        """Return views of the present shape, side by side; white if there is none.

        Returns:
            (256, 256 n, 3), for n views.

        Raises:
            ShapeError: it cannot be drawn.
            InfraError: the kernel failed.
        """
        if self._brep is None:
            return np.full((PIXELS, PIXELS * len(views), 3), 255, np.uint8)
        return self._drawn(self._brep, views)

    def _drawn(self, brep: bytes, views: tuple[View, ...], size: int = PIXELS) -> NDArray[np.uint8]:
        return self.kernel.draw(brep, Picture(views=views, size=size, has_dimensions=True))

    def render(self) -> Any:
        """Return the conversation as text ("ansi"), or the shape as a picture ("rgb_array")."""
        return self.picture() if self.render_mode == "rgb_array" and self._task is not None else super().render()

    def _source(self, split: Split) -> TaskSource:
        return CadTasks(self.mode, split)

    def _begin(self, task: Task) -> None:
        try:
            check_task(task)
        except VerifierError as error:
            raise TaskError(f"{task.id!r} is not a CAD task: {error}") from error
        self._program, self._brep, self._picture = "", None, None

    def _try(self, call: ToolCall) -> str:
        self._picture = None
        if call.name == BUILD:
            return self._build(call.arguments["code"])
        if self._brep is None:
            return NOTHING_BUILT
        if call.name == MEASURE:
            return measured(self.kernel.measure(self._brep))
        views: tuple[View, ...] = tuple(view for view in VIEWS if view in call.arguments.get("views", ()))
        views = views or ("isometric",)
        try:
            self._picture = self.picture(views)
        except ShapeError as error:
            return f"error: the shape cannot be drawn: {error}"
        return f"drawn: {', '.join(views)}"

    def _build(self, code: str) -> str:
        if not _RESULT.search(code):
            return NO_RESULT
        made = self.kernel.build(code, timeout_s=self._build_s)
        if made.brep is None:
            return f"error: {made.error}"
        try:
            shape = self.kernel.measure(made.brep)
        except ShapeError as error:
            return f"error: not kept, because this is no valid part: {error}"
        self._program, self._brep = code, made.brep
        return built(shape)

    def _handed_in(self, call: ToolCall) -> str:
        return self._program

    def _found(self, task: Task, program: str) -> Found:
        """Return how a program's shape compares; what was built in this episode is not built again."""
        if not program:
            return compare(self.kernel, task, None)
        if self._brep is not None and program == self._program:
            return compare(self.kernel, task, self._brep)
        made = self.kernel.build(program, timeout_s=self._build_s)
        return compare(self.kernel, task, made.brep, made.error)

    def _pay(self, text: str, verdict: Verdict) -> Mapping[str, float]:
        if self.reward == "exact":
            return super()._pay(text, verdict)
        found = self._found(self.task, text)
        return found.parts(self.weights) if self.reward == "graded" else {self.reward: self._paid_by_others(found)}

    def _paid_by_others(self, found: Found) -> float:
        made = found.made
        if self.reward == "cad_rl":
            return cad_rl(made, self._evaluation)
        if self.reward == "cadrille":
            return cadrille(made)
        if self.reward == "cad_coder":
            return cad_coder(made, reference(self.kernel, self.task).extent)
        return 0.0 if made is None else bench_cad(made, found.free) if found.free else gain_over(made.iou, made.iou_box)

    def _potential(self) -> float:
        if self._brep is None:
            return 0.0
        found = self._found(self.task, self._program)
        if found.made is None:
            return 0.0
        return gain_over(found.made.iou, found.made.iou_box if found.free is None else found.free.iou)

    # -- state -------------------------------------------------------------------------------

    def _dump(self) -> Json:
        return {"program": self._program}

    def _load(self, state: Json) -> None:
        self._program, self._picture = str(state["program"]), None

    def _blobs(self) -> dict[str, Blob]:
        return {} if self._brep is None else {"shape": self._brep}

    def _load_blobs(self, blobs: Mapping[str, Blob]) -> None:
        shape = blobs.get("shape")
        if bool(self._program) != isinstance(shape, bytes):
            raise ValueError("a program that was built comes with its shape")
        self._brep = shape if isinstance(shape, bytes) else None

    def _image(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | str:
        return pixels if self._images == "array" else f"data:image/png;base64,{b64encode(png(pixels)).decode()}"

    def _info(self, parts: Mapping[str, float], error: str) -> dict[str, Any]:
        info = super()._info(parts, error)
        if self._picture is not None:
            info["picture"] = self._image(self._picture)
        return info


class CadDimsEnv(CadEnv):
    """Parts given as a table of dimensions; see `CadEnv`."""

    env_id: ClassVar[str] = "palestra/CadDims-v0"
    mode: ClassVar[Mode] = "dims"


class CadEditEnv(CadEnv):
    """A given part that is to be changed; see `CadEnv`. What the given part is worth already is not paid."""

    env_id: ClassVar[str] = "palestra/CadEdit-v0"
    mode: ClassVar[Mode] = "edit"


class CadRepairEnv(CadEnv):
    """A program that does not build, or builds something else than is described, to be mended; see `CadEnv`."""

    env_id: ClassVar[str] = "palestra/CadRepair-v0"
    mode: ClassVar[Mode] = "repair"


class CadImageEnv(CadEnv):
    """Parts shown in views with dimensions; see `CadEnv`.

    The views are in ``info["views"]`` of `reset`, 384 by 2688: the six sides and isometric, side by side, in the
    order of `records.VIEWS`; `sheet` returns them at any time.
    """

    env_id: ClassVar[str] = "palestra/CadImage-v0"
    mode: ClassVar[Mode] = "image"

    _sheet: tuple[bytes, NDArray[np.uint8]] | None = None  # the views drawn last, and the shape that they are of

    def sheet(self) -> NDArray[np.uint8]:
        """Return the views of the part that is wanted, (384, 2688, 3).

        Raises:
            VerifierError: the reference cannot be built.
            InfraError: the kernel failed.
        """
        brep = reference(self.kernel, self.task).wanted.brep
        if self._sheet is None or self._sheet[0] != brep:
            self._sheet = brep, self._drawn(brep, SHEET, SHEET_PIXELS)
        return self._sheet[1].copy()

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin an episode as any environment does, and draw the views."""
        observation, info = super().reset(seed=seed, options=options)
        with self._lost_on_failure():
            info["views"] = self._image(self.sheet())
        return observation, info


@functools.cache
def shared_kernel(sandbox: str = "native", *, unsafe: bool = False) -> Kernel:
    """Return the kernel of this process, with a memory in front of it.

    Raises:
        InfraError: what it needs is not installed; the message says what to do.
    """
    if importlib.util.find_spec("cadquery") is None:
        raise PermanentInfraError("CAD tasks need the package cadquery; install it with: pip install 'palestra[cad]'")
    from palestra.envs.cad.kernel import kernel_for

    return KnownKernel(kernel_for(sandbox, unsafe=unsafe))


os.register_at_fork(after_in_child=shared_kernel.cache_clear)
