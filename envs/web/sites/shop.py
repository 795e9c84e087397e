"""A shop: a list that is searched, narrowed and sorted, products, a basket, and a checkout of three pages."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Final

from palestra.envs.base import Json, Split
from palestra.envs.web.element import (
    Command,
    Element,
    Page,
    alert,
    button,
    choice,
    entry,
    form,
    heading,
    link,
    listing,
    number,
    part,
    pressed,
    radios,
    status,
    table,
    text,
)
from palestra.envs.web.pools import PRODUCTS
from palestra.envs.web.site import Knobs, Place
from palestra.envs.web.sites.goals import AskingSite
from palestra.envs.web.sites.shared import leaflet, links_beside, offer, shown_part
from palestra.envs.web.sites.shop_goals import ShopGoals

DEPARTMENTS: Final = ("Kitchen", "Outdoors", "Office", "Home")
SORTS: Final = ("Name", "Lowest price first", "Highest price first")
WAYS: Final = ("Standard", "Express", "Pick-up point")
_COLOURS: Final = ("black", "blue", "green", "red", "white", "grey")
_MOST: Final = 9  # of one product in a basket
Products = Mapping[str, Mapping[str, Json]]


class Shop(AskingSite):
    """A shop whose truth is its orders; basket and the pages of the checkout are remembered of the visitor."""

    name: ClassVar[str] = "shop"

    def __init__(self, seed: int, split: Split, knobs: Knobs) -> None:
        super().__init__(seed, split, knobs)
        self._products = self._drawn()
        labels = self.draws("labels")
        self._words = {
            "name": labels.pick(("Full name", "Name", "Recipient")),
            "street": labels.pick(("Street", "Street and number", "Address")),
            "city": labels.pick(("City", "Town", "Place")),
            "add": labels.pick(("Add to basket", "Put into basket", "Buy this")),
            "order": labels.pick(("Place order", "Order now", "Confirm the order")),
        }
        self._goals = ShopGoals(self, self._products)

    def _drawn(self) -> Products:
        draws, products = self.draws("products"), dict[str, dict[str, Json]]()
        kinds = draws.shuffled([f"{colour} {what}" for what in PRODUCTS[self.split] for colour in _COLOURS])
        prices = draws.shuffled(range(300, 9900, 25))
        for place, kind in enumerate(kinds[: max(8, self.knobs.size)]):
            products[str(place + 1)] = {
                "name": kind.capitalize(),
                "department": draws.pick(DEPARTMENTS),
                "price": prices[place],
                "stock": 0 if draws.chance(0.15) else draws.between(3, 40),
                "heavy": draws.chance(0.2),
            }
        return products

    # -- pages -------------------------------------------------------------------------------------

    def start(self) -> Place:
        visit = {"basket": {}, "address": {}, "way": "", "closed": not self.knobs.popups}
        return Place(data={"products": self._products, "orders": {}}, visit=visit, path="/")

    def page(self, place: Place) -> Page | None:
        kind, _, which = place.path.strip("/").partition("/")
        shown: Page | None = None
        if place.path == "/":
            shown = self._list(place)
        elif kind == "product" and which in self._products:
            shown = self._product(place, which)
        elif place.path == "/basket":
            shown = self._basket(place)
        elif kind == "checkout" and which in ("address", "delivery", "review") and place.visit["basket"]:
            shown = self._checkout(place, which)
        elif title := leaflet(place.path):
            shown = Page(title, (heading(title, 1), text("Nothing to see here yet.")))
        if shown is None:
            return None
        count = sum(place.visit["basket"].values())
        around = part("navigation", "Shop", link("Products", "/"), link(f"Basket ({count})", "/basket"))
        return replace(shown, body=(around, *shown.body))

    def _list(self, place: Place) -> Page:
        asked, ui = place.query, place.ui
        found, links = shown_part(
            place, self._found(asked), max(5, -(-len(self._products) // max(1, self.knobs.pages)))
        )
        items = [[link(str(self._products[one]["name"]), f"/product/{one}")] for one in found]
        filters = [
            entry("Search", "q", ui, asked.get("q", ""), role="searchbox"),
            choice("Department", "department", ui, ("All", *DEPARTMENTS), asked.get("department", "All")),
            choice("Sort by", "sort", ui, SORTS, asked.get("sort", SORTS[0])),
        ]
        if self.knobs.shuffle:
            filters = self.draws("layout").shuffled(filters)
        body = (
            heading("Products", 1),
            form("Find", ("find",), *filters, button("Show", ("find",))),
            listing("Products", items) if items else text("Nothing was found."),
            *links,
            part("navigation", "More", *links_beside(self.draws("beside"), self.knobs.distractors)),
        )
        return Page("Products", body, None if place.visit["closed"] else offer(self.draws("offer"), "close offer"))

    def _found(self, asked: Mapping[str, str]) -> Sequence[str]:
        words = asked.get("q", "").casefold().split()
        found = [
            one
            for one, cells in self._products.items()
            if asked.get("department", "All") in ("All", cells["department"])
            and all(word in str(cells["name"]).casefold() for word in words)
        ]
        if asked.get("sort") in SORTS[1:]:
            return sorted(found, key=lambda one: self._products[one]["price"], reverse=asked["sort"] == SORTS[2])
        return sorted(found, key=lambda one: str(self._products[one]["name"]))

    def _product(self, place: Place, which: str) -> Page:
        cells, tab = self._products[which], str(place.ui.get("tab", "details"))
        tabs = part(
            "tablist",
            "About the product",
            *(
                pressed("tab", name.capitalize(), ("tab", name), selected=tab == name)
                for name in ("details", "delivery")
            ),
        )
        if tab == "details":
            told = [text(f"Department: {cells['department']}"), text(f"Price: {money(cells['price'])}")]
        else:
            told = [text("Only by standard delivery." if cells["heavy"] else "By every way of delivery.")]
        if cells["stock"]:
            least = (1, _MOST, 1)
            buy = [number("Quantity", "quantity", place.ui, 1, least), button(self._words["add"], ("add", which))]
        else:
            buy = [text("Sold out"), button(self._words["add"], ("add", which), is_disabled=True)]
        name = str(cells["name"])
        return Page(name, (heading(name, 1), tabs, part("tabpanel", tab.capitalize(), *told), *buy))

    def _basket(self, place: Place) -> Page:
        basket: Mapping[str, int] = place.visit["basket"]
        rows = [self._basket_row(one, count) for one, count in basket.items()]
        told = [status("It is in your basket.")] if "told" in place.query else []
        if not rows:
            return Page("Basket", (heading("Basket", 1), text("Your basket is empty.")))
        total = sum(count * self._products[one]["price"] for one, count in basket.items())
        body = (
            heading("Basket", 1),
            *told,
            table("Basket", ("Product", "Quantity", "Price", "Remove"), rows),
            text(f"Total: {money(total)}"),
            link("Go to the checkout", "/checkout/address"),
        )
        return Page("Basket", body)

    def _basket_row(self, which: str, count: int) -> tuple[str | Element, ...]:
        cells = self._products[which]
        remove = button(f"Remove {cells['name']}", ("remove", which))
        return (str(cells["name"]), str(count), money(count * cells["price"]), remove)

    def _checkout(self, place: Place, step: str) -> Page:
        ui, visit = place.ui, place.visit
        problem = [alert(str(ui["problem"]))] if ui.get("problem") else []
        if step == "address":
            fields = [
                entry(self._words[one], one, ui, str(visit["address"].get(one, "")), is_required=True)
                for one in ("name", "street", "city")
            ]
            fields = self.draws("address").shuffled(fields) if self.knobs.shuffle else fields
            asked = form("Address", ("address",), *fields, button("Continue", ("address",)))
            return Page("Address", (heading("Where to?", 1), *problem, asked))
        if step == "delivery":
            left = self._ways(visit["basket"])
            why = [] if len(left) > 1 else [text("What is heavy is sent by standard delivery only.")]
            ways = radios("Delivery", "way", ui, left, visit["way"])
            return Page("Delivery", (heading("How?", 1), *problem, *why, ways, button("Continue", ("way",))))
        basket = [f"{count} x {self._products[one]['name']}" for one, count in visit["basket"].items()]
        told = [*basket, *(f"{self._words[name]}: {value}" for name, value in visit["address"].items()), visit["way"]]
        is_ready = bool(visit["way"]) and len(visit["address"]) == 3
        ordered = button(self._words["order"], ("order",), is_disabled=not is_ready)
        return Page("Check your order", (heading("Check your order", 1), *(text(one) for one in told if one), ordered))

    def _ways(self, basket: Mapping[str, int]) -> Sequence[str]:
        return WAYS[:1] if any(self._products[one]["heavy"] for one in basket) else WAYS

    # -- commands ----------------------------------------------------------------------------------

    def do(self, place: Place, command: Command) -> Place:
        visit, ui = place.visit, place.ui
        match command:
            case ("close offer",):
                return place.noted(closed=True)
            case ("find",):
                names = {"q": "", "department": "All", "sort": SORTS[0]}
                return place.to("/", **{one: str(ui.get(one, place.query.get(one, old))) for one, old in names.items()})
            case ("tab", name):
                return place.entered(tab=name)
            case ("add", which):
                count = min(_MOST, visit["basket"].get(which, 0) + int(ui.get("quantity", 1)))
                return place.noted(basket={**visit["basket"], which: count}, way="").to("/basket", told="1")
            case ("remove", which):
                left = {one: count for one, count in visit["basket"].items() if one != which}
                return place.noted(basket=left).to("/basket")
            case ("address",):
                return self._addressed(place)
            case ("way",):
                way = str(ui.get("way", visit["way"]))
                if way not in self._ways(visit["basket"]):
                    return place.entered(problem="Choose a way of delivery.")
                return place.noted(way=way).to("/checkout/review")
            case ("order",):
                return self._ordered(place)
        raise ValueError(f"no such command: {command}")

    def _addressed(self, place: Place) -> Place:
        given = {
            one: str(place.ui.get(one, place.visit["address"].get(one, ""))).strip()
            for one in ("name", "street", "city")
        }
        if lacking := [self._words[one] for one, value in given.items() if not value]:
            return place.entered(problem=f"Please fill in: {', '.join(lacking)}.")
        return place.noted(address=given).to("/checkout/delivery")

    def _ordered(self, place: Place) -> Place:
        visit = place.visit
        items = ", ".join(f"{count} x {self._products[one]['name']}" for one, count in sorted(visit["basket"].items()))
        made = {"items": items, **visit["address"], "way": visit["way"]}
        done = place.put("orders", str(len(place.data["orders"]) + 1), **made)
        return done.noted(basket={}, way="").to("/")


def money(cents: Json) -> str:
    """Return a price in words, such as "EUR 12.50"."""
    return f"EUR {int(cents) // 100}.{int(cents) % 100:02d}"
