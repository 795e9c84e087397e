"""Branches of a git repository are named, merged and cleared away."""

from collections.abc import Mapping, Sequence
from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.drawing import Desk, Drawn
from palestra.envs.terminal.operators.scripting_repositories import (
    AUTHORS,
    NAMES,
    OPENINGS,
    REPOSITORIES,
    Commit,
    Script,
    edited,
    git,
    history,
    lines,
    subjects,
)
from palestra.envs.terminal.step import Operator, Step
from palestra.envs.terminal.tree import Tree

_BRANCHES: Final = {
    False: ("feature/search", "fix-dates", "next", "cleanup", "wip-menu"),
    True: ("topic/export", "hotfix", "trial", "polish", "later"),
}
_TAGS: Final = {False: ("v1.0", "v1.4", "release-2"), True: ("v3.0", "edition-1", "v2.7")}


def _name(desk: Desk) -> Step:
    """A branch is renamed, merged branches are deleted, or the commit that brought a line gets a tag."""
    path, names = desk.path(desk.of(REPOSITORIES)), desk.some(NAMES, 3)
    kind, branches = desk.draws.pick(("rename", "merged", "tag", "start")), desk.some(_BRANCHES, 3)
    commits = history(desk, names)
    script = Script(path, desk.of(AUTHORS))
    script.commit(commits)
    place, wanted = desk.draws.between(1, len(commits) - 1), desk.of(_TAGS)
    for at, branch in enumerate(branches[:2] if kind != "merged" else branches):
        script.run(f"git checkout -q -b {branch} main~1")
        if at == 0:
            script.commit([Commit(f"Try {branch}", {**commits[-2].files, "tried.txt": lines(desk, 3)})])
        script.run("git checkout -q main")
        script.on(commits[-1].files)
    if kind == "rename":
        told, solve, wrong, checks = _renamed(path, branches, commits)
    elif kind == "merged":
        told, solve, wrong, checks = _cleared(path, branches, commits)
    else:
        told, solve, wrong, checks = _marked(path, kind, branches, commits, place, wanted)
    return Step(
        operator="",
        choices=(kind,),
        text=f"{desk.of(OPENINGS)} `{path}` is a git repository whose branch `main` is "
        f"checked out. {told} `main` stays as it is.",
        starts=Tree(),
        effect=lambda tree: tree,
        solve=f"cd {path}\n{solve}",
        checks=tuple(checks),
        wrong={name: f"cd {path}\n{line}" for name, line in wrong.items()},
        tools=("git",),
        setup=script.text(),
    )


_Asked = tuple[str, str, dict[str, str], list[Json]]  # what is told, the solution, near misses and predicates


def _renamed(path: str, branches: Sequence[str], commits: Sequence[Commit]) -> _Asked:
    old, other, new = branches
    wrong = {
        "keeps the old name too": f"git branch {new} {old}",
        "begins at main": f"git branch -D {old}\ngit branch {new} main",
    }
    checks = [
        git(path, branches=["main", other, new], branch="main"),
        git(path, at=new, subjects=[f"Try {old}", *subjects(commits[:-1])]),
    ]
    told = f"Rename the branch `{old}` to `{new}`; it keeps its commits."
    return told, f"git branch -m {old} {new}", wrong, checks


def _cleared(path: str, branches: Sequence[str], commits: Sequence[Commit]) -> _Asked:
    wrong = {
        "deletes all": "git branch --format='%(refname:short)' | grep -vx main | xargs git branch -D",
        "deletes one": f"git branch -d {branches[1]}",
    }
    told = "Delete every branch other than `main` whose commits are all in `main` already; keep the others."
    solve = "git branch --merged main --format='%(refname:short)' | grep -vx main | xargs git branch -d"
    return told, solve, wrong, [git(path, branches=["main", branches[0]], branch="main", subjects=subjects(commits))]


def _marked(
    path: str, kind: str, branches: Sequence[str], commits: Sequence[Commit], place: int, wanted: str
) -> _Asked:
    subject = commits[place].subject
    find = f"$(git log --format='%H %s' main | awk -v s='{subject}' 'substr($0, 42) == s {{print $1}}')"
    what, command = ("tag", "git tag") if kind == "tag" else ("branch", "git branch")
    told = f"Make a {what} `{wanted}` at the commit on `main` whose subject is `{subject}`. "
    told += "A plain tag or one with a message will do." if kind == "tag" else "Do not check it out."
    wrong = {
        "takes the first": f'{command} {wanted} "$(git rev-list --max-parents=0 main)"',
        "makes the other of branch and tag": f"{'git branch' if kind == 'tag' else 'git tag'} {wanted} {find}",
        "takes one before": f"{command} {wanted} {find}^",
    }
    kinds = {"tags": [wanted]} if kind == "tag" else {"branches": ["main", *branches[:2], wanted]}
    checks = [
        git(path, branch="main", subjects=subjects(commits), **kinds),
        git(path, at=wanted, subjects=subjects(commits[: place + 1])),
    ]
    return told, f"{command} {wanted} {find}", wrong, checks


def _merge(desk: Desk) -> Step:
    """A branch is merged; where both changed a line, one of them counts, or both do."""
    path, names, branch = (
        desk.path(desk.of(REPOSITORIES)),
        desk.some(NAMES, 3),
        desk.draws.pick(desk.some(_BRANCHES, 3)),
    )
    kind, is_begun = desk.draws.pick(("main", "branch", "larger")), desk.draws.chance(0.5)
    commits = history(desk, names)
    main, other, texts = _sides(desk, commits[-1].files, names, kind)
    merged = {**other, names[0]: texts[kind]}
    ours = [*commits, Commit(f"Change {names[0]}", main)]
    script = Script(path, desk.of(AUTHORS))
    script.commit(commits)
    script.run(f"git checkout -q -b {branch}")
    script.commit([Commit(f"Change {names[0]} and {names[1]}", other)])
    script.run("git checkout -q main")
    script.on(commits[-1].files)
    script.commit(ours[-1:])
    if is_begun:
        script.run(f"git merge -q {branch} >/dev/null 2>&1 || true")
    message = f"Merge {branch}"

    def bash(how: str, done: str = "") -> str:
        begin = "" if is_begun else f"git merge {branch} >/dev/null 2>&1 || true\n"
        content = f"cat > {names[0]} <<'ENDOFTEXT'\n{texts[how]}ENDOFTEXT"
        return f"cd {path}\n{begin}{content}\n" + (done or f"git add -A\ngit commit -q -m '{message}'")

    wrong = {f"takes {how}": bash(how) for how, content in texts.items() if content != texts[kind]}
    wrong["does not commit"] = bash(kind, "git add -A")
    wrong["makes a plain commit"] = (
        f"cd {path}\ngit merge --abort 2>/dev/null\ngit checkout -q {branch} -- .\n"
        f"cat > {names[0]} <<'ENDOFTEXT'\n{texts[kind]}ENDOFTEXT\ngit add -A\ngit commit -q -m '{message}'"
    )
    return Step(
        operator="",
        choices=(kind, "begun" if is_begun else "new"),
        text=f"{desk.of(OPENINGS)} {_told(path, names[0], branch, kind, is_begun=is_begun)}",
        starts=Tree(),
        effect=lambda tree: tree.put(f"{path}/{names[0]}", texts[kind]),
        solve=bash(kind),
        checks=(
            git(path, branch="main", clean=True, parents=2, files=merged, ancestor=branch),
            git(path, at="main", subjects=[message, *subjects(ours)]),
            git(path, at=branch, subjects=[f"Change {names[0]} and {names[1]}", *subjects(commits)]),
        ),
        wrong=wrong,
        makes=(f"{path}/{names[0]}",),
        tools=("git",),
        setup=script.text(),
    )


def _sides(
    desk: Desk, base: Mapping[str, str], names: Sequence[str], kind: str
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Return the files of both sides, which change the same lines of one, and what that is to be, by which counts."""
    rows = base[names[0]].splitlines()
    keys = [row.partition(" = ")[0] for row in rows]
    first, second = sorted(desk.draws.shuffled(range(len(rows)))[:2])
    values = {place: desk.draws.shuffled(range(10_000, 10_900))[:2] for place in (first, second)}
    if kind == "larger":  # each side has the larger one once
        values = {first: sorted(values[first]), second: sorted(values[second], reverse=True)}

    def text(numbers: dict[int, int]) -> str:
        return "".join(
            f"{key} = {numbers[place]}\n" if place in numbers else f"{rows[place]}\n" for place, key in enumerate(keys)
        )

    main = {**base, names[0]: text({place: two[0] for place, two in values.items()})}
    other = {
        **base,
        names[0]: text({place: two[1] for place, two in values.items()}),
        names[1]: edited(desk, base[names[1]]),
    }
    texts = {
        "main": main[names[0]],
        "branch": other[names[0]],
        "larger": text({place: max(two) for place, two in values.items()}),
    }
    return main, other, texts


def _told(path: str, name: str, branch: str, kind: str, *, is_begun: bool) -> str:
    told = {
        "main": "what `main` has counts",
        "branch": f"what `{branch}` has counts",
        "larger": "the larger of the two numbers counts, line by line",
    }[kind]
    begun = (
        f"In the git repository `{path}` a merge of the branch `{branch}` into `main` has stopped at a conflict. End it"
        if is_begun
        else f"In the git repository `{path}`, merge the branch `{branch}` into `main`, which is checked out"
    )
    return (
        f"{begun}: where both have changed a line of `{name}`, {told}; everything else of both sides is taken. "
        f"The merge commit has both branches as its parents and the subject `Merge {branch}`; `{branch}` stays as it "
        f"is, and nothing is left to commit. There is an identity to commit with. `{path}/{name}` has no marks of the "
        "conflict in the end."
    )


OPERATORS: Final[tuple[Operator, ...]] = (
    Drawn("scripting_git_names", "scripting", None, _name),
    Drawn("scripting_git_merges", "scripting", None, _merge),
)
