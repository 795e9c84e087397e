"""The history of a git repository is put right: files come back, commits are undone, secrets go."""

from collections.abc import Sequence
from typing import Final

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
    grown,
    history,
    lines,
    subjects,
)
from palestra.envs.terminal.step import Operator, Step
from palestra.envs.terminal.tree import Tree

_AUTHOR: Final = "The repository has an identity to commit with."
_NEW: Final = {
    False: ("Bring it back", "Restore what was lost", "Undo a mistake"),
    True: ("Recover a file", "Put it back", "Take it back"),
}
_SECRETS: Final = {False: ("token", "password", "apikey"), True: ("passphrase", "credential", "seedword")}
_TIMES: Final = {
    "last": "with the content that it had just before it was deleted",
    "first": "with the content that it had in the very first commit",
    "tag": "with the content that it has at the tag `stable`",
}
_LOOKUPS: Final = {  # of commits
    "last": '"$(git rev-list -n 1 HEAD -- {})^"',
    "first": '"$(git rev-list --max-parents=0 HEAD)"',
    "tag": "stable",
}


def _restore(desk: Desk) -> Step:
    """A file that was deleted comes back, as it was at some time."""
    path, names = desk.path(desk.of(REPOSITORIES)), desk.some(NAMES, 4)
    lost, when, how = names[0], desk.draws.pick(("last", "first", "tag")), desk.draws.pick(("commit", "leave"))
    commits = history(desk, names)
    for _ in range(2):
        commits = grown(desk, commits, lost, edited(desk, commits[-1].files[lost]))
    script = Script(path, desk.of(AUTHORS))
    script.commit(commits[:-1])
    script.run("git tag stable")
    script.commit(commits[-1:])
    gone = grown(desk, commits, lost, None, f"Remove {lost}")
    gone = grown(desk, gone, names[1], edited(desk, gone[-1].files[names[1]]))
    script.commit(gone[len(commits) :])
    texts = {"last": commits[-1].files[lost], "first": commits[0].files[lost], "tag": commits[-2].files[lost]}
    subject, text = desk.of(_NEW), texts[when]
    then = {
        "commit": f"Commit it as one commit on the branch `main` with the message `{subject}`; nothing else changes.",
        "leave": "Leave it in the working tree; make no commit, and move no branch.",
    }[how]

    def bash(when: str, *, commits: bool) -> str:
        got = f"cd {path}\ngit show {_LOOKUPS[when].format(lost)}:{lost} > .restored\nmv .restored {lost}"
        return f"{got}\ngit add {lost}\ngit commit -q -m '{subject}'" if commits else got

    others = [other for other, content in texts.items() if content != text]
    wrong = {f"takes it as of the {other}": bash(other, commits=how == "commit") for other in others}
    wrong["leaves it empty"] = f"cd {path}\n: > {lost}\ngit add {lost}\ngit commit -q -m '{subject}'"
    if how == "commit":
        wrong["makes no commit"] = bash(when, commits=False)
        after = grown(desk, gone, lost, text, subject)
        checks = [git(path, branch="main", clean=True, subjects=subjects(after), files=dict(after[-1].files))]
    else:
        wrong["makes a commit"] = bash(when, commits=True)
        checks = [git(path, branch="main", subjects=subjects(gone))]
    checks.append({"kind": "file", "group": 0, "path": f"{path}/{lost}", "equals": text})
    return Step(
        operator="",
        choices=(when, how),
        text=f"{desk.of(OPENINGS)} The file `{path}/{lost}` was "
        f"deleted from the git repository `{path}`. Bring it back {_TIMES[when]}. {then} " + _AUTHOR,
        starts=Tree(),
        effect=lambda tree: tree.put(f"{path}/{lost}", text),
        solve=bash(when, commits=how == "commit"),
        checks=tuple(checks),
        wrong=wrong,
        makes=(f"{path}/{lost}",),
        tools=("git",),
        setup=script.text(),
    )


def _undo(desk: Desk) -> Step:
    """A commit is taken back: by another one, or as if it had not been."""
    path, names = desk.path(desk.of(REPOSITORIES)), desk.some(NAMES, 4)
    kind = desk.draws.pick(("revert", "drop", "squash", "reword"))
    commits = history(desk, names[1:])
    commits = grown(desk, commits, names[0], lines(desk, 4))
    bad = len(commits)
    commits = grown(desk, commits, names[0], edited(desk, commits[-1].files[names[0]]))
    if kind == "revert":
        for name in names[1:3]:
            commits = grown(desk, commits, name, edited(desk, commits[-1].files[name]))
    script = Script(path, desk.of(AUTHORS))
    script.commit(commits)
    wanted = desk.of(_NEW)
    if kind == "revert":
        told, after, solve, wrong = _reverted(commits, bad, names[0])
    else:
        told, after, solve, wrong = _taken_back(kind, commits, wanted)
    files = commits[-1].files if kind == "drop" else after[-1].files
    checks = [git(path, branch="main", subjects=subjects(after), files=dict(after[-1].files))]
    if kind != "drop":
        checks = [{**checks[0], "clean": True}]
    checks.append({"kind": "file", "group": 0, "path": f"{path}/{names[0]}", "equals": files[names[0]]})
    return Step(
        operator="",
        choices=(kind,),
        text=f"{desk.of(OPENINGS)} `{path}` is a git repository whose branch `main` is checked out. {told} {_AUTHOR} "
        f"At the end `{path}/{names[0]}` and the other files in the working tree agree with this.",
        starts=Tree(),
        effect=lambda tree: tree.put(f"{path}/{names[0]}", files[names[0]]),
        solve=f"cd {path}\n{solve}",
        checks=tuple(checks),
        wrong={name: f"cd {path}\n{line}" for name, line in wrong.items()},
        makes=(f"{path}/{names[0]}",),
        tools=("git",),
        setup=script.text(),
    )


_Asked = tuple[str, list[Commit], str, dict[str, str]]  # what is told, the history after, the solution, near misses


def _reverted(commits: Sequence[Commit], bad: int, name: str) -> _Asked:
    subject = commits[bad].subject
    message = f'Revert "{subject}"'
    told = (
        f"Take back the commit with the subject `{subject}` by a new commit that undoes its change and no other, "
        f"with the subject `{message}`. The commits before it stay."
    )
    find = f"$(git log --format='%H %s' | awk -v s='{subject}' 'substr($0, 42) == s {{print $1}}')"
    wrong = {
        "reverts the last": "git revert --no-edit HEAD",
        "goes back to before it": f"git reset -q --hard {find}^",
        "changes and does not commit": f"git revert --no-commit {find}",
    }
    files = {**commits[-1].files, name: commits[bad - 1].files[name]}
    return told, [*commits, Commit(message, files)], f"git revert --no-edit {find}", wrong


def _taken_back(kind: str, commits: Sequence[Commit], wanted: str) -> _Asked:
    files = dict(commits[-1].files)
    if kind == "drop":
        told = (
            "Undo the last commit as if it had not been made, but keep its change in the working tree, not committed."
        )
        wrong = {"loses the change": "git reset -q --hard HEAD~1", "reverts it": "git revert --no-edit HEAD"}
        return told, list(commits[:-1]), "git reset -q --mixed HEAD~1", wrong
    if kind == "squash":
        told = (
            f"Make one commit of the last two of the branch, with the subject `{wanted}`; its files are those of the "
            "last commit, and the commits before stay as they are."
        )
        wrong = {
            "takes three": f"git reset -q --soft HEAD~3\ngit commit -q -m '{wanted}'",
            "loses the last change": f"git reset -q --hard HEAD~1\ngit commit -q --amend -m '{wanted}'",
        }
        solve = f"git reset -q --soft HEAD~2\ngit commit -q -m '{wanted}'"
        return told, [*commits[:-2], Commit(wanted, files)], solve, wrong
    told = f"Change the subject of the last commit to `{wanted}`; its files stay as they are."
    wrong = {
        "makes another commit": f"git commit -q --allow-empty -m '{wanted}'",
        "changes nothing": "git commit -q --amend --no-edit",
    }
    return told, [*commits[:-1], Commit(wanted, files)], f"git commit -q --amend -m '{wanted}'", wrong


def _secret(desk: Desk) -> Step:
    """A secret goes from the last commit, or with a whole file from all of them."""
    path, names = desk.path(desk.of(REPOSITORIES)), desk.some(NAMES, 4)
    kind = desk.draws.pick(("line", "file", "value"))
    word = desk.of(_SECRETS)
    secret = "".join(desk.draws.pick("abcdefghkmnpqrstuvwxyz23456789") for _ in range(20))
    commits = history(desk, names)
    clean = dict(commits[-1].files)
    changed = edited(desk, clean[names[0]])
    subject = f"Set {names[0]} up"
    holder = f"{word}.txt" if kind == "file" else names[0]
    with_it = f"{word} = {secret}\n" if kind == "file" else f"{changed}{word} = {secret}\n"
    last = {**clean, names[0]: changed, holder: with_it}
    after = {**clean, names[0]: changed}
    if kind == "value":
        after[holder] = f"{changed}{word} = hidden\n"
    elif kind == "line":
        after[holder] = changed
    script = Script(path, desk.of(AUTHORS))
    script.commit([*commits, Commit(subject, last)])
    told = {
        "line": f"The line of `{holder}` that begins with `{word}` must go from it",
        "file": f"The file `{holder}` must go from it",
        "value": f"In the line of `{holder}` that begins with `{word}`, the value after `= ` must become `hidden`",
    }[kind]
    edit = {
        "line": f"sed -i '/^{word} = /d' {holder}",
        "file": f"git rm -q {holder}",
        "value": f"sed -i 's/^{word} = .*/{word} = hidden/' {holder}",
    }[kind]
    result = [*commits, Commit(subject, after)]
    text = (
        f"{desk.of(OPENINGS)} The last commit on the branch `main` of the git repository `{path}` holds a secret. "
        f"{told}, with no new commit and no branch or tag that still has it: the last commit is made anew, with the "
        f"subject it has. Its other changes stay; so do the commits before it. {_AUTHOR}"
    )
    return Step(
        operator="",
        choices=(kind,),
        text=f"{text} In the end nothing is left to commit, and `{path}/{names[0]}` is as in that commit.",
        starts=Tree(),
        effect=lambda tree: tree.put(f"{path}/{names[0]}", after[names[0]]),
        solve=f"cd {path}\n{edit}\ngit add -A\ngit commit -q --amend --no-edit",
        checks=(git(path, branch="main", clean=True, subjects=subjects(result), files=after, lacks=secret),),
        wrong={
            "removes it in a new commit": f"cd {path}\n{edit}\ngit add -A\ngit commit -q -m 'Remove it'",
            "keeps a branch with it": f"cd {path}\ngit branch old\n{edit}\ngit add -A\ngit commit -q --amend --no-edit",
            "loses the other change": f"cd {path}\ngit reset -q --hard HEAD~1\n"
            f"git commit -q --allow-empty -m '{subject}'",
            "edits the working tree only": f"cd {path}\n{edit}",
        },
        makes=(f"{path}/{names[0]}",),
        tools=("git",),
        setup=script.text(),
    )


OPERATORS: Final[tuple[Operator, ...]] = (
    Drawn("scripting_git_restores", "scripting", None, _restore),
    Drawn("scripting_git_undoes", "scripting", None, _undo),
    Drawn("scripting_git_secrets", "scripting", None, _secret),
)
