"""The page of parts, looked at in a real browser: all of it is there, and nothing covers anything else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.conftest import run as run

from palestra.envs.cad.drawing.png import png
from palestra.envs.cad.gallery import Answer, Exhibit, page
from palestra.envs.web import png as read_png
from palestra.envs.web.chromium import Chromium, Request, Response, Visit

_LOOK = """() => {
  const box = one => { const r = one.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const seen = [...document.querySelectorAll('article > *, .views > *, dl > *, td, th, details, summary, pre')]
    .filter(one => one.checkVisibility() && one.getBoundingClientRect().height > 0);
  const clash = [];
  for (const a of seen) for (const b of seen) {
    if (a === b || a.contains(b) || b.contains(a)) continue;
    const [l, t, r, d] = box(a), [m, u, s, e] = box(b);
    if (Math.min(r, s) - Math.max(l, m) > 1 && Math.min(d, e) - Math.max(t, u) > 1)
      clash.push(a.outerHTML.slice(0, 60) + ' / ' + b.outerHTML.slice(0, 60));
  }
  return {
    wide, clash,
    images: [...document.images].map(one => [one.complete, one.naturalWidth, one.naturalHeight, one.width, one.alt]),
    cards: document.querySelectorAll('article').length,
    rows: [...document.querySelectorAll('tbody tr')].map(row => [row.className, row.innerText]),
    outside: seen.filter(one => box(one)[0] < 0 || box(one)[2] > innerWidth + 1).length,
    tall: document.body.scrollHeight,
  };
}"""


def made(number: int, word: str = "plain") -> Exhibit:
    """Return a part with long and odd words in it."""
    shade = np.full((60, 60, 3), 40 * number % 256, np.uint8)
    return Exhibit(
        title=f"Part {number}: <b>{word}</b> & 'more'",
        texts={
            "expert": f"Step 1: {word} </pre><script>throw 1</script>",
            "layman": word * 60,
            "table": "| a |\n| b |",
        },
        program="result = 1 < 2\n" * 30,
        facts={"size": "1 &times; 2 mm", "faces": word, "holes": ", ".join(["&#8960; 5"] * 30)},
        large=png(shade.repeat(6, axis=0).repeat(6, axis=1)),
        small=png(shade.repeat(3, axis=0).repeat(9, axis=1)),
        answers=[
            Answer(name="the reference", score=1.0, iou=1.0, features="9 of 9", passed=True),
            Answer(name="wrong", score=0.4321, iou=0.98, features="7 of 9", reason=f"{word} found " * 12),
            Answer(name="none", reason="W" * 300),
        ],
    )


@pytest.fixture
def seen() -> Iterator[Any]:
    """Return what shows a page and tells how it looks, at a width."""
    told: list[str] = []
    visits: list[Visit] = []

    def look(text: str, width: int = 1280) -> dict[str, Any]:
        def answer(request: Request) -> Response:
            told.append(request.url)
            return Response(body=text.encode() if request.url == "http://gallery.test/" else b"", status=200)

        visit = Chromium.shared().visit(answer, size=(width, 900))
        visits.append(visit)
        page = visit.page
        page.on("console", lambda message: told.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: told.append(f"error: {error}"))

        async def shown() -> Any:
            await page.goto("http://gallery.test/")
            found = await page.evaluate(_LOOK)
            await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            return found, await page.evaluate(_LOOK)

        closed, opened = visit.run(shown())
        return {"closed": closed, "open": opened, "told": told}

    yield look
    for visit in visits:
        visit.close()


@pytest.mark.parametrize("width", [420, 900, 1600])
def test_nothing_overlaps_and_all_images_are_loaded(seen: Any, width: int) -> None:
    found = seen(page([made(1), made(2, "Incomprehensibilities" * 4), made(3)]), width)
    assert found["told"] == ["http://gallery.test/"]  # nothing else was asked for, said or raised
    for state in ("closed", "open"):
        look = found[state]
        assert look["clash"] == []
        assert look["wide"] <= 0
        assert look["outside"] == 0
        assert look["cards"] == 3
        assert len(look["images"]) == 6
        for complete, width_of, height_of, shown, alt in look["images"]:
            assert complete
            assert (width_of, height_of) in ((360, 360), (540, 180))
            assert shown > 100
            assert "<b>" in alt  # as text
    assert found["open"]["tall"] > found["closed"]["tall"]


def test_scores_are_told(seen: Any) -> None:
    rows = seen(page([made(1)]))["closed"]["rows"]
    assert [name for name, _ in rows] == ["passed", "failed", "failed"]
    assert "1.000" in rows[0][1]
    assert "0.432" in rows[1][1]
    assert "invalid" in rows[2][1]


def test_pngs_are_read_as_they_were_written() -> None:
    pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    assert np.array_equal(read_png.pixels(png(pixels)), pixels)


@pytest.mark.slow
def test_the_command_writes_a_page_of_parts(run: Any, seen: Any, tmp_path: Path) -> None:
    said = run("gallery", "cad", "--n", "2", "--out", str(tmp_path / "deep" / "folder"), "-d", "features=2", "--json")
    assert said.code == 0, said.err
    path = tmp_path / "deep" / "folder" / "index.html"
    assert json.loads(said.out) == {"file": str(path), "parts": 2}
    found = seen(path.read_text(encoding="utf-8"))
    look = found["open"]
    assert found["told"] == ["http://gallery.test/"]
    assert look["clash"] == []
    assert look["cards"] == 2
    assert all(image[0] and image[1] in (360, 600) for image in look["images"])
    scores = [(name, float(text.split("\t")[1])) for name, text in look["rows"]]
    assert [score for name, score in scores if name == "passed"] == [1.0, 1.0]
    assert all(score < 1.0 for name, score in scores if name == "failed")
    assert len(scores) == 12


def test_a_page_that_cannot_be_written_is_told(run: Any, tmp_path: Path) -> None:
    assert "unknown" in run("gallery", "cad", "--n", "1", "--out", str(tmp_path), "-d", "colour=1").err
