"""Pages that want something found first: menus, trees, lists on several pages, results of a search, a shop's goods."""

from collections.abc import Iterator

from palestra.envs.base import TaskError
from palestra.envs.web.miniwob.look import Item
from palestra.envs.web.miniwob.sight import Sight, call, click, fill


def tree(sight: Sight) -> Iterator[str]:
    """Open one folder after another until what is named is seen."""
    wanted = sight.said(r'named "(.*)"')[1]
    tried: set[str] = set()
    while not (found := [item for item in sight.all("span") if item.text == wanted]):
        closed = [item for item in sight.all(kind="expandable-hitarea") if item.id not in tried]
        if not closed:
            raise TaskError(f"no folder holds {wanted!r}")
        tried.add(closed[0].id)
        yield click(closed[0])
    yield click(found[0])


def contact(sight: Sight) -> Iterator[str]:
    name, what = sight.said(r"Find ([\w-]+) in the contact book and click on their (\w+)").groups()
    while sight.one("h2").text != name:
        yield click(sight.one("a", ">"))
    yield click(sight.one("a", kind=what))


def result(sight: Sight) -> Iterator[str]:
    word, place = sight.said(r'enter "(.*)" and press "Search", then find and click the (\d)').groups()
    yield fill(sight.one(html_id="search-text"), word)
    yield click(sight.one(html_id="search"))
    page, rest = divmod(int(place) - 1, 3)
    if page:
        yield click(sight.one("a", str(page + 1)))
    yield click(sight.all("a", kind="search-title")[rest])


def menu(sight: Sight) -> Iterator[str]:
    *above, last = sight.said(r"Select (.*)")[1].split(">")
    for name in above:
        yield call("hover", bid=sight.one("div", name).id)
    yield click(sight.one("div", last))


def menu_with_icons(sight: Sight) -> Iterator[str]:
    """Open the menu and its second part, and click what has the label or the icon."""
    yield click(sight.one("button", "Menu"))
    if 'labeled "' in sight.utterance:
        wanted = sight.said(r'labeled "(.*)"')[1]
    else:
        icon = next(one for one in sight.items if "ui-icon" in one.classes).classes[-1]
        wanted = _ICONS[icon]
    if not sight.all("div", wanted):
        yield call("hover", bid=sight.one("div", "Playback").id)
    yield click(sight.one("div", wanted))


_ICONS = {
    "ui-icon-disk": "Save",
    "ui-icon-seek-start": "Prev",
    "ui-icon-stop": "Stop",
    "ui-icon-play": "Play",
    "ui-icon-seek-end": "Next",
    "ui-icon-zoomin": "Zoom In",
    "ui-icon-zoomout": "Zoom Out",
}


def autocomplete(sight: Sight) -> Iterator[str]:
    start = sight.said(r'starts with "(.*?)"')[1]
    end = sight.said(r'ends with "(.*?)"')[1] if "ends with" in sight.utterance else ""
    yield fill(sight.one(html_id="tags"), start)
    offered = [item for item in sight.all("div", kind="ui-menu-item-wrapper") if item.text.endswith(end)]
    yield click(offered[0])
    yield click(sight.one("button"))


def likes(sight: Sight) -> Iterator[str]:
    """Press the named button of all posts of somebody, or of as many as are asked for."""
    label, many, user = sight.said(r'"(\w+)" button on (\w+) posts? by (@\w+)').groups()
    theirs = [post for post in sight.all(kind="media") if sight.one(kind="username", within=post).text == user]
    for post in theirs if many == "all" else theirs[: int(many)]:
        yield click(sight.one(kind=label.lower(), within=next(one for one in sight.items if one.id == post.id)))
    yield click(sight.one("button", "Submit"))


def tweet(sight: Sight) -> Iterator[str]:
    user, label = sight.said(r'user (@\w+), click on the "(.*)" button').groups()
    posts = [post for post in sight.all(kind="media") if sight.one(kind="username", within=post).text == user]
    if label in ("Reply", "Retweet", "Like"):
        yield click(sight.one(kind=label.lower(), within=posts[0]))
        return
    yield click(sight.one(kind="more", within=posts[0]))
    yield click(next(item for item in sight.all("li") if item.text.startswith(label)))


def agreement(sight: Sight) -> Iterator[str]:
    if "cancel button" in sight.utterance:
        yield click(sight.one("button", "Cancel"))
        return
    name, label = sight.said(r'name "(.*)" then press "(\w+)"').groups()
    yield call("mouse_move", x=sight.one("textarea").centre[0], y=sight.one("textarea").centre[1])
    yield call("scroll", delta_x=0, delta_y=10_000)
    yield fill(sight.one("input", html_id="name"), name)
    yield click(sight.one("button", label))


def scroll_to_end(sight: Sight) -> Iterator[str]:
    yield call("scroll", delta_x=0, delta_y=-10_000 if "to the top" in sight.utterance else 10_000)
    yield click(sight.one("button"))


def shell(sight: Sight) -> Iterator[str]:
    yield click(sight.one(html_id="terminal"))
    yield call("keyboard_type", text="ls\n")
    files = next(item.text for item in reversed(sight.all(kind="output")) if item.text).split()
    if "no file extension" in sight.utterance:
        wanted = next(file for file in files if "." not in file)
    else:
        wanted = next(file for file in files if file.endswith(sight.said(r"extension (\.[\w.]+)")[1]))
    yield call("keyboard_type", text=f"rm {wanted}\n")


def ticket(sight: Sight) -> Iterator[str]:
    """Compare the prices or the durations of all tickets."""
    which, what = sight.said(r"the (cheapest|shortest|longest|most expensive) (cost|duration)").groups()
    tickets = sight.all(kind="flight")
    best = (max if which in ("longest", "most expensive") else min)(tickets, key=lambda one: _worth(sight, one, what))
    yield click(sight.one("button", within=best))


def flight(sight: Sight) -> Iterator[str]:
    which, start, end, month, day = sight.said(
        r"the (\w+) one-way flight from: (.*) to: (.*) on (\d\d)/(\d\d)/\d{4}"
    ).groups()
    for html_id, word in (("flight-from", start), ("flight-to", end)):
        yield fill(sight.one(html_id=html_id), word)
        offered = sight.all("div", kind="ui-menu-item-wrapper")
        yield click(next((one for one in offered if word in (one.text.split(" (")[0], one.text[-4:-1])), offered[0]))
    yield click(sight.one(html_id="datepicker"))
    months = {"10": "October", "11": "November", "12": "December"}
    while months[month] not in sight.one(kind="ui-datepicker-title").text:
        yield click(sight.one(kind="ui-datepicker-prev"))
    yield click(next(item for item in sight.all("a", kind="ui-state-default") if item.text == str(int(day))))
    yield click(sight.one(html_id="search"))
    what = "duration" if which == "shortest" else "cost"
    best = min(sight.all(kind="flight"), key=lambda one: _worth(sight, one, what))
    yield click(sight.one("button", within=best))


def _worth(sight: Sight, one: Item, what: str) -> float:
    if what == "cost":
        return int(sight.one("button", within=one).text.rpartition("$")[2])
    hours, minutes = sight.one(kind="time-duration", within=one).text.split()
    return 60 * int(hours.rstrip("h")) + int(minutes.rstrip("m"))


def stock(sight: Sight) -> Iterator[str]:
    bound = float(sight.said(r"less than \$([\d.]+\d)")[1])
    yield call("noop", wait_ms=200)
    while float(sight.one(html_id="stock-price").text.lstrip("$")) > bound:
        yield call("noop", wait_ms=200)
    yield click(sight.one("button"))


SOLVERS = {
    "navigate-tree": tree,
    "phone-book": contact,
    "search-engine": result,
    "click-menu": menu,
    "click-menu-2": menu_with_icons,
    "use-autocomplete": autocomplete,
    "use-autocomplete-nodelay": autocomplete,
    "social-media": tweet,
    "social-media-all": likes,
    "social-media-some": likes,
    "sign-agreement": agreement,
    "scroll-text-2": scroll_to_end,
    "terminal": shell,
    "buy-ticket": ticket,
    "book-flight": flight,
    "book-flight-nodelay": flight,
    "stock-market": stock,
}
