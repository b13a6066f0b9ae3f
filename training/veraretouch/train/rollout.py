"""Rollouts: answers that are sampled instead of the likeliest, with all that is needed to score the same choices again.

An answer is two kinds of action: the text tokens, drawn within their sections' masks at a temperature, and the three latents,
drawn from a Gaussian about what the adaptor says. Where sections stand, where latents are read and what is added at which
place is taken from the walk itself, so no order of the answer is assumed here.
"""

from __future__ import annotations

from collections.abc import Sequence as Rows
from dataclasses import dataclass, field

import numpy as np
import torch

from ..engine.params import factor_mask
from ..export.answer import STATE_COUNT, AnswerWalk, GenerationResult
from ..export.dialogue import LATENT_ROW, Dialogue, Section
from ..export.reference import generate_batch
from .adaptor import answering
from .examples import Sequence, Shards, encode_prompt


class RolloutError(ValueError):
    """Answers cannot be drawn as asked; nothing was generated or trained."""


@dataclass
class SampledWalk(AnswerWalk):
    """Draws each token from softmax(logits / temperature) of what its section allows, and keeps what was fed and chosen."""

    temperature: float = 1.0
    random: np.random.Generator = field(default_factory=np.random.default_rng)
    fed: list[int] = field(default_factory=list)
    added: list[tuple[int, int]] = field(default_factory=list)
    # (position in `fed` whose state predicts, token, field of its section), and the log-probability of each.
    choices: list[tuple[int, int, str]] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)

    def choose(self, logits: np.ndarray) -> None:
        self._keep()
        super().choose(logits)
        if self.done:
            self._keep()

    def _keep(self) -> None:
        self.added += [(len(self.fed) + place, row) for place, row in self.marks]
        self.fed += self.pending

    def _pick(self, allowed: np.ndarray, section: Section) -> int:
        scaled = allowed.astype(np.float64) / self.temperature
        scaled -= scaled.max()
        log_p = scaled - np.log(np.exp(scaled).sum())
        p = np.exp(log_p)
        pick = int(self.random.choice(len(p), p=p / p.sum()))
        self.choices.append((len(self.fed) - 1, int(self.dialogue.output_ids[pick]), section.field))
        self.logprobs.append(float(log_p[pick]))
        return pick

    def sequence(self, prompt: list[int], instruction: list[int]) -> Sequence:
        """The answer as a training sequence behind its prompt: targets are the tokens that were chosen."""
        at = len(prompt)
        states = sorted((row, place) for place, row in self.added if row >= LATENT_ROW)
        if not self.done or [row for row, _ in states] != [LATENT_ROW + i for i in range(STATE_COUNT)]:
            raise RolloutError("The walk has not read its three latents, so its answer cannot be scored. Nothing was trained.")
        return Sequence(
            [*prompt, *self.fed],
            [(at + place, token) for place, token, _ in self.choices],
            tuple(at + place for _, place in states),
            [(at + place, row) for place, row in self.added],
            instruction,
        )


@dataclass
class Rollout:
    """One sampled answer. latents [3, D] are the action taken, `present` [3] 0 for factors that are masked away."""

    row: int
    result: GenerationResult
    sequence: Sequence
    fields: list[str]
    logprobs: list[float]
    latents: torch.Tensor
    present: torch.Tensor


def generation_inputs(shards: Shards, rows: Rows[int], device: str | torch.device) -> dict:
    """What `generate_batch` takes for examples of one task, beside `answering(model, shards)`."""
    tasks = {shards.metas[row]["task"] for row in rows}
    if len(tasks) != 1:
        raise RolloutError(f"A batch of answers is of one task, not of {sorted(tasks)}. Nothing was generated.")
    task, numbers = tasks.pop(), torch.tensor(list(rows))
    voices = [shards.metas[row].get("voice", 0) for row in rows]
    if task == "param":
        return {"mode": task, "params": shards.arrays["params"][numbers].to(device), "voices": voices}
    inputs: dict = {"mode": task, "images": numbers, "voices": voices}
    if task == "style":
        inputs["instructions"] = [shards.metas[row]["instruction"] for row in rows]
    return inputs


@torch.no_grad()
def draw(
    model, dialogue: Dialogue, shards: Shards, rows: Rows[int], group: int, temperature: float, sigma: float, seed: list[int],
    half: bool = False,
) -> list[Rollout]:  # fmt: skip
    """`group` answers to each example of `rows` (one task), those of one example in succession.

    sigma: standard deviation of the latents about the adaptor's; 0 takes them as they are. seed: what the draws depend on.
    Raises RolloutError.
    """
    if temperature <= 0 or sigma < 0 or group < 2:
        raise RolloutError(
            f"Rollouts need a temperature above 0, a sigma from 0 and groups from 2, not {temperature}, {sigma} and {group}. "
            "Nothing was generated; correct the configuration."
        )
    random, noise = np.random.default_rng(seed), torch.Generator().manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
    repeated = [row for row in rows for _ in range(group)]
    walks: list[SampledWalk] = []

    def new_walk(dialogue: Dialogue, mode: str) -> SampledWalk:
        walks.append(SampledWalk(dialogue, mode, temperature=temperature, random=random))
        return walks[-1]

    inputs = generation_inputs(shards, repeated, model.head.device)
    results = generate_batch(answering(model, shards), dialogue, new_walk=new_walk, half=half, **inputs)
    rollouts = []
    for row, walk, result in zip(repeated, walks, results, strict=True):
        meta = shards.metas[row]
        present = factor_mask(shards.arrays["params"][row][None])[0] if inputs["mode"] == "param" else torch.ones(3)
        mean = torch.from_numpy(result.latents)
        latents = mean + sigma * present[:, None] * torch.randn(mean.shape, generator=noise)
        words = dialogue.encode_user_text(meta["instruction"]) if inputs["mode"] == "style" else []
        sequence = walk.sequence(encode_prompt(meta, dialogue), words)
        rollouts.append(Rollout(row, result, sequence, [name for _, _, name in walk.choices], walk.logprobs, latents, present))
    return rollouts
