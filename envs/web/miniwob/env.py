"""`palestra/MiniWob-<page>-v0`: the small pages of MiniWoB++ in a real browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final, Literal, Unpack, get_args

from palestra.envs.actions import Action
from palestra.envs.base import Json, Split, Task, TaskSource
from palestra.envs.env import MAX_OBSERVATION_CHARS, AgentEnv, EnvOptions, StepResult
from palestra.envs.web.actions import read_call
from palestra.envs.web.driver import Pixels
from palestra.envs.web.miniwob.generate import MiniWobTasks, play_in
from palestra.envs.web.miniwob.names import ENOUGH, FULL_MARKS, PAGES, class_name, env_id
from palestra.envs.web.miniwob.oracle import solve
from palestra.envs.web.miniwob.stage import Stage, give_back, take
from palestra.envs.web.png import pixels

TOO_MANY: Final = "error: not done; one action a turn is carried out"
Observe = Literal["axtree", "elements", "screenshot"]
Pay = Literal["raw", "decayed", "success"]


class MiniWobEnv(AgentEnv):
    """One page of MiniWoB++: do what it says, by calls such as ``click('12')``; the page says when it is over.

    An episode can be forked at any moment: its state is its seed and the calls so far, which are made again in another
    browser page when that is acted in.

    Args:
        reward: "raw", the page's own reward, from -1 to 1, untouched by time; "decayed", what the page's decay by time
            leaves of it, counted in the page's own time; "success", 1 if the page gives full marks, else 0.
        observe: "axtree", the accessibility tree; "elements", every visible element with its place and colours;
            "screenshot", the tree, and the page as a picture in ``info["screenshot"]``.
        options: see `AgentEnv`; ``render_mode`` may be "rgb_array", too.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 1}  # type: ignore[misc]
    page: ClassVar[str]
    system_prompt: ClassVar[str] = (
        "You act on a web page, one call a turn, such as click('3') or fill('4', 'text'). "
        "Ids stand in brackets before elements. The episode ends when the page says so."
    )

    def __init__(self, *, reward: Pay = "raw", observe: Observe = "axtree", **options: Unpack[EnvOptions]) -> None:
        if reward not in get_args(Pay):
            raise ValueError(f"reward must be one of {', '.join(get_args(Pay))}, not {reward!r}")
        if observe not in get_args(Observe):
            raise ValueError(f"observe must be one of {', '.join(get_args(Observe))}, not {observe!r}")
        is_drawn = options.get("render_mode") == "rgb_array"
        if is_drawn:
            options["render_mode"] = None  # of which the base knows nothing
        super().__init__(**options)
        self.render_mode = "rgb_array" if is_drawn else self.render_mode
        self.reward: Pay = reward
        self.observe: Observe = observe
        self._calls: list[Json] = []  # of the episode so far, as name and arguments
        self._stage: Stage | None = None  # None: nobody has looked since the episode was restored

    def close(self) -> None:
        self._leave()

    def oracle(self) -> Iterator[str]:
        return solve(play_in(self.task))

    def render(self) -> Any:
        """Return the conversation as text ("ansi"), or the page as a picture ("rgb_array")."""
        return self.picture() if self.render_mode == "rgb_array" and self._task is not None else super().render()

    def picture(self) -> Pixels:
        """Return what the page looks like now, (210, 160, 3).

        Raises:
            EpisodeOver: there is no episode.
            InfraError: the browser failed.
        """
        stage = self._standing(self.task)
        with self._kept():
            return pixels(stage.screenshot())

    # -- what a family says ------------------------------------------------------------------------

    def _source(self, split: Split) -> TaskSource:
        return MiniWobTasks(self.page, split)

    def _begin(self, task: Task) -> None:
        self._leave()
        self._calls = []
        shown = self._shown(self._standing(task))
        self._messages[-1] = {"role": "user", "content": f"{task.instruction}\n\n{shown}"}

    def _first_observation(self) -> str:
        told = super()._first_observation()
        return f"{told}\n\n{self._shown(self._standing(self.task))}"[:MAX_OBSERVATION_CHARS]

    def _act(self, action: Action) -> StepResult:
        if len(action.calls) > 1:
            return StepResult(replies=(TOO_MANY,) * len(action.calls))
        read = read_call(action, self._tools())
        if read.error:
            return StepResult(replies=(self._shown(self._standing(self.task), read.error),))
        [call] = read.calls
        stage = self._standing(self.task)
        self._calls = [*self._calls, [call.name, call.arguments]]
        with self._kept():
            why = stage.do(call.name, call.arguments)
        if stage.end is None:
            return StepResult(replies=(self._shown(stage, why),))
        is_success = stage.end.reward >= ENOUGH.get(play_in(self.task).page, FULL_MARKS)
        told = f"The page has ended with a reward of {stage.end.reward:g}."
        paid = {"raw": stage.end.reward, "decayed": stage.end.reward * stage.end.share, "success": float(is_success)}
        return StepResult(replies=(told,), parts={"page": paid[self.reward]}, done=True, is_success=is_success)

    def _dump(self) -> Json:
        return {"calls": self._calls}

    def _load(self, state: Json) -> None:
        calls = state["calls"]
        if not all(isinstance(call, list) and len(call) == 2 for call in calls):
            raise ValueError(f"no calls: {calls!r:.80}")
        self._leave()
        self._calls = calls

    def _info(self, *given: Any, **named: Any) -> dict[str, Any]:
        info = super()._info(*given, **named)
        if self.observe == "screenshot":
            info["screenshot"] = self.picture()
        return info

    # -- inner parts -------------------------------------------------------------------------------

    def _shown(self, stage: Stage, error: str = "") -> str:
        page = stage.look.elements if self.observe == "elements" else stage.look.tree
        return f"Error of the last action: {error}\n{page}" if error else page

    def _standing(self, task: Task) -> Stage:
        """Return a stage on which the episode stands where it does, playing it up to there if there is none."""
        if self._stage is None:
            self._stage = take(play_in(task))
            with self._kept():
                for name, arguments in self._calls:
                    self._stage.do(name, arguments)
        return self._stage

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """Keep the stage only if what is done with it goes well."""
        try:
            yield
        except BaseException:
            if self._stage is not None:
                self._stage.close()
            self._stage = None
            raise

    def _leave(self) -> None:
        if self._stage is not None:
            give_back(self._stage)
        self._stage = None


for _page in PAGES:  # each with a class of its own, so that it has a name of its own
    _told = {"page": _page, "env_id": env_id(_page), "__module__": __name__, "__doc__": f"The page {_page!r}."}
    globals()[class_name(_page)] = type(class_name(_page), (MiniWobEnv,), _told)
