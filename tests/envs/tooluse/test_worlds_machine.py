"""Worlds that are called, copied, saved and begun again in any order keep to one simple model."""

import copy
import json
import random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from tests.envs.tooluse.worldcalls import arguments, everything, gives

from palestra.envs.base import Json
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.interpret import call, is_fault
from palestra.envs.tooluse.schema import Write
from palestra.envs.tooluse.world import World, fill

Rows = dict[str, dict[str, dict[str, Json]]]


def put(world: World, rows: Rows) -> None:
    """Make a world hold these rows, cell by cell, with what a world can do."""
    for table, wanted in rows.items():
        for id_ in [id_ for id_, _ in world.rows(table) if id_ not in wanted]:
            world.delete(table, id_)
        for id_, row in wanted.items():
            held = world.row(table, id_)
            if held is None:  # only rows of the base come back: the others are called for again
                world._put(table, id_, dict(row))
                continue
            for column, value in row.items():
                if held[column] != value:
                    world.set(table, id_, column, value)


class Worlds(RuleBasedStateMachine):
    """Some worlds of one base, each beside a plain copy of all that it must hold."""

    worlds: Bundle[Any] = Bundle("worlds")
    saves: Bundle[Any] = Bundle("saves")

    def __init__(self) -> None:
        super().__init__()
        self.alive: list[tuple[World, list[Rows]]] = []

    @rule(target=worlds, name=st.sampled_from(sorted(DOMAINS)), seed=st.integers(0, 2))
    def begin(self, name: str, seed: int) -> tuple[World, list[Rows]]:
        return self._model(World(fill(DOMAINS[name], "heldout", seed, 0.1)))

    @rule(world=worlds, seed=st.integers(0, 2**32))
    def call_a_tool(self, world: tuple[World, list[Rows]], seed: int) -> None:
        real, model = world
        rng = random.Random(seed)
        tools = [tool for tool in real.domain.tools if isinstance(tool, Write) or rng.random() < 0.2]
        tool = rng.choice(tools)
        before = real.diff()
        reply = call(real, tool.name, arguments(rng, real, tool))
        gives(real.domain, tool).validate(reply)
        if is_fault(reply) or not isinstance(tool, Write):
            assert real.diff() == before
        model[0] = copy.deepcopy(everything(real))

    @rule(target=worlds, world=worlds)
    def copy_it(self, world: tuple[World, list[Rows]]) -> tuple[World, list[Rows]]:
        made = self._model(world[0].copy())
        assert made[1] == world[1]
        assert made[0].diff() == world[0].diff()
        return made

    @rule(target=saves, world=worlds)
    def save_it(self, world: tuple[World, list[Rows]]) -> Any:
        return world[0].base, world[0].save(), json.dumps(world[0].save()), copy.deepcopy(world[1][0])

    @rule(target=worlds, saved=saves)
    def begin_again(self, saved: Any) -> tuple[World, list[Rows]]:
        base, changes, text, rows = saved
        assert json.dumps(changes) == text  # nothing that happened since has touched it
        made = self._model(World(base, changes))
        assert made[1][0] == rows
        assert World(base, json.loads(text)).diff() == made[0].diff()
        return made

    @rule(world=consumes(worlds))
    def undo_all(self, world: tuple[World, list[Rows]]) -> None:
        real, _ = world
        put(real, real.base.rows)
        assert real.diff() == []
        assert real.save() == {}
        self.alive = [other for other in self.alive if other[0] is not real]

    @rule(target=worlds, world=worlds, past=saves)
    def go_where_another_stood(self, world: tuple[World, list[Rows]], past: Any) -> Any:
        base, changes, _, rows = past
        if world[0].base is not base:
            return multiple()
        made = self._model(world[0].copy())
        put(made[0], rows)
        assert made[0].diff() == World(base, changes).diff()
        made[1][0] = copy.deepcopy(rows)
        return made

    @invariant()
    def no_world_touches_another(self) -> None:
        for real, model in self.alive:
            assert everything(real) == model[0]
            again = World(real.base)
            put(again, model[0])
            assert again.diff() == real.diff()

    def _model(self, world: World) -> tuple[World, list[Rows]]:
        self.alive.append((world, [copy.deepcopy(everything(world))]))
        return self.alive[-1]


TestWorlds = Worlds.TestCase
TestWorlds.settings = settings(max_examples=15, stateful_step_count=15)
