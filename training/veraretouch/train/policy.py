"""The maths of DAPO (Yu et al. 2025, arXiv 2503.14476): advantages, the clipped loss, and the log-probabilities they need.

Of `trl` (1.16, Apache-2.0) nothing is imported. Its GRPOTrainer scores completions by calling the model with `input_ids` and
keeps the log-probabilities of every position behind the prompt (`_get_per_token_logps_and_entropies`); it knows no
`inputs_embeds`. Our prompts are embeddings of pictures and sliders, factor tokens are added to embeddings inside the answer,
start tags and retouch tokens are forced and must not count as actions, each section has its own mask over a reduced head, and
three actions are continuous. What is left to share are formulas of a few lines, for which it would bring `datasets`, `pandas`
and `pyarrow`; its dynamic sampling is missing. The loss is its `loss_type="dapo"` with beta = 0 (tests work it out by hand).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from ..export.dialogue import Dialogue
from .examples import collate
from .rollout import Rollout
from .vlm import Step


def group_advantages(rewards: torch.Tensor, least: float = 1e-6) -> torch.Tensor:
    """rewards [P, G] -> (reward - group mean) / group standard deviation, [P, G]."""
    return (rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + least)


def informative(rewards: torch.Tensor, least_spread: float) -> torch.Tensor:
    """Which groups of rewards [P, G] differ among themselves: bool [P]. Groups of equal rewards teach nothing."""
    return rewards.amax(1) - rewards.amin(1) > least_spread


def overlong_penalty(length: torch.Tensor, longest: int, buffer: int) -> torch.Tensor:
    """DAPO's equation 13: 0 up to `longest - buffer` tokens, falling linearly to -1 at `longest` and beyond. [B] -> [B]."""
    return -((length - (longest - buffer)) / buffer).clamp(0, 1)


@dataclass
class Actions:
    """Log-probabilities of a batch of answers. tokens [K] and latents [B, 3]; token_rows [K] says whose token it is.

    A latent's is the mean over its coordinates, less a constant that depends on sigma only. The mean instead of the sum, as
    GSPO (arXiv 2507.18071) takes it over a sequence: ratios of 64 factors leave any clip at the first step.
    """

    tokens: torch.Tensor
    latents: torch.Tensor
    token_rows: torch.Tensor

    def detached(self) -> Actions:
        return Actions(self.tokens.detach(), self.latents.detach(), self.token_rows)


class Policy:
    """Scores rollouts under the model as it is now, by teacher forcing; the model must be in evaluation mode."""

    def __init__(self, step: Step, dialogue: Dialogue, temperature: float, sigma: float):
        self.step, self.temperature, self.sigma = step, temperature, sigma
        self.class_of = torch.full((dialogue.tokenizer.get_vocab_size(),), -100)
        self.class_of[torch.from_numpy(dialogue.output_ids)] = torch.arange(len(dialogue.output_ids))
        sections = {s.field: s for sections in dialogue.answer.values() for s in sections}
        self.number = {name: i for i, name in enumerate(sections)}
        self.allowed = torch.from_numpy(np.stack([dialogue.section_mask(s) for s in sections.values()])).to(step.device)

    def score(self, rollouts: list[Rollout]) -> tuple[Actions, torch.Tensor]:
        """-> (log-probabilities of what was done, mean entropy of the token choices in nats)."""
        batch = collate([r.sequence for r in rollouts], [r.row for r in rollouts], self.class_of)
        logits, mean = self.step.answer(batch, None)
        which = torch.tensor([self.number[name] for r in rollouts for name in r.fields], device=logits.device)
        logits = (logits / self.temperature).masked_fill(~self.allowed[which], -math.inf)
        log_p = logits.log_softmax(-1)
        chosen = log_p.gather(1, batch.target_tokens.to(log_p.device)[:, None])[:, 0]
        entropy = -(log_p.exp() * log_p.clamp(min=-1e4)).sum(-1).mean().detach()
        taken = torch.stack([r.latents for r in rollouts]).to(mean)
        # With sigma 0 latents are no action: their ratio is 1 and their gradient none.
        gap = (taken - mean) / self.sigma if self.sigma else torch.zeros_like(mean).detach()
        return Actions(chosen, -0.5 * gap.square().mean(-1), batch.target_rows.to(log_p.device)), entropy


def clipped(new: torch.Tensor, old: torch.Tensor, advantages: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Minus the smaller of r * A and clip(r, 1 - low, 1 + high) * A, r = exp(new - old), action by action; all [K]."""
    ratio = torch.exp(new - old)
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - low, 1 + high) * advantages)


def dapo_loss(
    new: Actions, old: Actions, advantages: torch.Tensor, present: torch.Tensor, count: float, low: float, high: float,
    latent_weight: float,
) -> tuple[torch.Tensor, float]:  # fmt: skip
    """(loss, number of clipped actions). advantages [2, B]: of the words and of the latents; present [B, 3]: which latents count; `count`: by how many actions of
    the whole batch to divide, so that every token weighs the same, in short answers and long ones."""
    of_words, of_latents = advantages[0, new.token_rows], advantages[1, :, None].expand_as(new.latents)
    tokens = clipped(new.tokens, old.tokens, of_words, low, high)
    latents = clipped(new.latents, old.latents, of_latents, low, high) * latent_weight * present
    over = 0.0
    for a, b, gain in ((new.tokens, old.tokens, of_words), (new.latents, old.latents, of_latents)):
        ratio = torch.exp(a.detach() - b)
        over += float((((ratio > 1 + high) & (gain > 0)) | ((ratio < 1 - low) & (gain < 0))).sum())
    return (tokens.sum() + latents.sum()) / count, over


def action_count(rollouts: list[Rollout], latent_weight: float) -> float:
    """How many actions a list of rollouts holds, latents counted by their weight."""
    return sum(len(r.fields) + latent_weight * float(r.present.sum()) for r in rollouts)
