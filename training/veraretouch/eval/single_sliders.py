"""The parameter head against the develop engine where means over whole pictures hide it: single factors, single sliders.

    python -m veraretouch.eval.single_sliders --renderer WORK/renderer/last.pt --work WORK
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ..data.photos import load_photos
from ..engine.develop import develop
from ..engine.params import FACTOR_SLICES, INDEX, factor_mask, sample_params
from ..reasoning.axes import AXES, FACTORS, effect
from ..reasoning.measure import Pixels, change
from ..train.common import psnr_per_image
from ..train.tone import load_networks

PHOTOS, COLOURS = 64, 2048
KINDS = {"Saturation": "saturation", "Luminance": "luminance", "Hue": "hue"}
BANDS = ("Red", "Orange", "Green", "Blue")


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--renderer", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--size", type=float, default=0.8, help="of the single sliders, in both directions")
    a = parser.parse_args()
    nets = load_networks(a.renderer)
    photos, _ = load_photos(a.work, "test")
    generator = torch.Generator().manual_seed(0)
    chosen = photos[torch.randperm(len(photos), generator=generator)[:PHOTOS]].flatten(1, 2)
    rgb = chosen[:, torch.randperm(chosen.shape[1], generator=generator)[:COLOURS]].float() / 255

    def both(params: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(engine, parameter head and renderer) on all photos."""
        latents = nets.head(params) * factor_mask(params)[..., None]
        return develop(rgb, params), nets.renderer(rgb, latents)

    for factor, sliders in zip(FACTORS, FACTOR_SLICES, strict=True):
        params = torch.zeros(PHOTOS, 38)
        params[:, sliders] = sample_params(PHOTOS, generator)[:, sliders]
        moved = (params != 0).any(1)
        wanted, got = both(params)
        figures = [psnr_per_image(x, wanted).clamp(max=70)[moved].mean() for x in (got, rgb)]
        print(f"{factor} alone: {figures[0]:.1f} dB, do nothing {figures[1]:.1f} dB")
    for kind, axis in KINDS.items():
        for band in BANDS:
            for value in (-a.size, a.size):
                params = torch.zeros(PHOTOS, 38)
                params[:, INDEX[f"{kind}Adjustment{band}"]] = value
                name = f"{axis}.{band.lower()}"
                # In dead zones: how far the pixels move, on the photos where the engine moves them visibly.
                pairs = [
                    [effect(change(Pixels(before), Pixels(after)), name) / AXES[name].dead for after in afters]
                    for before, *afters in zip(rgb, *both(params), strict=True)
                ]
                seen = torch.tensor([pair for pair in pairs if abs(pair[0]) > 1]).view(-1, 2)
                if len(seen):
                    engine, head = seen.mean(0).tolist()
                    print(f"{name} {value:+.1f}: engine {engine:.2f}, head {head:.2f} dead zones, {len(seen)} photos")


if __name__ == "__main__":
    main()
