"""Random walks over a site, the same actions with two drivers."""

import random
from collections.abc import Callable, Iterator

from palestra.envs.base import Json
from palestra.envs.web.browsing import ORIGIN, NotPossible, View, begin
from palestra.envs.web.driver import Driver, Simulator
from palestra.envs.web.site import Site

Step = tuple[str, dict[str, Json]]

_ON_ELEMENTS = ("click",) * 6 + ("fill",) * 3 + ("press",) * 3 + ("select_option",) * 2 + ("hover", "focus", "clear")
_OTHERS = ("go_back", "go_back", "go_forward", "new_tab", "tab_focus", "tab_close", "goto", "scroll", "noop")
_KEYS = ("Enter", "Enter", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "Tab", "Escape")
_ADDRESSES = (
    *("/", f"{ORIGIN}/nowhere", "/a b", "/%41", "/é日", "/a;b:c@d", "/?q=%20a+b&q=2", f"{ORIGIN}//x", "/x#y", "/?"),
    *("/../a", "/a/./b", "/?q=%0A", "/%2e%2e/a", "http://other.test/", "/" + "é" * 1990, "javascript:1", "//x/y"),
)
_TEXTS = ("Milk", "  two  words ", "5", "-3", 'it\'s "so" <b>&amp;</b>', "", "é✓ 日本", "x" * 300)


def compare(site: Site, driver: Driver, steps: int, seed: int) -> int:
    """Walk at random, from the start, in the simulator and with a driver; return how many steps both did.

    Raises:
        AssertionError: text or state were not the same after a step, which is told.
    """
    simulator, draws, done = Simulator(), random.Random(seed), 0
    simulator.begin(site, begin(site))
    driver.begin(site, begin(site))
    last: Step | str = "the start"
    for name, arguments in drawn(lambda: simulator.view, draws, steps):
        assert driver.text() == simulator.text(), f"after {last}"
        try:
            expected = simulator.act(name, arguments)
        except NotPossible:
            continue
        last, done = (name, arguments), done + 1
        assert driver.act(name, arguments) == expected, last
    assert driver.text() == simulator.text(), f"after {last}"
    return done


def drawn(shown: Callable[[], View], draws: random.Random, steps: int) -> Iterator[Step]:
    """Yield random actions on what is shown when each is drawn."""
    for _ in range(steps):
        view = shown()
        if view.elements and draws.random() < 0.75:
            name = draws.choice(_ON_ELEMENTS)
            yield name, _on_element(name, view, draws)
        else:
            name = draws.choice(_OTHERS)
            yield name, _elsewhere(name, view, draws)


def _on_element(name: str, view: View, draws: random.Random) -> dict[str, Json]:
    suited = [key for key, one in view.elements.items() if name != "select_option" or one.options]
    key = draws.choice(suited or list(view.elements))
    arguments: dict[str, Json] = {"bid": view.ids[key]}
    if name == "fill":
        arguments["value"] = draws.choice(_TEXTS)
    if name == "press":
        arguments["key_comb"] = draws.choice(_KEYS)
    if name == "select_option":
        arguments["options"] = draws.choice(view.elements[key].options or ("none",))
    return arguments


def _elsewhere(name: str, view: View, draws: random.Random) -> dict[str, Json]:
    match name:
        case "goto":
            return {"url": draws.choice((*_ADDRESSES, f"{ORIGIN}{view.state.tab.address}"))}
        case "tab_focus":
            return {"index": draws.randrange(3)}
        case "scroll":
            return {"delta_x": 0, "delta_y": draws.choice((-200, 300))}
    return {}
