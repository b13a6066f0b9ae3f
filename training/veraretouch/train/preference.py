"""The preference model: trained by Bradley-Terry on versions of one photo of which it is known which is better.

Versions of a photo x: d1, d2 (degraded, the second further along the same way), o1, o2 (over-edited, likewise), q (what the
expert-C peer makes of d2) and oq (q over-edited). Pairs: x over d1, d2, o1, o2; d1 over d2; o1 over o2; q over oq; and q over d2
where d2 is dark and dull, which is what the peer was made to mend. So neither "more" nor "untouched" wins by itself.

    python -m veraretouch.train.preference --config training/configs/preference.toml --data DATA --work WORK
"""

import time
from pathlib import Path

import torch
import torch.nn.functional as F

from ..data.degrade import broad_params, raw_params
from ..data.files import DataError
from ..data.overedit import SEEN, over_edit
from ..data.peer import Peer
from ..data.photos import load_photos
from ..engine.develop import develop
from ..models.preference import SIZE, Preference, bradley_terry
from ..synth.auto import bake
from .common import Average, Log, learning_rate, psnr_per_image, read_config, save_atomically, stage_arguments

VERSIONS = ("x", "d1", "d2", "o1", "o2", "q", "oq")
PAIRS = (("x", "d1"), ("x", "d2"), ("d1", "d2"), ("x", "o1"), ("x", "o2"), ("o1", "o2"), ("q", "oq"), ("q", "d2"))


def apply_luts(luts: torch.Tensor, rgb: torch.Tensor) -> torch.Tensor:
    """luts [B, S, S, S, 3] indexed blue, green, red; rgb [B, 3, H, W] in [0, 1] -> [B, 3, H, W], trilinear."""
    grid = rgb.permute(0, 2, 3, 1)[:, None] * 2 - 1
    return F.grid_sample(luts.permute(0, 4, 1, 2, 3), grid, align_corners=True, padding_mode="border")[:, :, 0].clamp(0, 1)


def crops(photos: torch.Tensor, shares: tuple[float, float], generator: torch.Generator) -> torch.Tensor:
    """Random squares of photos uint8 [B, S, S, 3], their sides between two shares of S, some mirrored -> [B, 3, 112, 112]
    in [0, 1]."""
    out = []
    for photo in photos:
        share = shares[0] + (shares[1] - shares[0]) * float(torch.rand((), generator=generator))
        side = max(SIZE, round(share * photo.shape[0]))
        top, left = (int(torch.randint(photo.shape[0] - side + 1, (), generator=generator)) for _ in range(2))
        part = photo[top : top + side, left : left + side].permute(2, 0, 1)[None].float() / 255
        part = F.interpolate(part, (SIZE, SIZE), mode="area")
        out.append(part.flip(3) if torch.rand((), generator=generator) < 0.5 else part)
    return torch.cat(out)


def along(generator: torch.Generator) -> tuple[float, float]:
    """How far two versions go the same way: the first at most 0.6, the second at least 0.25 further."""
    u, v = torch.rand(2, generator=generator).tolist()
    first = 0.2 + 0.4 * u
    return first, first + 0.25 + (0.75 - first) * v


class Versions:
    """Draws the versions of photos. `raw`: share of degradations that are dark and dull; the others are any development.
    `kinds`: over-edits that come more often than once, and how often."""

    def __init__(self, peer: Peer, raw: float, visible: float, kinds: dict[str, int]):
        if unknown := sorted(set(kinds) - set(SEEN)):
            raise DataError(f"There are no over-edits {unknown} to train on, only {', '.join(SEEN)}. Nothing was trained.")
        self.peer, self.raw, self.visible = peer, raw, visible
        self.kinds = [kind for kind in SEEN for _ in range(kinds.get(kind, 1))]

    def _degradations(self, generator: torch.Generator) -> tuple[list[torch.Tensor], bool]:
        is_raw = bool(torch.rand((), generator=generator) < self.raw)
        params = raw_params(generator) if is_raw else broad_params(generator)
        first, second = along(generator)
        return [bake(lambda rgb, t=t: develop(rgb[None], t * params[None])[0]) for t in (first, second)], is_raw

    def _over_edits(self, generator: torch.Generator) -> list[torch.Tensor]:
        kind = self.kinds[int(torch.randint(len(self.kinds), (), generator=generator))]
        seed = int(torch.randint(2**31, (), generator=generator))
        return [bake(over_edit(kind, t, torch.Generator().manual_seed(seed))) for t in along(generator)]

    @torch.no_grad()
    def draw(self, pictures: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """pictures [B, 3, 112, 112] -> (versions [7, B, 3, 112, 112], which pairs count: bool [8, B])."""
        luts, raws = [], []
        for _ in range(len(pictures)):
            degradations, is_raw = self._degradations(generator)
            luts.append([*degradations, *self._over_edits(generator), self._over_edits(generator)[1]])
            raws.append(is_raw)
        d1, d2, o1, o2, beyond = (torch.stack(column) for column in zip(*luts, strict=True))
        versions = [pictures, *(apply_luts(lut, pictures) for lut in (d1, d2, o1, o2))]
        dull = versions[2]
        retouched = self.peer.apply(dull.flatten(2).transpose(1, 2), self.peer.weights(dull))
        versions.append(retouched.transpose(1, 2).unflatten(2, dull.shape[2:]))
        versions.append(apply_luts(beyond, versions[-1]))
        named = dict(zip(VERSIONS, versions, strict=True))
        counts = torch.stack([psnr_per_image(named[a], named[b]) < self.visible for a, b in PAIRS])
        counts[PAIRS.index(("q", "d2"))] &= torch.tensor(raws)
        # Traces of the computation must not tell versions apart: each is rounded to 8 bits with noise of its own.
        stacked = torch.stack(versions)
        noise = torch.rand(stacked.shape, generator=generator) - 0.5
        return ((stacked * 255 + noise).round() / 255).clamp(0, 1), counts


def margins(model: torch.nn.Module, versions: torch.Tensor) -> torch.Tensor:
    """Score of the better minus that of the worse version: versions [7, B, 3, 112, 112] -> [8, B]."""
    scores = dict(zip(VERSIONS, model(versions.flatten(0, 1)).unflatten(0, versions.shape[:2]), strict=True))
    return torch.stack([scores[better] - scores[worse] for better, worse in PAIRS])


@torch.no_grad()
def evaluate(model: torch.nn.Module, batches: list[tuple[torch.Tensor, torch.Tensor]]) -> dict:
    """Accuracy of every kind of pair on batches of (versions, which pairs count)."""
    right, counted = torch.zeros(len(PAIRS)), torch.zeros(len(PAIRS))
    for versions, counts in batches:
        right += ((margins(model, versions) > 0) & counts).sum(1)
        counted += counts.sum(1)
    shares = (right / counted.clamp(min=1)).tolist()
    return {"right": float(right.sum() / counted.sum()), **{f"{a}>{b}": share for (a, b), share in zip(PAIRS, shares, strict=True)}}


def load_pools(work: Path, split: str, flickr: float) -> list[torch.Tensor]:
    """[photos, Flickr8k photos] of a split, uint8 [N, S, S, 3]; the second is left out when its share is 0."""
    photos = load_photos(work, split)[0]
    return [photos, load_photos(work, split, include_flickr=True)[0][len(photos) :]] if flickr else [photos]


def train(config: dict, data: Path, work: Path, device: str, minutes: float) -> None:
    torch.manual_seed(config["seed"])
    model = Preference(config["width"], config["hidden"]).to(device)
    average = Average(model, config["average_decay"])
    optimiser = torch.optim.AdamW(model.parameters(), lr=config["lr"], weight_decay=config["weight_decay"])
    checkpoint, step = work / config["name"] / "last.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if [state["config"][k] for k in ("width", "hidden")] != [config["width"], config["hidden"]]:
            raise DataError(f"{checkpoint} is of another size than the configuration. Nothing was trained; move it away.")
        model.load_state_dict(state["model"])
        average.module.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        step = average.updates = state["step"]
    pools = load_pools(work, "train", config["flickr"])
    versions = Versions(Peer.load(data), config["raw"], config["visible"], config["kinds"])
    held_out, fixed = load_photos(work, "val")[0], torch.Generator().manual_seed(0)
    checks = [versions.draw(crops(part, (1.0, 1.0), fixed), fixed) for part in held_out.split(24)]
    checks = [(v.to(device), c.to(device)) for v, c in checks]
    rng = torch.Generator().manual_seed(config["seed"] + step)
    log = Log(work / config["name"] / "log.jsonl")

    def keep() -> None:
        save_atomically(
            {"model": model.state_dict(), "average": average.module.state_dict(), "optimiser": optimiser.state_dict(),
             "step": step, "config": config},
            checkpoint,
        )  # fmt: skip

    began = saved = time.time()
    first, total = step, []
    # With a time limit the schedule follows the clock, so that a shorter run still ends on a low learning rate.
    while step < config["steps"] and not (minutes and time.time() - began > minutes * 60):
        passed = (time.time() - began) / (minutes * 60) if minutes else 0.0
        progress = max(step / config["steps"], (first + passed * (config["steps"] - first)) / config["steps"])
        at = int(progress * config["steps"]) if step >= config["warmup"] else step
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(at, config["steps"], config["lr"], config["warmup"])
        from_flickr = torch.rand(config["batch"], generator=rng) < config["flickr"] * (len(pools) > 1)
        which = [int(torch.randint(len(pools[int(f)]), (), generator=rng)) for f in from_flickr]
        chosen = torch.stack([pools[int(f)][i] for f, i in zip(from_flickr, which, strict=True)])
        pictures, counts = versions.draw(crops(chosen, tuple(config["crop"]), rng), rng)
        model.train()
        margin = margins(model, pictures.to(device))[counts.to(device)]
        loss = bradley_terry(margin, torch.zeros_like(margin), config["smoothing"])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.update(model)
        total.append((loss.item(), (margin > 0).float().mean().item()))
        step += 1
        if step % config["evaluate_every"] == 0 or step == config["steps"]:
            mean = torch.tensor(total).mean(0).tolist()
            log.write(step=step, loss=mean[0], train_right=mean[1], **evaluate(average.module, checks))
            total = []
        if time.time() - saved > 60:
            keep()
            saved = time.time()
    keep()
    log.write(step=step, **evaluate(average.module, checks))


def main() -> None:
    arguments = stage_arguments(__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(arguments.threads or 1)
    train(read_config(arguments.config), arguments.data, arguments.work, arguments.device, arguments.minutes)


if __name__ == "__main__":
    main()
