"""Episodes: what runs and submissions say and pay, forks, faults and what is refused."""

import json
from contextlib import closing
from dataclasses import replace

import pytest

from palestra.envs.actions import call_text
from palestra.envs.base import SPLITS, EpisodeOver, Judging, Split, Task, TaskError
from palestra.envs.env import Shaping
from palestra.envs.fuzz.encoding import decode, encode
from palestra.envs.fuzz.env import FuzzEnv
from palestra.envs.fuzz.generate import FuzzTasks
from palestra.envs.fuzz.target import REACHED, Target
from palestra.envs.fuzz.verify import ONLY_NEAR, Ground, Puzzle
from palestra.envs.scripts import SCRIPTS, play
from palestra.envs.submission import MOST_CALLS
from palestra.rewards.base import Scored, VerifierError
from palestra.sandbox.base import CapabilityError

LANGUAGES = ("c", "python")


def run(text: str) -> str:
    return call_text("run", {"input": text})


def submit(text: str) -> str:
    return call_text("submit", {"input": text})


def begun(env: FuzzEnv, language: str, seed: int = 5) -> Task:
    env.reset(seed=seed, options={"difficulty": {"language": language, "layout": "guards"}})
    return env.task


def nearer(task: Task) -> str:
    """Return an input that is nearer than the start and does not reach the target: the witness and a byte more."""
    return encode(decode(task.hidden["witness"], 1024) + b"!")


@pytest.mark.parametrize("split", SPLITS)
def test_the_oracle_earns_one_and_doing_nothing_earns_nothing(split: Split) -> None:
    with closing(FuzzEnv(split=split)) as env:
        for seed, language in enumerate(LANGUAGES * 2):
            env.difficulty = {"language": language, "depth": 2 + seed}
            episode = play(env, SCRIPTS["oracle"], seed)
            assert (episode.reward, episode.is_success, len(episode.actions)) == (1.0, True, 2), env.task.id
            assert play(env, SCRIPTS["nop"], seed).reward == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
def test_the_oracle_earns_one_on_many_tasks(split: Split) -> None:
    with closing(FuzzEnv(split=split)) as env:
        for seed in range(1000, 1120):
            env.difficulty = {"depth": 2 + seed % 5, "size": 3 + seed % 14, "decoys": seed % 7}
            episode = play(env, SCRIPTS["oracle"], seed)
            assert (episode.reward, episode.is_success) == (1.0, True), env.task.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_run_pays_for_coming_nearer_and_the_end_takes_it_back(env: FuzzEnv, language: str) -> None:
    task = begun(env, language)
    start, near = task.public["start"], nearer(task)
    rewards = [env.step(run(text))[1] for text in (start, near, start, near)]
    assert rewards[0] == rewards[2] == rewards[3] == 0.0
    assert 0 < rewards[1] < 1
    _, reward, terminated, truncated, info = env.step(submit(start))
    assert (reward, terminated, truncated, info["is_success"]) == (-rewards[1], True, False, False)
    assert info["outcome"] == Scored(0.0, False)
    with pytest.raises(EpisodeOver):
        env.step(run(start))


def test_progress_is_not_taken_back_and_none_pays_the_outcome_alone() -> None:
    earned = {}
    choices: tuple[Shaping, ...] = ("potential", "progress", "none")
    for shaping in choices:
        with closing(FuzzEnv(shaping=shaping)) as env:
            task = begun(env, "python")
            witness = task.hidden["witness"]
            earned[shaping] = sum(env.step(action)[1] for action in (run(witness), submit(witness)))
    assert earned == {"potential": 1.0, "progress": 2.0, "none": 1.0}


def test_the_distance_may_be_paid_up_to_half() -> None:
    with closing(FuzzEnv(reward="distance")) as env:
        task = begun(env, "python")
        texts = [task.public["start"], nearer(task), task.hidden["witness"], "A" * 300, r"\q", ""]
        paid = []
        for text in texts:
            begun(env, "python")
            paid.append(env.step(submit(text))[1])
        start, near, hit, *others = paid
        assert (start, hit) == (0.0, 1.0)
        assert 0 < near < ONLY_NEAR
        assert others[:2] == [0.0, 0.0]
        assert others[2] < near
        assert [env.judge(task, text).score for text in texts] == paid
        assert [env.judge(task, text).passed for text in texts] == [False, False, True, False, False, False]
    with pytest.raises(ValueError, match="'outcome' or 'distance'"):
        FuzzEnv(reward="half")  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_run_tells_where_the_program_turned_off(env: FuzzEnv, language: str) -> None:
    task = begun(env, language)
    puzzle = Puzzle.of(task)
    told = env.step(run(nearer(task)))[0].splitlines()
    size = len(decode(task.hidden["witness"], 1024)) + 1
    assert told[0].startswith(f"{size} bytes; the target is not reached: distance ")
    assert told[0].endswith(f"from the start {puzzle.start_distance:g}")
    stop = next(line for line, text in enumerate(task.public["source"].splitlines(), 1) if "p == size" in text)
    assert told[1] == f"turned off at line {stop}, which was false and should be true"
    assert told[2].startswith("decisions by line: ")
    assert told[3].startswith("printed: ")
    told = env.step(run(task.hidden["witness"]))[0].splitlines()
    assert told[0] == f"{size - 1} bytes; the target is reached"
    assert told[-1] == f"printed: {REACHED}"


def test_what_is_no_input_is_told_and_not_run(env: FuzzEnv) -> None:
    begun(env, "python")
    assert env.step(run("A" * 257))[0] == "error: the input is too long: 257 bytes; at most 256 are read"
    assert "unknown escape" in env.step(run(r"\q"))[0]
    assert "not ASCII" in env.step(run("\ud800"))[0]
    told, reward, terminated, *_ = env.step(submit("A" * 60_000))
    assert told == "the target is not reached: the input is too long: 60000 characters; at most 256 bytes are read"
    assert (reward, terminated) == (0.0, True)


def test_calls_of_one_turn_are_done_in_order_until_one_hands_in(env: FuzzEnv) -> None:
    task = begun(env, "python")
    witness = task.hidden["witness"]
    observation, reward, terminated, _, info = env.step(run("") + submit(witness) + submit("") + run(""))
    assert (reward, terminated, info["is_success"]) == (1.0, True, True)
    assert observation.splitlines()[-2:] == ["error: not done; the episode is over"] * 2
    begun(env, "python")
    observation, *_ = env.step(run("") * (MOST_CALLS + 2))
    assert observation.count("0 bytes; the target is not reached") == MOST_CALLS
    assert observation.count("at most 4 calls") == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_forks_and_snapshots_stand_where_the_episode_does(env: FuzzEnv, language: str) -> None:
    task = begun(env, language)
    env.step(run(nearer(task)))
    moment = env.snapshot()
    assert set(json.loads(moment.state)["family"]) == {"best"}
    moves = [run(task.public["start"]), "no call", submit(task.hidden["witness"])]
    with closing(env.fork()[0]) as fork:
        assert [fork.step(move)[:4] for move in moves] == [env.step(move)[:4] for move in moves]
    env.restore(moment)
    assert env.snapshot().digest == moment.digest


def test_nothing_hidden_is_shown(env: FuzzEnv) -> None:
    for seed in range(10):
        observation, info = env.reset(seed=seed)
        task = env.task
        seen = [observation, str(info), json.dumps(task.public)]
        for action in (run(""), run(task.public["start"]), submit(nearer(task)[:-5])):
            observation, *_, info = env.step(action)
            seen += [observation, str(info)]
        witness = task.hidden["witness"]
        if task.public["language"] == "c":
            assert not any(task.hidden["description"] in text for text in seen)
        assert not any(form in text for form in (witness, json.dumps(witness)[1:-1]) for text in seen)


def test_a_task_that_is_none_is_refused_at_once(env: FuzzEnv) -> None:
    task = FuzzTasks().sample(5)
    for hidden in ({}, {**task.hidden, "description": "q"}, {**task.hidden, "start_distance": 0.0}):
        with pytest.raises(TaskError, match="fuzz"):
            env.reset(options={"task": replace(task, hidden=hidden)})
    for public in (
        {},
        {**task.public, "language": "rust"},
        {**task.public, "input_bytes": "9"},
        {**task.public, "source": "x"},
    ):
        with pytest.raises(TaskError, match="fuzz"):
            env.reset(options={"task": replace(task, public=public)})
    with pytest.raises(VerifierError, match="not a fuzzing task"):
        env.judge(replace(task, hidden={}), "")


def test_it_judges_outside_of_episodes(env: FuzzEnv) -> None:
    assert isinstance(env, Judging)
    task = FuzzTasks("heldout").sample(2)
    assert env.artefact(task) == "input.txt"
    assert env.judge(task, task.hidden["witness"] + "\n").passed
    verdict = env.judge(task, task.public["start"])
    assert (verdict.score, verdict.passed) == (0.0, False)
    failed = next(check for check in verdict.checks if not check.passed)
    assert task.hidden["witness"] in env.explain(task, failed)
    assert failed.evidence.startswith("distance ")
    assert env.explain(task, verdict.checks[0]) == ""


def test_a_backend_that_isolates_nothing_is_refused_unless_asked_for() -> None:
    with closing(FuzzEnv(sandbox="process")) as env:
        env.reset(seed=1)
        with pytest.raises(CapabilityError, match="isolates nothing"):
            env.step(submit(""))
    with closing(FuzzEnv(sandbox="process", unsafe=True)) as env:
        assert play(env, SCRIPTS["oracle"], seed=1).reward == 1.0


# -- targets that do not behave, which our generator does not make -------------------------

ENDLESS = "    while size > 0:\n        p = 1\n"
CRASH = "    p = 1 % (size - 1)\n"  # on an input of one byte


def misbehaving(body: str) -> Target:
    text = f"def parse():\n    p = 0\n{body}    if at(p) == 65:\n        return 100\n    return 1\n"
    return Target(text, 8)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_program_that_does_not_end_reaches_nothing(ground: Ground, language: str) -> None:
    puzzle = Puzzle(misbehaving(ENDLESS), language, 1.0)
    verdict = ground.judge(puzzle, "A", pays_nearness=True)
    assert (verdict.score, verdict.passed) == (0.0, False)
    assert "out of time" in verdict.checks[1].evidence


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_program_that_crashes_reaches_nothing(ground: Ground, language: str) -> None:
    puzzle = Puzzle(misbehaving(CRASH), language, 1.0)
    run = ground.run(puzzle, "A")
    assert run.trace is None
    assert run.problem
    verdict = ground.judge(puzzle, "A", pays_nearness=True)
    assert (verdict.score, verdict.passed) == (0.0, False)
    assert ground.judge(Puzzle(misbehaving(""), language, 1.0), "A").passed


def test_what_is_said_otherwise_the_second_time_is_not_believed(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    puzzle = Puzzle(misbehaving(""), "python", 1.0)
    real, texts = ground.run, iter(["A", "B"] * 2)
    monkeypatch.setattr(ground, "run", lambda puzzle, _: real(puzzle, next(texts)))
    verdict = ground.judge(puzzle, "A", pays_nearness=True)
    assert (verdict.score, verdict.passed) == (0.0, False)
    assert verdict.checks[2].evidence == "run again, it went another way"


@pytest.mark.parametrize("line", ["double = 1", "p = 2 ** 9", "p = len(data)", "p.q = 1"])
def test_a_program_that_cannot_be_built_is_a_fault_of_the_task(ground: Ground, line: str) -> None:
    text = f"def parse():\n    {line}\n    if at(0) == 65:\n        return 100\n    return 1\n"
    with pytest.raises(VerifierError, match="cannot be built"):
        ground.run(Puzzle(Target(text, 8), "c", 1.0), "A")


def test_an_input_cannot_write_a_report(ground: Ground, target: Target) -> None:
    for language in LANGUAGES:
        for text in ("0 1 1 0 0\n" * 4, "4 1 0 -1 1", r"AB\x00100"):
            run = ground.run(Puzzle(target, language, 1.0), text)
            assert run.trace is not None
            assert not run.trace.hits(target)
