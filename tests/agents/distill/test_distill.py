"""Self-distillation: the divergence by hand, what teachers are told, and students that learn it without being told."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from palestra.agents import trainer as trainer_module
from palestra.agents.base import ConfigError, Row
from palestra.agents.config import load_config
from palestra.agents.distill import teacher as teacher_module
from palestra.agents.distill.teacher import Opening, opening_of, taught, teacher_row
from palestra.agents.distill.texts import FEEDBACK, LIMIT, PRIVILEGED, SKILL, feedback, privileged, skill
from palestra.agents.losses import IMITATION, Distill, Objective, ppo_clip, reverse_kl
from palestra.agents.metrics import read_metrics
from palestra.agents.model import Learner
from palestra.agents.progress import Progress
from palestra.agents.trainer import Trainer
from palestra.agents.trees import TrainRow
from palestra.agents.update import UpdateSettings, score, train_rows, update
from palestra.rewards.base import Scored, Trajectory, Turn

SETTINGS = UpdateSettings(lr=0.01, token_budget=4096)


def test_the_divergence_of_a_token_and_its_gradient_by_hand() -> None:
    logp = torch.tensor([[math.log(0.5), math.log(0.5), -1.0, -1.0]], requires_grad=True)
    old = torch.tensor([[math.log(0.4), math.log(0.1), -1.0, math.nan]])
    teacher = torch.tensor([[math.log(0.25), math.log(0.25), math.nan, math.nan]])
    mask = torch.tensor([[True, True, True, False]])
    loss = reverse_kl(logp, old, teacher, mask, cap=2.0)
    k = math.log(2)  # student to teacher
    assert loss[0].tolist() == pytest.approx([1.25 * k * k / 2, 2.0 * k * k / 2, 0.0, 0.0])  # ratios 1.25, and 5 cut
    loss.sum().backward()
    assert logp.grad is not None
    assert logp.grad[0].tolist() == pytest.approx([1.25 * k, 2.0 * k, 0.0, 0.0])
    assert not teacher.requires_grad


def test_its_mean_gradient_over_tokens_of_other_weights_is_the_divergences() -> None:
    torch.manual_seed(0)
    logits, old, teacher = (torch.randn(5, dtype=torch.float64) for _ in range(3))
    logits.requires_grad_()
    logp, told = torch.log_softmax(logits, -1), torch.log_softmax(teacher, -1)
    (logp.exp() * (logp - told)).sum().backward()
    exact, logits.grad = logits.grad, None
    sampler, logp = torch.log_softmax(old, -1), torch.log_softmax(logits, -1)
    every = torch.ones(1, 5, dtype=torch.bool)
    loss = reverse_kl(logp[None], sampler[None], told[None], every, cap=1e6)
    (sampler.exp() * loss[0]).sum().backward()
    assert exact is not None
    assert logits.grad is not None
    assert torch.allclose(logits.grad, exact, atol=1e-12)


def attempt(*actions: str, is_solved: bool = False, replies: Sequence[str] = ()) -> Trajectory:
    messages: list[dict[str, Any]] = [{"role": "system", "content": "s"}, {"role": "user", "content": "task"}]
    for number, action in enumerate(actions):
        messages.append({"role": "assistant", "content": action})
        messages += [{"role": "user", "content": text} for text in replies[number : number + 1]]
    turns = tuple(Turn(prompt_ids=(1,), output_ids=(2,), logprobs=(0.0,)) for _ in actions)
    return Trajectory(
        env_id="e",
        task_id="t",
        group="g",
        turns=turns,
        outcome=Scored(float(is_solved), is_solved),
        messages=tuple(messages),
    )


def test_feedback_is_what_came_back_and_what_a_sibling_did_that_succeeded() -> None:
    failed, solved = attempt("look", "drop", replies=["a room", "no such thing"]), attempt("take", is_solved=True)
    assert feedback(failed, [failed]) == f"{FEEDBACK}\n- it was told: a room\n- it was told: no such thing\n- it failed"
    assert feedback(failed, [failed, solved]).endswith("- it failed\nAnother attempt succeeded by:\n1. take")
    assert feedback(solved, [failed, solved]) == ""  # nothing came back, and its own success is nothing new to it
    assert feedback(attempt("x"), []) == ""


def test_a_skill_is_the_shortest_success_and_what_only_failures_did() -> None:
    group = [
        attempt("a", "b", "c", is_solved=True),
        attempt("a", "c", is_solved=True),
        attempt("a", "wrong", "worse"),
        attempt("a", "b"),
    ]
    assert skill(group) == f"{SKILL}\nWorkflow:\n1. a\n2. c\nMistakes:\n- wrong"
    assert skill(group[2:]) == ""


def test_a_plan_is_numbered_and_texts_have_an_end() -> None:
    assert privileged(["a", "b"]) == f"{PRIVILEGED}\n1. a\n2. b"
    assert privileged([]) == ""
    assert len(privileged(["x" * 9999])) == LIMIT


def test_calls_of_tools_are_told_with_their_arguments() -> None:
    call = {"function": {"name": "find", "arguments": '{"id":3}'}}
    one = replace(attempt(is_solved=True), messages=({"role": "assistant", "content": None, "tool_calls": [call]},))
    assert skill([one]).endswith('1. find({"id":3})')


def row_of(prompt: Sequence[int], output: Sequence[int], logprob: float = 0.0) -> TrainRow:
    start, size = len(prompt), len(output)
    row = Row(
        ids=(*prompt, *output),
        mask=(False,) * start + (True,) * size,
        logprobs=(0.0,) * start + (logprob,) * size,
        turns=(-1,) * start + (0,) * size,
    )
    return train_rows([row], [0.5])[0]


def test_a_teachers_row_has_the_students_tokens_behind_a_longer_opening(tiny_tokenizer: Any) -> None:
    from palestra.agents.chat import TemplateChat

    chat = TemplateChat(tiny_tokenizer)
    opening = Opening(({"role": "user", "content": "task"},), ())
    prompt = chat.render(opening.messages, opening.tools)
    row = row_of(prompt, (70, 71, 72))
    seen = teacher_row(row, opening, "told <|im_end|> this", chat)
    assert seen is not None
    assert [i for i, m in zip(seen.row.ids, seen.row.mask, strict=True) if m] == [70, 71, 72]
    assert seen.row.ids[-3:] == row.row.ids[-3:]
    assert sum(seen.advantages) == sum(row.advantages)
    assert "task\n\ntold" in tiny_tokenizer.decode(seen.row.ids)
    assert seen.row.ids.count(chat.end_id) == row.row.ids.count(chat.end_id)  # what is told cannot end the message
    assert teacher_row(row, opening, "", chat) is None
    assert teacher_row(row_of((1, 2, 3), (4,)), opening, "told", chat) is None  # a history that was rewritten


def test_a_student_comes_to_know_what_only_its_teacher_was_told(tiny_model: Any) -> None:
    """The model first learns to do as it is told; then, told nothing, it learns what the told one would do."""
    learner = Learner(tiny_model, lora=None)
    optimizer = torch.optim.AdamW(list(learner.trainable().values()), lr=0.003)
    plain, told = (5, 6, 7), {letter: (5, 6, letter, 7) for letter in (70, 80)}
    lessons = [row_of(told[letter], (letter,)) for letter in told] + [row_of(plain, (letter,)) for letter in told]
    lessons = [replace(one, advantages=tuple(map(float, one.row.mask))) for one in lessons]
    for _ in range(60):
        update(learner, optimizer, lessons, IMITATION, replace(SETTINGS, lr=0.003))

    def chance(prompt: tuple[int, ...]) -> float:
        ((logp,),) = score(learner, [row_of(prompt, (80,))], SETTINGS)
        return math.exp(logp)

    assert chance(told[80]) > 0.9
    assert 0.2 < chance(plain) < 0.8
    weights = {name: p.detach().clone() for name, p in learner.trainable().items()}
    optimizer = torch.optim.AdamW(list(learner.trainable().values()), lr=0.001)
    objective = Objective(loss=ppo_clip, distill=Distill())
    torch.manual_seed(0)
    for _ in range(12):
        p = chance(plain)
        samples = [80 if float(torch.rand(())) < p else 70 for _ in range(16)]
        rows = [row_of(plain, (one,), math.log(p if one == 80 else 1 - p)) for one in samples]
        rows = [replace(one, advantages=(0.0,) * len(one.advantages)) for one in rows]
        with learner.holding(weights):  # the teacher stays what it was
            thoughts = score(learner, [row_of(told[80], (one,)) for one in samples], SETTINGS)
        rows = [replace(one, teacher=thought) for one, thought in zip(rows, thoughts, strict=True)]
        for _ in range(2):
            update(learner, optimizer, rows, objective, replace(SETTINGS, lr=0.001))
    assert chance(plain) > 0.9


def config(folder: Path, out: Path, **changes: Any) -> Any:
    words = {
        "env": "toy/Pair-v0", "model": str(folder), "out": str(out), "sft_steps": 0, "rl_steps": 2, "updates": 2,
        "tasks": 4, "attempts": 4, "rl_lr": 0.01, "warmup": 0, "lora_rank": 0, "autocast": False, "max_tokens": 2,
        "eval_tasks": 0, "checkpoint_every": 1, "keep_checkpoints": 99, "device": "cpu", "export": False, **changes,
    }  # fmt: skip
    return load_config(None, [f"{name}={json.dumps(value)}" for name, value in words.items()])


@pytest.mark.parametrize("kind", ["feedback", "skill", "privileged"])
def test_the_trainer_teaches_and_no_student_sees_what_its_teacher_is_told(
    toys: None, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    trained: list[TrainRow] = []
    scored: list[TrainRow] = []

    def seen_update(learner: Any, optimizer: Any, rows: Any, *rest: Any) -> dict[str, float]:
        trained.extend(rows)
        return update(learner, optimizer, rows, *rest)

    def seen_score(learner: Any, rows: Any, settings: Any) -> list[tuple[float, ...]]:
        scored.extend(rows)
        return score(learner, rows, settings)

    monkeypatch.setattr(trainer_module, "update", seen_update)
    monkeypatch.setattr(teacher_module, "score", seen_score)
    trainer = Trainer(config(tiny_folder, tmp_path, distill=kind), progress=Progress(None))
    trainer.run()
    head = {"feedback": FEEDBACK, "skill": SKILL, "privileged": PRIVILEGED}[kind]
    assert trained
    assert all(head not in trainer.tokenizer.decode(one.row.ids) for one in trained)
    assert all(head in trainer.tokenizer.decode(one.row.ids) for one in scored)
    assert head not in (tmp_path / "episodes.jsonl").read_text()
    lines = read_metrics(tmp_path)
    if kind != "skill":  # a random model solves nothing, so there is no skill yet
        assert all(line["taught"] == 1.0 and math.isfinite(line["teacher_kl"]) for line in lines)
        assert all(len(one.teacher) == sum(one.row.mask) for one in trained)


def test_alone_the_teacher_is_all_that_moves_the_weights(toys: None, tiny_folder: Path, tmp_path: Path) -> None:
    def moved(name: str, **changes: Any) -> bool:
        settings = config(tiny_folder, tmp_path / name, distill="privileged", distill_alone=True, **changes)
        trainer = Trainer(settings, progress=Progress(None))
        before = {key: p.detach().clone() for key, p in trainer.learner.trainable().items()}
        trainer.run()
        return any(not torch.equal(p, before[key]) for key, p in trainer.learner.trainable().items())

    assert moved("taught")
    assert not moved("untaught", distill_coef=0)


def test_an_expert_plan_is_played_only_where_it_is_asked_for(toys: None, tiny_folder: Path, tmp_path: Path) -> None:
    trainer = Trainer(config(tiny_folder, tmp_path), progress=Progress(None))
    task = trainer.train_env.tasks.sample(3, {})
    assert opening_of(trainer.train_env, task).plan == ()
    assert opening_of(trainer.train_env, task, has_plan=True).plan in {("a", "a"), ("a", "n")}
    trainer.close()


def test_episodes_without_a_teacher_are_marked_and_counted(tiny_model: Any, tiny_tokenizer: Any) -> None:
    from palestra.agents.chat import TemplateChat

    rows = [[row_of((5, 6), (70,))]]
    learner, chat = Learner(tiny_model, lora=None), TemplateChat(tiny_tokenizer)
    marked, stats = taught("skill", learner, chat, [attempt("x")], rows, {"g": Opening((), ())}, SETTINGS)
    assert math.isnan(marked[0][0].teacher[0])
    assert stats == {"taught": 0.0, "teacher_kl": 0.0}
    assert rows[0][0].teacher == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["distill=oracle"], "distill must be one of none, feedback, skill, privileged"),
        (["distill_alone=true"], "distill_alone without a teacher learns nothing"),
        (["distill=skill", "distill_alone=true", "loss=dppo"], "does nothing without advantages, not 'dppo'"),
        (["distill_coef=-1"], "distill_coef must be at least 0"),
        (["distill_cap=0"], "distill_cap must be a positive number"),
    ],
)
def test_wrong_settings_are_named(words: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(None, words)
