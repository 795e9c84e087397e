"""What episodes on MiniWoB++'s pages cost, beside the same episodes in BrowserGym.

    python benchmarks/miniwob.py [--quick] [--json] [--browsergym PYTHON]

PYTHON is the interpreter of a virtual environment of its own, made by

    python3 -m venv /tmp/browsergym && /tmp/browsergym/bin/pip install browsergym-miniwob

Both play the same pages from the same seeds by the same clicks in the same Chromium, in turns, so that both see the
same load. BrowserGym is measured as it comes, which waits half a second before every observation, and without that.
"""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import machine
import numpy as np
from bars import AT_LEAST, AT_MOST, TITLES, Bar, bar_line, judge

import palestra
from palestra.envs.web.chromium import find_executable
from palestra.envs.web.miniwob import package

PAGES = {"click-test": ["#subbtn"], "click-button-sequence": ["#subbtn", "#subbtn2"]}  # by what is clicked
DELAYS = {"BrowserGym": 0.5, "BrowserGym, not waiting": 0.0}
OURS = "palestra"


def our_episode(env: Any, their_seed: int) -> dict[str, float]:
    """Play the page that BrowserGym shows for a seed, by the scripted solver, which is not counted."""
    seed = int(np.random.RandomState(their_seed).randint(0, 1_000_000))  # as BrowserGym draws the page's own seed
    env.reset(seed=seed)
    actions = list(env.oracle())
    for action in actions:
        env.step(action)  # so that the page is not there already
    begun = time.perf_counter()
    env.reset(seed=seed)
    reset_s = time.perf_counter() - begun
    begun, reward = time.perf_counter(), 0.0
    for action in actions:
        _, reward, *_ = env.step(action)
    return {"reset_s": reset_s, "steps_s": time.perf_counter() - begun, "reward": reward}


class Theirs:
    """BrowserGym in a process of its own, on one page."""

    def __init__(self, python: str, page: str, delay_s: float) -> None:
        script = Path(__file__).with_name("miniwob_browsergym.py")
        words = [python, str(script), str(package.folder()), find_executable(None), page, str(delay_s)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._read()

    def episode(self, seed: int, selectors: Sequence[str]) -> dict[str, float]:
        """Play one episode."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"seed": seed, "selectors": list(selectors)}) + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=60)

    def _read(self) -> Any:
        assert self._process.stdout is not None
        if not (line := self._process.stdout.readline()):
            raise SystemExit("BrowserGym ended without an answer; its error stands above")
        return json.loads(line)


@contextmanager
def players(page: str, python: str) -> Iterator[dict[str, Any]]:
    """Give whoever plays a page, by name."""
    with ExitStack() as stack:
        env = palestra.make(f"palestra/MiniWob-{page}-v0")
        stack.callback(env.close)
        found: dict[str, Any] = {OURS: lambda seed: our_episode(env, seed)}
        for name, delay_s in DELAYS.items() if python else ():
            theirs = Theirs(python, page, delay_s)
            stack.callback(theirs.close)
            found[name] = lambda seed, theirs=theirs: theirs.episode(seed, PAGES[page])
        yield found


def measure(rounds: int, python: str) -> dict[str, Any]:
    """Play every page by everybody in turns."""
    episodes: dict[str, dict[str, list[dict[str, float]]]] = {}
    for page in PAGES:
        with players(page, python) as found:
            episodes[page] = {name: [] for name in found}
            for seed in range(rounds + 1):
                for name, play in found.items():
                    told = play(seed)
                    if told["reward"] != 1.0:
                        raise SystemExit(f"{name} earned {told['reward']} on {page}, seed {seed}")
                    if seed:  # the first warms up
                        episodes[page][name].append(told)
    return {
        "machine": machine.describe(),
        "rounds": rounds,
        "ms": {page: {name: _spreads(told) for name, told in by.items()} for page, by in episodes.items()},
        "promises": [vars(one) for one in promises(episodes)],
    }


def _spreads(told: list[dict[str, float]]) -> dict[str, Any]:
    whole = [1e3 * (one["reset_s"] + one["steps_s"]) for one in told]
    parts = {name: machine.spread([1e3 * one[f"{name}_s"] for one in told]) for name in ("reset", "steps")}
    return {**parts, "episode": machine.spread(whole)}


def promises(episodes: dict[str, dict[str, list[dict[str, float]]]]) -> list[Bar]:
    """Return what was promised, and whether it holds."""
    steps = [1e3 * one["steps_s"] / len(PAGES[page]) for page, by in episodes.items() for one in by[OURS]]
    bars = [judge("a step, as the browser shows it", AT_MOST, 60.0, "ms", steps)]
    for page, by in episodes.items():
        for name in DELAYS:
            pairs = zip(by.get(name, []), by[OURS], strict=False)
            ratios = [_whole(other) / _whole(one) for other, one in pairs]
            bars.append(judge(f"{page}: {name} / {OURS}", AT_LEAST, 1.5, "x", ratios, "" if ratios else "--browsergym"))
    return bars


def _whole(one: dict[str, float]) -> float:
    return one["reset_s"] + one["steps_s"]


def show(report: dict[str, Any]) -> None:
    """Print the figures and the promises."""
    print(f"{'ms, medians of ' + str(report['rounds']) + ' rounds':50}{'reset':>12}{'all steps':>12}{'episode':>12}")
    for page, by in report["ms"].items():
        for name, parts in by.items():
            figures = "".join(f"{parts[part]['median']:12.0f}" for part in ("reset", "steps", "episode"))
            print(f"{page + ': ' + name:50}{figures}")
    print(f"\n{TITLES}")
    for bar in report["promises"]:
        print(bar_line(Bar(**bar)))


def main() -> None:
    """Measure and tell."""
    parser = machine.arguments(__doc__, "five rounds instead of twenty")
    parser.add_argument("--browsergym", default="", metavar="PYTHON", help="an interpreter that has browsergym-miniwob")
    chosen = parser.parse_args()
    report = measure(5 if chosen.quick else 20, chosen.browsergym)
    machine.tell(report, show, as_json=chosen.json)


if __name__ == "__main__":
    main()
