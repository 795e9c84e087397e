"""The reverse divergence from a teacher, on tokens that the student sampled."""

from torch import Tensor

from palestra.agents.losses.ratios import log_ratio


def reverse_kl(logp: Tensor, old_logp: Tensor, teacher_logp: Tensor, mask: Tensor, *, cap: float = 2.0) -> Tensor:
    """Return each token's part of KL(student || teacher) as a loss, (rows, tokens).

    With ``k = logp - teacher_logp`` and ``w = min(exp(logp - old_logp), cap)``, which carries no gradient, the loss is
    ``w k**2 / 2``. Its gradient, ``w k`` times that of logp, has the divergence's gradient as its mean over tokens
    drawn by the weights of `old_logp`, as long as no ratio is above `cap`; so a teacher may be imitated over several
    updates on the same samples. Tokens of which the teacher says nothing, NaN in `teacher_logp`, have no loss.

    Args:
        logp: under the weights in training; only it carries a gradient.
        old_logp: under the weights that sampled.
        teacher_logp: under the teacher, which saw more.
        mask: True where a token was sampled.
        cap: bound of the importance weight.

    Sources: SDPO (Reinforcement Learning via Self-Distillation), whose teacher is the model that saw feedback; the
    importance weight is after Skill-SD. The sampled form in place of whole distributions, and the bound, are ours.
    """
    told = mask & ~teacher_logp.isnan()
    apart = log_ratio(logp, teacher_logp.detach(), told)
    weight = log_ratio(logp.detach(), old_logp, told).exp().clamp(max=cap)
    return 0.5 * weight * apart.square()
