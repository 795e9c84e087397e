"""Problems about machines with states: transition tables, vending machines, locks."""

from typing import Any, Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Gives, Parts, archetype, code

STATES: Final = "PQRS"


@archetype("state_machines")
def transducer(c: Choices) -> Parts:
    """A machine by a random transition table."""
    count = int(c.pick("states", ("2", "3", "4")))
    symbols = "xyz"[: int(c.pick("symbols", ("2", "3")))]
    unknown = c.pick("undefined", ("ignored", "reset", "stops"))
    objective = c.pick("objective", ("final", "output", "visits", "path", "accepted", "ignored"))
    writes = c.pick("writes", ("on moves", "on changes"))
    names = STATES[:count]
    table: dict[tuple[str, str], tuple[str, str]] = {}
    for state in names:
        for symbol in symbols:
            to = c.constant(f"{state}{symbol}", names + names[:1] + "-", names[::-1] + "-")
            to = to if to in names or to == "-" else names[0]
            out = c.constant(f"{state}{symbol} writes", ("a", "b", "c", "ab"), ("d", "e", "f", "de"))
            if to != "-":
                table[state, symbol] = (to, out)
    goal = c.constant("goal", names[-1:], names[-1:])
    goal = goal if goal in names else names[-1]
    cases = ""
    for (state, symbol), (to, out) in table.items():
        cases += f'if state == "{state}" and symbol == "{symbol}":\n    to = "{to}"\n    out = "{out}"\n'
    missing = {
        "ignored": "to = state\nmissed += 1",
        "reset": f'to = "{names[0]}"\nmissed += 1',
        "stops": "missed += 1\nbreak",
    }[unknown]
    end = {
        "final": "return state",
        "output": "return written",
        "visits": "return visits",
        "path": "return path",
        "accepted": f'return 1 if state == "{goal}" else 0',
        "ignored": "return missed",
    }[objective]
    gives: Gives = {"final": "text", "output": "text", "path": "text"}.get(objective, "int")  # type: ignore[assignment]
    solve = code(
        """
def solve(s: str) -> <type>:
    state = "<first>"
    written = ""
    path = "<first>"
    visits = 0
    missed = 0
    for symbol in s:
        to = ""
        out = ""
        <cases>
        if to == "":
            <missing>
        if <writes>:
            written = written + out
        state = to
        path = path + state
        if state == "<goal>":
            visits += 1
    <end>
""",
        type="str" if gives == "text" else "int",
        first=names[0],
        cases=cases,
        missing=missing,
        writes="True" if writes == "on moves" else "to != state",
        goal=goal,
        end=end,
    )

    def law(s: str) -> Any:
        path, written, missed = [names[0]], list[str](), 0
        for symbol in s:
            if (path[-1], symbol) not in table:
                missed += 1
                if unknown == "stops":
                    break
                path.append(path[-1] if unknown == "ignored" else names[0])
                continue
            to, out = table[path[-1], symbol]
            if writes == "on moves" or to != path[-1]:
                written.append(out)
            path.append(to)
        return {
            "final": path[-1],
            "output": "".join(written),
            "visits": path[1:].count(goal),
            "path": "".join(path),
            "accepted": int(path[-1] == goal),
        }.get(objective, missed)

    rows = [f"- in {state}, {symbol}: goes to {to} and writes {out}" for (state, symbol), (to, out) in table.items()]
    gaps = [f"{state} {symbol}" for state in names for symbol in symbols if (state, symbol) not in table]
    rule = {
        "ignored": "the machine stays in its state and writes nothing",
        "reset": f"the machine goes to {names[0]} and writes nothing",
        "stops": "the machine stops in its state, and the rest of the input is not read",
    }[unknown]
    missing_words = f" Where there is no rule (in the combinations {', '.join(gaps)}), {rule}." if gaps else ""
    only = (
        "" if writes == "on moves" else " A rule that goes to the state in which the machine is already writes nothing."
    )
    asked = {
        "final": "the state at the end",
        "output": "everything that was written, one after the other",
        "visits": f"how many symbols led to the state {goal} (also from itself); the start does not count",
        "path": f"the states one after the other, beginning with {names[0]}, one more for each symbol that led to a "
        "state "
        "(the same or another)",
        "accepted": f"1 if the machine is in {goal} at the end, else 0",
        "ignored": "for how many symbols there was no rule",
    }[objective]
    return Parts(
        story=f"A machine starts in the state {names[0]} and reads the symbols of a text one after the other:\n"
        + "\n".join(rows)
        + f"\n{only.strip()}{missing_words}\nThe result is {asked}.",
        fields=(Field(name="s", sort="text", what="the text", letters=symbols, scale=2),),
        gives=gives,
        solve=solve,
        law=law,
    )


@archetype("state_machines")
def vending(c: Choices) -> Parts:
    """A machine that takes coins and gives goods."""
    over = c.pick("change", ("returned", "kept as credit", "lost"))
    cancel = c.pick("cancel", ("returns credit", "ignored"))
    stock = c.pick("stock", ("endless", "limited"))
    short = c.pick("too little", ("nothing", "credit lost"))
    output = c.pick("output", ("log", "sold", "cash", "returned", "credit"))
    price = c.constant("price", (3, 5), (4, 6))
    goods = c.constant("goods", (2, 3), (1, 4))
    coins = c.constant("coins", ("1 2 5",), ("1 3 4",))
    known = tuple(map(int, str(coins).split()))
    after = {
        "returned": "back += credit - price\ncredit = 0",
        "kept as credit": "credit -= price",
        "lost": "credit = 0",
    }[over]
    gives: Gives = "words" if output == "log" else "int"
    end = {"log": "log", "sold": "sold", "cash": "taken - back", "returned": "back", "credit": "credit"}[output]
    solve = code(
        """
def solve(lines: list[str]) -> <type>:
    price = <price>
    credit = 0
    sold = 0
    taken = 0
    back = 0
    log: list[str] = []
    for line in lines:
        words = line.split()
        if words[0] == "coin":
            value = int(words[1])
            if <known>:
                credit += value
                taken += value
                log.append("ok")
            else:
                log.append("bad")
        elif words[0] == "cancel":
            <cancel>
            log.append(str(credit))
        elif <empty>:
            log.append("empty")
        elif credit < price:
            log.append("short")
            <short>
        else:
            sold += 1
            <after>
            log.append("sold")
    return <end>
""",
        type="int" if gives == "int" else "list[str]",
        price=str(price),
        known=" or ".join(f"value == {coin}" for coin in known),
        cancel="back += credit\ncredit = 0" if cancel == "returns credit" else "",
        empty="False" if stock == "endless" else f"sold >= {goods}",
        short="credit = 0" if short == "credit lost" else "",
        after=after,
        end=end,
    )

    def law(lines: list[str]) -> Any:
        def go(credit: int, left: list[str], log: tuple[str, ...], paid: int, back: int) -> Any:
            if not left:
                return {"log": list(log), "sold": log.count("sold"), "cash": paid - back, "returned": back}.get(
                    output, credit
                )
            kind, *rest = left[0].split()
            later = left[1:]
            if kind == "coin":
                value = int(rest[0])
                if value not in known:
                    return go(credit, later, (*log, "bad"), paid, back)
                return go(credit + value, later, (*log, "ok"), paid + value, back)
            if kind == "cancel":
                out = credit if cancel == "returns credit" else 0
                return go(credit - out, later, (*log, str(credit - out)), paid, back + out)
            if stock == "limited" and log.count("sold") >= goods:
                return go(credit, later, (*log, "empty"), paid, back)
            if credit < price:
                return go(credit if short == "nothing" else 0, later, (*log, "short"), paid, back)
            rest_credit = credit - price
            change = rest_credit if over == "returned" else 0
            return go(rest_credit if over == "kept as credit" else 0, later, (*log, "sold"), paid, back + change)

        return go(0, lines, (), 0, 0)

    def draw(draws: Draws, size: int) -> tuple[list[str]]:
        made = []
        for _ in range(draws.between(0, size)):
            roll = draws.between(0, 9)
            coin = draws.pick(known) if roll < 5 else draws.between(1, 9)
            made.append(f"coin {coin}" if roll < 6 else "buy" if roll < 9 else "cancel")
        return (made,)

    top = f"coin {max(known)}"
    rules = [
        f"coin A: a coin of value A (an integer) is put in. Only the values {', '.join(map(str, known))} are taken: "
        "then the credit "
        "grows by A, and ok is logged. Any other coin falls through: bad is logged, nothing else happens.",
        "buy: "
        + (
            f"If {goods} pieces were sold, empty is logged, and that is all. Otherwise, if"
            if stock == "limited"
            else "If"
        )
        + f" the credit is less than the price {price}, short is logged"
        + (" and the credit is lost (it becomes 0)." if short == "credit lost" else ".")
        + " Otherwise a piece is sold, and sold is logged; what the credit was more than the price "
        + {
            "returned": "is returned as change, and the credit becomes 0.",
            "kept as credit": "stays as credit.",
            "lost": "is lost: the credit becomes 0.",
        }[over],
        "cancel: "
        + (
            "the whole credit is returned (the credit becomes 0), "
            if cancel == "returns credit"
            else "nothing is returned, "
        )
        + "and the credit that there is afterwards is logged.",
    ]
    asked = {
        "log": "the log, an entry for each command",
        "sold": "how many pieces were sold",
        "cash": "the sum of all coins that were taken minus everything that was returned",
        "returned": "the sum of everything that was returned",
        "credit": "the credit at the end",
    }[output]
    return Parts(
        story="A vending machine starts with credit 0 and gets commands:\n"
        + "\n".join(f"- {rule}" for rule in rules)
        + f"\nThe result is {asked}.",
        fields=(Field(name="lines", sort="lines", what="the commands", shape="coin A (A from 1 to 9), buy or cancel"),),
        gives=gives,
        solve=solve,
        law=law,
        draw=draw,
        corners=(
            ("no commands", ([],)),
            ("buy at once", (["buy"],)),
            ("cancel at once", (["cancel"],)),
            ("exact", ([f"coin {known[1]}", f"coin {price - known[1]}", "coin 1", "coin 1", "buy"],)),
            ("too much", ([top, top, "buy", "buy"],)),
            ("a bad coin", (["coin 9", top, "buy", "cancel"],)),
        ),
    )


@archetype("state_machines")
def lock(c: Choices) -> Parts:
    """A lock that waits for a sequence of keys."""
    size = int(c.pick("length", ("2", "3")))
    wrong = c.pick("wrong key", ("starts anew", "is forgiven", "may begin anew"))
    opened = c.pick("after opening", ("closes", "stays open", "sleeps"))
    objective = c.pick("objective", ("openings", "places", "state", "longest"))
    alarm = c.pick("alarm", ("none", "after mistakes"))
    keys = c.constant("keys", ("aab", "aba", "bba", "abb"), ("bab", "bbc", "cab"))
    secret = str(keys)[:size]
    k = c.constant("k", (2, 3), (1, 4))
    done = {"closes": "place = 0", "stays open": "break", "sleeps": f"place = 0\nsleep = {k}"}[opened]
    anew = {
        "starts anew": "place = 0",
        "is forgiven": "",
        "may begin anew": f'place = 1 if key == "{secret[0]}" else 0',
    }[wrong]
    bad = f"mistakes += 1\nif mistakes >= {k + 1}:\n    is_dead = True" if alarm != "none" else ""
    end = {"openings": "len(places)", "places": "places", "state": "place", "longest": "longest"}[objective]
    gives: Gives = "ints" if objective == "places" else "int"
    solve = code(
        """
def solve(s: str) -> <type>:
    secret = "<secret>"
    place = 0
    sleep = 0
    mistakes = 0
    longest = 0
    is_dead = False
    places: list[int] = []
    for i in range(len(s)):
        key = s[i]
        if sleep > 0:
            sleep -= 1
            continue
        if is_dead:
            continue
        if key == secret[place]:
            place += 1
            longest = max(longest, place)
        <otherwise>
        if place == len(secret):
            places.append(i + 1)
            mistakes = 0
            <done>
    return <end>
""",
        type="list[int]" if gives == "ints" else "int",
        secret=secret,
        otherwise=code("else:\n    <both>", both=f"{bad}\n{anew}".strip("\n")) if bad or anew else "",
        done=done,
        end=end,
    )

    def law(s: str) -> Any:
        places, typed, asleep, mistakes, longest = list[int](), "", 0, 0, 0
        for number, key in enumerate(s, start=1):
            if asleep >= number or (alarm != "none" and mistakes > k):
                continue
            if secret.startswith(typed + key):
                typed += key
            else:
                mistakes += 1
                fresh = key if wrong == "may begin anew" and secret.startswith(key) else ""
                typed = typed if wrong == "is forgiven" else fresh
            longest = max(longest, len(typed)) if secret.startswith(typed) else longest
            if typed == secret:
                places.append(number)
                mistakes = 0
                if opened == "stays open":
                    break
                typed, asleep = "", number + k if opened == "sleeps" else 0
        return {"openings": len(places), "places": places, "state": len(typed)}.get(objective, longest)

    wrongs = {
        "starts anew": "the sequence has to be typed from its start again (the wrong key does not count as its first)",
        "is forgiven": "nothing is lost: the same key is still waited for",
        "may begin anew": "the sequence has to be typed from its start again, where the wrong key itself "
        "already counts if it "
        f"is {secret[0]}",
    }[wrong]
    then = {
        "closes": "It closes at once, and the sequence can be typed again.",
        "stays open": "No further key is looked at.",
        "sleeps": f"It closes at once and sleeps for the next {k} keys, which do nothing; then the sequence can "
        "be typed again.",
    }[opened]
    alarms = (
        ""
        if alarm == "none"
        else (
            f" With the {k + 1}. wrong key since the start or the last opening an alarm begins: that wrong key "
            "still has its effect, but no later key is looked at."
        )
    )
    progress = "how many keys of the sequence are typed in a row and count at the end"
    asked = {
        "openings": "how often the lock opens",
        "places": "the positions of the keys that open the lock, the first key being 1",
        "state": f"{progress} (0 to {size - 1 if opened != 'stays open' else size})",
        "longest": f"the greatest number of keys of the sequence that ever counted at once (0 to {size})",
    }[objective]
    return Parts(
        story=f"A lock opens when the sequence {secret} is typed, key by key. After a wrong key {wrongs}.{alarms} "
        "When the lock opens: "
        f"{then} The result is {asked}.",
        fields=(Field(name="s", sort="text", what="the keys that are typed", letters="abc", scale=3),),
        gives=gives,
        solve=solve,
        law=law,
        corners=(),
    )
