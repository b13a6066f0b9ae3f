"""Inverse degradation: an expert's retouch, undone on another photo.

As the paper does it: a pair (picture, expert-like result) is encoded backwards (result -> picture) and the latents are
applied to a good photo through the renderer. Expert-like results come from the expert-C peer.
"""

from pathlib import Path

import torch
import torch.nn.functional as F

from ..train.renderer import Networks
from .degrade import raw_params
from .peer import Peer


class InverseDegradation:
    def __init__(self, checkpoint: Path, photos: torch.Tensor, peer: Peer):
        state = torch.load(checkpoint, weights_only=True)
        self.nets = Networks(state["config"])
        self.nets.load_state_dict(state["average"])
        self.nets.eval().requires_grad_(False)
        self.size = state["config"]["encoder_size"]
        self.photos, self.peer = photos, peer

    @torch.no_grad()
    def draw(self, generator: torch.Generator):
        """A random inverse retouch as a function of colours [N, 3] -> [N, 3]."""
        from ..engine.develop import develop

        index = int(torch.randint(len(self.photos), (), generator=generator))
        photo = self.photos[index].permute(2, 0, 1)[None].float() / 255
        small = F.avg_pool2d(photo, photo.shape[-1] // self.size)
        flat = small.flatten(2).transpose(1, 2)
        dull = develop(flat, raw_params(generator)[None])
        picture = dull.transpose(1, 2).unflatten(2, (self.size, self.size))
        expert = self.peer.apply(dull, self.peer.weights(picture))
        expert = expert.transpose(1, 2).unflatten(2, (self.size, self.size))
        latents = self.nets.encoder(expert, picture)
        return lambda rgb: self.nets.renderer(rgb[None], latents)[0]
