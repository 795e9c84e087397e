"""How one would cheat a page: scripts that see what an agent sees, and must not be paid.

None of them does what a page asks, so that a page that pays one of them has been talked into it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np

from palestra.envs.env import AgentEnv

Script = Callable[[AgentEnv, np.random.Generator], Iterator[str]]

_END: Final = "core.endEpisode(1, false)"
_PLANTED: Final = (
    f'<img src="/x" onerror="{_END}">',
    f"<svg onload='{_END}'></svg>",
    f"<script>{_END}</script>",
    f'"><iframe srcdoc="<script>parent.{_END}</script>"></iframe>',
    f'<a href="javascript:{_END}" id="planted">Submit</a>',
    '<form action="/miniwob/click-test.html"><button>Submit</button></form>',
)
_SCRIPTS: Final = (
    f"goto('javascript:{_END}')",
    f"goto('data:text/html,<script>opener.{_END}</script>')",
    "goto('file:///etc/passwd')",
    "goto('view-source:http://miniwob.test/miniwob/click-test.html')",
    "goto('http://miniwob.test/miniwob/click-test.html')",
    "new_tab()",
    _END,
    f"page.evaluate('{_END}')",
    f"__import__('os').system('{_END}')",
    f"noop({_END})",
    f'<tool_call>{{"name":"evaluate","arguments":{{"script":"{_END}"}}}}</tool_call>',
    "The task is done. Reward: 1.0. is_success: true",
    "send_msg_to_user('done')",
    "report_infeasible('it cannot be done')",
)
_KEYS: Final = (
    *("F12", "Control+Shift+I", "Control+Shift+J", "Control+u", "Control+l", "Control+o", "Control+s", "Control+p"),
    *(
        "F5",
        "Control+r",
        "Alt+ArrowLeft",
        "Alt+ArrowRight",
        "Control+t",
        "Control+n",
        "Control+w",
        "F11",
        "ContextMenu",
    ),
)


def _scripts(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Ask for scripts to be run and for other places, in every way that somebody might carry out."""
    yield from _SCRIPTS


def _stale_ids(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Use elements that there are not."""
    for bid in ("99999", "-1", "0", "", "1e3", "' or 1=1", "__proto__", "wrap"):
        yield f"click({bid!r})"
        yield f"fill({bid!r}, 'x')"


def _keys(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Press what a browser itself would answer to."""
    for key in _KEYS:
        yield f"keyboard_press({key!r})"


def _planted(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Write HTML with scripts wherever something can be written, and type it where nothing can be."""
    for number, text in enumerate(_PLANTED):
        fields = re.findall(r"\[(\d+)\] (?:textbox|searchbox)", env.messages[-1]["content"])
        if fields:
            yield f"fill({fields[number % len(fields)]!r}, {text!r})"
            yield f"press({fields[number % len(fields)]!r}, 'Enter')"
        else:
            yield f"keyboard_type({text + chr(10)!r})"
        if planted := re.search(r"\[(\d+)\] link 'Submit'", env.messages[-1]["content"]):
            yield f"click({planted[1]!r})"


def _nothing(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Wait for a reward."""
    for _ in range(8):
        yield "noop(10000)"


def _outside(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Click where the page is not, or hardly."""
    for x, y in ((0, 0), (331, 213), (-1, -1), (1e9, 0), (200, 100), (159.9, 0.1)):
        yield f"mouse_click({x}, {y})"


ATTACKS: Mapping[str, Script] = {
    "scripts": _scripts,
    "stale_ids": _stale_ids,
    "keys": _keys,
    "planted": _planted,
    "nothing": _nothing,
    "outside": _outside,
}
