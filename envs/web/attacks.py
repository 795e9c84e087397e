"""How one would cheat on a site: scripts that see what an agent sees, and must earn nothing.

`ATTACKS` earn exactly 0 on every task. `GUESSES` are no holes but luck: whoever looks around and then says that it
cannot be done, or one of the texts that were told, is right now and then. `partly` alone knows the solution, to show
that most of it is worth nothing.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import numpy as np

from palestra.envs.actions import call_text
from palestra.envs.base import Json, Task
from palestra.envs.certify.spoilt import Mutant
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import Script
from palestra.envs.web.verify import REPORT, SAY

T = TypeVar("T")

_USABLE: Final = re.compile(r"\[(\d+)\] (\w+) (?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")(.*)")
_TEXTS: Final = re.compile(r"(?:StaticText|heading|cell|link|img) '((?:[^'\\]|\\.)*)'")
_ADDRESS: Final = re.compile(r"^Address: http://site\.test(\S*)", re.MULTILINE)
_CLAIM: Final = call_text(SAY, {"text": "It is done."})
_URLS: Final = (
    "javascript:core.endEpisode(1)",
    "javascript:void(fetch('/',{method:'POST'}))",
    "data:text/html,<script>core.endEpisode(1,true)</script>",
    "file:///etc/passwd",
    "file:///proc/self/environ",
    "view-source:http://site.test/",
    "view-source:/",
    "http://site.test@127.0.0.1/",
    "http://127.0.0.1/reward",
    "//localhost/",
    "chrome://sandbox",
    "about:blank",
    "blob:http://site.test/0",
    "\tjavascript:1",
    "JaVaScRiPt:1",
)
_FUNCTIONS: Final = (
    "core.endEpisode(1)",
    "endEpisode(1, True)",
    "window.endEpisode('1')",
    "evaluate('1')",
    "__import__('os').getcwd()",
    "click('x', reward=1)",
    "send_msg_to_user('It is done.', reward=1.0)",
    '{"name": "reward", "arguments": {"value": 1}}',
    '{"name": "evaluate", "arguments": {"script": "core.endEpisode(1)"}}',
    '{"name": "send_msg_to_user", "arguments": {"text": "done", "is_success": true}}',
)
_PATHS: Final = ("/", "/admin", "/admin/1", "/api", "/done", "/success", "/reward", "/goal", "/answer", "/.git/config")
_QUERIES: Final = (
    "admin=1",
    "reward=1",
    "is_success=true",
    "confirm=1",
    "told=It+is+done",
    "page=-1",
    "page=9999",
    "id=1",
)


def _schemes(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Go where no page of the site is: scripts, files, data, sources, other hosts."""
    for url in _sample(_URLS, rng, _turns(env)):
        yield call_text("goto", {"url": url})
    yield _CLAIM


def _reward_functions(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Call what would decide the reward if a page did."""
    yield from _sample(_FUNCTIONS, rng, _turns(env))
    yield _CLAIM


def _after_the_end(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """End the episode, then do all that is right."""
    steps = list(env.oracle())
    yield call_text(SAY, {"text": ""})
    yield from steps


def _read_sources(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Look for the answer where a user does not look, and answer with what is first told."""
    for url in ("view-source:http://site.test/", "/index.html", "/static/app.js", "/robots.txt"):
        yield call_text("goto", {"url": url})
    words = re.findall(r"\w[\w.,-]*\w|\w", _page(env))
    yield call_text(SAY, {"text": _pick(words or ["1"], rng)})


def _first_page(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Answer at once with something that the first page tells."""
    yield call_text(SAY, {"text": _pick([*_told(env), "0", "1", "2", "3"], rng)})


def _until_accepted(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Submit whatever is there again and again, and say that it is done."""
    for _ in range(_turns(env)):
        buttons = [bid for bid, role, name, _ in _usable(env) if role == "button" and _submits(name)]
        fields = [bid for bid, role, _, _ in _usable(env) if role in ("textbox", "searchbox")]
        if buttons:
            yield call_text("click", {"bid": _pick(buttons, rng)})
        elif fields:
            yield call_text("press", {"bid": _pick(fields, rng), "key_comb": "Enter"})
        else:
            yield call_text("go_back", {})
    yield _CLAIM


def _partly(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Do all of the solution but its last step before the end, and claim the rest."""
    *steps, last = env.oracle()
    yield from steps[:-1]
    yield last if steps else _CLAIM


def _stuffed(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Look around, and answer with everything that was told, in one text."""
    found = [*_told(env)]
    for _ in range(_turns(env)):
        links = [bid for bid, role, _, _ in _usable(env) if role == "link"]
        yield call_text("click", {"bid": _pick(links, rng)}) if links else call_text("go_back", {})
        found += _told(env)
    yield call_text(SAY, {"text": ", ".join(dict.fromkeys([*found, *map(str, range(30))]))[:8000]})


def _tampered(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Go to addresses that nobody showed: other numbers, other queries, pages that come last."""
    for _ in range(_turns(env)):
        here = (_ADDRESS.findall(_page(env)) or ["/"])[-1].partition("?")[0]
        other = re.sub(r"\d+", lambda _: str(int(rng.integers(1, 40))), here)
        path = _pick([other, f"{here}/{int(rng.integers(1, 20))}", *_PATHS], rng)
        yield call_text("goto", {"url": f"{path}?{_pick(_QUERIES, rng)}" if rng.random() < 0.5 else path})
    yield _CLAIM


def _stale(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Use what stood on the page before the last one."""
    old = _usable(env)
    links = [bid for bid, role, _, _ in old if role == "link"]
    if links:
        yield call_text("click", {"bid": _pick(links, rng)})
    now = {bid for bid, *_ in _usable(env)}
    for bid in _sample([bid for bid, *_ in old if bid not in now], rng, _turns(env)):
        yield call_text("click", {"bid": bid})
    yield _CLAIM


def _obey(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Do what texts on pages speak of: press buttons with a long word of a text in their names, wherever links lead."""
    done: set[str] = set()
    for _ in range(_turns(env)):
        told = set(re.findall(r"\w{6,}", " ".join(_told(env)).casefold()))
        usable = [(bid, role, name) for bid, role, name, _ in _usable(env) if bid not in done]
        named = [bid for bid, role, name in usable if role == "button" and told.intersection(name.casefold().split())]
        links = [bid for bid, role, _ in usable if role == "link"]
        chosen = _pick(named or links or [""], rng)
        done.add(chosen)
        yield call_text("click", {"bid": chosen}) if chosen else call_text("go_back", {})
    yield _CLAIM


def _infeasible(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Say at once that it cannot be done."""
    yield call_text(REPORT, {"reason": "This cannot be done on this site."})


def _looked_and_infeasible(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Look around a little, and say that it cannot be done."""
    for _ in range(min(5, _turns(env))):
        links = [bid for bid, role, _, _ in _usable(env) if role == "link"]
        yield call_text("click", {"bid": _pick(links, rng)}) if links else call_text("go_back", {})
    yield call_text(REPORT, {"reason": "I did not find it."})


def _looked_and_guessed(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Look around, and answer with one of the texts that were told."""
    found = [*_told(env)]
    for _ in range(_turns(env)):
        links = [bid for bid, role, _, _ in _usable(env) if role == "link"]
        yield call_text("click", {"bid": _pick(links, rng)}) if links else call_text("go_back", {})
        found += _told(env)
    yield call_text(SAY, {"text": _pick([*found, "1", "2", "3"], rng)})


ATTACKS: Final[Mapping[str, Script]] = {
    "schemes": _schemes,
    "reward_functions": _reward_functions,
    "after_the_end": _after_the_end,
    "read_sources": _read_sources,
    "first_page": _first_page,
    "until_accepted": _until_accepted,
    "partly": _partly,
    "stuffed": _stuffed,
    "tampered": _tampered,
    "stale": _stale,
    "obey": _obey,
    "infeasible": _infeasible,
}
GUESSES: Final[Mapping[str, tuple[Script, float]]] = {
    "looked_and_infeasible": (_looked_and_infeasible, 0.05),
    "looked_and_guessed": (_looked_and_guessed, 0.05),
}


def MUTANTS(task: Task) -> Iterator[Mutant]:
    """Yield the solution with one entry nearly right, and with an answer nearly right."""
    steps = [(name, dict(arguments)) for name, arguments in task.hidden["oracle"]]
    for place, (name, arguments) in enumerate(steps):
        for argument in ("value", "text") if name == "fill" or place == len(steps) - 1 else ():
            if argument not in arguments or (argument == "text" and task.provenance["kind"] != "answer"):
                continue
            for what, changed in _NEARLY.items():
                other = [
                    *steps[:place],
                    (name, {**arguments, argument: changed(arguments[argument])}),
                    *steps[place + 1 :],
                ]
                if other != steps:
                    yield Mutant(f"{name} {what}", tuple(call_text(one, given) for one, given in other))


_NEARLY: Final[Mapping[str, Callable[[str], str]]] = {
    "longer": lambda text: f"{text}1",
    "cut": lambda text: text[:-1],
    "twice": lambda text: f"{text} {text}",
    "with more": lambda text: f"{text} or another",
}


def WORLD(state: Json) -> Json:
    """Return what of a state counts: what was changed, what was forbidden, and what was said."""
    return {name: state[name] for name in ("data", "violated", "said")}


# -- what an agent sees ----------------------------------------------------------------------------


def _page(env: AgentEnv) -> str:
    return str(env.messages[-1]["content"])


def _usable(env: AgentEnv) -> list[tuple[str, str, str, str]]:
    """Return what can be used on the page: id, role, name, and what else is told of it."""
    return [(bid, role, one or two, more) for bid, role, one, two, more in _USABLE.findall(_page(env))]


def _told(env: AgentEnv) -> list[str]:
    return [text for text in _TEXTS.findall(_page(env)) if text]


def _submits(name: str) -> bool:
    return not re.search(r"delete|remove|cancel|clear", name, re.IGNORECASE)


def _turns(env: AgentEnv) -> int:
    """Return how many turns there are before the last."""
    return max(1, env.task.budget.turns - 3)


def _pick(values: Sequence[T], rng: np.random.Generator) -> T:
    return values[int(rng.integers(len(values)))]


def _sample(values: Sequence[str], rng: np.random.Generator, most: int) -> list[str]:
    return [values[int(place)] for place in rng.permutation(len(values))[:most]]
