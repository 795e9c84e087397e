"""Scripted solvers: what they do, they do from what an agent with ``observe="elements"`` is told.

A solver is a generator of calls. It is given a `Sight`, which shows the page as it is after the last call.
"""

from collections.abc import Iterator

from palestra.envs.actions import call_text, parse_action
from palestra.envs.base import TaskError
from palestra.envs.web.actions import MINIWOB_TOOLS, read_call
from palestra.envs.web.miniwob.sight import Sight
from palestra.envs.web.miniwob.solvers import SOLVERS
from palestra.envs.web.miniwob.stage import Play, give_back, take


def solve(play: Play) -> Iterator[str]:
    """Yield the calls of the page's solver, which plays on a stage of its own.

    Raises:
        TaskError: there is no solver of this page, or it does not know what to do.
        InfraError: the browser failed.
    """
    if play.page not in SOLVERS:
        raise TaskError(f"nobody wrote a solver for {play.page!r}; there are some for: {', '.join(sorted(SOLVERS))}")
    return _played(play)


def _played(play: Play) -> Iterator[str]:
    stage = take(play)
    try:
        sight = Sight(stage)
        for text in SOLVERS[play.page](sight):
            [call] = read_call(parse_action(text, MINIWOB_TOOLS), MINIWOB_TOOLS).calls
            yield call_text(call.name, call.arguments)
            if why := stage.do(call.name, call.arguments):
                raise TaskError(f"the solver of {play.page!r} called {text}, and {why}")
            if stage.end is not None:
                break
    except BaseException:
        stage.close()
        raise
    give_back(stage)
