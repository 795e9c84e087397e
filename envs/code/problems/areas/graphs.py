"""Problems about nodes and edges, and about ways on grids."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Gives, Parts, archetype, code

NODES: Final = 9  # at most
Edges = list[list[int]]


def _fields(*, weighted: bool = False) -> tuple[Field, ...]:
    columns = ("u", "v", "w (1 to 9)") if weighted else ("u", "v")
    first = (*columns[:1], "v (each from 1 to n)", *columns[2:])
    return (
        Field(name="n", sort="int", what="n, the number of nodes, which are numbered from 1 to n", low=1, high=NODES),
        Field(name="edges", sort="rows", what="the edges", columns=first),
    )


def _edges(weighted: bool) -> Any:
    def draw(draws: Draws, size: int) -> tuple[int, Edges]:
        n = draws.between(1, min(NODES, size + 1))
        edges: Edges = []
        for _ in range(draws.between(0, 2 * size)):
            u, v = draws.between(1, n), draws.between(1, n)
            if edges and draws.chance(0.3):
                u = edges[-1][1]
            if u == v and draws.chance(0.7):
                v = v % n + 1
            edges.append([u, v, draws.between(1, 9)] if weighted else [u, v])
        return n, edges[: max(size, 1)]

    return draw


def _corners(weighted: bool) -> tuple[tuple[str, tuple[int, Edges]], ...]:
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
    return tuple((name, (n, [edge if weighted else edge[:2] for edge in edges])) for name, n, edges in shapes)


_LOOPS: Final = {"kept": "True", "dropped": "edge[0] != edge[1]"}


@archetype("graphs")
def components(c: Choices) -> Parts:
    """Parts of a graph that hang together."""
    objective = c.pick("objective", ("number", "largest", "smallest", "sizes", "of one", "least nodes", "pairs"))
    light = c.pick("edges", ("all", "light", "odd sum"))
    order = c.pick("order", ("by least node", "falling"))
    trees = c.pick("parts", ("all", "of two or more"))
    k = c.constant("k", (4, 6), (5, 7))
    test = {"all": "True", "light": f"edge[2] <= {k}", "odd sum": "(edge[0] + edge[1]) % 2 == 1"}[light]
    least = "1" if trees == "all" else "2"
    end = {
        "number": "return len(sizes)",
        "largest": "best = 0\nfor size in sizes:\n    best = max(best, size)\nreturn best",
        "smallest": "best = 0\nfor size in sizes:\n    if best == 0 or size < best:\n        best = size\nreturn best",
        "sizes": "return sorted(sizes)[::-1]" if order == "falling" else "return sizes",
        "of one": "return first",
        "least nodes": "return heads[::-1]" if order == "falling" else "return heads",
        "pairs": "total = 0\nfor size in sizes:\n    total += size * (size - 1) // 2\nreturn total",
    }[objective]
    gives: Gives = "ints" if objective in ("sizes", "least nodes") else "int"
    solve = code(
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
        type="list[int]" if gives == "ints" else "int",
        test=test,
        least=least,
        end=end,
    )

    def law(n: int, edges: Edges) -> Any:
        label = list(range(n + 1))
        tests: dict[str, Callable[[list[int]], bool]] = {"all": lambda e: True, "light": lambda e: e[2] <= k}
        fits: Any = tests.get(light, lambda e: (e[0] ^ e[1]) & 1 == 1)
        for edge in edges:
            if fits(edge):
                a, b = label[edge[0]], label[edge[1]]
                label = [min(a, b) if one in (a, b) else one for one in label]
        tally = Counter(label[1:])
        kept = {head: size for head, size in sorted(tally.items()) if size >= int(least)}
        sizes = list(kept.values())
        match objective:
            case "sizes":
                return sorted(sizes, reverse=True) if order == "falling" else sizes
            case "least nodes":
                return sorted(kept, reverse=order == "falling")
            case "pairs":
                return sum(size * (size - 1) for size in sizes) // 2
        return {"number": len(sizes), "largest": max(sizes, default=0), "smallest": min(sizes, default=0)}.get(
            objective, tally[1]
        )

    which = {
        "all": "",
        "light": f" Only edges with w of at most {k} count; leave out the others.",
        "odd sum": " Only edges for which u + v is odd count; leave out the others.",
    }[light]
    two = " Look only at parts of two or more nodes." if trees != "all" and objective != "of one" else ""
    sequence = {"by least node": "in the order of the least nodes of the parts", "falling": "the greatest first"}[order]
    asked = {
        "number": "the number of parts",
        "largest": "the number of nodes of the largest part (0 if there is none)",
        "smallest": "the number of nodes of the smallest part (0 if there is none)",
        "sizes": f"the numbers of nodes of the parts, {sequence}",
        "of one": "the number of nodes of the part of node 1",
        "least nodes": f"the least node of each part, {'the greatest first' if order == 'falling' else 'ascending'}",
        "pairs": "the number of pairs of different nodes that are in the same part",
    }[objective]
    return Parts(
        story="The edges of a graph join nodes u and v, both ways; an edge may occur twice, and may join a node to "
        "itself."
        f"{which} Two nodes are in the same part if one can go from one to the other along edges.{two} The result is "
        f"{asked}.",
        fields=_fields(weighted=True),
        gives=gives,
        solve=solve,
        law=law,
        draw=_edges(weighted=True),
        corners=_corners(weighted=True),
    )


@archetype("graphs")
def distances(c: Choices) -> Parts:
    """Cheapest ways from a node."""
    directed = c.pick("edges", ("both ways", "one way", "backwards"))
    cost = c.pick("cost", ("sum", "hops", "greatest", "sum and nodes"))
    objective = c.pick("objective", ("to last", "farthest", "within", "list", "unreachable", "nearest"))
    heavy = c.pick("heavy", ("kept", "closed"))
    k = c.constant("k", (6, 8), (5, 7))
    arcs = {"one way": ("0", "1"), "backwards": ("1", "0"), "both ways": ("0", "1")}[directed]
    back = "if here == edge[1] and there < 0:\n    there = edge[0]" if directed == "both ways" else ""
    longer = {
        "sum": "best + edge[2]",
        "hops": "best + 1",
        "greatest": "max(best, edge[2])",
        "sum and nodes": "best + edge[2] + there",
    }[cost]
    end = {
        "to last": "return far[n]",
        "farthest": "most = 0\nfor node in range(1, n + 1):\n    most = max(most, far[node])\nreturn most",
        "within": f"count = 0\nfor node in range(1, n + 1):\n    if far[node] >= 0 and far[node] <= {k}:\n        "
        "count += 1\nreturn count",
        "list": "return far[1:n + 1]",
        "unreachable": "missed: list[int] = []\nfor node in range(1, n + 1):\n    if far[node] < 0:\n        "
        "missed.append(node)\nreturn missed",
        "nearest": "found = 0\nfor node in range(2, n + 1):\n    if far[node] >= 0 and (found == 0 or far[node] < "
        "far[found]):\n"
        "        found = node\nreturn found",
    }[objective]
    gives: Gives = "ints" if objective in ("list", "unreachable") else "int"
    solve = code(
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
        type="list[int]" if gives == "ints" else "int",
        back=back,
        open="True" if heavy == "kept" else f"edge[2] != {k}",
        longer=longer,
        end=end,
    )

    def law(n: int, edges: Edges) -> Any:
        arrows = [(u, v, w) for u, v, w in edges if directed != "backwards"]
        arrows += [(v, u, w) for u, v, w in edges if directed != "one way"]
        arrows = [one for one in arrows if heavy == "kept" or one[2] != k]
        far = {1: 0}
        for _ in range(n):
            for u, v, w in arrows:
                if u in far:
                    way = {"sum": far[u] + w, "hops": far[u] + 1, "greatest": max(far[u], w)}.get(cost, far[u] + w + v)
                    far[v] = min(far.get(v, way), way)
        others = sorted((way, node) for node, way in far.items() if node > 1)
        return {
            "to last": far.get(n, -1),
            "farthest": max(far.values()),
            "within": sum(way <= k for way in far.values()),
            "list": [far.get(node, -1) for node in range(1, n + 1)],
            "unreachable": [node for node in range(1, n + 1) if node not in far],
        }.get(objective, others[0][1] if others else 0)

    ways = {
        "both ways": "An edge can be used both ways.",
        "one way": "An edge leads from u to v only.",
        "backwards": "An edge leads from v to u only.",
    }[directed]
    costs = {
        "sum": "the sum of w over its edges",
        "hops": "the number of its edges",
        "greatest": "the greatest w of its edges",
        "sum and nodes": "the sum of w over its edges, plus the number of each node that it enters (node 5 costs 5)",
    }[cost]
    shut = "" if heavy == "kept" else f" Edges with w = {k} are closed."
    asked = {
        "to last": "the least cost of a way from node 1 to node n, -1 if there is no way",
        "farthest": "the greatest of the least costs from node 1 to the nodes that can be reached (node 1 among them)",
        "within": f"how many nodes can be reached from node 1 at a cost of at most {k}, node 1 included",
        "list": "for each node from 1 to n the least cost of a way from node 1, -1 if there is none",
        "unreachable": "the nodes that cannot be reached from node 1, ascending",
        "nearest": "the node other than 1 that is reached from node 1 at the least cost, of several the least node (0 "
        "if none "
        "can be reached)",
    }[objective]
    return Parts(
        story=f"A graph has edges between u and v with a weight w. {ways}{shut} The cost of a way is {costs}; staying "
        "at a node "
        f"costs 0. The result is {asked}.",
        fields=_fields(weighted=True),
        gives=gives,
        solve=solve,
        law=law,
        draw=_edges(weighted=True),
        corners=_corners(weighted=True),
    )


@archetype("graphs")
def ordering(c: Choices) -> Parts:
    """An order in which each comes after what it needs."""
    direction = c.pick("meaning", ("u first", "v first"))
    choice = c.pick("choice", ("least", "greatest"))
    objective = c.pick("objective", ("order", "rounds", "number", "last", "stuck"))
    loops = c.pick("loops", ("kept", "dropped"))
    limit = c.pick("a round", ("all ready", "at most two"))
    first, then = ("0", "1") if direction == "u first" else ("1", "0")
    gives: Gives = "ints" if objective in ("order", "stuck") else "int"
    span = "range(1, n + 1)" if choice == "least" else "range(n, 0, -1)"
    end = {
        "order": "return order",
        "rounds": "return rounds",
        "number": "return len(order)",
        "last": "return order[len(order) - 1] if len(order) > 0 else 0",
        "stuck": "missed: list[int] = []\nfor node in range(1, n + 1):\n    if done[node] == 0:\n        "
        "missed.append(node)\n"
        "return missed",
    }[objective]
    by_rounds = objective == "rounds"
    most = "n" if limit == "all ready" else "2"
    solve = code(
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
        type="list[int]" if gives == "ints" else "int",
        loops=_LOOPS[loops],
        span=span,
        most=most if by_rounds or limit != "all ready" else "1",
        first=first,
        then=then,
        end=end,
    )

    def law(n: int, edges: Edges) -> Any:
        pairs = [(u, v) if direction == "u first" else (v, u) for u, v in edges if loops == "kept" or u != v]
        order: list[int] = []
        rounds = 0
        size = (n if by_rounds else 1) if limit == "all ready" else 2
        while True:
            left = [node for node in range(1, n + 1) if node not in order]
            ready = [node for node in left if not any(b == node and a in left for a, b in pairs)]
            ready = sorted(ready, reverse=choice == "greatest")[:size]
            if not ready:
                break
            order += ready
            rounds += 1
        return {"order": order, "rounds": rounds, "number": len(order), "last": [0, *order][-1]}.get(
            objective, [node for node in range(1, n + 1) if node not in order]
        )

    meaning = "task u must be done before task v" if direction == "u first" else "task v must be done before task u"
    own = (
        "an edge from a task to itself means that it can never be done"
        if loops == "kept"
        else ("an edge from a task to itself means nothing")
    )
    which = "lowest" if choice == "least" else "highest"
    pace = {
        "all ready": f"At each moment, of all tasks that are ready the one with the {which} number is done next."
        if not by_rounds
        else "In each round all tasks that are ready when it begins are done.",
        "at most two": f"In each round, of all tasks that are ready when it begins, the two with the {which} numbers "
        "are done, "
        f"the {which} first (or the only one).",
    }[limit]
    asked = {
        "order": "the tasks in the order in which they are done",
        "rounds": "the number of rounds in which something is done",
        "number": "how many tasks are done",
        "last": "the task that is done last (0 if none is)",
        "stuck": "the tasks that are never done, ascending",
    }[objective]
    return Parts(
        story=f"Nodes are tasks; an edge u v means that {meaning}; {own}. A task that is not done is ready if "
        "everything it needs "
        f"is done. {pace} This goes on until nothing is ready. The result is {asked}.",
        fields=_fields(),
        gives=gives,
        solve=solve,
        law=law,
        draw=_edges(weighted=False),
        corners=_corners(weighted=False),
    )


@archetype("graphs")
def degrees(c: Choices) -> Parts:
    """How many edges nodes have."""
    measure = c.pick("degree", ("both", "out", "in", "out minus in"))
    repeated = c.pick("repeated", ("each", "once"))
    loops = c.pick("loops", ("kept", "dropped"))
    objective = c.pick("objective", ("node", "nodes", "exactly", "list", "odd", "spread"))
    tie = c.pick("tie", ("lowest", "highest"))
    k = c.constant("k", (1, 2), (0, 3))
    adds = {
        "both": "degree[edge[0]] += 1\ndegree[edge[1]] += 1",
        "out": "degree[edge[0]] += 1",
        "in": "degree[edge[1]] += 1",
        "out minus in": "degree[edge[0]] += 1\ndegree[edge[1]] -= 1",
    }[measure]
    better = ">" if tie == "lowest" else ">="
    end = {
        "node": f"best = 1\nfor node in range(2, n + 1):\n    if degree[node] {better} degree[best]:\n        best = "
        "node\nreturn best",
        "nodes": "most = degree[1]\nfor node in range(1, n + 1):\n    most = max(most, degree[node])\nmade: list[int] "
        "= []\n"
        "for node in range(1, n + 1):\n    if degree[node] == most:\n        made.append(node)\nreturn made",
        "exactly": f"count = 0\nfor node in range(1, n + 1):\n    if degree[node] == {k}:\n        count += 1\nreturn "
        "count",
        "list": "return degree[1:n + 1]",
        "odd": "made: list[int] = []\nfor node in range(1, n + 1):\n    if degree[node] % 2 == 1:\n        "
        "made.append(node)\nreturn made",
        "spread": "ordered = sorted(degree[1:n + 1])\nreturn ordered[n - 1] - ordered[0]",
    }[objective]
    gives: Gives = "ints" if objective in ("nodes", "list", "odd") else "int"
    solve = code(
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
        type="list[int]" if gives == "ints" else "int",
        new="True" if repeated == "each" else "code not in seen",
        loops=_LOOPS[loops],
        adds=adds,
        end=end,
    )

    def law(n: int, edges: Edges) -> Any:
        pairs = [(u, v) for u, v in edges if loops == "kept" or u != v]
        pairs = list(set(pairs)) if repeated == "once" else pairs
        out, into = Counter(u for u, _ in pairs), Counter(v for _, v in pairs)
        value = {
            node: {"both": out[node] + into[node], "out": out[node], "in": into[node]}.get(
                measure, out[node] - into[node]
            )
            for node in range(1, n + 1)
        }
        most = [node for node in value if value[node] == max(value.values())]
        return {
            "node": most[0 if tie == "lowest" else -1],
            "nodes": most,
            "exactly": list(value.values()).count(k),
            "list": list(value.values()),
            "odd": [node for node in value if value[node] & 1],
        }.get(objective, max(value.values()) - min(value.values()))

    what = {
        "both": "the number of edge ends at it (u and v of every edge count, so an edge from a node to itself "
        "counts twice)",
        "out": "the number of edges that start at it",
        "in": "the number of edges that end at it",
        "out minus in": "the number of edges that start at it minus the number of those that end at it",
    }[measure]
    same = (
        "each time that an edge occurs counts"
        if repeated == "each"
        else ("an edge that occurs several times (same u and same v) counts once")
    )
    own = "" if loops == "kept" else "; edges from a node to itself are left out"
    asked = {
        "node": f"the node with the greatest degree, of several the {tie}",
        "nodes": "all nodes with the greatest degree, ascending",
        "exactly": f"how many nodes have exactly the degree {k}",
        "list": "the degrees of nodes 1 to n",
        "odd": "the nodes whose degree is odd, ascending",
        "spread": "the greatest degree minus the least",
    }[objective]
    return Parts(
        story=f"Edges lead from u to v. The degree of a node is {what}; {same}{own}. The result is {asked}.",
        fields=_fields(),
        gives=gives,
        solve=solve,
        law=law,
        draw=_edges(weighted=False),
        corners=_corners(weighted=False),
    )
