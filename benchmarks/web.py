"""What steps and episodes of web tasks cost, in the simulator and in a real browser, and that episodes do not mix.

    python benchmarks/web.py [--quick] [--json]

Simulator: steps a second of processor time of whole episodes by the reference solver, observations included, and what a
snapshot costs. Browser: a click and the accessibility tree after it, by what the click led to; a short episode (four
clicks, each with its tree) in the browser that all share against one in a browser of its own, once with and once
without the time that Playwright's driver takes to start; and sixteen episodes at once in one browser, each compared
with the simulator at every step. The promises are held against medians.
"""

import random
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from typing import Any

import machine
from bars import AT_LEAST, AT_MOST, TITLES, Bar, bar_line, judge

from palestra.envs.web.browser import BrowserDriver
from palestra.envs.web.browsing import begin
from palestra.envs.web.chromium import Chromium, Response
from palestra.envs.web.driver import Driver, Simulator
from palestra.envs.web.env import WebEnv
from palestra.envs.web.site import Knobs, Site
from palestra.envs.web.sites.catalogue import SITES

EPISODE_CLICKS = 4
AT_ONCE = 16


def site_of(number: int) -> Site:
    """Return one of the sites; they take turns."""
    return list(SITES.values())[number % len(SITES)](number, "train", Knobs())


def drawn(driver: Driver, draws: random.Random) -> tuple[str, dict[str, str]]:
    """Return a click on a link or button that can be clicked; where there is none, the way to the first page."""
    usable = [key for key, one in driver.view.elements.items() if not one.is_disabled and (one.href or one.command)]
    return ("click", {"bid": driver.view.ids[draws.choice(usable)]}) if usable else ("goto", {"url": "/"})


# -- the simulator -------------------------------------------------------------------------------------


def simulated(episodes: int) -> dict[str, Any]:
    """Return what steps and snapshots cost without a browser."""
    env, steps, seconds, snapshots = WebEnv(shaping="none"), 0, 0.0, list[float]()
    for seed in range(episodes):
        env.reset(seed=seed)
        for action in list(env.oracle()):
            began = time.perf_counter()
            env.snapshot()
            snapshots.append(1e6 * (time.perf_counter() - began))
            worked = time.process_time()
            env.step(action)
            seconds += time.process_time() - worked
            steps += 1
    return {"steps a second": steps / seconds, "us a snapshot": machine.spread(snapshots), "steps": steps}


def simulated_pages(clicks: int) -> float:
    """Return clicks a second of processor time, each with the text of the page after it, by the driver alone."""
    driver, draws = Simulator(), random.Random(0)
    worked = time.process_time()
    for number in range(clicks):
        if number % 20 == 0:
            site = site_of(number // 20)
            driver.begin(site, begin(site))
        driver.act(*drawn(driver, draws))
        driver.text()
    return clicks / (time.process_time() - worked)


# -- the browser ---------------------------------------------------------------------------------------


def browser_steps(clicks: int) -> dict[str, list[float]]:
    """Return the milliseconds of each click with the tree after it, by whether another page was gone to."""
    told: dict[str, list[float]] = {"in place": [], "to another page": []}
    with closing(BrowserDriver()) as driver:
        draws = random.Random(1)
        for number in range(clicks):
            if number % 10 == 0:
                site = site_of(number // 10)
                driver.begin(site, begin(site))
            action, before = drawn(driver, draws), driver.view.state
            began = time.perf_counter()
            state = driver.act(*action)
            driver.text()
            taken = 1e3 * (time.perf_counter() - began)
            told["in place" if state.tab.address == before.tab.address else "to another page"].append(taken)
    return told


def episode(driver: Driver, number: int) -> None:
    """Play a short episode."""
    site, draws = site_of(number), random.Random(number)
    driver.begin(site, begin(site))
    driver.text()
    for _ in range(EPISODE_CLICKS):
        driver.act(*drawn(driver, draws))
        driver.text()


def timed(play: Callable[[int], None], count: int) -> list[float]:
    """Return the milliseconds of each of several episodes."""
    taken = []
    for number in range(count):
        began = time.perf_counter()
        play(number)
        taken.append(1e3 * (time.perf_counter() - began))
    return taken


def fresh(number: int) -> None:
    """Play a short episode in a browser of its own."""
    with closing(Chromium()) as own, closing(BrowserDriver(chromium=own)) as driver:
        episode(driver, number)


def driver_start(_: int) -> None:
    """Start and end Playwright's driver alone, which a program with many browsers would start once."""
    import asyncio

    from playwright.async_api import async_playwright

    async def start() -> None:
        async with async_playwright():
            pass

    asyncio.run(start())


def at_once(clicks: int) -> dict[str, Any]:
    """Return how many of the steps of sixteen episodes at once were those of the simulator, and how long they took."""

    def play(number: int) -> int:
        draws, site, same = random.Random(number), site_of(number), 0
        simulator = Simulator()
        simulator.begin(site, begin(site))
        with closing(BrowserDriver()) as driver:
            driver.begin(site, begin(site))
            for _ in range(clicks):
                action = drawn(simulator, draws)
                expected = simulator.act(*action)
                same += driver.act(*action) == expected and driver.text() == simulator.text()
        return same

    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        same = sum(threads.map(play, range(AT_ONCE)))
    seconds = time.perf_counter() - began
    return {"steps": AT_ONCE * clicks, "the same": same, "steps a second": AT_ONCE * clicks / seconds}


# -- all of it -----------------------------------------------------------------------------------------


def measure(quick: bool) -> dict[str, Any]:
    """Return every figure and every promise."""
    sim = simulated(12 if quick else 100)
    pages = simulated_pages(400 if quick else 4000)
    with closing(Chromium.shared().visit(lambda _: Response())):
        steps = browser_steps(40 if quick else 300)
        shared = timed(_shared, 8 if quick else 40)
        alone = timed(fresh, 3 if quick else 10)
        start = timed(driver_start, 3 if quick else 10)
        together = at_once(5 if quick else 20)
    without = statistics.median(alone) - statistics.median(start)
    every = steps["in place"] + steps["to another page"]
    promises = [
        judge("simulator, steps", AT_LEAST, 2000, "/s", [sim["steps a second"]]),
        judge("simulator, snapshot", AT_MOST, 100, "us", [sim["us a snapshot"]["median"]]),
        judge("browser, click and accessibility tree", AT_MOST, 60, "ms", every),
        judge("episode, against a fresh browser", AT_LEAST, 3, "x", [one / statistics.median(shared) for one in alone]),
        judge("the same without Playwright's start", AT_LEAST, 3, "x", [without / statistics.median(shared)]),
        judge("16 episodes at once, steps that are right", AT_LEAST, 1, "", [together["the same"] / together["steps"]]),
    ]
    return {
        "machine": machine.describe(),
        "simulator": {**sim, "pages a second": pages},
        "browser": {name: machine.spread(values) for name, values in steps.items() if values},
        "episodes": {"shared": machine.spread(shared), "fresh": machine.spread(alone), "start": machine.spread(start)},
        "at once": together,
        "promises": [asdict(one) for one in promises],
    }


def _shared(number: int) -> None:
    with closing(BrowserDriver()) as driver:
        episode(driver, number)


def show(report: dict[str, Any]) -> None:
    """Print the figures for people."""
    print(machine.line(report["machine"]))
    sim, episodes, together = report["simulator"], report["episodes"], report["at once"]
    print(
        f"simulator: {sim['steps a second']:.0f} steps/s of an episode, {sim['pages a second']:.0f} clicks/s of pages"
    )
    for name, told in report["browser"].items():
        print(f"browser, click {name}: {told['median']:.1f} ms with the tree ({told['min']:.1f} to {told['max']:.1f})")
    for name, told in episodes.items():
        print(f"episode, {name}: {told['median']:.0f} ms ({told['min']:.0f} to {told['max']:.0f})")
    right = f"{together['the same']} of {together['steps']} right"
    print(f"{AT_ONCE} at once: {together['steps a second']:.1f} steps/s, {right}")
    print(TITLES)
    for one in report["promises"]:
        print(bar_line(Bar(**one)))


def main() -> None:
    """Measure, and print."""
    options = machine.arguments(__doc__, quick="a tenth of everything, in less than 50 seconds").parse_args()
    machine.tell(measure(options.quick), show, as_json=options.json)


if __name__ == "__main__":
    main()
