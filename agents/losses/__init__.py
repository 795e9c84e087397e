"""Losses: pure functions of log-probabilities and advantages, and the objective that puts them together.

Names that a config chooses by, and the options of each, are in `palestra.agents.loss_options`.
"""

from palestra.agents.losses.covariance import clip_cov, covariances, kl_cov
from palestra.agents.losses.distill import reverse_kl
from palestra.agents.losses.importance import importance_weights
from palestra.agents.losses.kl import kl_estimate, kl_in_reward, kl_loss
from palestra.agents.losses.objective import IMITATION, Distill, Importance, Objective, Penalty, Precision, Tokens
from palestra.agents.losses.policy import cispo, dppo, dual_clip, likelihood, ppo_clip, w_reinforce
from palestra.agents.losses.sequence import gspo, pmd, topr
from palestra.agents.losses.weights import aggregate, denominators, overlong_mask, precision_weights

__all__ = [
    "IMITATION",
    "Distill",
    "Importance",
    "Objective",
    "Penalty",
    "Precision",
    "Tokens",
    "aggregate",
    "cispo",
    "clip_cov",
    "covariances",
    "denominators",
    "dppo",
    "dual_clip",
    "gspo",
    "importance_weights",
    "kl_cov",
    "kl_estimate",
    "kl_in_reward",
    "kl_loss",
    "likelihood",
    "overlong_mask",
    "pmd",
    "ppo_clip",
    "precision_weights",
    "reverse_kl",
    "topr",
    "w_reinforce",
]
