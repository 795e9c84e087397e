"""How often the judge of programs is wrong: what cheats and passes, and what is right and does not.

`code.py` runs it. Every text of the attack corpus (`palestra.envs.code.corpora`) is judged as a task of Code-v0 judges
it, and an honest program of the language after them; then every comparison is given right outputs that are written
otherwise. Rates come with 95 % Wilson intervals.
"""

from contextlib import closing
from typing import Any

from palestra.envs.certify.environment import wilson_interval
from palestra.envs.code.corpora import HONEST, cheats, honest_task, same_answers
from palestra.envs.code.env import CodeEnv
from palestra.envs.code.judge.case import Case
from palestra.envs.code.judge.checkers import read_checker
from palestra.sandbox.base import PermanentInfraError

OUTPUTS, QUICK_OUTPUTS = 400, 40  # for each way of writing and each checker
QUICK_STEP = 6  # every so many-th attack is tried when it must be quick


def rate(wrong: int, count: int) -> dict[str, Any]:
    """Return how many of how many were wrong, and the interval of the rate."""
    return {"wrong": wrong, "of": count, "wilson_95": list(wilson_interval(wrong, count))}


def measure(quick: bool) -> dict[str, Any]:
    """Return the rates of false positives, by language and of all, and of false negatives, by checker and of all."""
    attacks: dict[str, dict[str, Any]] = {}
    passed: list[str] = []
    left_out: list[str] = []
    with closing(CodeEnv()) as env:
        for language, honest in HONEST.items():
            texts = list(cheats(language))[:: QUICK_STEP if quick else 1]
            try:
                fooled = [cheat.name for cheat in texts if env.judge(cheat.task, cheat.text).passed]
            except PermanentInfraError:
                left_out.append(language)
                continue
            if not env.judge(honest_task(language), honest).passed:
                raise RuntimeError(f"the honest program in {language} failed")
            attacks[language] = rate(len(fooled), len(texts))
            passed += [f"{language}: {name}" for name in fooled]
    seen: dict[str, list[int]] = {}
    for told, printed, wanted in same_answers(QUICK_OUTPUTS if quick else OUTPUTS):
        refused = not read_checker(told).accepts(Case(b"", wanted), printed)
        counts = seen.setdefault(told if isinstance(told, str) else told["kind"], [0, 0])
        counts[0], counts[1] = counts[0] + refused, counts[1] + 1
    return {
        "false positives": _summed([(told["wrong"], told["of"]) for told in attacks.values()]),
        "false positives by language": attacks,
        "passed": passed,
        "false negatives": _summed([(wrong, count) for wrong, count in seen.values()]),
        "false negatives by checker": {name: rate(wrong, count) for name, (wrong, count) in seen.items()},
        "left out": left_out,
    }


def show(result: dict[str, Any]) -> None:
    """Print the rates for people."""
    for name in ("false positives", "false negatives"):
        told = result[name]
        print(f"{name}: {_line(told)}")
        for part, inner in result[f"{name} by {'language' if 'pos' in name else 'checker'}"].items():
            print(f"  {part}: {_line(inner)}")
    for name in result["passed"]:
        print(f"passed and should not have: {name}")
    if result["left out"]:
        print(f"left out, since they do not work here: {', '.join(result['left out'])}")


def _summed(rates: list[tuple[int, int]]) -> dict[str, Any]:
    return rate(sum(wrong for wrong, _ in rates), sum(count for _, count in rates))


def _line(told: dict[str, Any]) -> str:
    low, high = told["wilson_95"]
    return f"{told['wrong']} of {told['of']} (95 %: {low:.2%} to {high:.2%})"
