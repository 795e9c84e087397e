"""Episodes of CAD tasks: what is told, paid and kept, in the hands of the real kernel."""

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from palestra.envs.actions import call_text
from palestra.envs.base import Judging, Snapshot, Task, TaskError
from palestra.envs.cad.actions import NOTHING_BUILT
from palestra.envs.cad.attacks import build, spoil
from palestra.envs.cad.env import NO_RESULT, CadEnv, CadImageEnv, Reward
from palestra.envs.cad.records import Comparison
from palestra.envs.cad.verify import reference
from palestra.envs.scripts import SCRIPTS, play
from palestra.envs.web.png import pixels
from palestra.rewards.base import Scored, Truncated, VerifierError

MEASURE, SUBMIT = call_text("measure", {}), call_text("submit", {})
PLATE = """
import cadquery as cq
result = cq.Workplane().box(40, 30, 10, centered=False).faces(">Z").workplane().pushPoints([(5, 5)]).hole(6)
"""


def test_an_episode_of_the_oracle(kind: Callable[..., CadEnv]) -> None:
    env = kind()
    episode = play(env, SCRIPTS["oracle"], seed=1)
    assert (episode.reward, episode.is_success, len(episode.actions)) == (1.0, True, 2)
    env.close()


def test_a_build_is_told_and_moves_the_potential(env: CadEnv) -> None:
    env.reset(seed=1)
    told, reward, *_ = env.step(build(env.task.hidden["program"]))
    assert told.startswith("built: 1 solid, volume ")
    assert reward == 1.0  # all of the gain
    told, reward, *_ = env.step(build(PLATE))
    assert told.startswith("built: 1 solid, volume 11717.2567 mm^3, box 40 x 30 x 10 mm from (0, 0, 0) to (40, 30, 10)")
    assert told.endswith("faces: 1 cylinder, 6 plane")
    assert -1.0 <= reward < 0.0
    assert set(env.step(MEASURE)[4]["reward_parts"]) == {"potential"}
    *_, info = env.step(SUBMIT)
    assert set(info["reward_parts"]) == {"gain", "features", "topology", "potential"}
    assert not info["is_success"]
    outcome = info["outcome"]
    assert isinstance(outcome, Scored)
    assert 0.0 <= outcome.reward < 0.5


def test_measuring_tells_of_ones_own_shape(env: CadEnv) -> None:
    env.reset(seed=2)
    assert env.step(MEASURE)[0] == NOTHING_BUILT
    assert env.step(call_text("render", {"views": ["top"]}))[0] == NOTHING_BUILT
    env.step(build(PLATE))
    lines = env.step(MEASURE)[0].splitlines()
    assert lines[0] == "solids: 1"
    assert "centre of mass: (" in lines[3]
    assert "faces: 1 cylinder, 6 plane; edges: 15; vertices: 10" in lines
    assert "Euler characteristic: 0" in lines
    assert lines[-1].startswith("- diameter 6, through, 10 deep, axis (0, 0, 1), its middle at (")
    told, *_, info = env.step(call_text("render", {"views": ["top", "isometric"]}))
    assert told == "drawn: top, isometric"
    assert decoded(info["picture"]).shape == (256, 512, 3)
    assert decoded(info["picture"]).min() < 128
    assert "picture" not in env.step(MEASURE)[4]


def test_an_error_is_short_and_leaves_the_last_shape(env: CadEnv) -> None:
    env.reset(seed=2)
    env.step(build(env.task.hidden["program"]))
    told, reward, *_ = env.step(build("import cadquery as cq\nresult = cq.Workplane().box(1, 1, 1).edges().fillet(9)"))
    assert told.startswith("error: ")
    assert len(told) < 600
    assert reward == 0.0
    assert env.step(build("import cadquery as cq\nshape = cq.Workplane().box(1, 1, 1)"))[0] == NO_RESULT
    told, *_ = env.step(build("import cadquery as cq\nresult = cq.Workplane().rect(5, 5)"))
    assert told.startswith("error: ")
    assert env.step(SUBMIT)[4]["is_success"]


def test_nothing_built_earns_nothing(exact: CadEnv) -> None:
    exact.reset(seed=3)
    told, reward, terminated, _, info = exact.step(SUBMIT)
    assert (told, reward, terminated, info["is_success"]) == ("the shape is not the part", 0.0, True, False)


def test_turns_end_an_episode_and_the_potential_is_taken_back(env: CadEnv) -> None:
    env.reset(seed=1)
    program = build(env.task.hidden["program"])
    ends = [env.step(program)[3:] for _ in range(env.task.budget.turns)]
    assert [truncated for truncated, _ in ends] == [False] * (len(ends) - 1) + [True]
    assert ends[-1][1]["outcome"] == Truncated("turns", 0.0)


def test_forks_and_snapshots_hold_the_shape(env: CadEnv) -> None:
    env.reset(seed=4)
    env.step(build(env.task.hidden["program"]))
    snapshot = env.snapshot()
    assert set(snapshot.blobs) == {"shape"}
    left, right = env.fork(2)
    assert left.step(SUBMIT)[:4] == env.step(SUBMIT)[:4]
    assert right.step(build(PLATE))[1] < 0.0
    other = CadEnv()
    other.restore(Snapshot.from_dict(json.loads(json.dumps(snapshot.to_dict()))))
    assert other.step(SUBMIT)[4]["is_success"]


def test_a_program_is_judged_outside_an_episode(env: CadEnv) -> None:
    judging: Judging = env
    task = env.tasks.sample(5)
    assert judging.artefact(task) == "part.py"
    assert judging.judge(task, task.hidden["program"]).passed
    verdict = judging.judge(task, spoil(task, "moved"))
    assert (verdict.passed, verdict.score < 1.0) == (False, True)
    assert [check.name for check in verdict.checks][:3] == ["valid", "overlap", "test 0 (solids)"]
    failed = next(check for check in verdict.checks if not check.passed)
    assert judging.explain(task, failed) != ""
    assert judging.judge(task, "result = 1").checks[0].name == "valid"


@pytest.mark.parametrize(
    ("reward", "right", "wrong", "nothing"),
    [
        ("exact", 1.0, 0.0, 0.0),
        ("cad_rl", 1.0, None, 0.0),
        ("cadrille", 10.0, None, -10.0),
        ("cad_coder", 1.0, None, 0.0),
        ("edit", 1.0, 0.0, 0.0),
    ],
)
def test_others_pay_otherwise(reward: Reward, right: float, wrong: float | None, nothing: float) -> None:
    env = CadEnv(reward=reward, shaping="none")
    paid = []
    for code in ("{}", PLATE, ""):
        env.reset(seed=6)
        if code:
            env.step(build(env.task.hidden["program"] if code == "{}" else code))
        paid.append(env.step(SUBMIT)[1])
    assert (paid[0], paid[2]) == (right, nothing)
    assert nothing <= paid[1] < right if wrong is None else paid[1] == wrong


def test_somebody_else_may_evaluate() -> None:
    seen: list[Comparison] = []

    def half(found: Comparison) -> float:
        seen.append(found)
        return 0.5

    env = CadEnv(reward="cad_rl", evaluation=half, shaping="none")
    env.reset(seed=6)
    env.step(build(env.task.hidden["program"]))
    assert env.step(SUBMIT)[1] == 0.75
    assert seen[0].iou == 1.0


def decoded(url: str) -> NDArray[np.uint8]:
    kind, data = url.split(",")
    assert kind == "data:image/png;base64"
    return pixels(b64decode(data, validate=True))


def test_views_are_shown_and_drawn() -> None:
    env = CadImageEnv(render_mode="rgb_array", images="array")
    _, info = env.reset(seed=1)
    views = info["views"]
    assert (views.shape, views.dtype) == ((384, 7 * 384, 3), np.uint8)
    assert env.render().min() == 255  # nothing is built yet
    env.step(build(env.task.hidden["program"]))
    assert env.render().shape == (256, 256, 3)
    assert env.render().min() < 128
    assert np.array_equal(env.sheet(), views)
    told = CadImageEnv().reset(seed=1)[1]
    assert np.array_equal(decoded(told["views"]), views)
    assert json.loads(json.dumps(told["views"])) == told["views"]


@pytest.mark.parametrize(
    "changed",
    [
        {"program": 7},
        {"tests": [{"value": 1}]},
        {"tests": None},
        {"alignment": "anywhere"},
        {"volume": True},
        {"solids": "1"},
    ],
)
def test_a_task_without_a_part_is_refused(env: CadEnv, changed: dict[str, object]) -> None:
    task = env.tasks.sample(5)
    with pytest.raises(TaskError, match="is not a CAD task"):
        env.reset(options={"task": replace(task, hidden={**task.hidden, **changed})})
    with pytest.raises(TaskError, match="is not a CAD task"):
        env.reset(options={"task": Task(id="other/1", family="other", seed=1, instruction="Do it.")})


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"program": "result = 1"}, "cannot be built"),
        ({"volume": 1.0}, "has a volume of"),
        ({"solids": 2}, "is 1 solids, not 2"),
        ({"program": "import cadquery as cq\nresult = cq.Workplane().rect(2, 2)"}, "cannot be built|is no part"),
    ],
)
def test_a_reference_is_put_to_the_proof(env: CadEnv, changed: dict[str, object], why: str) -> None:
    task = env.tasks.sample(5)
    broken = replace(task, hidden={**task.hidden, **changed})
    with pytest.raises(VerifierError, match=why):
        reference(env.kernel, broken)
    env.reset(options={"task": broken})
    with pytest.raises(VerifierError, match=why):
        env.step(build(PLATE))


def test_a_task_that_asks_for_what_is_given_is_refused(env: CadEnv) -> None:
    task = env.tasks.sample(5)
    broken = replace(task, hidden={**task.hidden, "free": task.hidden["program"] + "\n# again"})
    env.reset(options={"task": broken})
    with pytest.raises(VerifierError, match="asks for what is given"):
        env.step(build(PLATE))


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="reward must be one of graded"):
        CadEnv(reward="all")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="images must be 'png' or 'array', not 'gif'"):
        CadEnv(images="gif")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="add up to 1"):
        CadEnv(weights=(1.0, 1.0, 1.0))
