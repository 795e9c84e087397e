"""A page of generated parts: what is asked for, what it looks like, and what right and wrong answers are worth."""

import base64
import html
import random
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from palestra.envs.base import Json, Split
from palestra.envs.cad.drawing.png import png
from palestra.envs.cad.parts import REGISTERS, Part, draw_part
from palestra.envs.cad.parts.tree import kind_of
from palestra.envs.cad.records import Kernel, Picture, Properties, ShapeError, Wanted
from palestra.envs.cad.rewards import is_pass
from palestra.envs.cad.verify import Found, box_program
from palestra.envs.draws import Draws
from palestra.sandbox.base import InfraError

MUTANTS: Final = 4  # of one part
_STYLE: Final = Path(__file__).with_name("gallery.css")
_LARGE: Final = Picture(("isometric",), 360, has_dimensions=True)
_SMALL: Final = Picture(("front", "top", "right"), 200, has_dimensions=True)
_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one program is worth."""

    name: str
    score: float = 0.0
    iou: float | None = None  # None: it is no valid shape
    features: str = ""  # tests that hold, of all
    passed: bool = False
    reason: str = ""  # of the first test that does not hold, or why there is no shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One part on the page."""

    title: str
    texts: Mapping[str, str]  # by register
    program: str
    facts: Mapping[str, str]
    large: bytes  # PNG
    small: bytes
    answers: Sequence[Answer]  # the first is the reference's own


def exhibits(kernel: Kernel, seeds: Iterable[int], knobs: Mapping[str, Json], split: Split = "train") -> list[Exhibit]:
    """Return the parts of some seeds, with what they and some near misses are worth.

    Raises:
        PartError: a knob is unknown or out of range.
        InfraError: the kernel failed, or cannot build a part.
    """
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(lambda seed: exhibit(kernel, seed, knobs, split), seeds))


def exhibit(kernel: Kernel, seed: int, knobs: Mapping[str, Json], split: Split = "train") -> Exhibit:
    """Return the part of a seed; raises as `exhibits`."""
    part = draw_part(Draws("cad", "gallery", seed, "part"), knobs, split)
    brep = _built(kernel, part.program())
    found, wanted = kernel.measure(brep), Wanted(brep=brep, tests=tuple(part.tests()))
    others = random.Random(seed).sample(part.mutants(), MUTANTS)
    free = _built(kernel, box_program(found))
    answers = [
        _answer(kernel, name, program, wanted, free)
        for name, program in (
            ("the reference", part.program()),
            *((_plain(name), one.program()) for name, one in others),
            ("its bounding box, filled", box_program(found)),
        )
    ]
    kinds = [kind_of(part.tree.base), *(kind_of(step.feature) for step in part.tree.steps)]
    return Exhibit(
        title=f"Part {seed}: {', '.join(kinds)}",
        texts={register: part.text(register, seed) for register in REGISTERS},
        program=part.program(),
        facts=_facts(part, found),
        large=png(kernel.draw(brep, _LARGE)),
        small=png(kernel.draw(brep, _SMALL)),
        answers=answers,
    )


def page(shown: Sequence[Exhibit], title: str = "Parts of palestra/Cad-v0") -> str:
    """Return a page that needs no other file."""
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><title>{html.escape(title)}</title>"
    style = _STYLE.read_text(encoding="utf-8")
    intro = (
        "Each part is drawn from a seed as a tree of features; its texts, its program, its tests and its volume come "
        "of that. Below each are the scores of its own program and of programs that are wrong in one thing."
    )
    cards = "\n".join(_card(number, one) for number, one in enumerate(shown, 1))
    return (
        f"<!doctype html><html lang=en><head>{head}<link rel=icon href='data:,'><style>{style}</style></head>"
        f"<body><header><h1>{html.escape(title)}</h1><p>{intro}</p></header><main>\n{cards}\n</main></body></html>\n"
    )


def _card(number: int, one: Exhibit) -> str:
    facts = "".join(f"<div><dt>{html.escape(name)}</dt><dd>{value}</dd></div>" for name, value in one.facts.items())
    texts = "".join(
        f"<details{' open' * (register == 'expert')}><summary>{register}</summary>"
        f"<pre>{html.escape(text)}</pre></details>"
        for register, text in one.texts.items()
    )
    rows = "".join(_row(answer) for answer in one.answers)
    heading = html.escape(one.title)
    return (
        f"<article id=part-{number}><h2>{heading}</h2><div class=views>"
        f"{_image(one.large, f'{heading}, isometric view with its lengths')}"
        f"{_image(one.small, f'{heading}, from the front, from above and from the right')}</div>"
        f"<dl>{facts}</dl><section class=texts>{texts}"
        f"<details><summary>program</summary><pre><code>{html.escape(one.program)}</code></pre></details></section>"
        "<table><thead><tr><th>answer</th><th>score</th><th>IoU</th><th>tests</th><th>what is wrong</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></article>"
    )


def _row(answer: Answer) -> str:
    share = max(0.0, min(1.0, answer.score))
    verdict = "passed" if answer.passed else "failed"
    iou = "invalid" if answer.iou is None else f"{answer.iou:.4f}"
    return (
        f"<tr class={verdict}><th>{html.escape(answer.name)}</th>"
        f"<td class=score><span class=bar style='width:{100 * share:.1f}%'></span><b>{answer.score:.3f}</b></td>"
        f"<td>{iou}</td><td>{answer.features}</td><td>{html.escape(answer.reason)}</td></tr>"
    )


def _image(data: bytes, told: str) -> str:
    width, height = (int.from_bytes(data[place : place + 4], "big") for place in (16, 20))
    code = base64.b64encode(data).decode("ascii")
    return f"<img src='data:image/png;base64,{code}' width={width} height={height} alt='{told}'>"


def _answer(kernel: Kernel, name: str, program: str, wanted: Wanted, free: bytes) -> Answer:
    """Return what a program is worth beside the filled box, as in an episode."""
    built = kernel.build(program)
    if built.brep is None:
        return Answer(name=name, reason=built.error)
    try:
        made = kernel.judge(built.brep, wanted)
    except ShapeError as error:
        return Answer(name=name, reason=str(error))
    found = Found(made, None if is_pass(made) else kernel.judge(free, wanted))
    wrong = [one.reason for one in made.tests if not one.passed]
    return Answer(
        name=name,
        score=sum(found.parts().values()),
        iou=made.iou,
        features=f"{len(made.tests) - len(wrong)} of {len(made.tests)}",
        passed=is_pass(made),
        reason=wrong[0] if wrong else "",
    )


def _built(kernel: Kernel, program: str) -> bytes:
    built = kernel.build(program, timeout_s=60.0)
    if built.brep is None:
        raise InfraError(f"a program of ours builds nothing: {built.error}")
    return built.brep


def _facts(part: Part, found: Properties) -> dict[str, str]:
    faces = ", ".join(f"{count} {kind}" for kind, count in found.faces.items())
    return {
        "size": " &times; ".join(f"{length:.6g}" for length in found.size) + " mm",
        "volume": f"{found.volume:.6g} mm&sup3; (closed form {part.volume()[0]:.6g})",
        "faces": html.escape(faces),
        "holes": ", ".join(f"&#8960; {hole.diameter:.4g}" for hole in found.holes) or "none",
        "least wall": f"{found.thickness:.4g} mm",
    }


def _plain(name: str) -> str:
    """Return what is wrong with a mutant, in plain words."""
    return name.replace("_", " ").replace(".", " ")
