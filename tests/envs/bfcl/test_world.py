"""The package's services as a world: pinned, called by name with JSON values, and never carried over."""

import copy
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from palestra.envs.base import EpisodeOver
from palestra.envs.bfcl import package
from palestra.envs.bfcl.multiturn import load, services
from palestra.envs.bfcl.multiturn.env import MultiTurnEnv
from palestra.envs.bfcl.multiturn.world import World
from palestra.envs.scripts import SCRIPTS, play
from palestra.sandbox.base import InfraError

FILES = {
    "GorillaFileSystem": {"root": {"home": {"type": "directory", "contents": {"a": {"type": "file", "content": "x"}}}}}
}


def files() -> World:
    return World.create(["GorillaFileSystem"], FILES, long_context=False)


def test_every_documented_method_can_be_called_and_no_other() -> None:
    for name in services.MODULES:
        world = World.create([name], {}, long_context=True)
        documented = [document["name"] for document in package.documents(services.MODULES[name])]
        assert list(services.methods(name)) == documented
        assert json.loads(world.call(documented[0], {})[0]) is not Ellipsis
    for private in ("_load_scenario", "__class__", "__init__", "_navigate_to_directory"):
        reply, _ = files().call(private, {})
        assert json.loads(reply)["error"].startswith("KeyError")


def test_code_in_an_argument_stays_a_text() -> None:
    world = files()
    reply, _ = world.call("echo", {"content": "str(6*7)"})
    assert json.loads(reply) == {"terminal_output": "str(6*7)"}
    world.call("touch", {"file_name": "__import__('os').system('id')"})
    assert json.loads(world.call("ls", {})[0])["current_directory_content"] == ["a", "__import__('os').system('id')"]


def test_a_world_comes_back_from_its_dump() -> None:
    world = files()
    for name, arguments in (("mkdir", {"dir_name": "b"}), ("cd", {"folder": "b"}), ("touch", {"file_name": "c"})):
        world.call(name, arguments)
    again = World.load(json.loads(json.dumps(world.dump())))
    assert again.dump() == world.dump()
    assert again.visible() == world.visible()
    assert again.call("pwd", {}) == world.call("pwd", {})
    again.call("rm", {"file_name": "c"})
    assert again.visible() != world.visible()


def test_a_folder_copied_into_itself_is_no_trap() -> None:
    world = files()
    world.call("mkdir", {"dir_name": "b"})
    for _ in range(4):
        world.call("cp", {"source": "b", "destination": "b"})
    assert World.load(world.dump()).dump() == world.dump()
    if world.is_outgrown:
        assert world.visible() == ""
    assert "error" in json.loads(world.call("find", {"path": "."})[0]) or not world.is_outgrown


def test_folders_too_deep_end_the_episode() -> None:
    env = MultiTurnEnv(difficulty={"category": "base"})
    task = load.task(next(item for item in load.items("train", "base") if item.scenario == 0), 0, "train", {})
    env.reset(options={"task": task})
    world = env._world
    for _ in range(45):
        world.call("mkdir", {"dir_name": "d"})
        world.call("cd", {"folder": "d"})
    assert world.is_outgrown
    _, _, terminated, _, info = env.step('{"name": "pwd", "arguments": {}}')
    assert (terminated, info["is_success"]) == (True, False)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("power", {"base": 9, "exponent": 10**14}),
        ("power", {"base": 10.0, "exponent": 400.0}),
        ("logarithm", {"value": 2, "base": 10, "precision": 10**9}),
        ("square_root", {"number": 2, "precision": 10**9}),
        ("round_number", {"number": 12345, "decimal_places": -(10**9)}),
        ("multiply", {"a": 10**4000, "b": 1}),
        ("sum_values", {"numbers": [10**4000]}),
        ("mean", {"numbers": []}),
        ("add", {"a": "1", "b": 2}),
        ("add", {"c": 1}),
    ],
)
def test_what_would_stall_or_break_the_services_is_an_error_as_answer(method: str, arguments: dict[str, Any]) -> None:
    reply, _ = World.create(["MathAPI"], {}, long_context=False).call(method, arguments)
    assert "error" in json.loads(reply)


@pytest.mark.parametrize("error", [MemoryError("no room"), OSError(24, "too many open files")])
def test_what_fails_here_is_told_to_nobody_as_an_answer(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: object) -> None:
        raise error

    monkeypatch.setattr(services.classes()["GorillaFileSystem"], "pwd", failing)
    with pytest.raises(InfraError, match=f"pwd was not carried out: {type(error).__name__}: .*{error.args[-1]}"):
        files().call("pwd", {})
    env = MultiTurnEnv(difficulty={"category": "base"})
    item = next(item for item in load.items("train", "base") if "GorillaFileSystem" in item.entry["involved_classes"])
    env.reset(options={"task": load.task(item, 0, "train", {})})
    with pytest.raises(InfraError):
        env.step('{"name": "pwd", "arguments": {}}')
    with pytest.raises(EpisodeOver, match="lost it to a fault"):
        env.step('{"name": "ls", "arguments": {}}')


def test_memory_that_runs_out_is_a_fault() -> None:
    code = (
        "import resource\n"
        "from palestra.envs.bfcl.multiturn.world import World\n"
        "from palestra.sandbox.base import InfraError\n"
        "world, numbers = World.create(['MathAPI'], {}, long_context=False), [1] * 20_000_000\n"
        "used = next(int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmSize'))\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used * 1024 + 2**25,) * 2)\n"
        "try:\n"
        "    print(world.call('sum_values', {'numbers': numbers}))\n"
        "except InfraError as error:\n"
        "    print('fault:', error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("fault: sum_values was not carried out: MemoryError")


def test_a_precision_asked_for_does_not_stay() -> None:
    import decimal

    before = decimal.getcontext().prec
    world = World.create(["MathAPI"], {}, long_context=False)
    world.call("square_root", {"number": 2, "precision": 3})
    world.call("logarithm", {"value": 2, "base": 10, "precision": 3})
    assert decimal.getcontext().prec == before
    assert world.call("logarithm", {"value": 100, "base": 10, "precision": 5})[1] != ""


def test_equal_answers_have_equal_digests_whatever_the_kind_of_number() -> None:
    world = World.create(["MathAPI"], {}, long_context=False)
    assert world.call("add", {"a": 2, "b": 3})[1] == world.call("add", {"a": 2.0, "b": 3.0})[1]
    assert world.call("add", {"a": 2, "b": 3})[1] != world.call("add", {"a": 2, "b": 4})[1]


def test_the_default_arguments_of_one_episode_are_not_those_of_the_next() -> None:
    """`post_tweet` has lists for defaults, which it puts into the tweet; a later mention would add to them."""
    told = []
    for _ in range(2):
        world = World.create(["TwitterAPI"], {}, long_context=False)
        world.call("authenticate_twitter", {"username": "john", "password": "john123"})
        told.append(world.call("post_tweet", {"content": "hello"})[0])
        world.call("mention", {"tweet_id": 0, "mentioned_usernames": ["@eve"]})
    assert told[0] == told[1]


def test_nothing_that_is_played_changes_the_modules_or_the_entries() -> None:
    long_context = sys.modules["bfcl_eval.eval_checker.multi_turn_eval.func_source_code.long_context"]
    constants = {name: copy.deepcopy(value) for name, value in vars(long_context).items() if name.isupper()}
    constants.pop("LONG_WEATHER_EXTENSION")  # the vehicle writes each reading into it, over the last one
    entries = copy.deepcopy(package.entries("multi_turn_long_context"))
    env = MultiTurnEnv(difficulty={"category": "long_context"})
    for seed in range(0, 150, 15):
        play(env, SCRIPTS["oracle"], seed)
        play(env, SCRIPTS["random"], seed)
    assert {name: getattr(long_context, name) for name in constants} == constants
    assert package.entries("multi_turn_long_context") == entries


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York"])
def test_a_time_zone_and_a_hash_seed_change_nothing(zone: str) -> None:
    """A transaction's time stamp goes through the local zone in the package; an age, through today's date."""
    code = (
        "from palestra.envs.bfcl.multiturn.world import World; "
        "w = World.create(['TradingBot', 'TravelAPI'], {}, long_context=False); "
        "print(w.call('trading_login', {'username': 'a', 'password': 'b'}), "
        "w.call('fund_account', {'amount': 10.0}), w.call('withdraw_funds', {'amount': 5.0}), "
        "w.call('get_transaction_history', {}), w.visible())"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
            env={**os.environ, "TZ": one, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for one, seed in (("UTC", "0"), (zone, "7"))
    ]
    assert "2024-09-0" in said[0]
    assert said[0] == said[1]
