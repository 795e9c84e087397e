"""Problems about nodes and edges, and about ways on grids."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Corner, archetype

NODES: Final = 9  # at most
Edges = list[list[int]]


class OnGraph(Archetype):
    """A problem about a graph, whose edges have weights or have none."""

    is_weighted = False

    def __init__(self, c: Choices) -> None:
        columns = ("u", "v (each from 1 to n)", "w (1 to 9)")[: 3 if self.is_weighted else 2]
        nodes = "n, the number of nodes, which are numbered from 1 to n"
        self.fields = (
            Field(name="n", sort="int", what=nodes, low=1, high=NODES),
            Field(name="edges", sort="rows", what="the edges", columns=columns),
        )

    def draw(self, draws: Draws, size: int) -> tuple[int, Edges]:
        n = draws.between(1, min(NODES, size + 1))
        edges: Edges = []
        for _ in range(draws.between(0, 2 * size)):
            u, v = draws.between(1, n), draws.between(1, n)
            if edges and draws.chance(0.3):
                u = edges[-1][1]
            if u == v and draws.chance(0.7):
                v = v % n + 1
            edges.append([u, v, draws.between(1, 9)] if self.is_weighted else [u, v])
        return n, edges[: max(size, 1)]

    def corners(self) -> tuple[Corner, ...]:
        shapes: tuple[tuple[str, int, Edges], ...] = (
            ("one node", 1, []),
            ("no edges", 4, []),
            ("a loop", 2, [[2, 2, 3]]),
            ("an edge twice", 3, [[1, 2, 4], [1, 2, 2], [2, 3, 1]]),
            ("there and back", 3, [[1, 2, 1], [2, 1, 5], [2, 3, 2]]),
            ("a line", 5, [[1, 2, 3], [2, 3, 1], [3, 4, 2], [4, 5, 1]]),
            ("a ring", 4, [[1, 2, 1], [2, 3, 1], [3, 4, 1], [4, 1, 9]]),
            ("two parts", 6, [[1, 2, 2], [2, 3, 7], [4, 5, 1], [5, 6, 1]]),
            ("a star", 5, [[3, 1, 1], [3, 2, 2], [3, 4, 3], [3, 5, 4]]),
        )
        return tuple(
            (name, (n, [edge if self.is_weighted else edge[:2] for edge in edges])) for name, n, edges in shapes
        )


@archetype("graphs", "components")
class Components(OnGraph):
    """Parts of a graph that hang together."""

    is_weighted = True

    def __init__(self, c: Choices) -> None:
        super().__init__(c)
        self.objective = c.pick(
            "objective", ("number", "largest", "smallest", "sizes", "of one", "least nodes", "pairs")
        )
        self.light = c.pick("edges", ("all", "light", "odd sum"))
        self.order = c.pick("order", ("by least node", "falling"))
        self.trees = c.pick("parts", ("all", "of two or more"))
        self.k = c.constant("k", (4, 6), (5, 7))
        self.least = "1" if self.trees == "all" else "2"
        self.gives = "ints" if self.objective in ("sizes", "least nodes") else "int"

    def story(self) -> str:
        which = {
            "all": "",
            "light": f" Only edges with w of at most {self.k} count; leave out the others.",
            "odd sum": " Only edges for which u + v is odd count; leave out the others.",
        }[self.light]
        two = " Look only at parts of two or more nodes." if self.trees != "all" and self.objective != "of one" else ""
        sequence = {"by least node": "in the order of the least nodes of the parts", "falling": "the greatest first"}[
            self.order
        ]
        asked = {
            "number": "the number of parts",
            "largest": "the number of nodes of the largest part (0 if there is none)",
            "smallest": "the number of nodes of the smallest part (0 if there is none)",
            "sizes": f"the numbers of nodes of the parts, {sequence}",
            "of one": "the number of nodes of the part of node 1",
            "least nodes": "the least node of each part, "
            f"{'the greatest first' if self.order == 'falling' else 'ascending'}",
            "pairs": "the number of pairs of different nodes that are in the same part",
        }[self.objective]
        return (
            "The edges of a graph join nodes u and v, both ways; an edge may occur twice, and may join a node to "
            f"itself.{which} Two nodes are in the same part if one can go from one to the other along edges.{two} The "
            f"result is {asked}."
        )

    def solve(self) -> str:
        test = {"all": "True", "light": f"edge[2] <= {self.k}", "odd sum": "(edge[0] + edge[1]) % 2 == 1"}[self.light]
        end = {
            "number": "return len(sizes)",
            "largest": "best = 0\nfor size in sizes:\n    best = max(best, size)\nreturn best",
            "smallest": "best = 0\nfor size in sizes:\n    if best == 0 or size < best:\n        best = size\n"
            "return best",
            "sizes": "return sorted(sizes)[::-1]" if self.order == "falling" else "return sizes",
            "of one": "return first",
            "least nodes": "return heads[::-1]" if self.order == "falling" else "return heads",
            "pairs": "total = 0\nfor size in sizes:\n    total += size * (size - 1) // 2\nreturn total",
        }[self.objective]
        return self.code(
            """
def solve(n: int, edges: list[list[int]]) -> <type>:
    near = [[0] * 0 for _ in range(n + 1)]
    for edge in edges:
        if <test>:
            near[edge[0]].append(edge[1])
            near[edge[1]].append(edge[0])
    seen = [0] * (n + 1)
    sizes: list[int] = []
    heads: list[int] = []
    first = 0
    for start in range(1, n + 1):
        if seen[start] == 0:
            seen[start] = 1
            queue = [start]
            done = 0
            while done < len(queue):
                for other in near[queue[done]]:
                    if seen[other] == 0:
                        seen[other] = 1
                        queue.append(other)
                done += 1
            if start == 1:
                first = done
            if done >= <least>:
                sizes.append(done)
                heads.append(start)
    <end>
""",
            test=test,
            least=self.least,
            end=end,
        )

    def law(self, n: int, edges: Edges) -> Any:
        label = list(range(n + 1))
        tests: dict[str, Callable[[list[int]], bool]] = {"all": lambda e: True, "light": lambda e: e[2] <= self.k}
        fits: Any = tests.get(self.light, lambda e: (e[0] ^ e[1]) & 1 == 1)
        for edge in edges:
            if fits(edge):
                a, b = label[edge[0]], label[edge[1]]
                label = [min(a, b) if one in (a, b) else one for one in label]
        tally = Counter(label[1:])
        kept = {head: size for head, size in sorted(tally.items()) if size >= int(self.least)}
        sizes = list(kept.values())
        match self.objective:
            case "sizes":
                return sorted(sizes, reverse=True) if self.order == "falling" else sizes
            case "least nodes":
                return sorted(kept, reverse=self.order == "falling")
            case "pairs":
                return sum(size * (size - 1) for size in sizes) // 2
        return {"number": len(sizes), "largest": max(sizes, default=0), "smallest": min(sizes, default=0)}.get(
            self.objective, tally[1]
        )


@archetype("graphs", "distances")
class Distances(OnGraph):
    """Cheapest ways from a node."""

    is_weighted = True

    def __init__(self, c: Choices) -> None:
        super().__init__(c)
        self.directed = c.pick("edges", ("both ways", "one way", "backwards"))
        self.adds = c.pick("cost", ("sum", "hops", "greatest", "sum and nodes"))
        self.objective = c.pick("objective", ("to last", "farthest", "within", "list", "unreachable", "nearest"))
        self.heavy = c.pick("heavy", ("kept", "closed"))
        self.k = c.constant("k", (6, 8), (5, 7))
        self.gives = "ints" if self.objective in ("list", "unreachable") else "int"

    def story(self) -> str:
        ways = {
            "both ways": "An edge can be used both ways.",
            "one way": "An edge leads from u to v only.",
            "backwards": "An edge leads from v to u only.",
        }[self.directed]
        costs = {
            "sum": "the sum of w over its edges",
            "hops": "the number of its edges",
            "greatest": "the greatest w of its edges",
            "sum and nodes": "the sum of w over its edges, plus the number of each node that it enters (node 5 costs "
            "5)",
        }[self.adds]
        shut = "" if self.heavy == "kept" else f" Edges with w = {self.k} are closed."
        asked = {
            "to last": "the least cost of a way from node 1 to node n, -1 if there is no way",
            "farthest": "the greatest of the least costs from node 1 to the nodes that can be reached (node 1 among "
            "them)",
            "within": f"how many nodes can be reached from node 1 at a cost of at most {self.k}, node 1 included",
            "list": "for each node from 1 to n the least cost of a way from node 1, -1 if there is none",
            "unreachable": "the nodes that cannot be reached from node 1, ascending",
            "nearest": "the node other than 1 that is reached from node 1 at the least cost, of several the least "
            "node (0 if none can be reached)",
        }[self.objective]
        return (
            f"A graph has edges between u and v with a weight w. {ways}{shut} The cost of a way is {costs}; staying at "
            f"a node costs 0. The result is {asked}."
        )

    def solve(self) -> str:
        arcs = {"one way": ("0", "1"), "backwards": ("1", "0"), "both ways": ("0", "1")}[self.directed]
        back = "if here == edge[1] and there < 0:\n    there = edge[0]" if self.directed == "both ways" else ""
        longer = {
            "sum": "best + edge[2]",
            "hops": "best + 1",
            "greatest": "max(best, edge[2])",
            "sum and nodes": "best + edge[2] + there",
        }[self.adds]
        end = {
            "to last": "return far[n]",
            "farthest": "most = 0\nfor node in range(1, n + 1):\n    most = max(most, far[node])\nreturn most",
            "within": f"count = 0\nfor node in range(1, n + 1):\n    if far[node] >= 0 and far[node] <= {self.k}:\n"
            "        count += 1\nreturn count",
            "list": "return far[1:n + 1]",
            "unreachable": "missed: list[int] = []\nfor node in range(1, n + 1):\n    if far[node] < 0:\n"
            "        missed.append(node)\nreturn missed",
            "nearest": "found = 0\nfor node in range(2, n + 1):\n"
            "    if far[node] >= 0 and (found == 0 or far[node] < far[found]):\n        found = node\nreturn found",
        }[self.objective]
        return self.code(
            """
def solve(n: int, edges: list[list[int]]) -> <type>:
    far = [-1] * (n + 1)
    done = [0] * (n + 1)
    far[1] = 0
    here = 1
    while here > 0:
        done[here] = 1
        best = far[here]
        for edge in edges:
            there = -1
            if here == edge[<from>]:
                there = edge[<to>]
            <back>
            if there > 0 and <open>:
                way = <longer>
                if far[there] < 0 or way < far[there]:
                    far[there] = way
        here = 0
        for node in range(1, n + 1):
            if done[node] == 0 and far[node] >= 0 and (here == 0 or far[node] < far[here]):
                here = node
    <end>
""".replace("<from>", arcs[0]).replace("<to>", arcs[1]),
            back=back,
            open="True" if self.heavy == "kept" else f"edge[2] != {self.k}",
            longer=longer,
            end=end,
        )

    def law(self, n: int, edges: Edges) -> Any:
        arrows = [(u, v, w) for u, v, w in edges if self.directed != "backwards"]
        arrows += [(v, u, w) for u, v, w in edges if self.directed != "one way"]
        arrows = [one for one in arrows if self.heavy == "kept" or one[2] != self.k]
        far = {1: 0}
        for _ in range(n):
            for u, v, w in arrows:
                if u in far:
                    way = {"sum": far[u] + w, "hops": far[u] + 1, "greatest": max(far[u], w)}.get(
                        self.adds, far[u] + w + v
                    )
                    far[v] = min(far.get(v, way), way)
        others = sorted((way, node) for node, way in far.items() if node > 1)
        return {
            "to last": far.get(n, -1),
            "farthest": max(far.values()),
            "within": sum(way <= self.k for way in far.values()),
            "list": [far.get(node, -1) for node in range(1, n + 1)],
            "unreachable": [node for node in range(1, n + 1) if node not in far],
        }.get(self.objective, others[0][1] if others else 0)
