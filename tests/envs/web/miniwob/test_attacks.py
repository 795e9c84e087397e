"""Nobody talks a page into paying."""

from collections.abc import Callable

import numpy as np
import pytest

from palestra.envs.scripts import play
from palestra.envs.web.miniwob.attacks import ATTACKS
from palestra.envs.web.miniwob.env import MiniWobEnv
from palestra.envs.web.miniwob.stage import Play, stage_for

MakePage = Callable[..., MiniWobEnv]


@pytest.mark.slow
@pytest.mark.parametrize("page", ["enter-text", "terminal", "email-inbox", "search-engine", "use-autocomplete"])
def test_attacks_are_not_paid(make_page: MakePage, page: str) -> None:
    env = make_page(page)
    for name, script in ATTACKS.items():
        for seed in (0, 1):
            episode = play(env, script, seed)
            assert episode.reward <= 0.0, (name, seed, episode.actions)
            assert not episode.is_success


def test_html_that_is_entered_becomes_html_but_no_script(make_page: MakePage) -> None:
    """The terminal writes what is typed into its page, which is how a script would get in."""
    env = make_page("terminal", observe="elements")
    env.reset(seed=0)
    env.step("click('4')")
    observation = env.step("keyboard_type('<b id=planted>x</b>\\n')")[0]
    assert "b#planted 'x'" in observation
    for text in (
        '<img src="/x" onerror="core.endEpisode(1)">',
        '<svg onload="core.endEpisode(1)"></svg>',
        "<script>core.endEpisode(1)</script>",
        '<iframe srcdoc="<script>parent.core.endEpisode(1)</script>"></iframe>',
    ):
        _, reward, terminated, _, _ = env.step(f"keyboard_type({text + chr(10)!r})")
        assert (reward, terminated) == (0.0, False), text


def test_links_and_forms_lead_nowhere() -> None:
    with stage_for(Play("terminal", 0)) as stage:
        page, before = stage._visit.page, stage.look
        for script in (
            "location.href = '/miniwob/click-test.html'",
            "location.href = 'data:text/html,hello'",
            "document.body.insertAdjacentHTML('beforeend', '<form action=\"/x\"></form>'); document.forms[0].submit()",
            "location.href = 'javascript:core.endEpisode(1)'",
            "window.open('/')",
        ):
            stage._visit.run(page.evaluate(f"() => {{ {script} }}"))
            assert stage.do("noop", {"wait_ms": 100}) == ""
            assert page.url == "http://miniwob.test/miniwob/terminal.html"
            assert stage.end is None
        assert [item.id for item in stage.look.items][:8] == [item.id for item in before.items][:8]
        assert len(stage._visit.context.pages) == 1


def test_the_first_end_counts_and_nobody_replaces_who_tells_it() -> None:
    with stage_for(Play("click-test", 0)) as stage:
        page = stage._visit.page
        stage._visit.run(
            page.evaluate("() => { core.endEpisode = () => {}; core.endEpisode(-0.5); core.endEpisode(1); }")
        )
        stage.do("noop", {})
        assert stage.end is not None
        assert (stage.end.reward, stage.end.share) == (-0.5, 1.0)
        stage._visit.run(page.evaluate("() => core.endEpisode(1)"))
        stage.do("noop", {})
        assert stage.end.reward == -0.5
        assert stage._visit.run(page.evaluate("() => window.palestraStage")) is None


def test_random_calls_are_never_paid_more_than_a_page_pays(make_page: MakePage) -> None:
    env = make_page("enter-text")
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    for _ in range(20):
        x, y = int(rng.integers(-20, 400)), int(rng.integers(-20, 300))
        _, reward, terminated, _, info = env.step(f"mouse_click({x}, {y})")
        assert reward in (0.0, -1.0)
        if terminated:
            assert not info["is_success"]
            break
