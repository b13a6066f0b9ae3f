"""Looks: Lightroom presets and film-stock LUTs as one kind of thing that can be applied to pixels.

python -m veraretouch.data.looks --data DIR [--resplit]     draws training/data/looks_split.json once
"""

from __future__ import annotations

import argparse
import re
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ..engine.develop import develop
from ..engine.extras import (
    NEUTRAL_GRADING,
    ColorGrading,
    apply_color_grading,
    apply_grayscale,
    apply_lut,
    apply_tone_curves,
)
from ..engine.params import PARAMETERS, apply_mask
from .files import TABLES, DataError, fraction_of_hash, read_json, write_json
from .xmp import read_preset

UNSEEN_SHARE = 0.15
_HINT = "Run `python -m veraretouch.data.looks --data DIR` first."

# How film names are written; everything else gets a capital letter.
_SPELLING = {
    "apx": "APX", "hp": "HP", "fp": "FP", "px": "PX", "hps": "HPS", "xp": "XP", "bw": "BW", "cn": "CN", "hie": "HIE",
    "hs": "HS", "ir": "IR", "hg": "HG", "nc": "NC", "vc": "VC", "uc": "UC", "gx": "GX", "vs": "VS", "hc": "high contrast",
    "xtrans": "X-Trans", "iii": "III", "x-tra": "X-TRA", "t-max": "T-Max", "tmax": "T-Max", "tri-x": "Tri-X", "f": "F",
    "x-pro": "X-Pro", "xpro": "cross-processed", "acros+g": "Acros +G", "acros+r": "Acros +R", "acros+ye": "Acros +Ye",
    "mono+g": "Mono +G", "mono+r": "Mono +R", "mono+ye": "Mono +Ye", "px-680": "PX-680", "px-70": "PX-70",
    "px-100uv+": "PX-100UV+", "fp-100c": "FP-100C", "fp-3000b": "FP-3000B", "e-100": "E-100",
}  # fmt: skip
_FILM_GROUPS = {
    "bw": "black and white film", "colorslide": "colour slide film", "fujixtransiii": "camera film simulation",
    "instant_consumer": "instant film", "instant_pro": "professional instant film", "negative_color": "colour negative film",
    "negative_new": "negative film", "negative_old": "discontinued negative film", "print": "cinema print film",
}  # fmt: skip
# Words that name a variant of a stock, not another stock: looks that differ only in them are one family.
_VARIANT_WORDS = {
    "generic", "alt", "cold", "cool", "warm", "negative", "early", "hc", "expired", "10yr", "30yr", "frontier", "noritsu",
    "pulled", "pushed", "120", "4x5", "rodinal", "microphen", "hc-110", "dd-x", "stand", "dev", "video", "tuned", "creator",
    "ecn-2", "look", "plus", "classic", "tonal", "100f", "nc", "vc", "uc", "100vs", "constlclip", "constlmap", "cuspclip",
    "constl", "mono", "print", "film", "color", "cinematic",
}  # fmt: skip
# Stocks and themes that the sources write in several ways: everything that matches is one family.
_SAME_FAMILY = (
    (r"^hp ?5?( 400)?$", "hp5"), (r"^fp ?4? 125$", "fp4"), (r"^xp2? ?(super)?$", "xp2"), (r"^provia.*", "provia"),
    (r"^astia.*", "astia"), (r"^(e )?.*ektachrome.*(e ?100|100).*|^ektachrome$", "ektachrome 100"),
    (r"^xtrans iii mono.*|^xtrans iii$", "xtrans iii mono"), (r"^(xtrans iii |neopan )?acros.*", "acros"),
    (r".*teal (and )?orange$", "teal orange"), (r".*vhs synthwave$", "vhs synthwave"), (r"^w(kw|ong kar wai).*", "wkw"),
    (r"^cyberpunk neon.*", "cyberpunk neon"), (r".*cinestill 800$", "cinestill 800"), (r".*daguerreotype$", "daguerreotype"),
    (r"^cyanotype.*", "cyanotype"), (r".*y2k.*digicam$", "y2k"), (r".*kodak 2383.*|^2383$", "2383"), (r".*redscale.*", "redscale"),
    (r"^(superia )?reala 100$", "reala"), (r"^(sepia tone|xtrans iii sepia)$", "sepia"), (r"^.*faux infrared|bw infrared$", "ir"),
)  # fmt: skip
# A family larger than this is never held out: fifteen per cent of the looks shall be many different ones.
_LARGEST_UNSEEN_FAMILY = 12
_MAKERS = {
    "kodak",
    "fuji",
    "fujifilm",
    "fujicolor",
    "ilford",
    "agfa",
    "polaroid",
    "rollei",
    "lomography",
    "foma",
    "adox",
}


@dataclass(frozen=True)
class Extra:
    """What a preset asks for beyond the 38 parameters."""

    curves: dict[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    grading: ColorGrading = NEUTRAL_GRADING
    grayscale: tuple[float, ...] | None = None
    unsupported: dict[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not self.curves and self.grading.neutral and self.grayscale is None


@dataclass(frozen=True)
class Look:
    """kind "preset": params [38] in [-1, 1] and extra. kind "film": lut [S, S, S, 3] in [0, 1], blue slowest."""

    kind: str
    key: str  # unique: "preset/<file>" or "film/<group>/<name>"
    name: str
    category: str
    description: str
    family: str
    params: torch.Tensor | None = None
    extra: Extra = Extra()
    lut: torch.Tensor | None = None

    @property
    def empty(self) -> bool:
        """True for presets whose every effect (grain, sharpening, lens corrections) lies outside this engine."""
        return self.lut is None and self.extra.empty and bool((self.params == 0).all())


def family_of(name: str) -> str:
    """What a look and its variants have in common: the stock or title without maker, variant words, +/- and speed marks."""
    words = re.sub(r"^\d+ ", "", name.lower()).replace("_", " ").replace("&", " ").split()
    kept = [re.sub(r"[+\-]+$", "", w) for w in words if not re.fullmatch(r"[+\-]*\d?(\.\d+)?", w)]
    kept = [w for w in kept if w and w not in _VARIANT_WORDS and w not in _MAKERS]
    kept = [re.sub(r"(?<=\d)(nc|vc|uc|ns|c|h|f|vs|z|x|d|t|s)$", "", w) for w in kept]
    text = re.sub(r"[^a-z0-9]+", " ", " ".join(kept)).strip()
    text = re.sub(r"\bt max\b", "tmax", text)
    text = re.sub(r"\b(pro|plus|premium|x tra|hg) ", "", text)
    for pattern, family in _SAME_FAMILY:
        if re.fullmatch(pattern, text):
            return family
    return text or name.lower()


def _film_name(text: str) -> str:
    """kodak_portra_160_nc -> Kodak Portra 160 NC."""
    words = [
        _SPELLING.get(w, w.upper() if re.fullmatch(r"\d+[a-z]", w) else w.capitalize() if w.isalpha() else w)
        for w in text.split("_")
    ]
    return re.sub(r"\b(HP|FP|XP) (\d)\b", r"\1\2", " ".join(words))


def _presets(data: Path) -> list[Look]:
    looks = []
    for entry in read_json(data / "presets.json", "Point --data at the folder that holds presets.json and presets/."):
        preset = read_preset(data / "presets" / entry["file"])
        looks.append(
            Look(
                kind="preset",
                key=f"preset/{entry['file']}",
                name=re.sub(r"^\d+ ", "", entry["name"]),
                category=entry["category"],
                description=(entry["description"] or "").strip(),
                family=family_of(entry["name"]),
                params=preset.params,
                extra=Extra(preset.curves, preset.grading, preset.grayscale, preset.unsupported),
            )
        )
    return looks


def _films(data: Path) -> list[Look]:
    path = data / "film-luts.npz"
    try:
        with np.load(path, allow_pickle=False) as archive:
            luts, names = archive["luts"], [str(n) for n in archive["names"]]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as cause:
        raise DataError(f"{path} cannot be read as the film LUT table ({cause}). It was left untouched.") from cause
    looks = []
    for lut, name in zip(torch.from_numpy(luts.astype(np.float32) / 65535.0), names):
        group, stock = name.split("/")
        looks.append(
            Look(
                kind="film",
                key=f"film/{name}",
                name=_film_name(stock),
                category=_FILM_GROUPS.get(group, group),
                description="",
                family=family_of(stock),
                lut=lut,
            )
        )
    return looks


def load_looks(data: Path | str, split: str | None = None, table: Path = TABLES / "looks_split.json") -> list[Look]:
    """All looks that change pixels; split "seen" or "unseen" keeps one side of looks_split.json."""
    looks = [look for look in _presets(Path(data)) + _films(Path(data)) if not look.empty]
    if split is None:
        return looks
    if split not in ("seen", "unseen"):
        raise DataError(f"There is no split {split!r} of looks; use seen or unseen. Nothing was loaded.")
    unseen = set(read_json(table, _HINT)["unseen"])
    return [look for look in looks if (look.key in unseen) == (split == "unseen")]


def apply_look(rgb: torch.Tensor, look: Look, mask: tuple[float, float, float] = (1, 1, 1)) -> torch.Tensor:
    """Applies a look to sRGB values [N, 3] or [B, N, 3] in [0, 1].

    mask: light, global colour, specific colour; 0 leaves a factor out. Tone curves belong to light, grayscale and
    colour grading to global colour. A film LUT cannot be taken apart: its mask must be all ones or all zeros.
    """
    if any(m not in (0, 1) for m in mask) or len(mask) != 3:
        raise DataError(f"A factor mask is three times 0 or 1, not {mask}. Nothing was computed.")
    if look.lut is not None:
        if len(set(mask)) != 1:
            raise DataError(
                f"The film look {look.name!r} is one LUT and cannot be masked by factor. Nothing was computed."
            )
        return apply_lut(rgb, look.lut.to(rgb)) if mask[0] else rgb
    batch = rgb if rgb.dim() == 3 else rgb[None]
    params = apply_mask(look.params[None], torch.tensor([mask], dtype=torch.float32)).to(rgb)
    out = batch
    if bool((params != 0).any()):
        out = develop(batch, params.expand(len(batch), len(PARAMETERS)))
    if mask[0]:
        out = apply_tone_curves(out, look.extra.curves)
    if mask[1]:
        if look.extra.grayscale is not None:
            out = apply_grayscale(out, look.extra.grayscale)
        out = apply_color_grading(out, look.extra.grading)
    return out if rgb.dim() == 3 else out[0]


def factors_of(look: Look) -> tuple[int, int, int]:
    """Which factors a look touches, as a mask. A film LUT touches all of them."""
    if look.lut is not None:
        return (1, 1, 1)
    used = [int(bool((look.params[s] != 0).any())) for s in (slice(0, 10), slice(10, 14), slice(14, 38))]
    used[0] |= int(bool(look.extra.curves))
    used[1] |= int(look.extra.grayscale is not None or not look.extra.grading.neutral)
    return (used[0], used[1], used[2])


def draw_looks_split(looks: list[Look]) -> dict:
    """Families are drawn as a whole, in the order of a hash of their name, until each kind has its unseen share."""
    families: dict[str, list[Look]] = {}
    for look in looks:
        families.setdefault(look.family, []).append(look)
    wanted = {kind: UNSEEN_SHARE * sum(look.kind == kind for look in looks) for kind in ("preset", "film")}
    unseen: list[str] = []
    for family in sorted(families, key=lambda name: fraction_of_hash(f"look family {name}")):
        members = families[family]
        if len(members) > _LARGEST_UNSEEN_FAMILY or any(wanted[look.kind] <= 0 for look in members):
            continue
        unseen += [look.key for look in members]
        for look in members:
            wanted[look.kind] -= 1
    rule = (
        f"families (a stock or title with all its variants) in order of sha256 of their name until {UNSEEN_SHARE} of the "
        f"presets and of the film looks are unseen; families of more than {_LARGEST_UNSEEN_FAMILY} looks stay seen"
    )
    return {"version": 1, "rule": rule, "count": len(looks), "unseen": sorted(unseen)}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with presets.json, presets/ and film-luts.npz")
    parser.add_argument("--table", type=Path, default=TABLES / "looks_split.json")
    parser.add_argument("--resplit", action="store_true", help="draw the split anew although the file exists")
    options = parser.parse_args(arguments)
    try:
        looks = load_looks(options.data)
        if options.resplit or not options.table.exists():
            write_json(options.table, draw_looks_split(looks))
        unseen = set(read_json(options.table, _HINT)["unseen"])
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for kind in ("preset", "film"):
        keys = [look.key for look in looks if look.kind == kind]
        print(f"{kind}: {len(keys)} looks, {sum(k in unseen for k in keys)} of them unseen")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
