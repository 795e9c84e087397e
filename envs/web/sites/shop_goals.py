"""What is asked for in a shop."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from palestra.envs.base import Json
from palestra.envs.web.pools import CITIES, FIRST_NAMES, LAST_NAMES
from palestra.envs.web.site import Goal, Place, Site, wording
from palestra.envs.web.sites.goals import Asked
from palestra.envs.web.verify import either, together

Products = Mapping[str, Mapping[str, Json]]
_STREETS: Final[Mapping[str, tuple[str, ...]]] = {
    "train": ("Mill Lane", "Station Road", "Church Street", "Harbour Way", "Garden Row"),
    "heldout": ("Castle Hill", "Market Square", "River Walk"),
}
_FIELDS: Final = ("name", "street", "city")


class ShopGoals(Asked):
    """The goals of one shop, and what each needs."""

    def __init__(self, site: Site, products: Products) -> None:
        super().__init__(site)
        self._products = products
        self._entries: dict[str, dict[str, str]] = {}  # by intent: what fields take
        self._targets: dict[str, tuple[str, ...]] = {}  # by intent: the products that it is about
        draws = site.draws("goals")
        able = [one for one, cells in products.items() if cells["stock"]]
        self._free = draws.shuffled([one for one in able if not products[one]["heavy"]])
        self._heavy = [one for one in able if products[one]["heavy"]]
        self._gone = [one for one, cells in products.items() if not cells["stock"]]
        self.made = tuple(self._all())

    def matters(self, place: Place, goal: Goal, key: str) -> bool:
        """Whether using an element can be part of a shortest solution."""
        if key.startswith(("to /product/", "do add ")):
            return key.removeprefix("to /product/").removeprefix("do add ") in self._targets[goal.intent]
        if key.startswith("way="):
            return key == f"way={self._entries[goal.intent].get('way', '')}"
        if key.startswith("do remove "):
            return key.removeprefix("do remove ") not in self._targets[goal.intent]
        if key.startswith(("do tab", "sort")):
            return (key, goal.template) in (("sort", "cheapest"), ("do tab delivery", "too heavy"))
        return key not in ("to /about", "to /help", "to /terms", "to /privacy", "to /jobs", "to /newsletter")

    def texts(self, goal: Goal, key: str) -> Sequence[str]:
        """Return what a field may take."""
        told = self._entries[goal.intent].get(key)
        return (told,) if told else ()

    def _all(self) -> Iterator[Goal]:
        if len(self._free) > 3:
            yield self._buy("buy", {self._free[0]: 1})
            yield self._buy("buy several", {self._free[1]: self._site.draws("count").between(2, 9)})
            yield self._buy("buy two", {self._free[2]: 1, self._free[3]: 1})
            yield from self._cheapest()
        priced = self._site.draws("price").pick(list(self._products))
        yield self._price(priced)
        yield from self._dearest()
        if self._gone:
            yield self._buy("sold out", {self._gone[0]: 1}, "infeasible")
        if self._heavy:
            yield self._buy("too heavy", {self._heavy[0]: 1}, "infeasible")

    def said(self, *wordings: str) -> str:
        """Return one of several wordings; goals that begin alike are said alike."""
        return wording(self._site.draws(f"intent {wordings[0][:20]}"), self._site.knobs.paraphrase, wordings)

    def _about(self, goal: Goal, products: Sequence[str], **entries: str) -> Goal:
        self._targets[goal.intent], self._entries[goal.intent] = tuple(products), entries
        return goal

    def _address(self, stage: str) -> dict[str, str]:
        draws, split = self._site.draws(f"address {stage}"), self._site.split
        return {
            "name": f"{draws.pick(FIRST_NAMES[split])} {draws.pick(LAST_NAMES[split])}",
            "street": f"{draws.pick(_STREETS[split])} {draws.between(1, 99)}",
            "city": draws.pick(CITIES[split]),
        }

    def _buy(self, template: str, wanted: Mapping[str, int], kind: str = "change", called: str = "") -> Goal:
        to, way = (
            self._address(template),
            self._site.draws(f"way {template}").pick(("Standard", "Express", "Pick-up point")),
        )
        way = "Express" if template == "too heavy" else way
        counts = {one: count for one, count in sorted(wanted.items())}
        names = {one: str(self._products[one]["name"]) for one in counts}
        what = called or " and ".join(f"{count} x {names[one]}" for one, count in counts.items())
        where = f"{to['name']}, {to['street']}, {to['city']}"
        intent = self.said(
            f"Order {what}, to be sent to {where}; the way of delivery is: {way}.",
            f"Buy {what}. Ship it to {where} (delivery: {way}).",
        )
        items = ", ".join(f"{count} x {names[one]}" for one, count in counts.items())
        cells = {"items": items, **to, "way": way}
        goal = Goal(
            kind=kind,
            template=template,
            intent=intent,
            changes={f"orders/1/{name}": value for name, value in cells.items()},
            facts=() if kind == "change" else (_why_not(template, names),),
            values=(*to.values(), way),
        )
        quantity = next(iter(counts.values())) if len(counts) == 1 else 1
        entries = {**to, "way": way, **({"quantity": str(quantity)} if quantity > 1 else {})}
        if template == "cheapest":
            entries |= {
                "sort": "Lowest price first",
                "department": str(self._products[next(iter(counts))]["department"]),
            }
        elif len(counts) == 1:
            entries |= {"q": next(iter(names.values()))}
        return self._about(goal, tuple(counts), **entries)

    def _cheapest(self) -> Iterator[Goal]:
        department = str(self._products[self._free[0]]["department"])
        theirs = [one for one, cells in self._products.items() if cells["department"] == department]
        best = min(theirs, key=lambda one: self._products[one]["price"])
        if best in self._free and len(theirs) > 1:
            yield self._buy("cheapest", {best: 1}, called=f"1 x the cheapest product of the department {department}")

    def _price(self, which: str) -> Goal:
        cells = self._products[which]
        intent = self.said(
            f"What does one {cells['name']} cost, in EUR? Answer with a number such as 12.5.",
            f"Tell me the price of {cells['name']} in EUR, as a number.",
        )
        cents = int(cells["price"])
        facts = (f"EUR {cents // 100}.{cents % 100:02d}",)
        goal = Goal(kind="answer", template="price", intent=intent, answer=cents / 100, facts=facts)
        return self._about(goal, (which,), q=str(cells["name"]))

    def _dearest(self) -> Iterator[Goal]:
        department = self._site.draws("dearest").pick(("Kitchen", "Outdoors", "Office", "Home"))
        theirs = [one for one, cells in self._products.items() if cells["department"] == department]
        if not theirs:
            return
        intent = self.said(
            f"How many products are there in the department {department}? Answer with a number.",
            f"Count the products of the department {department}; answer with the number alone.",
        )
        facts = tuple(str(self._products[one]["name"]) for one in theirs)
        goal = Goal(kind="answer", template="count", intent=intent, answer=len(theirs), facts=facts)
        yield self._about(goal, (), department=department)


def _why_not(template: str, names: Mapping[str, str]) -> str:
    name = next(iter(names.values()))
    if template == "sold out":
        return together(name, "Sold out")
    return either(together(name, "Only by standard delivery."), "What is heavy is sent by standard delivery only.")
