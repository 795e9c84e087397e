"""Pages that want something clicked: buttons, links, tabs, sections, dialogs."""

from collections.abc import Iterator

from palestra.envs.web.miniwob.look import Item
from palestra.envs.web.miniwob.sight import Sight, call, click


def the_button(sight: Sight) -> Iterator[str]:
    yield click(sight.one("button"))


def named_button(sight: Sight) -> Iterator[str]:
    yield click(sight.one("button", sight.said(r'"(.*)" button')[1]))


def button_one(sight: Sight) -> Iterator[str]:
    yield click(sight.one("button", "ONE"))


def both_buttons(sight: Sight) -> Iterator[str]:
    yield click(sight.one("button", "ONE"))
    yield click(sight.one("button", "TWO"))


def wait_between(sight: Sight) -> Iterator[str]:
    seconds = int(sight.said(r"wait (\d)")[1])
    yield click(sight.one("button", "ONE"))
    yield call("noop", wait_ms=1000 * seconds - 500)  # the click took half a second
    yield click(sight.one("button", "TWO"))


def close_dialog(sight: Sight) -> Iterator[str]:
    yield click(sight.one("button", kind="ui-dialog-titlebar-close"))


def dialog_button(sight: Sight) -> Iterator[str]:
    label = sight.said(r'labeled "(.*)"')[1]
    is_close = label == "x"
    yield click(sight.one("button", kind="ui-dialog-titlebar-close") if is_close else sight.one("button", label))


def link(sight: Sight) -> Iterator[str]:
    yield click(sight.one(kind="alink", text=sight.said(r'link "(.*)"')[1]))


def numbered_tab(sight: Sight) -> Iterator[str]:
    yield click(sight.one("a", sight.said(r"Tab #\d")[0]))


def link_behind_tabs(sight: Sight) -> Iterator[str]:
    yield from _open_until_seen(sight, [item for item in sight.all("a") if item.is_clickable])


def link_in_sections(sight: Sight) -> Iterator[str]:
    yield from _open_until_seen(sight, sight.all("h3"))


def _open_until_seen(sight: Sight, openers: list[Item]) -> Iterator[str]:
    wanted = sight.said(r'link "(.*)"')[1]
    for opener in openers:
        if not sight.all(kind="alink", text=wanted):
            yield click(opener)
    yield click(sight.one(kind="alink", text=wanted))


def expand_and_submit(sight: Sight) -> Iterator[str]:
    yield click(sight.one("h3"))
    yield click(sight.one("button"))


def widget(sight: Sight) -> Iterator[str]:
    wanted = sight.said(r'"(.*)" widget')[1]
    roles = {"text": "textbox", "textarea": "textbox"}
    tag = {"textarea": "textarea", "button": "button"}.get(wanted, "input")
    yield click(next(item for item in sight.all(tag) if item.role == roles.get(wanted, wanted)))


def icons(sight: Sight) -> Iterator[str]:
    """Click the star or the trash can of whoever's mail is meant."""
    sender, icon = sight.said(r"email by ([\w-]+) and click the (star|trash)").groups()
    thread = next(
        one for one in sight.all(kind="email-thread") if sight.one(kind="email-sender", within=one).text == sender
    )
    yield click(sight.one(kind=icon, within=thread))


def mail(sight: Sight) -> Iterator[str]:
    """Do with a mail whatever is asked, in words that are always the same."""
    if "icon" in sight.utterance:
        yield from icons(sight)
        return
    sender = sight.said(r"email by ([\w-]+)")[1]
    yield click(sight.one(kind="email-sender", text=sender))
    if "reply" in sight.utterance:
        yield click(sight.one(kind="email-reply"))
        yield call("fill", bid=sight.one("textarea").id, value=sight.said(r'text "(.*)"')[1])
        yield click(sight.one(html_id="send-reply"))
    else:
        yield click(sight.one(kind="email-forward"))
        yield call("fill", bid=sight.one("input", kind="forward-sender").id, value=sight.said(r"email to ([\w-]+)")[1])
        yield click(sight.one(html_id="send-forward"))


def odd_or_even(sight: Sight) -> Iterator[str]:
    for row in sight.all(kind="row"):
        number = int(sight.one(kind="display-number", within=row).text)
        yield click(sight.one(kind="odd" if number % 2 else "even", within=row))
    yield click(sight.one("button", html_id="submit"))


def generated_number(sight: Sight) -> Iterator[str]:
    while True:
        yield click(sight.one("button", "Generate"))
        number = int(sight.one(html_id="display-number").text)
        if "odd" in sight.utterance or "even" in sight.utterance:
            is_wanted = (number % 2 == 1) == ("odd" in sight.utterance)
        else:
            more, bound = sight.said(r"(less|greater) than (\d+)").groups()
            is_wanted = number < int(bound) if more == "less" else number > int(bound)
        if is_wanted:
            break
    yield click(sight.one("button", "Submit"))


def simon(sight: Sight) -> Iterator[str]:
    """Watch which buttons light up, a fifth of a second at a time, and push them in that order."""
    seen: list[str] = []
    lit, dark = "", 0
    while dark < 4 or not seen:
        yield call("noop", wait_ms=200)
        now = next((item.html_id for item in sight.all("button") if "push" in item.classes), "")
        if now and now != lit:
            seen.append(now)
        lit, dark = now, 0 if now else dark + 1
    for html_id in seen:
        yield click(sight.one("button", html_id=html_id))


SOLVERS = {
    "click-test": the_button,
    "click-button": named_button,
    "unicode-test": named_button,
    "click-test-2": button_one,
    "click-test-transfer": button_one,
    "click-button-sequence": both_buttons,
    "button-delay": wait_between,
    "click-dialog": close_dialog,
    "click-dialog-2": dialog_button,
    "click-link": link,
    "click-tab": numbered_tab,
    "click-tab-2": link_behind_tabs,
    "click-tab-2-easy": link_behind_tabs,
    "click-tab-2-medium": link_behind_tabs,
    "click-tab-2-hard": link_behind_tabs,
    "click-collapsible": expand_and_submit,
    "click-collapsible-nodelay": expand_and_submit,
    "click-collapsible-2": link_in_sections,
    "click-collapsible-2-nodelay": link_in_sections,
    "click-widget": widget,
    "email-inbox": mail,
    "email-inbox-delete": icons,
    "email-inbox-forward": mail,
    "email-inbox-important": icons,
    "email-inbox-noscroll": mail,
    "email-inbox-reply": mail,
    "email-inbox-star-reply": mail,
    "odd-or-even": odd_or_even,
    "generate-number": generated_number,
    "simon-says": simon,
}
