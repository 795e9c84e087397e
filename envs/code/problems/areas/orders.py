"""Problems about edges that lead from node to node: orders of tasks, degrees."""

from collections import Counter
from typing import Any, Final

from palestra.envs.code.problems.areas.graphs import Edges, OnGraph
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.parts import archetype

_LOOPS: Final = {"kept": "True", "dropped": "edge[0] != edge[1]"}


@archetype("graphs", "ordering")
class Ordering(OnGraph):
    """An order in which each comes after what it needs."""

    def __init__(self, c: Choices) -> None:
        super().__init__(c)
        self.direction = c.pick("meaning", ("u first", "v first"))
        self.choice = c.pick("choice", ("least", "greatest"))
        self.objective = c.pick("objective", ("order", "rounds", "number", "last", "stuck"))
        self.loops = c.pick("loops", ("kept", "dropped"))
        self.limit = c.pick("a round", ("all ready", "at most two"))
        self.gives = "ints" if self.objective in ("order", "stuck") else "int"
        self.by_rounds = self.objective == "rounds"

    def story(self) -> str:
        meaning = (
            "task u must be done before task v" if self.direction == "u first" else "task v must be done before task u"
        )
        own = (
            "an edge from a task to itself means that it can never be done"
            if self.loops == "kept"
            else ("an edge from a task to itself means nothing")
        )
        which = "lowest" if self.choice == "least" else "highest"
        pace = {
            "all ready": f"At each moment, of all tasks that are ready the one with the {which} number is done next."
            if not self.by_rounds
            else "In each round all tasks that are ready when it begins are done.",
            "at most two": f"In each round, of all tasks that are ready when it begins, the two with the {which} "
            f"numbers are done, the {which} first (or the only one).",
        }[self.limit]
        asked = {
            "order": "the tasks in the order in which they are done",
            "rounds": "the number of rounds in which something is done",
            "number": "how many tasks are done",
            "last": "the task that is done last (0 if none is)",
            "stuck": "the tasks that are never done, ascending",
        }[self.objective]
        return (
            f"Nodes are tasks; an edge u v means that {meaning}; {own}. A task that is not done is ready if everything "
            f"it needs is done. {pace} This goes on until nothing is ready. The result is {asked}."
        )

    def solve(self) -> str:
        first, then = ("0", "1") if self.direction == "u first" else ("1", "0")
        span = "range(1, n + 1)" if self.choice == "least" else "range(n, 0, -1)"
        end = {
            "order": "return order",
            "rounds": "return rounds",
            "number": "return len(order)",
            "last": "return order[len(order) - 1] if len(order) > 0 else 0",
            "stuck": "missed: list[int] = []\nfor node in range(1, n + 1):\n    if done[node] == 0:\n"
            "        missed.append(node)\nreturn missed",
        }[self.objective]
        most = "n" if self.limit == "all ready" else "2"
        return self.code(
            """
def solve(n: int, edges: list[list[int]]) -> <type>:
    needs = [0] * (n + 1)
    for edge in edges:
        if <loops>:
            needs[edge[<then>]] += 1
    done = [0] * (n + 1)
    order: list[int] = []
    rounds = 0
    before = -1
    while len(order) > before:
        before = len(order)
        ready: list[int] = []
        for node in <span>:
            if done[node] == 0 and needs[node] == 0 and len(ready) < <most>:
                ready.append(node)
        for node in ready:
            done[node] = 1
            order.append(node)
            for edge in edges:
                if edge[<first>] == node and edge[<then>] != node:
                    needs[edge[<then>]] -= 1
        if len(ready) > 0:
            rounds += 1
    <end>
""",
            loops=_LOOPS[self.loops],
            span=span,
            most=most if self.by_rounds or self.limit != "all ready" else "1",
            first=first,
            then=then,
            end=end,
        )

    def law(self, n: int, edges: Edges) -> Any:
        pairs = [(u, v) if self.direction == "u first" else (v, u) for u, v in edges if self.loops == "kept" or u != v]
        order: list[int] = []
        rounds = 0
        size = (n if self.by_rounds else 1) if self.limit == "all ready" else 2
        while True:
            left = [node for node in range(1, n + 1) if node not in order]
            ready = [node for node in left if not any(b == node and a in left for a, b in pairs)]
            ready = sorted(ready, reverse=self.choice == "greatest")[:size]
            if not ready:
                break
            order += ready
            rounds += 1
        return {"order": order, "rounds": rounds, "number": len(order), "last": [0, *order][-1]}.get(
            self.objective, [node for node in range(1, n + 1) if node not in order]
        )


@archetype("graphs", "degrees")
class Degrees(OnGraph):
    """How many edges nodes have."""

    def __init__(self, c: Choices) -> None:
        super().__init__(c)
        self.measure = c.pick("degree", ("both", "out", "in", "out minus in"))
        self.repeated = c.pick("repeated", ("each", "once"))
        self.loops = c.pick("loops", ("kept", "dropped"))
        self.objective = c.pick("objective", ("node", "nodes", "exactly", "list", "odd", "spread"))
        self.tie = c.pick("tie", ("lowest", "highest"))
        self.k = c.constant("k", (1, 2), (0, 3))
        self.gives = "ints" if self.objective in ("nodes", "list", "odd") else "int"

    def story(self) -> str:
        what = {
            "both": "the number of edge ends at it (u and v of every edge count, so an edge from a node to itself "
            "counts twice)",
            "out": "the number of edges that start at it",
            "in": "the number of edges that end at it",
            "out minus in": "the number of edges that start at it minus the number of those that end at it",
        }[self.measure]
        same = (
            "each time that an edge occurs counts"
            if self.repeated == "each"
            else ("an edge that occurs several times (same u and same v) counts once")
        )
        own = "" if self.loops == "kept" else "; edges from a node to itself are left out"
        asked = {
            "node": f"the node with the greatest degree, of several the {self.tie}",
            "nodes": "all nodes with the greatest degree, ascending",
            "exactly": f"how many nodes have exactly the degree {self.k}",
            "list": "the degrees of nodes 1 to n",
            "odd": "the nodes whose degree is odd, ascending",
            "spread": "the greatest degree minus the least",
        }[self.objective]
        return f"Edges lead from u to v. The degree of a node is {what}; {same}{own}. The result is {asked}."

    def solve(self) -> str:
        adds = {
            "both": "degree[edge[0]] += 1\ndegree[edge[1]] += 1",
            "out": "degree[edge[0]] += 1",
            "in": "degree[edge[1]] += 1",
            "out minus in": "degree[edge[0]] += 1\ndegree[edge[1]] -= 1",
        }[self.measure]
        better = ">" if self.tie == "lowest" else ">="
        end = {
            "node": f"best = 1\nfor node in range(2, n + 1):\n    if degree[node] {better} degree[best]:\n"
            "        best = node\nreturn best",
            "nodes": "most = degree[1]\nfor node in range(1, n + 1):\n    most = max(most, degree[node])\n"
            "made: list[int] = []\nfor node in range(1, n + 1):\n    if degree[node] == most:\n"
            "        made.append(node)\nreturn made",
            "exactly": f"count = 0\nfor node in range(1, n + 1):\n    if degree[node] == {self.k}:\n"
            "        count += 1\nreturn count",
            "list": "return degree[1:n + 1]",
            "odd": "made: list[int] = []\nfor node in range(1, n + 1):\n    if degree[node] % 2 == 1:\n"
            "        made.append(node)\nreturn made",
            "spread": "ordered = sorted(degree[1:n + 1])\nreturn ordered[n - 1] - ordered[0]",
        }[self.objective]
        return self.code(
            """
def solve(n: int, edges: list[list[int]]) -> <type>:
    degree = [0] * (n + 1)
    seen: dict[int, int] = {}
    for edge in edges:
        code = edge[0] * 100 + edge[1]
        if <new> and <loops>:
            <adds>
        seen[code] = 1
    <end>
""",
            new="True" if self.repeated == "each" else "code not in seen",
            loops=_LOOPS[self.loops],
            adds=adds,
            end=end,
        )

    def law(self, n: int, edges: Edges) -> Any:
        pairs = [(u, v) for u, v in edges if self.loops == "kept" or u != v]
        pairs = list(set(pairs)) if self.repeated == "once" else pairs
        out, into = Counter(u for u, _ in pairs), Counter(v for _, v in pairs)
        value = {
            node: {"both": out[node] + into[node], "out": out[node], "in": into[node]}.get(
                self.measure, out[node] - into[node]
            )
            for node in range(1, n + 1)
        }
        most = [node for node in value if value[node] == max(value.values())]
        return {
            "node": most[0 if self.tie == "lowest" else -1],
            "nodes": most,
            "exactly": list(value.values()).count(self.k),
            "list": list(value.values()),
            "odd": [node for node in value if value[node] & 1],
        }.get(self.objective, max(value.values()) - min(value.values()))
