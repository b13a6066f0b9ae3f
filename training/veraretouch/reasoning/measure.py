"""What is measured on an image, and on the same pixels before and after a retouch.

Pixels are sRGB in [0, 1], shape [N, 3]; order does not matter, a few thousand random pixels are enough.
Lightness and casts are CIE L*a*b* (D65); hue bands are OKLCh, whose blues do not drift to purple.

A change is only as true as the way it is measured: a plain +1 EV raises the standard deviation of L* and the mean
chroma although nobody touched contrast or saturation. So each change below has two or three *readings* that careful
readers might use, and `sound` keeps the smallest when all have the same sign, else 0. What is then said about the
picture holds under every reading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property

import torch

from .colour import linear_to_lab, linear_to_oklab, srgb_to_linear
from .errors import ReasoningError

BANDS = ("red", "orange", "yellow", "green", "aqua", "blue", "purple", "magenta")
# OKLCh hue in degrees. Midpoints between neighbours separate the bands: skin falls into orange, foliage (110-135)
# into yellow and green, clear sky (235-260) into blue.
BAND_CENTRES = (25.0, 58.0, 100.0, 140.0, 195.0, 255.0, 300.0, 345.0)
COLOURED = 0.04  # OKLCh chroma from which a pixel has a hue worth naming (about 10 in CIE chroma)
NEUTRAL_CHROMA = 10.0  # CIE chroma below which a pixel shows the cast of the light
LEAST_BAND_SHARE = 0.03  # of all pixels; below it a band is not spoken of
_ZONES = 16  # equal-count lightness zones of the tone curve that is taken off before colours are compared
_BAND_EDGES = torch.tensor(
    [(BAND_CENTRES[i] + BAND_CENTRES[i + 1]) / 2 for i in range(7)] + [(BAND_CENTRES[7] + BAND_CENTRES[0] + 360) / 2]
)


@dataclass(frozen=True)
class Band:
    share: float  # of coloured pixels
    share_of_all: float  # of all pixels
    chroma: float  # mean CIE chroma
    lightness: float  # mean L*
    offset: float  # mean hue minus the band's centre, degrees, positive towards the next band


@dataclass(frozen=True)
class Stats:
    mean: float  # L*
    median: float
    std: float
    p2: float
    p10: float
    p25: float
    p75: float
    p90: float
    p98: float
    clipped: float  # % of pixels with a channel >= 250/255 and L* >= 85
    crushed: float  # % of pixels with L* <= 2
    a: float  # mean a*
    b: float
    neutral_a: float  # mean a*, b* of near-neutral pixels: the cast
    neutral_b: float
    neutral_share: float  # of all pixels
    chroma: float  # mean CIE chroma
    chroma_std: float
    bands: tuple[Band, ...]  # in the order of BANDS


@dataclass(frozen=True)
class BandChange:
    share_of_all: float
    saturation: float  # ln of the chroma ratio, beyond lightness and the global change
    luminance: float  # L*, beyond the global tone curve
    hue: float  # degrees, positive towards the next band, beyond the global cast


@dataclass(frozen=True)
class Change:
    exposure: float  # L*
    contrast: float  # ln of the ratio of spreads
    highlights: float  # L*, the brightest quarter against the rest
    shadows: float  # L*, the darkest quarter against the rest
    whites: float  # L*, the brightest 5 %, in absolute terms and against the whole
    blacks: float  # L*, the darkest 5 %, likewise
    lights: float  # L*, the third quarter of the tones, in absolute terms and against the whole
    darks: float  # L*, the second quarter
    temperature: float  # b*, positive is warmer
    tint: float  # a*, positive is towards magenta
    saturation: float  # ln of the chroma ratio
    vibrance: float  # ln of the chroma ratio of the less coloured half
    monochrome: float  # 1 when colour was removed (a single tone may remain), else 0
    highlights_step: float  # plain mean change of L* in the brightest and darkest quarter
    shadows_step: float
    bands: tuple[BandChange, ...]


def sound(*readings: float) -> float:
    """The smallest of several readings of one change when all point the same way, else 0."""
    if all(r > 0 for r in readings):
        return min(readings)
    if all(r < 0 for r in readings):
        return max(readings)
    return 0.0


class Pixels:
    """Colour coordinates of one set of pixels, computed once and shared by `stats` and `change`."""

    def __init__(self, rgb: torch.Tensor) -> None:
        rgb = torch.as_tensor(rgb, dtype=torch.float32)
        if rgb.ndim != 2 or rgb.shape[1] != 3 or rgb.shape[0] < 16:
            raise ReasoningError(f"pixels have shape {tuple(rgb.shape)}; pass at least 16 pixels as [N, 3]")
        low, high = torch.aminmax(rgb)
        if not (low >= -1e-3 and high <= 1.001):  # also catches NaN
            raise ReasoningError(f"pixels range from {float(low)} to {float(high)}; pass sRGB in [0, 1]")
        self.rgb = rgb.clamp(0, 1)
        self._linear = srgb_to_linear(self.rgb)
        self.lab = linear_to_lab(self._linear)
        self.lightness, self.a, self.b = self.lab.unbind(1)
        self.chroma = torch.hypot(self.a, self.b)

    @cached_property
    def order(self) -> torch.Tensor:
        """[N] pixel indices from dark to light."""
        return torch.argsort(self.lightness, stable=True)

    @cached_property
    def ok_polar(self) -> tuple[torch.Tensor, torch.Tensor]:
        """OKLCh chroma and hue in degrees [0, 360), each [N]."""
        ok = linear_to_oklab(self._linear)
        return torch.hypot(ok[:, 1], ok[:, 2]), torch.rad2deg(torch.atan2(ok[:, 2], ok[:, 1])) % 360

    @cached_property
    def angle(self) -> torch.Tensor:
        """[N] CIE hue in degrees, for rotations."""
        return torch.rad2deg(torch.atan2(self.b, self.a))

    @cached_property
    def count(self) -> int:
        return self.rgb.shape[0]

    @cached_property
    def neutral(self) -> torch.Tensor:
        """1 for near-neutral pixels, else 0; the least coloured fifth where fewer than 2 % are near neutral."""
        mask = self.chroma < NEUTRAL_CHROMA
        if mask.sum() * 50 < self.count:
            mask = self.chroma <= torch.kthvalue(self.chroma, max(1, self.count // 5)).values
        return mask.float()

    @cached_property
    def band(self) -> torch.Tensor:
        """[N] index of the hue band of each pixel, coloured or not."""
        hue = self.ok_polar[1]
        hue = torch.where(hue < _BAND_EDGES[7] - 360, hue + 360, hue)
        return torch.bucketize(hue, _BAND_EDGES) % 8

    @cached_property
    def band_weights(self) -> torch.Tensor:
        """[8, N] one-hot rows: which coloured pixel belongs to which hue band."""
        coloured = (self.ok_polar[0] >= COLOURED).float()
        return torch.zeros(8, self.count).scatter_(0, self.band[None], coloured[None])

    @cached_property
    def spread(self) -> float:
        """Standard deviation of L*."""
        return float(self.lightness.std())


@cache
def _zone_index(count: int) -> torch.Tensor:
    """[N] which of _ZONES equal-count zones the i-th pixel by lightness belongs to."""
    return torch.arange(count) * _ZONES // count


def _turn(difference: torch.Tensor) -> torch.Tensor:
    """Angles in degrees brought into [-180, 180)."""
    return (difference + 180) % 360 - 180


def stats(rgb: torch.Tensor | Pixels) -> Stats:
    """Measure one image: [N, 3] sRGB in [0, 1]. Raises ReasoningError for other shapes or ranges."""
    p = rgb if isinstance(rgb, Pixels) else Pixels(rgb)
    n = p.count
    ordered = p.lightness[p.order]

    def at(q: float) -> float:
        return float(ordered[min(n - 1, round(q * (n - 1)))])

    neutral = p.neutral
    weights = p.band_weights
    counts = weights.sum(1)
    centres = torch.tensor(BAND_CENTRES)
    sums = weights @ torch.stack((p.chroma, p.lightness, _turn(p.ok_polar[1] - centres[p.band])), 1)
    coloured = max(1.0, float(counts.sum()))
    bands = tuple(
        Band(c / coloured, c / n, *(value / max(1.0, c) for value in row))
        for c, row in zip(counts.tolist(), sums.tolist(), strict=True)
    )
    clipped = (p.rgb.amax(1) >= 250 / 255) & (p.lightness >= 85)
    return Stats(
        mean=float(p.lightness.mean()),
        median=at(0.5),
        std=p.spread,
        p2=at(0.02),
        p10=at(0.1),
        p25=at(0.25),
        p75=at(0.75),
        p90=at(0.9),
        p98=at(0.98),
        clipped=100 * float(clipped.float().mean()),
        crushed=100 * float((p.lightness <= 2).float().mean()),
        a=float(p.a.mean()),
        b=float(p.b.mean()),
        neutral_a=float((p.a * neutral).sum() / neutral.sum()),
        neutral_b=float((p.b * neutral).sum() / neutral.sum()),
        neutral_share=float(neutral.mean()),
        chroma=float(p.chroma.mean()),
        chroma_std=float(p.chroma.std()),
        bands=bands,
    )


def _log_ratio(after: float, before: float, floor: float) -> float:
    return math.log(max(after, floor) / max(before, floor))


def _tone_changes(p: Pixels, q: Pixels) -> dict[str, float]:
    """Exposure, contrast and the tonal zones. Equal exposure is a shift of ln(L* + 16), so that is one reading."""
    n = p.count
    step = q.lightness - p.lightness
    log_p, log_q = (p.lightness + 16).log(), (q.lightness + 16).log()
    log_step = log_q - log_p
    cut = [round(n * f) for f in (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)]
    columns = torch.stack((p.lightness, step, log_step), 1)[p.order]
    running = torch.cat((torch.zeros(1, 3, dtype=torch.float64), columns.double().cumsum(0)))

    def zone(i: int, j: int) -> list[float]:
        return ((running[cut[j]] - running[cut[i]]) / max(1, cut[j] - cut[i])).tolist()

    whole = zone(0, 6)

    def against(part: list[float], base: list[float]) -> tuple[float, float]:
        # The logarithmic reading is brought to L* at the zone's own lightness.
        return part[1] - base[1], (part[2] - base[2]) * (part[0] + 16)

    top, bottom, top_end, bottom_end = zone(4, 6), zone(0, 2), zone(5, 6), zone(0, 1)
    medians = float(q.lightness.median() - p.lightness[p.order[(n - 1) // 2]])
    out = {"exposure": sound(whole[1], medians), "highlights_step": top[1], "shadows_step": bottom[1]}
    spread = p.spread
    out["contrast"] = 0.0
    if spread >= 2:
        out["contrast"] = sound(
            _log_ratio(q.spread, spread, 0.2), _log_ratio(float(log_q.std()), float(log_p.std()), 0.005)
        )
    distinct = spread >= 2
    out["highlights"] = sound(*against(top, zone(0, 4))) if distinct else 0.0
    out["shadows"] = sound(*against(bottom, zone(2, 6))) if distinct else 0.0
    out["whites"] = sound(top_end[1], top_end[1] - whole[1]) if distinct else 0.0
    out["blacks"] = sound(bottom_end[1], bottom_end[1] - whole[1]) if distinct else 0.0
    out["lights"] = sound(zone(3, 4)[1], *against(zone(3, 4), whole)) if distinct else 0.0
    out["darks"] = sound(zone(2, 3)[1], *against(zone(2, 3), whole)) if distinct else 0.0
    for name in ("highlights", "shadows"):
        if out[name] * out[f"{name}_step"] < 0:
            out[name] *= 0.5  # a zone that only moves less than the rest is half as telling as one that moves
    # A zone that runs into the end of the scale moves less than the rest: that is clipping, not recovery.
    if out["highlights"] < 0 and float(((q.lightness >= 98).float() - (p.lightness >= 98).float()).mean()) > 0.02:
        out["highlights"] = 0.0
    if out["shadows"] > 0 and float(((q.lightness <= 2).float() - (p.lightness <= 2).float()).mean()) > 0.02:
        out["shadows"] = 0.0
    return out


def _global_colour(p: Pixels, q: Pixels) -> tuple[float, torch.Tensor]:
    """Least squares of a'b' = s * ab * (L'+16)/(L+16) + cast + cast per lightness; returns s and the casts [2, 2].

    Scaling by (L'+16)/(L+16) is what a change of exposure in linear light does to a* and b*, and a change of white
    balance is a cast that grows with L*+16; so s is the saturation and the rest the white balance.
    """
    k = (q.lightness + 16) / (p.lightness + 16)
    v = (q.lightness + 16) / 66
    zero, one = torch.zeros_like(k), torch.ones_like(k)
    rows_a = torch.stack((p.a * k, one, v, zero, zero), 1)
    rows_b = torch.stack((p.b * k, zero, zero, one, v), 1)
    normal = (rows_a.T @ rows_a + rows_b.T @ rows_b).double()
    normal += torch.eye(5, dtype=torch.float64) * (p.count * 1e-3)
    right = (rows_a.T @ q.a + rows_b.T @ q.b).double()
    solution = torch.linalg.solve(normal, right).float()
    return float(solution[0]), solution[1:].reshape(2, 2)


def _warmth(a: float, b: float) -> float:
    """The part of a cast that more red and less blue light makes, as b*.

    On grey, red up and blue down moves a*, b* by (0.25, 0.97), green down by (0.81, -0.58), from the sRGB primaries: a
    cast is split along these two slanted directions, so that magenta is not taken for coolness.
    """
    return 0.62 * a + 0.87 * b


def _magenta(a: float, b: float) -> float:
    """The part of a cast that less green light makes, as a*; see `_warmth`."""
    return 1.04 * a - 0.27 * b


def _beyond_one_tone(p: Pixels) -> float:
    """Root mean square chroma that is left when each lightness zone's own mean tint is taken off: 0 for a duotone."""
    zone = (p.lightness * (_ZONES / 100.001)).long().clamp(0, _ZONES - 1)
    sums = torch.zeros(_ZONES, 3).index_add_(0, zone, torch.stack((torch.ones_like(p.a), p.a, p.b), 1))
    means = sums[:, 1:] / sums[:, :1].clamp_min(1)
    return float((p.lab[:, 1:] - means[zone]).square().sum(1).mean().sqrt())


def change(before: torch.Tensor | Pixels, after: torch.Tensor | Pixels, least_share: float = LEAST_BAND_SHARE) -> Change:
    """Measured change of the same pixels, [N, 3] sRGB in [0, 1] each, in the same order. Hue bands with a smaller share of the
    pixels than `least_share` count as not moved."""
    p = before if isinstance(before, Pixels) else Pixels(before)
    q = after if isinstance(after, Pixels) else Pixels(after)
    if p.count != q.count:
        raise ReasoningError(f"{p.count} pixels before, {q.count} after; pass the same pixels twice")
    out = _tone_changes(p, q)
    s, casts = _global_colour(p, q)
    v = (q.lightness + 16) / 66
    k = (q.lightness + 16) / (p.lightness + 16)
    cast_a, cast_b = casts[0, 0] + casts[0, 1] * v, casts[1, 0] + casts[1, 1] * v
    neutral = p.neutral
    share = neutral.sum()
    neutral_a = float(((q.a - p.a) * neutral).sum() / share)
    neutral_b = float(((q.b - p.b) * neutral).sum() / share)
    fitted_a, fitted_b = float(cast_a.mean()), float(cast_b.mean())
    mean_a, mean_b = float((q.a - p.a).mean()), float((q.b - p.b).mean())

    spread = _beyond_one_tone(q)
    mono = spread < 1.5 and spread < 0.3 * _beyond_one_tone(p) and _beyond_one_tone(p) >= 3.0
    chroma_p, chroma_q = float(p.chroma.mean()), float(q.chroma.mean())
    light = _log_ratio(float(q.lightness.mean()) + 16, float(p.lightness.mean()) + 16, 1.0)
    plain = _log_ratio(chroma_q, chroma_p, 0.5)
    scale = math.log(max(s, 0.02))
    half = (p.chroma <= p.chroma.median()).float() / (p.count / 2)
    low_p, low_q = float(p.chroma @ half), float(q.chroma @ half)
    if mono:
        # What is left of colour is one tone; the toning is its own cast, not a shift of the colours that went.
        temperature, tint = sound(neutral_b, float(q.b.mean())), sound(neutral_a, float(q.a.mean()))
        saturation = vibrance = 0.0
    else:
        temperature = sound(_warmth(neutral_a, neutral_b), _warmth(fitted_a, fitted_b), neutral_b, fitted_b, mean_b)
        tint = sound(_magenta(neutral_a, neutral_b), _magenta(fitted_a, fitted_b), neutral_a, fitted_a, mean_a)
        saturation = sound(plain, plain - light, scale) if chroma_p >= 2 else 0.0
        vibrance = sound(_log_ratio(low_q, low_p, 0.5), scale) if chroma_p >= 2 else 0.0
    return Change(
        **out,
        temperature=temperature,
        tint=tint,
        saturation=saturation,
        vibrance=vibrance,
        monochrome=float(mono),
        bands=_band_changes(p, q, (s * p.a * k + cast_a, s * p.b * k + cast_b), mono, least_share),
    )


def _band_changes(
    p: Pixels, q: Pixels, expected: tuple[torch.Tensor, torch.Tensor], mono: bool, least_share: float
) -> tuple[BandChange, ...]:
    """Per band: what its pixels did beyond the global tone curve, saturation and cast, and in absolute terms too."""
    n = p.count
    weights = p.band_weights
    counts = weights.sum(1)
    step = q.lightness - p.lightness
    zone = _zone_index(n)
    means = torch.zeros(_ZONES).index_add_(0, zone, step[p.order]) / torch.bincount(zone, minlength=_ZONES).clamp_min(1)
    curve = torch.empty(n)
    curve[p.order] = means[zone]
    expected_chroma = torch.hypot(*expected)
    # Rotation is weighted by what colour is left, so that greys, whose hue is noise, do not count.
    weight = torch.minimum(q.chroma, p.chroma)
    plain_turn = _turn(q.angle - p.angle) * weight
    beyond = _turn(q.angle - torch.rad2deg(torch.atan2(expected[1], expected[0]))) * weight
    columns = torch.stack(
        (p.chroma, q.chroma, expected_chroma, p.lightness, q.lightness, step, step - curve, plain_turn, beyond, weight),
        1,
    )
    means = (weights @ columns / counts.clamp_min(1)[:, None]).tolist()
    out = []
    for count, m in zip(counts.tolist(), means, strict=True):
        if count < least_share * n:
            out.append(BandChange(count / n, 0.0, 0.0, 0.0))
            continue
        plain = _log_ratio(m[1], m[0], 0.5) - _log_ratio(m[4] + 16, m[3] + 16, 1.0)
        saturation = 0.0 if mono else sound(plain, _log_ratio(m[1], m[2], 0.5))
        hue = 0.0 if mono or m[9] < 4 else sound(m[7] / m[9], m[8] / m[9])
        out.append(BandChange(count / n, saturation, sound(m[5], m[6]), hue))
    return tuple(out)
