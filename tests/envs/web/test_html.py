"""Pages are written as HTML that tells no more than their accessibility tree."""

import re
from html.parser import HTMLParser

import pytest
from tests.envs.web.everything import WORDS, Everything

from palestra.envs.web.browsing import View, begin, click
from palestra.envs.web.element import Page, heading, link, text
from palestra.envs.web.html import body, whole
from palestra.envs.web.site import Knobs
from palestra.envs.web.sites.catalogue import SITES


class _Reading(HTMLParser):
    """Notes what stands in a document besides words."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.comments: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []  # tag, name, value
        self.words: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def views() -> list[View]:
    sites = [Everything(1, "train", Knobs()), *(site(1, "train", Knobs()) for site in SITES.values())]
    return [View(site, begin(site)) for site in sites]


@pytest.mark.parametrize("view", views(), ids=lambda view: view.site.name)
def test_nothing_is_hidden_in_it(view: View) -> None:
    source = body(view.page, view.ids)
    read = _Reading(source)
    assert read.comments == []
    assert "<script" not in source
    told = view.text.replace("\\'", "'")
    for tag, name, value in read.attributes:
        assert not name.startswith(("data-", "on")), (tag, name)
        assert (name, value) != ("type", "hidden")
        if name in ("value", "aria-label"):
            assert " ".join(value.split()) in told, (tag, name, value)
    for words in read.words:
        assert " ".join(words.split()) in told, words


@pytest.mark.parametrize("view", views(), ids=lambda view: view.site.name)
def test_what_can_be_used_has_its_id_once(view: View) -> None:
    ids = [value for _, name, value in _Reading(body(view.page, view.ids)).attributes if name == "id"]
    assert sorted(ids) == sorted(view.ids.values())


def test_words_are_never_markup() -> None:
    page = Page("<script>", (heading(WORDS, 1), text("</p><img src=x>"), link('"><b>', '/a"b')))
    source = whole(page, {'to /a"b': "12"})
    assert "<title>&lt;script&gt;</title>" in source
    assert "<img" not in source
    assert [value for tag, name, value in _Reading(source).attributes if (tag, name) == ("a", "href")] == ["/a%22b"]
    assert source.count("<script>") == 1


def test_behind_a_dialog_nothing_can_be_used() -> None:
    site = Everything(1, "train", Knobs())
    view = View(site, begin(site))
    asked = View(site, click(view, "do open"))
    source = body(asked.page, asked.ids)
    assert " inert>" in source
    assert sorted(re.findall(r' id="(\d+)"', source)) == sorted(asked.ids.values())
    assert len(asked.ids) == 2
