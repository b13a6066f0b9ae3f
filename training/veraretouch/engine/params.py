"""The 38 retouch parameters: names, order, factors and random sampling.

Names are Camera Raw's process version 2012 settings. Inside the engine and the models a value is in [-1, 1];
files hold value * 100. Exposure2012 at +-1 means +-5 stops.
"""

import torch

LIGHT = (
    "Exposure2012", "Contrast2012", "Highlights2012", "Shadows2012", "Whites2012", "Blacks2012",
    "ParametricShadows", "ParametricDarks", "ParametricLights", "ParametricHighlights",
)  # fmt: skip
GLOBAL_COLOR = ("IncrementalTemperature", "IncrementalTint", "Vibrance", "Saturation")
HUES = ("Red", "Orange", "Yellow", "Green", "Aqua", "Blue", "Purple", "Magenta")
SPECIFIC_COLOR = tuple(f"{kind}Adjustment{hue}" for kind in ("Hue", "Saturation", "Luminance") for hue in HUES)
PARAMETERS = LIGHT + GLOBAL_COLOR + SPECIFIC_COLOR
INDEX = {name: i for i, name in enumerate(PARAMETERS)}
FACTORS = ("light", "globalColor", "specificColor")
FACTOR_SLICES = (slice(0, 10), slice(10, 14), slice(14, 38))
STOPS_AT_FULL_EXPOSURE = 5.0


def factor_mask(params: torch.Tensor) -> torch.Tensor:
    """[B, 38] -> [B, 3]: 1 where any parameter of the factor is not 0, else 0."""
    return torch.stack([(params[:, s] != 0).any(dim=1) for s in FACTOR_SLICES], dim=1).to(params)


def apply_mask(params: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Set the parameters of masked factors to 0. params [B, 38], mask [B, 3] of 0 or 1."""
    return params * torch.cat([mask[:, i : i + 1].expand(-1, s.stop - s.start) for i, s in enumerate(FACTOR_SLICES)], 1)


def sample_params(count: int, generator: torch.Generator, strength: float = 1.0) -> torch.Tensor:
    """Gaussian parameter sets [count, 38] in [-1, 1].

    Each factor is present with probability 0.8 and each of its parameters with probability drawn per set, so that both
    single-slider moves and full developments occur. The per-set strength is log-uniform to give small edits their share.
    """
    def uniform(*shape):
        return torch.rand(*shape, generator=generator)

    sigma = torch.full((38,), 0.40)
    sigma[INDEX["Exposure2012"]] = 0.16
    sigma[FACTOR_SLICES[1]] = torch.tensor([0.40, 0.30, 0.40, 0.35])
    values = torch.randn(count, 38, generator=generator) * sigma * strength
    values = values * torch.exp2(-2.0 * uniform(count, 1) + 1.0)
    density = torch.cat([uniform(count, 1).expand(-1, s.stop - s.start) for s in FACTOR_SLICES], 1)
    values = values * (uniform(count, 38) < density.clamp(min=0.25))
    present = (uniform(count, 3) < 0.8).float()
    return apply_mask(values.clamp(-1, 1), present)


def sample_focused(count: int, generator: torch.Generator) -> torch.Tensor:
    """Parameter sets [count, 38] in [-1, 1] as a person tries sliders: one factor, few of its sliders, often far out.

    Half of them are of the mixer. What it does is small in a whole picture, and among sets of all factors a network learns
    the rest of them at its cost.
    """
    factor = torch.randint(4, (count,), generator=generator).clamp(max=2)
    values = torch.rand(count, 38, generator=generator) * 2 - 1
    values[:, INDEX["Exposure2012"]] *= 0.5
    sliders = torch.tensor([s.stop - s.start for s in FACTOR_SLICES])[factor]
    # One to four sliders on average.
    wanted = 1 + 3 * torch.rand(count, generator=generator)
    values = values * (torch.rand(count, 38, generator=generator) < (wanted / sliders)[:, None])
    return apply_mask(values, torch.nn.functional.one_hot(factor, 3).float())
