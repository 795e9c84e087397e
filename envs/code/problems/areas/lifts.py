"""Problems about a lift that is moved by events."""

from typing import Any

from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Gives, Parts, archetype, code


@archetype("state_machines")
def lift(c: Choices) -> Parts:
    """A door or lift controller by events, with a clock."""
    floors = int(c.pick("floors", ("3", "5")))
    top = c.pick("at the end", ("stays", "turns", "wraps"))
    halt = c.pick("stop", ("locks", "toggles"))
    objective = c.pick("objective", ("floor", "trips", "visits", "blocked", "trace"))
    k = c.constant("k", (1, 2), (2, 3))
    beyond = {
        "stays": "blocked += 1",
        "turns": "blocked += 1\nway = 0 - way",
        "wraps": f"blocked += 1\nfloor = next % {floors}\ntrips += 1\nvisits[floor] += 1",
    }[top]
    stop = {"locks": "is_locked = True", "toggles": "is_locked = not is_locked"}[halt]
    end = {"floor": "floor", "trips": "trips", "visits": "visits", "blocked": "blocked", "trace": "trace"}[objective]
    gives: Gives = {"visits": "ints", "trace": "text"}.get(objective, "int")  # type: ignore[assignment]
    solve = code(
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
            next = floor + way * (<k> if event == "f" else 1)
            if next >= 0 and next < <floors>:
                floor = next
                trips += 1
                visits[floor] += 1
            else:
                <beyond>
        trace = trace + str(floor)
    return <end>
""".replace("next", "goal"),
        type={"ints": "list[int]", "text": "str", "int": "int"}[gives],
        floors=str(floors),
        stop=stop,
        k=str(k),
        beyond=beyond.replace("next", "goal"),
        end=end,
    )

    def law(s: str) -> Any:
        trace, moves, blocked, way, locked = [0], list[int](), 0, 1, False
        for event in s:
            here = trace[-1]
            if event in "sr":
                locked = event == "s" and (halt == "locks" or not locked)
            elif locked:
                blocked += 1
            elif event == "t":
                way = -way
            else:
                there = here + (k if event == "f" else 1) * way
                if there not in range(floors):
                    blocked += 1
                    way = -way if top == "turns" else way
                    there = there % floors if top == "wraps" else None  # type: ignore[assignment]
                if there is not None:
                    moves.append(there)
                    here = there
            trace.append(here)
        return {
            "floor": trace[-1],
            "trips": len(moves),
            "visits": [moves.count(one) for one in range(floors)],
            "blocked": blocked,
        }.get(objective, "".join(map(str, trace[1:])))

    beyond_words = {
        "stays": "it stays where it is, which counts as blocked",
        "turns": "it stays where it is, which counts as blocked, and its direction turns",
        "wraps": f"it counts as blocked, but the lift goes to that number modulo {floors} (as if floor 0 came after "
        "the top, and the "
        "top before floor 0)",
    }[top]
    stops = {"locks": "s locks it (also if it is locked)", "toggles": "s locks it, or unlocks it if it is locked"}[halt]
    asked = {
        "floor": "the floor at the end",
        "trips": "how many moves were made",
        "blocked": "how often something was blocked",
        "visits": f"for each floor from 0 to {floors - 1} how many moves ended there",
        "trace": "the floor after each event, one digit after the other",
    }[objective]
    return Parts(
        story=f"A lift has the floors 0 to {floors - 1}; it starts on floor 0, unlocked, and its direction is up. "
        "Events are letters: "
        f"m moves it one floor in its direction, f moves it {k} floor{'s' * (k > 1)} in its direction, t turns its "
        f"direction; {stops}; "
        "r unlocks it. While it is locked, m, f and t do nothing but count as blocked. If a move would leave the "
        "floors, "
        f"{beyond_words}. The result is {asked}.",
        fields=(Field(name="s", sort="text", what="the events", letters="mftsr", scale=2),),
        gives=gives,
        solve=solve,
        law=law,
    )
