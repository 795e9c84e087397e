"""An honest environment of many turns and writes: three requests, each told when the one before it is done."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from tests.envs.flawed.corpus import Tasks

from palestra.envs.actions import Action, ToolCall, call_text, function_tool
from palestra.envs.base import Budget, Json, Split, Task, copy_json
from palestra.envs.env import AgentEnv, StepResult

TEXT = {"type": "string"}
TOOLS = (
    function_tool("read", "Return what is noted for a day.", {"day": TEXT}),
    function_tool("note", "Note something for a day.", {"day": TEXT, "text": TEXT}),
    function_tool("strike", "Strike out what is noted for a day.", {"day": TEXT}),
    function_tool("ready", "Say that the request is carried out; the next one follows.", {}),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
THINGS: dict[Split, tuple[str, ...]] = {
    "train": ("milk", "rent", "choir", "dentist", "chess", "laundry", "mail"),
    "heldout": ("garden", "piano", "taxes", "swim", "bakery", "sauna", "bank"),
}
Pages = dict[str, list[str]]


class DiaryTasks(Tasks):
    """Note something, copy something, strike something."""

    family = "diary"

    def make(self, seed: int, draw: Random) -> Task:
        one, two, three, four = draw.sample(DAYS, 4)
        there, gone, new = draw.sample(THINGS[self.split], 3)
        start: Pages = {day: [] for day in DAYS} | {two: [there], four: [gone]}
        requests = [
            (f"Note {new} for {one}.", [("note", {"day": one, "text": new})]),
            (
                f"What is noted for {two}, note it for {three} as well.",
                [("read", {"day": two}), ("note", {"day": three, "text": there})],
            ),
            (f"Strike out {four}.", [("strike", {"day": four})]),
        ]
        wanted = [start | {one: [new]}]
        wanted += [wanted[0] | {three: [there]}]
        wanted += [wanted[1] | {four: []}]
        return Task(
            id=f"diary/{self.split}/{seed}",
            family="diary",
            seed=seed,
            instruction=requests[0][0],
            tools=TOOLS,
            budget=Budget(turns=12),
            hidden={"start": start, "requests": [list(request) for request in requests], "wanted": wanted},
        )


class Diary(AgentEnv):
    """The honest one."""

    env_id: ClassVar[str] = "flawed/Diary-v0"
    source: ClassVar[type[Tasks]] = DiaryTasks
    pages: Pages
    request = 0
    faultless = True

    def _source(self, split: Split) -> Tasks:
        return self.source(split)

    def _begin(self, task: Task) -> None:
        self.pages, self.request, self.faultless = copy_json(task.hidden["start"]), 0, True

    def _act(self, action: Action) -> StepResult:
        if not action.calls:
            return StepResult(replies=("call a tool",))
        replies = [self.reply(call) for call in action.calls]
        won = self.over() and self.faultless
        return StepResult(replies=tuple(replies), parts=self.pay(won), done=self.over(), is_success=won)

    def reply(self, call: ToolCall) -> str:
        if self.over():
            return ""
        if call.name == "ready":
            self.faultless &= self.is_right()
            self.request += 1
            return "thank you" if self.over() else self.task.hidden["requests"][self.request][0]
        day = call.arguments["day"]
        if day not in self.pages:
            return "error: there is no such day"
        if call.name == "note":
            self.pages[day].append(call.arguments["text"])
        elif call.name == "strike":
            self.pages[day].clear()
        return "; ".join(self.pages[day]) or "nothing"

    def over(self) -> bool:
        return self.request == len(self.task.hidden["requests"])

    def is_right(self) -> bool:
        return bool(self.pages == self.task.hidden["wanted"][self.request])

    def pay(self, won: bool) -> dict[str, float]:
        return {"outcome": float(won)}

    def _potential(self) -> float:
        return self.request / 4 if self.faultless else 0.0

    def _dump(self) -> Json:
        return {"pages": self.pages, "request": self.request, "faultless": self.faultless}

    def _load(self, state: Json) -> None:
        self.pages, self.request, self.faultless = state["pages"], state["request"], state["faultless"]

    def oracle(self) -> Iterator[str]:
        for _, calls in self.task.hidden["requests"]:
            for name, arguments in calls:
                yield call_text(name, arguments)
            yield call_text("ready", {})
