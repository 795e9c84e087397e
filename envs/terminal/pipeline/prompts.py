"""What a model is asked, stage by stage. What it answers is checked by machine; nothing rests on its good will."""

from typing import Final

from palestra.envs.terminal import predicates

MACHINE: Final = (
    "The machine is a plain Linux without a network. One shell stands in /workspace, as root; "
    "the clock, process numbers "
    "and times of files differ from run to run, so nothing may depend on them. git knows nobody's name "
    "until it is told one. Programs that are there: "
)
DESCRIBE: Final = (
    "You invent tasks for a shell. A task is done by commands alone, and whether it is done shows in files: their "
    "content, names, permissions, links, archives, databases, repositories, or scripts that do "
    "the right thing on other "
    "input. All its files are below /workspace.\n"
    "Write the task for an agent that sees nothing but your text and the machine: every path, "
    "format, order, tie and "
    "empty case that counts must be told, and how to do it must not. Tell which files may be "
    "changed; all others stay "
    "as they are. Numbers and names are concrete. Two people who do the task well must end with the same results.\n"
    'Answer with one JSON object and nothing else: {"title": a few words, "task": the text for '
    'the agent, "truth": what '
    "only the author knows: which files there are and what they hold, what the right results "
    "are and why, and what a "
    "careless solution gets wrong}."
)
BUILD: Final = (
    "You lay out the machine in which a task begins. You are given the task's text and what "
    "only its author knows.\n"
    'Answer with one JSON object and nothing else: {"files": {path: text, or {"text": text, "mode": "0755"}, or '
    '{"base64": data}}, "setup": bash that runs once as root before the agent comes, for what '
    "files alone cannot hold, "
    'such as a repository or a database; "" if there is no need, "services": list of {"run": '
    'bash, "ready": bash that '
    'succeeds when it is ready}, [] if nothing must run beside the agent, "initial": list of '
    "predicates that hold at "
    "the start and show that all is there}.\n"
    "Paths are absolute and below /workspace. Setup ends within seconds, leaves nothing "
    "running and makes the same files "
    "every time. The results that are asked for are not there yet."
)
EXAMINE: Final = (
    "You write what decides whether a task is done, and solve it. You are given the task's "
    "text, what only its author "
    "knows, and the files that are there at the start.\n"
    'Answer with one JSON object and nothing else: {"steps": list of 1 to 4 of {"what": a few '
    'words, "checks": list of '
    'predicates on the end, "solve": bash that does the step, "wrong": {name: bash that does it almost right, as a '
    'careless agent would}}, "changes": list of the files and folders of the start that the '
    "task asks to change, move "
    "or delete}.\n"
    "Steps are done in their order, each by a bash script of its own that begins in /workspace "
    "and knows nothing of "
    "another's variables. Every step is needed: without it, some check fails. Checks ask for "
    "all that the text asks for "
    "and for no more; they fail at the start, hold after all steps, and fail if any one step "
    "is done in one of its wrong "
    "ways. Check contents, not only that something exists. Each step has one to three wrong "
    "ways, which leave wrong "
    "results without an error."
)
AGAIN: Final = "That does not hold: {reason}\nAnswer with the whole JSON object again, mended."
CUT: Final = "the answer was cut off before its end; be shorter"
_PREDICATES: Final = (predicates.__doc__ or "").partition("`runs` and `listens` are judged")[0].strip()


def system_text(asked: str, programs: str, *, with_predicates: bool = False) -> str:
    """Return the first message of a stage.

    Args:
        asked: what the stage is about.
        programs: that the machine has.
        with_predicates: tell how predicates are written.
    """
    parts = [asked, f"{MACHINE}{programs}."]
    if with_predicates:
        parts.append(f"How predicates are written (leave `group` out; all paths are below /workspace):\n{_PREDICATES}")
    return "\n\n".join(parts)
