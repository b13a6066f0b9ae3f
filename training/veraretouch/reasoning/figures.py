"""The measured figures that problems are written from, as one vector per photo: what a perception can be taught to read."""

from __future__ import annotations

import torch

from .measure import BANDS, Pixels, stats

# Per factor: names of the figures, and the size that each is divided by, so that 1 is a difference worth naming.
LIGHT = {"median": 15.0, "p2": 10.0, "p10": 10.0, "p90": 15.0, "p98": 10.0, "std": 8.0, "clipped": 5.0, "crushed": 5.0}
GLOBAL_COLOR = {"neutral_a": 3.0, "neutral_b": 3.0, "chroma": 8.0, "chroma_std": 8.0}
BAND = {"share_of_all": 0.2, "chroma": 15.0, "lightness": 15.0, "offset": 10.0}
COUNTS = {"light": len(LIGHT), "globalColor": len(GLOBAL_COLOR), "specificColor": len(BAND) * len(BANDS)}


def figures(rgb: torch.Tensor) -> torch.Tensor:
    """[N, 3] sRGB in [0, 1] -> [44]: light, global colour, then four per hue band. Raises ReasoningError as `stats` does.

    Values are in units of a difference worth naming and cut at +-8; what a band with few pixels has is drawn to 0.
    """
    measured = stats(Pixels(rgb))
    values = [getattr(measured, name) / unit for name, unit in (LIGHT | GLOBAL_COLOR).items()]
    for band in measured.bands:
        known = min(1.0, band.share_of_all / 0.03)
        values += [known * getattr(band, name) / unit for name, unit in BAND.items()]
    return torch.tensor(values).clamp(-8, 8)
