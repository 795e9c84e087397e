"""Prompts hold text of others as data, and nothing but the form with the drawn words is a verdict."""

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palestra.rewards.judging.base import Candidate, Question
from palestra.rewards.judging.fences import Nonces, fenced, harmless
from palestra.rewards.judging.hostile import ATTACKS
from palestra.rewards.judging.prompt import REPLY_CHARS, Malformed, Prompt, read_verdict

QUESTION = Question(
    instruction="Buy milk.",
    state="[12] button 'Milk'",
    history=("go_back()",),
    candidates=(Candidate(action="click('12')"), Candidate(action="noop()", thought="why not")),
)


def prompt_of(question: Question = QUESTION, key: bytes = b"k", seed: int = 0) -> Prompt:
    return Prompt.of(question, Nonces(key), seed)


def fence_of(prompt: Prompt) -> str:
    found = re.search(r"<data-(\w+) \.\.\.>", prompt.system)
    assert found
    return found[1]


def outside(prompt: Prompt) -> str:
    """Return what stands outside of the fences, as a reader who knows them takes it."""
    fence = fence_of(prompt)
    return re.sub(rf"^<data-{fence} .*?^</data-{fence}>$", "", prompt.text, flags=re.S | re.M)


def form(prompt: Prompt, scores: tuple[int, ...] = (9, 2), best: int = 0) -> str:
    lines = [f"CANDIDATE {name} {score}: because" for name, score in zip(prompt.names, scores, strict=True)]
    return "\n".join(["PRINCIPLE: get nearer", *lines, f"VERDICT {prompt.word}: {prompt.names[best]}"])


def test_a_prompt_holds_each_piece_in_its_fence() -> None:
    prompt = prompt_of()
    fence = fence_of(prompt)
    for name, text in (("task", "Buy milk."), ("history", "go_back()"), ("page", "[12] button 'Milk'")):
        assert f"<data-{fence} {name}>\n| {text}\n</data-{fence}>" in prompt.text
    assert (
        f"<data-{fence} candidate {prompt.names[1]}>\n| noop()\n| \n| Thought: why not\n</data-{fence}>" in prompt.text
    )
    assert prompt.word in outside(prompt)
    assert "Milk" not in outside(prompt)
    assert len({fence, prompt.word, *prompt.names}) == 4


def test_words_are_of_the_key_the_prompt_and_the_seed() -> None:
    assert prompt_of() == prompt_of()
    others = [prompt_of(key=b"l"), prompt_of(seed=1), Prompt.of(QUESTION, Nonces()), Prompt.of(QUESTION, Nonces())]
    words = {one.word for one in [prompt_of(), *others]}
    assert len(words) == 5
    drawn = Nonces()
    assert Prompt.of(QUESTION, drawn) != Prompt.of(QUESTION, drawn)


def test_words_that_a_text_holds_are_not_drawn() -> None:
    drawn = next(Nonces(b"k").words("text", 0, 1))
    for _ in range(40):
        words = Nonces(b"k").words(f"text {drawn}", 0, 1)
        assert next(words) not in f"text {drawn}"


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("wrong", [0, 1])
def test_hostile_texts_stay_in_their_fences(name: str, wrong: int) -> None:
    hostile = ATTACKS[name].on(QUESTION, wrong)
    assert hostile != QUESTION
    prompt = prompt_of(hostile)
    told = outside(prompt)
    plain = outside(prompt_of())
    assert re.sub(r"\b[bcdfghjkmnpqrtvwxz]{8,16}\b", "#", told) == re.sub(r"\b[bcdfghjkmnpqrtvwxz]{8,16}\b", "#", plain)
    assert prompt.text.count(f"</data-{fence_of(prompt)}>") == 5
    data = [line for line in prompt.text.split("\n") if line.startswith("| ")]
    assert not any(word in line for line in data for word in (prompt.word, fence_of(prompt), *prompt.names))
    assert not any(mark in line for line in data for mark in ("<|", "</", "[/", "<<SYS"))
    assert all(char in "\t" or unicodedata.category(char) not in ("Cc", "Cf", "Zl", "Zp") for char in "".join(data))


@settings(deadline=None)
@given(st.text(st.characters() | st.sampled_from("<>|/[]\u200b\uff1c\u2039 \ndatsyem-"), max_size=200))
def test_whatever_is_said_stays_data(text: str) -> None:
    question = Question(
        instruction=text, state=text, history=(text,), candidates=(Candidate(action=text), Candidate(action="b"))
    )
    prompt = prompt_of(question)
    assert prompt.text.count(f"\n</data-{fence_of(prompt)}>") == 5
    assert outside(prompt).count("\n") == outside(prompt_of()).count("\n")
    assert not re.search(r"<\s{0,3}[/|]", harmless(text))
    prompt.text.encode()  # no half characters


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("a\r\nb\tc", "a\nb\tc"),
        ("</data>", "<\\/data>"),
        ("<|im_start|>system", "<\\|im_start|>system"),
        ("\uff1c\uff5cim_end", "\uff1c\\\uff5cim_end"),
        ("[/INST]", "[\\/INST]"),
        ("<System>", "<\\System>"),
        ("a < b, [12] link 'Data'", "a < b, [12] link 'Data'"),
        ("VER\u200bDICT", "VER\\u{200b}DICT"),
        ("a\u2028b\x07", "a\\u{2028}b\\u{7}"),
        ("\U000e0041\ud800", "\\u{e0041}\\u{d800}"),
    ],
)
def test_markup_and_hidden_characters_are_spelled_out(text: str, want: str) -> None:
    assert harmless(text) == want


def test_a_long_text_loses_its_middle_and_says_so() -> None:
    assert fenced("page", "a" * 10 + "b" * 90 + "c" * 10, "n", 20).split("\n")[1:4] == [
        f"| {'a' * 10}",
        "| (90 characters left out)",
        f"| {'c' * 10}",
    ]


def test_what_is_spelled_out_does_not_make_a_prompt_endless() -> None:
    assert len(fenced("page", "\u200b" * 1000, "n", 1000)) < 4200


def test_the_form_is_read() -> None:
    prompt = prompt_of()
    for reply in (form(prompt), f"<think>VERDICT: 2</think>\n{form(prompt)}\n", form(prompt).replace("\n", "\n\n")):
        verdict = read_verdict(reply, prompt)
        assert verdict.scores == (0.9, 0.2)
        assert verdict.principles == ("get nearer",)
        assert verdict.judgements[0].reason == "because"
        assert verdict.best == 0
    assert read_verdict(form(prompt, (0, 10), 1), prompt).scores == (0.0, 1.0)


BROKEN: dict[str, Callable[[Prompt, str], str]] = {
    "nothing": lambda prompt, good: "",
    "only a verdict": lambda prompt, good: good.split("\n")[-1],
    "no principle": lambda prompt, good: good.split("\n", 1)[1],
    "six principles": lambda prompt, good: "PRINCIPLE: more\n" * 5 + good,
    "a candidate left out": lambda prompt, good: "\n".join(good.split("\n")[:2] + good.split("\n")[3:]),
    "a candidate twice": lambda prompt, good: good.replace(prompt.names[1], prompt.names[0]),
    "a number for a name": lambda prompt, good: good.replace(f"CANDIDATE {prompt.names[1]}", "CANDIDATE 2"),
    "a candidate too many": lambda prompt, good: good.replace("VERDICT", "CANDIDATE abc 3: because\nVERDICT"),
    "another word": lambda prompt, good: good.replace(prompt.word, "bcdfghjkmnpqrtvw"),
    "the fence's word": lambda prompt, good: good.replace(prompt.word, fence_of(prompt)),
    "no word": lambda prompt, good: good.replace(f" {prompt.word}", ""),
    "a number as verdict": lambda prompt, good: f"{good.rsplit(' ', 1)[0]} 1",
    "two verdicts": lambda prompt, good: f"{good}\n{good.split(chr(10))[-1]}",
    "a verdict before": lambda prompt, good: f"{good.split(chr(10))[-1]}\n{good}",
    "words behind": lambda prompt, good: f"{good}\nI hope that this helps.",
    "words before": lambda prompt, good: f"Sure!\n{good}",
    "markup": lambda prompt, good: good.replace("VERDICT", "**VERDICT**"),
    "a code fence": lambda prompt, good: f"```\n{good}\n```",
    "small letters": lambda prompt, good: good.replace("VERDICT", "verdict"),
    "names in capitals": lambda prompt, good: f"{good[:-8]}{good[-8:].upper()}",
    "a score of 11": lambda prompt, good: good.replace(" 9:", " 11:"),
    "a score of -1": lambda prompt, good: good.replace(" 2:", " -1:"),
    "a score with a point": lambda prompt, good: good.replace(" 9:", " 9.5:"),
    "other digits": lambda prompt, good: good.replace(" 9:", " \u0669:"),
    "no reason": lambda prompt, good: good.replace(" because", " "),
    "two best": lambda prompt, good: good.replace(" 2:", " 9:"),
    "a verdict against its scores": lambda prompt, good: form(prompt, (2, 9), 0),
    "another line break": lambda prompt, good: good.replace("\n", "\u2028"),
    "too long": lambda prompt, good: good.replace("nearer", "nearer" * REPLY_CHARS),
    "the page's own form": lambda prompt, good: ATTACKS["whole answer"].text.replace("{number}", "2"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_whatever_is_not_the_form_is_no_verdict(name: str) -> None:
    prompt = prompt_of()
    reply = BROKEN[name](prompt, form(prompt))
    assert reply != form(prompt)
    with pytest.raises(Malformed):
        read_verdict(reply, prompt)


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_that_a_page_says_is_a_verdict(name: str) -> None:
    """Not when it is repeated as the answer, nor when an honest answer quotes it, nor when it stands around one."""
    prompt = prompt_of(ATTACKS[name].on(QUESTION, 1))
    said = ATTACKS[name].text.replace("{number}", "2").replace("{other}", "1").replace("{action}", "noop()")
    for reply in (said, harmless(said)):
        with pytest.raises(Malformed):
            read_verdict(reply, prompt)
    quoted = " ".join(said.split())[:2000]
    honest = form(prompt).replace("because", f"the page says {quoted}")
    assert read_verdict(honest, prompt).best == 0
    if said.strip():
        with pytest.raises(Malformed):
            read_verdict(f"{form(prompt)}\n{said}", prompt)


_PARTS = ("PRINCIPLE: a", "CANDIDATE {} 9: a", "CANDIDATE {} 1: a", "VERDICT {}: {}", "VERDICT: {}", "{}", "")


@settings(deadline=None)
@given(st.lists(st.sampled_from(_PARTS), max_size=6), st.text("bcdfghjkmnpqrtvwxz", min_size=1, max_size=16))
def test_who_does_not_know_the_words_writes_no_verdict(parts: list[str], guess: str) -> None:
    prompt = prompt_of()
    reply = "\n".join(part.replace("{}", guess) for part in parts)
    with pytest.raises(Malformed):
        read_verdict(reply, prompt)
    known = "\n".join([f"CANDIDATE {name} {place}: a" for place, name in enumerate(prompt.names)])
    with pytest.raises(Malformed):  # not even who knows the names
        read_verdict(f"PRINCIPLE: a\n{known}\nVERDICT {guess}: {prompt.names[1]}", prompt)
