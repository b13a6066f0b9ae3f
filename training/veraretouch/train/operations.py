"""Random retouch operations for the encoder: each is one function that can be applied to two different photos."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ..engine.develop import develop
from ..engine.params import apply_mask, sample_params


@dataclass(frozen=True)
class Operation:
    """One retouch. Either `params` [38] for the develop engine, or a function of colours [N, 3] and a factor mask."""

    kind: str
    params: torch.Tensor | None = None
    apply: Callable[[torch.Tensor, tuple[float, ...]], torch.Tensor] | None = None
    maskable: bool = True


def apply_operations(operations: list[Operation], rgb: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Operation i on row i. rgb [B, N, 3], masks [B, 3]; the develop operations run as one batch."""
    out = torch.empty_like(rgb)
    rows = [i for i, operation in enumerate(operations) if operation.params is not None]
    if rows:
        params = torch.stack([operations[i].params for i in rows])
        out[rows] = develop(rgb[rows], apply_mask(params, masks[rows]))
    for i, operation in enumerate(operations):
        if operation.apply is not None:
            out[i] = operation.apply(rgb[i], tuple(masks[i].tolist()))
    return out.clamp(0, 1)


class OperationSource:
    """Draws operations by the weights of a configuration such as {develop = 0.6, preset = 0.15, film = 0.15, peer = 0.1}."""

    def __init__(self, weights: dict[str, float], data: Path, work: Path, split: str):
        self.kinds = list(weights)
        self.weights = torch.tensor([float(weights[kind]) for kind in self.kinds])
        unknown = set(self.kinds) - {"develop", "preset", "film"}
        if unknown:
            raise ValueError(f"unknown operation kinds in the configuration: {sorted(unknown)}")
        self.looks = {"preset": [], "film": []}
        if set(self.kinds) & set(self.looks):
            from ..data.looks import load_looks

            for look in load_looks(data, "seen" if split == "train" else "unseen"):
                self.looks[look.kind].append(look)

    def draw(self, generator: torch.Generator) -> Operation:
        kind = self.kinds[int(torch.multinomial(self.weights, 1, generator=generator))]
        if kind == "develop":
            return Operation(kind, params=sample_params(1, generator)[0])
        looks = self.looks[kind]
        return look_operation(looks[int(torch.randint(len(looks), (), generator=generator))])


def look_operation(look) -> Operation:
    from ..data.looks import apply_look

    return Operation(look.kind, apply=lambda rgb, mask: apply_look(rgb, look, mask=mask), maskable=look.kind != "film")


def random_mask(count: int, generator: torch.Generator) -> torch.Tensor:
    """Factor masks [count, 3]; half of them all ones, the rest with each factor on with probability 0.6."""
    drop = (torch.rand(count, 3, generator=generator) < 0.6).float()
    whole = (torch.rand(count, 1, generator=generator) < 0.5).float()
    return torch.maximum(drop, whole)
