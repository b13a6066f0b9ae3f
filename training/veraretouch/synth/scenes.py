"""Looks matched to the scene: which looks somebody would put on this photo.

    python -m veraretouch.synth.scenes --data DATA --work WORK        counts matches with and without

What a look is meant for is read from its name, category and description, what it does was measured
(`data.instructions`); what a photo shows are its key elements and its measured light. Nothing is forbidden: a look meant
for another scene, or one that would leave the photo too dark, too bright or too colourful, is only drawn less often.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from ..data.files import DataError, read_json
from ..data.looks import Look, load_looks
from ..data.photos import PhotoCache
from ..engine.color import srgb_to_lab

KINDRED = 4.0  # weight of a look on a scene that it is meant for
FOREIGN = 0.25  # and on any other; looks meant for no scene in particular weigh 1
_DARK, _BRIGHT = 30.0, 52.0  # median L* at which a photo may, and cannot, be a night
_LIGHT = (24.0, 78.0)  # mean L* within which a picture is comfortable to look at
_CHROMA = 42.0
_SOFT_L, _SOFT_C = 10.0, 12.0
_MEASURED = 2048


@dataclass(frozen=True)
class Scene:
    looks: str  # pattern in a look's name, category or description
    elements: frozenset[str]  # key elements that show it
    night: bool = False  # shown by little light instead


def _scene(looks: str, elements: str = "", night: bool = False) -> Scene:
    return Scene(rf"\b({looks})\b", frozenset(elements.split()), night)


SCENES = {
    "portrait": _scene(
        r"portraits?|skin( tones?)?|selfie|headshot|boudoir|bridal|wedding|fashion|beauty|newborn|maternity|graduation|ceremony|editorial",
        "person people child crowd dress suit hat sunglasses"),
    "night": _scene(r"night\w*|neon|moonlight|cyberpunk|noir|nightclub|aurora|northern lights|astro\w*|milky way|spooky|low-light", "", True),
    "landscape": _scene(
        r"landscapes?|mountains?|fjords?|desert|outback|terraces?|savanna|nature|canyon|valley|wilderness|middle-earth|forest|highlands?",
        "mountain hill valley forest tree lake river rock cliff sky waterfall field grass volcano"),
    "sea": _scene(r"beach|ocean|sea|coast\w*|costa|tropical|maldives|poolside|island|surf", "beach ocean sand boat ship surfboard pool pier water lake"),
    "snow": _scene(r"snow\w*|winter|arctic|glacier|iceland\w*|frost\w*", "snow ice ski snowmobile"),
    "autumn": _scene(r"autumn|fall|foliage|harvest", "tree forest grass hay"),
    "city": _scene(r"street|urban|city|architecture|streetwear|tokyo|london|paris\w*|hong kong|havana|brooklyn|new york", "building street car bus train bridge church castle sign taxi"),
    "food": _scene(r"food|flatlay|caf[eé]|coffee|culinary|restaurant|latte|bakery", "food coffee burger pizza plate cup restaurant bakery wine beer pasta fruit"),
    "interior": _scene(r"interior|real estate|indoor|fireside|fireplace|cozy|candlelit|lamp|hygge|showroom", "room couch bed desk kitchen library table bathtub restaurant lamp"),
    "sunset": _scene(r"golden hour|sunset|dusk|sunrise|twilight", "sunset sky beach"),
    "flowers": _scene(r"garden|blossom\w*|sakura|floral|flowers?|spring", "flower butterfly tree grass insect rapeseed"),
    "vehicle": _scene(r"automotive|car|metallic pop|showroom reflection", "car truck motorcycle bus train"),
    "sport": _scene(r"sports?|action|athlet\w*", "ball track skateboard bicycle surfboard ski motorcycle"),
    "stage": _scene(r"concert|stage|nightclub|club", "stage crowd guitar drum"),
}  # fmt: skip


def scenes_of(look: Look) -> list[str]:
    """What a look is meant for: names in SCENES, none for the many looks that are meant for anything."""
    text = f"{look.name} {look.description}".lower()
    return [name for name, scene in SCENES.items() if re.search(scene.looks, text)]


@dataclass(frozen=True)
class Light:
    """Measured light of a photo: mean and median L*, mean chroma."""

    mean: float
    median: float
    chroma: float


def light_of(rgb: torch.Tensor) -> Light:
    """sRGB colours [N, 3] in [0, 1]; evenly spread ones of them are measured."""
    lab = srgb_to_lab(rgb[:: max(1, len(rgb) // _MEASURED)])
    return Light(lab[:, 0].mean().item(), lab[:, 0].median().item(), lab[:, 1:].norm(dim=1).mean().item())


def shows(scene: str, elements: list[str], light: Light) -> float | None:
    """How surely a photo shows a scene, 0 to 1; None when that cannot be told."""
    what = SCENES[scene]
    if what.night:
        return min(1.0, max(0.0, (_BRIGHT - light.median) / (_BRIGHT - _DARK)))
    if not elements:
        return None
    return float(any(word in what.elements for name in elements for word in (name, *name.split())))


class Matcher:
    """Weights of all looks for a photo. `effects`: what each look was measured to do, by key (instructions.json)."""

    def __init__(self, looks: list[Look], effects: dict[str, dict], strength: float = 1.0):
        self.scenes = [scenes_of(look) for look in looks]
        known = [effects.get(look.key, {}).get("effect") or {} for look in looks]
        self.lightness = torch.tensor([float(e.get("lightness", 0.0)) for e in known])
        self.colour = torch.tensor([-9.0 if e.get("monochrome") else float(e.get("colour", 0.0)) for e in known])
        self.strength = strength

    def weights(self, elements: list[str], light: Light) -> list[float]:
        """One positive weight per look."""
        meant = torch.ones(len(self.scenes))
        sure = {name: shows(name, elements, light) for name in SCENES}
        for i, own in enumerate(self.scenes):
            told = [sure[name] for name in own if sure[name] is not None and not SCENES[name].night]
            nights = [sure[name] for name in own if SCENES[name].night]
            if told or nights:
                # A street at noon is not what a look for streets at night is meant for.
                meant[i] = FOREIGN * (KINDRED / FOREIGN) ** min([max(told, default=1.0), *nights])
        after = light.mean + self.lightness
        # A look cannot be blamed for what the photo is already.
        dark = (min(_LIGHT[0], light.mean) - after).clamp(min=0)
        bright = (after - max(_LIGHT[1], light.mean)).clamp(min=0)
        gaudy = (light.chroma * torch.exp2(self.colour) - max(_CHROMA, light.chroma)).clamp(min=0)
        suited = torch.exp(-(dark + bright) / _SOFT_L - gaudy / _SOFT_C)
        return ((meant * suited).clamp(min=1e-3) ** self.strength).tolist()


def count(photos: PhotoCache, elements: dict, looks: list[Look], effects: dict, draws: int = 20000) -> dict:
    """Per scene, how often a look meant for it comes on a photo that shows it and on one that does not; evenly and matched."""
    rng = random.Random("scenes")
    lights = [light_of(photos[i].view(-1, 3).float() / 255) for i in range(len(photos))]
    report: dict = {"draws": draws, "looksMeant": {name: 0 for name in SCENES}}
    for look in looks:
        for name in scenes_of(look):
            report["looksMeant"][name] += 1
    for way, strength in (("even", 0.0), ("matched", 1.0)):
        matcher = Matcher(looks, effects, strength)
        rows = {name: {"shown": 0, "drawn": 0} for name in SCENES}
        noon, extreme, on_bright = 0, 0, 0
        for _ in range(draws):
            i = rng.randrange(len(photos))
            known = elements.get(photos.names[i], [])
            look = rng.choices(range(len(looks)), matcher.weights(known, lights[i]))[0]
            for name in matcher.scenes[look]:
                sure = shows(name, known, lights[i])
                if sure is not None:
                    rows[name]["drawn"] += 1
                    rows[name]["shown"] += sure >= 0.5
            bright = lights[i].median > _BRIGHT
            on_bright += bright
            noon += bright and "night" in matcher.scenes[look]
            after = lights[i].mean + matcher.lightness[look].item()
            extreme += not _LIGHT[0] <= after <= _LIGHT[1]
        report[way] = {
            "shownShare": {name: round(r["shown"] / max(1, r["drawn"]), 3) for name, r in rows.items()},
            "nightLookOnBrightPhoto": round(noon / max(1, on_bright), 4), "tooDarkOrBright": round(extreme / draws, 4),
        }  # fmt: skip
    return report


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the looks")
    parser.add_argument("--work", type=Path, required=True, help="folder with the photo cache, elements and instructions")
    parser.add_argument("--split", default="train", choices=("train", "val", "test"))
    options = parser.parse_args(arguments)
    try:
        elements = read_json(options.work / "elements.json", "Run `python -m veraretouch.data.elements` first.")
        effects = read_json(options.work / "instructions.json", "Run `python -m veraretouch.data.instructions` first.")
        report = count(PhotoCache(options.work, options.split), elements, load_looks(options.data, "seen"), effects)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
