"""Problems about a lift that is moved by events."""

from typing import Any

from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Gives, archetype


@archetype("state_machines", "lift")
class Lift(Archetype):
    """A door or lift controller by events, with a clock."""

    def __init__(self, c: Choices) -> None:
        self.floors = int(c.pick("floors", ("3", "5")))
        self.top = c.pick("at the end", ("stays", "turns", "wraps"))
        self.halt = c.pick("stop", ("locks", "toggles"))
        self.objective = c.pick("objective", ("floor", "trips", "visits", "blocked", "trace"))
        self.k = c.constant("k", (1, 2), (2, 3))
        kinds: dict[str, Gives] = {"visits": "ints", "trace": "text"}
        self.gives = kinds.get(self.objective, "int")
        self.fields = (Field(name="s", sort="text", what="the events", letters="mftsr", scale=2),)

    def story(self) -> str:
        beyond_words = {
            "stays": "it stays where it is, which counts as blocked",
            "turns": "it stays where it is, which counts as blocked, and its direction turns",
            "wraps": f"it counts as blocked, but the lift goes to that number modulo {self.floors} (as if floor 0 "
            "came after the top, and the top before floor 0)",
        }[self.top]
        stops = {"locks": "s locks it (also if it is locked)", "toggles": "s locks it, or unlocks it if it is locked"}[
            self.halt
        ]
        asked = {
            "floor": "the floor at the end",
            "trips": "how many moves were made",
            "blocked": "how often something was blocked",
            "visits": f"for each floor from 0 to {self.floors - 1} how many moves ended there",
            "trace": "the floor after each event, one digit after the other",
        }[self.objective]
        return (
            f"A lift has the floors 0 to {self.floors - 1}; it starts on floor 0, unlocked, and its direction is up. "
            f"Events are letters: m moves it one floor in its direction, f moves it {self.k} floor{'s' * (self.k > 1)} "
            f"in its direction, t turns its direction; {stops}; r unlocks it. While it is locked, m, f and t do "
            f"nothing but count as blocked. If a move would leave the floors, {beyond_words}. The result is {asked}."
        )

    def solve(self) -> str:
        beyond = {
            "stays": "blocked += 1",
            "turns": "blocked += 1\nway = 0 - way",
            "wraps": f"blocked += 1\nfloor = goal % {self.floors}\ntrips += 1\nvisits[floor] += 1",
        }[self.top]
        stop = {"locks": "is_locked = True", "toggles": "is_locked = not is_locked"}[self.halt]
        end = {"floor": "floor", "trips": "trips", "visits": "visits", "blocked": "blocked", "trace": "trace"}[
            self.objective
        ]
        return self.code(
            """
def solve(s: str) -> <type>:
    floor = 0
    way = 1
    trips = 0
    blocked = 0
    is_locked = False
    visits = [0] * <floors>
    trace = ""
    for event in s:
        if event == "s":
            <stop>
        elif event == "r":
            is_locked = False
        elif is_locked:
            blocked += 1
        elif event == "t":
            way = 0 - way
        else:
            goal = floor + way * (<k> if event == "f" else 1)
            if goal >= 0 and goal < <floors>:
                floor = goal
                trips += 1
                visits[floor] += 1
            else:
                <beyond>
        trace = trace + str(floor)
    return <end>
""",
            floors=str(self.floors),
            stop=stop,
            k=str(self.k),
            beyond=beyond,
            end=end,
        )

    def law(self, s: str) -> Any:
        trace, moves, blocked, way, locked = [0], list[int](), 0, 1, False
        for event in s:
            here = trace[-1]
            if event in "sr":
                locked = event == "s" and (self.halt == "locks" or not locked)
            elif locked:
                blocked += 1
            elif event == "t":
                way = -way
            else:
                there = here + (self.k if event == "f" else 1) * way
                if there not in range(self.floors):
                    blocked += 1
                    way = -way if self.top == "turns" else way
                    there = there % self.floors if self.top == "wraps" else None  # type: ignore[assignment]
                if there is not None:
                    moves.append(there)
                    here = there
            trace.append(here)
        return {
            "floor": trace[-1],
            "trips": len(moves),
            "visits": [moves.count(one) for one in range(self.floors)],
            "blocked": blocked,
        }.get(self.objective, "".join(map(str, trace[1:])))
