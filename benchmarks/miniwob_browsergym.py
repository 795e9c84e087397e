"""Episodes of BrowserGym, for `miniwob.py`: run by an interpreter that has browsergym-miniwob, and nothing of palestra.

Takes the folder of the pages, the path of Chromium, a page and a delay in seconds. For every seed that is written to
it, it plays that episode by the clicks that are written beside it, and answers with seconds and reward, as JSON.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Play what standard input asks for."""
    pages, chromium, page, delay_s = sys.argv[1:]
    os.environ["MINIWOB_URL"] = Path(pages, "miniwob").as_uri() + "/"
    import browsergym.miniwob  # registers its environments
    import gymnasium
    from playwright.sync_api import BrowserType

    launch = BrowserType.launch  # also of its window for chats, which takes no arguments
    BrowserType.launch = lambda self, **given: launch(self, **{**given, "executable_path": chromium})
    env: Any = gymnasium.make(f"browsergym/miniwob.{page}", pre_observation_delay=float(delay_s))
    print(json.dumps({"ready": browsergym.miniwob.__name__}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(episode(env, order["seed"], order["selectors"])), flush=True)
    env.close()


def episode(env: Any, seed: int, selectors: list[str]) -> dict[str, float]:
    """Play one episode by clicks on what these selectors name, and return what it took and what it was worth."""
    begun = time.perf_counter()
    env.reset(seed=seed)
    reset_s, steps_s, reward = time.perf_counter() - begun, 0.0, 0.0
    for selector in selectors:
        bid = env.unwrapped.page.locator(selector).get_attribute("bid")  # not counted: an agent would know it
        begun = time.perf_counter()
        _, reward, *_ = env.step(f"click('{bid}')")
        steps_s += time.perf_counter() - begun
    return {"reset_s": reset_s, "steps_s": steps_s, "reward": float(reward)}


if __name__ == "__main__":
    main()
