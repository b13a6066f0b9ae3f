"""Tokens that carry latents exactly, beside all else that they say."""

import torch
from torch import nn


def by_factor(x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """x [B, 3, N] through each factor's own matrix, weights [3, M, N] -> [B, 3, M]."""
    return (x.transpose(0, 1) @ weights.transpose(1, 2)).transpose(0, 1)


class Carrier(nn.Module):
    """A projector whose factor tokens [B, 3, hidden] are moved, as little as will do, until a linear reading of them finds
    given latents. Until it is aimed it moves nothing.

    Through layers and a norm a token keeps 35 dB of what the parameter head knows at 45 dB, and 27.3 dB of the 28.4 that
    the tone encoder's own latents reach on held-out photos.
    """

    def make_room(self, hidden: int, latent: int) -> None:
        """Room for what `aim` finds out; called once, when the projector is built."""
        self.register_buffer("towards", torch.zeros(3, hidden, latent))
        self.register_buffer("read_weight", torch.zeros(3, latent, hidden))
        self.register_buffer("read_bias", torch.zeros(3, latent))

    @torch.no_grad()
    def aim(self, readout: nn.ModuleList, gain: float) -> None:
        """Let tokens carry latents as `readout` (one linear map [hidden -> latent] a factor) finds them in `gain` times the
        token: the least change of the token (pseudo-inverse) that does."""
        weights = torch.stack([head.weight for head in readout])
        self.read_weight.copy_(gain * weights)
        self.read_bias.copy_(torch.stack([head.bias for head in readout]))
        self.towards.copy_(torch.linalg.pinv(gain * weights.double()))

    def carry(self, tokens: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        """tokens [B, 3, hidden], moved to carry the positive ones of the latents `wanted` [B, 3, D]."""
        said = by_factor(tokens, self.read_weight) + self.read_bias
        # The renderer sees latents through a ReLU: those that are to be off may be as far below 0 as they like.
        wanted = torch.where(wanted > 0, wanted, said.clamp(max=0))
        return tokens + by_factor(wanted - said, self.towards)
