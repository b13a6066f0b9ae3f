"""The architecture search as a picture and a table: quality against latency, and which variants no other one beats.

Used by `python -m veraretouch.train.search --plot`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

INK, GREY, PALE, MARK = (30, 32, 36), (120, 124, 130), (226, 228, 232), (200, 70, 30)
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 620, 84, 28, 64, 76
SHORT = {"light": "light", "globalColor": "global", "specificColor": "specific"}


@dataclass(frozen=True)
class Point:
    """One variant: `cost` (less is better) and `value` (more is better)."""

    name: str
    cost: float
    value: float


def front(points: list[Point]) -> list[Point]:
    """The points that no other one beats (as cheap and as good, and better in one of both), the cheapest first."""
    beaten = lambda p: any(
        q.cost <= p.cost and q.value >= p.value and (q.cost < p.cost or q.value > p.value) for q in points
    )
    return sorted((p for p in points if not beaten(p)), key=lambda p: (p.cost, p.name))


def groups(found: dict[str, dict]) -> list[dict[str, dict]]:
    """Variants that may be compared among themselves: those on the given stage 1, and those with a short one of their own."""
    own = {name for name, one in found.items() if "renderer" in one["overrides"]}
    parts = [{n: one for n, one in found.items() if (n in own) == which} for which in (False, True)]
    return [part for part in parts if part]


def mean_psnr(found: dict) -> float:
    """Mean over the three tasks, dB."""
    return sum(task["psnr"] for task in found["tasks"].values()) / len(found["tasks"])


def mean_agreement(found: dict) -> float | None:
    """Mean over tasks and factors of the share of claims that the pixels bear out; None for a variant that claims nothing."""
    shares = [
        share for task in found["tasks"].values() for factor, share in task.get("agreement", {}).items() if task["claims"][factor]
    ]
    return sum(shares) / len(shares) if shares else None


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers between two, some `about` of them."""
    step = 10 ** math.floor(math.log10((high - low) / about))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= about + 1)
    return [round(i * step, 10) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, ... between two."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [v for e in range(first, last + 1) for m in (1, 2, 5) if low <= (v := round(m * 10.0**e, 10)) <= high]


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.12 * (high - low) or max(0.05 * abs(high), 0.01)
    return low - margin, high + margin


def _labels(draw: ImageDraw.ImageDraw, font, dots: list[tuple[float, float, str]]) -> list[tuple[float, float]]:
    """Where each dot's name goes: the first place about it that is free of other dots and names, and within the panel."""
    taken = [(x - 7, y - 7, x + 7, y + 7) for x, y, _ in dots]
    places = []
    for x, y, name in dots:
        w, h = draw.textlength(name, font=font), font.size + 2
        sides = ((x + 10, y - h / 2), (x - 10 - w, y - h / 2), (x - w / 2, y - h - 8), (x - w / 2, y + 8))
        near = [(a, b + step * h) for step in (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6) for a, b in sides]
        inside = [(a, b) for a, b in near if LEFT + 4 < a and a + w < WIDTH - RIGHT and TOP < b and b + h < HEIGHT - BOTTOM]
        free = (
            (a, b) for a, b in inside
            if not any(a < right and a + w > left and b < low and b + h > high for left, high, right, low in taken)
        )  # fmt: skip
        place = next(free, sides[0])
        taken.append((*place, place[0] + w, place[1] + h))
        places.append(place)
    return places


def draw_panel(points: list[Point], title: str, costs: str, values: str) -> Image.Image:
    """One scatter plot; the front is marked and joined. Raises ValueError without points."""
    if not points:
        raise ValueError("there is no variant to draw")
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    font, head = ImageFont.load_default(15), ImageFont.load_default(19)
    # Latencies of another order would squeeze the others into one spot.
    wide = max(p.cost for p in points) > 6 * min(p.cost for p in points)
    scale = math.log if wide else float
    (x0, x1), (y0, y1) = _range([scale(p.cost) for p in points]), _range([p.value for p in points])
    across = lambda v: LEFT + (scale(v) - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)
    up = lambda v: HEIGHT - BOTTOM - (v - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM)
    for v in log_ticks(math.exp(x0), math.exp(x1)) if wide else ticks(x0, x1):
        draw.line((across(v), TOP, across(v), HEIGHT - BOTTOM), PALE)
        draw.text((across(v), HEIGHT - BOTTOM + 8), f"{v:g}", GREY, font, anchor="ma")
    for v in ticks(y0, y1):
        draw.line((LEFT, up(v), WIDTH - RIGHT, up(v)), PALE)
        draw.text((LEFT - 8, up(v)), f"{v:g}", GREY, font, anchor="rm")
    draw.rectangle((LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM), outline=GREY)
    draw.text((LEFT, 16), title, INK, head)
    draw.text((LEFT, 40), values, GREY, font)
    draw.text(((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 34), costs, GREY, font, anchor="ma")
    best = front(points)
    draw.line([(across(p.cost), up(p.value)) for p in best], MARK, 2)
    dots = [(across(p.cost), up(p.value), p.name) for p in points]
    for (x, y, name), place, point in zip(dots, _labels(draw, font, dots), points, strict=True):
        # A name that stands away from its dot is led to it.
        middle = place[0] + draw.textlength(name, font=font) / 2, place[1] + font.size / 2
        if abs(middle[1] - y) > 2 * font.size:
            draw.line((x, y, *middle), PALE)
        draw.text(place, name, INK if point in best else GREY, font, stroke_width=2, stroke_fill="white")
    # No name lies on a dot, not even where there was no free place.
    for (x, y, _), point in zip(dots, points, strict=True):
        colour = MARK if point in best else GREY
        draw.ellipse((x - 6, y - 6, x + 6, y + 6), colour if point in best else "white", colour, 2)
    return image


def points_of(found: dict[str, dict], threads: str) -> tuple[list[Point], list[Point]]:
    """(time to the picture in ms against PSNR, time to the last word in s against agreement) of each variant's figures."""
    pictures, words = [], []
    for name, one in found.items():
        times = one["latency"][threads]
        pictures.append(Point(name, 1000 * times["picture"], mean_psnr(one)))
        agreed = mean_agreement(one)
        if agreed is not None and times["words"] is not None:
            words.append(Point(name, times["words"], 100 * agreed))
    return pictures, words


def plot(found: dict[str, dict], threads: str) -> Image.Image:
    """Both scatter plots side by side, a row for each of `groups`."""
    on = f"{threads} thread{'s' if threads != '1' else ''}"
    rows = []
    for part in groups(found):
        pictures, words = points_of(part, threads)
        own = ", each with a short stage 1 of its own" if any("renderer" in one["overrides"] for one in part.values()) else ""
        panels = [draw_panel(pictures, f"Picture{own}", f"ms to the picture, {on}", "dB, mean of the three tasks")]
        if words:
            panels.append(draw_panel(words, f"Words{own}", f"s to the last word, {on}", "% of claims that pixels bear out, mean"))
        rows.append(panels)
    image = Image.new("RGB", (WIDTH * max(map(len, rows)), HEIGHT * len(rows)), "white")
    for down, panels in enumerate(rows):
        for along, panel in enumerate(panels):
            image.paste(panel, (along * WIDTH, down * HEIGHT))
    return image


def _share(values: dict[str, float] | None) -> str:
    return " / ".join(f"{100 * values[f]:.0f}" for f in SHORT) if values else "-"


def _count(values: dict[str, int] | None) -> str:
    return " / ".join(str(values[f]) for f in SHORT) if values else "-"


def table(found: dict[str, dict], threads: list[str]) -> str:
    """All figures as Markdown: one line a variant, and one a variant and task."""
    shown = threads[-1]
    fronts = [[{p.name for p in front(points)} for points in points_of(part, shown)] for part in groups(found)]
    pictures, words = (set().union(*names) for names in zip(*fronts, strict=True))
    times = " | ".join(f"picture, ms ({n}) | words, s ({n})" for n in threads)
    lines = [
        f"| variant | image tokens | weights, M | bundle, MB | {times} | mean PSNR, dB | agreement, % | front | trained, min | |",
        "| --- " * (9 + 2 * len(threads)) + "|",
    ]
    for name, one in found.items():
        cells = [name, str(one["imageTokens"]), f"{one['parameters'] / 1e6:.1f}", f"{one['bytes'] / 1e6:.1f}"]
        for n in threads:
            timed = one["latency"][n]
            cells += [f"{1000 * timed['picture']:.0f}", "-" if timed["words"] is None else f"{timed['words']:.2f}"]
        agreed = mean_agreement(one)
        on = [label for label, names in (("picture", pictures), ("words", words)) if name in names]
        cells += [f"{mean_psnr(one):.2f}", "-" if agreed is None else f"{100 * agreed:.1f}", ", ".join(on) or "-"]
        lines.append("| " + " | ".join([*cells, f"{one['trainedSeconds'] / 60:.1f}", one["note"]]) + " |")
    lines += [
        "",
        "| task | variant | PSNR, dB | do nothing | agreement, % (" + ", ".join(SHORT.values()) + ") | claims | first claim right, % | well-formed, % | cross-entropy |",
        "| --- " * 9 + "|",
    ]
    for task in next(iter(found.values()))["tasks"]:
        for name, one in found.items():
            t = one["tasks"][task]
            spoken = [f"{100 * t['wellFormed']:.1f}", f"{t['words']:.3f}"] if "words" in t else ["-", "-"]
            cells = [task, name, f"{t['psnr']:.2f}", f"{t['nothing']:.2f}", _share(t.get("agreement")), _count(t.get("claims")), _share(t.get("firstRight"))]
            lines.append("| " + " | ".join(cells + spoken) + " |")
    return "\n".join(lines) + "\n"


# Figures of stage 2 on held-out photos -> heading; shares of photos as per cent.
PERCEPTION = {
    "auto_direct": "Auto, dB", "auto_harmed": "Auto, farther off than the photo, %", "style_tokens": "Style, dB",
    "style_harmed": "Style, farther off, %", "param_tokens": "Param, dB", "named": "likeliest name right, %",
    "fivek_all": "FiveK, 14 pairs, dB", "fivek_uegan": "the 6 \"uegan\", dB",
}  # fmt: skip
_AS_SHARES = ("auto_harmed", "style_harmed", "named")


def perception_table(found: dict[str, dict]) -> str:
    """Figures of variants that are perceptions alone, as Markdown: one line a variant; what was not measured is a dash."""
    lines = ["| variant | steps | " + " | ".join(PERCEPTION.values()) + " | trained, min | |", "| --- " * (len(PERCEPTION) + 4) + "|"]
    for name, one in found.items():
        record = one.get("perception", {})
        cells = [name, str(record.get("step", "-"))]
        for key in PERCEPTION:
            value = record.get(key)
            cells.append("-" if value is None else f"{100 * value:.1f}" if key in _AS_SHARES else f"{value:.2f}")
        lines.append("| " + " | ".join([*cells, f"{one['trainedSeconds'] / 60:.1f}", one["note"]]) + " |")
    return "\n".join(lines) + "\n"
