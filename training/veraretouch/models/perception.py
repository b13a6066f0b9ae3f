"""What the tokens of a photo or of slider values are taught to say before a language model reads them.

Each factor has one token for a photo (the first three global tone tokens), one for a style and one for sliders. From it alone, linear
heads must read the claims of that factor's plan, the figures that its problems are written from, and the factor's
latent. Photos, styles and sliders share the heads of claims and latents, so that one claim looks alike wherever it comes from
and a language model has to learn its words only once. The heads are dropped afterwards.
"""

import torch
from torch import nn

from ..reasoning.figures import COUNTS
from ..reasoning.labels import SLOTS, classes
from .layout import SEMANTIC_TOKENS
from .param_head import begin_alive
from .vlm import ParamProjector, StyleProjector, Vision


class Perception(nn.Module):
    def __init__(
        self, vision: Vision, param_projector: ParamProjector, style_projector: StyleProjector, latent: int, names: int
    ):
        super().__init__()
        # The image encoder is frozen and its features are stored with the examples.
        self.vision, self.param_projector, self.style_projector = vision, param_projector, style_projector
        hidden = vision.hidden
        self.claims = nn.ModuleList(nn.Linear(hidden, SLOTS[f] * len(classes(f))) for f in SLOTS)
        self.figures = nn.ModuleList(nn.Linear(hidden, COUNTS[f]) for f in SLOTS)
        self.latents = nn.ModuleList(nn.Linear(hidden, latent) for _ in SLOTS)
        for head in self.latents:
            begin_alive(head)
        self.names = nn.Linear(hidden, names)
        # Tokens have the size of word embeddings, about 0.1; the heads' first outputs would be too small to learn from.
        self.gain = 1 / float(vision.tone_global.norm.weight.detach().mean())

    def aim(self) -> None:
        """Let the tokens of photos and of sliders carry their latents as the heads read them (`models.carry`)."""
        if self.vision.layout.tone:
            self.vision.aim(self.latents, self.gain)
        self.param_projector.aim(self.latents, self.gain)

    def read(self, tokens: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Factor tokens [B, 3, hidden] -> logits per factor [B, slots, classes] and latents [B, 3, D]."""
        scaled = self.gain * tokens
        claims = [
            head(scaled[:, i]).view(len(tokens), slots, -1)
            for i, (head, slots) in enumerate(zip(self.claims, SLOTS.values(), strict=True))
        ]
        return claims, torch.stack([head(scaled[:, i]) for i, head in enumerate(self.latents)], dim=1)

    def see(self, features: torch.Tensor, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """A photo -> (its tokens [B, T, hidden], figures [B, 44], logits of the names of what is seen [B, names])."""
        tokens = self.vision.project(features, image)
        factors = self.factors(tokens)
        figures = torch.cat([head(self.gain * factors[:, i]) for i, head in enumerate(self.figures)], dim=1)
        named = tokens[:, :SEMANTIC_TOKENS] if self.vision.layout.semantic else tokens
        return tokens, figures, self.names(self.gain * named.mean(dim=1))

    def factors(self, image_tokens: torch.Tensor) -> torch.Tensor:
        """The three tokens [B, 3, hidden] of a photo that stand for the factors."""
        first = self.vision.layout.focus_row
        return image_tokens[:, first : first + 3]
