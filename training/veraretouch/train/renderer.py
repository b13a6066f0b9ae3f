"""Stage 1: Retouch Renderer, Retouch Encoder and parameter head, trained together.

Two losses share one renderer. Sliders: random parameters go through the parameter head and the renderer and must give
what the develop engine gives. Pairs: one operation is applied to two different photos; the first pair is encoded, the
second photo is rendered with the latents. In both, factors are masked at random in the latents and in the operation.

    python -m veraretouch.train.renderer --config training/configs/renderer.toml --data DATA --work WORK
"""

import time
from pathlib import Path

import torch
import torch.nn.functional as F

from ..data.photos import load_photos
from ..engine.develop import develop
from ..engine.params import (
    FACTOR_SLICES,
    factor_mask,
    sample_focused,
    sample_params,
)
from ..models.encoder import RetouchEncoder
from ..models.param_head import ParamHead
from ..models.renderer import Renderer
from .common import (
    Average,
    Log,
    learning_rate,
    pixel_loss,
    psnr_per_image,
    read_config,
    save_atomically,
    soap,
    stage_arguments,
)
from .operations import OperationSource, apply_operations, random_mask


class Networks(torch.nn.Module):
    """The three networks of this stage as one module, so that one optimiser and one average hold them all."""

    def __init__(self, config: dict):
        super().__init__()
        latent = config["latent"]
        self.renderer = Renderer(tuple(config["renderer_widths"]), latent)
        self.head = ParamHead(latent, config["head_hidden"])
        self.encoder = RetouchEncoder(config["encoder_width"], config["pair_width"], latent, config["encoder_size"])


class PixelPool:
    """Random access to training photos: colours for rendering, small pictures for the encoder."""

    def __init__(self, photos: torch.Tensor, size: int, seed: int):
        self.pixels = photos.flatten(1, 2)  # uint8 [P, S * S, 3]
        self.small = torch.cat(
            [F.adaptive_avg_pool2d(chunk.permute(0, 3, 1, 2).float(), size) for chunk in photos.split(128)]
        ).div(255)
        self.generator = torch.Generator().manual_seed(seed)

    def colours(self, photos: int, count: int, uniform: float = 0.1) -> torch.Tensor:
        """[photos, count, 3]; a share of uniformly random colours, because a LUT covers the whole cube."""
        which = torch.randint(len(self.pixels), (photos, 1), generator=self.generator)
        where = torch.randint(self.pixels.shape[1], (photos, count), generator=self.generator)
        rgb = self.pixels[which, where].float() / 255
        extra = int(count * uniform)
        if extra:
            rgb[:, :extra] = torch.rand(photos, extra, 3, generator=self.generator)
        return rgb

    def pictures(self, count: int) -> torch.Tensor:
        """[count, S * S, 3] of small pictures."""
        which = torch.randint(len(self.small), (count,), generator=self.generator)
        return self.small[which].flatten(2).transpose(1, 2)


def _grid(flat: torch.Tensor, size: int) -> torch.Tensor:
    return flat.transpose(1, 2).unflatten(2, (size, size))


def slider_batch(
    pool: PixelPool, count: int, pixels: int, uniform: float = 0.1, focused: float = 0.0
) -> tuple[torch.Tensor, ...]:
    """(params, colours, target); `focused`: the share of sets of few sliders of one factor."""
    few = round(focused * count)
    params = torch.cat((sample_focused(few, pool.generator), sample_params(count - few, pool.generator)))
    rgb = pool.colours(count, pixels, uniform)
    return params, rgb, develop(rgb, params)


def slider_loss(
    nets: Networks, params: torch.Tensor, rgb: torch.Tensor, target: torch.Tensor, relative: float
) -> torch.Tensor:
    """`relative`: weight of the error as a share of the change itself, in which the mixer's small changes count as much as
    a stop of exposure."""
    latents = nets.head(params) * factor_mask(params)[..., None]
    out = nets.renderer(rgb, latents)
    change = (target - rgb).square().mean((1, 2), keepdim=True).sqrt()
    return pixel_loss(out, target) + relative * ((out - target).abs() / (change + 2e-3)).mean()


def pair_batch(pool: PixelPool, operations: OperationSource, count: int, pixels: int, inverse: float) -> tuple[torch.Tensor, ...]:
    """(before, after, colours, target, mask): the first two to encode, the colours of another photo with their target."""
    rgb, before = pool.colours(count, pixels), pool.pictures(count)
    masks = random_mask(count, pool.generator)
    chosen = [operations.draw(pool.generator) for _ in range(count)]
    swap = torch.rand(count, generator=pool.generator) < inverse
    masks[swap | torch.tensor([not operation.maskable for operation in chosen])] = 1
    after = apply_operations(chosen, before, torch.ones(count, 3))
    target = apply_operations(chosen, rgb, masks)
    swap = swap[:, None, None]
    before, after = torch.where(swap, after, before), torch.where(swap, before, after)
    rgb, target = torch.where(swap, target, rgb), torch.where(swap, rgb, target)
    return before, after, rgb, target, masks


def pair_loss(nets: Networks, batch: tuple[torch.Tensor, ...], size: int) -> torch.Tensor:
    before, after, rgb, target, masks = batch
    latents = nets.encoder(_grid(before, size), _grid(after, size)) * masks[..., None]
    return pixel_loss(nets.renderer(rgb, latents), target)


class Batches(torch.utils.data.IterableDataset):
    """Endless training batches, made in a process of its own: the engine and the networks then share two cores well."""

    def __init__(self, photos: torch.Tensor, operations: OperationSource, config: dict, seed: int):
        self.photos, self.operations, self.config, self.seed = photos, operations, config, seed

    def __iter__(self):
        torch.set_num_threads(1)
        worker = torch.utils.data.get_worker_info()
        c = self.config
        pool = PixelPool(self.photos, c["encoder_size"], self.seed + 1000 * (worker.id if worker else 0))
        while True:
            yield (
                slider_batch(pool, c["slider_batch"], c["slider_pixels"], c["uniform"], c["focused"]),
                pair_batch(pool, self.operations, c["pair_batch"], c["pair_pixels"], c["inverse_share"]),
            )


def make_optimiser(nets: Networks, config: dict) -> torch.optim.Optimizer:
    encoder = list(nets.encoder.parameters())
    others = [p for name, p in nets.named_parameters() if not name.startswith("encoder.")]
    groups = [{"params": others, "lr": config["lr"]}, {"params": encoder, "lr": config["encoder_lr"]}]
    for group in groups:
        group["peak"] = group["lr"]
    return soap(groups, config["lr"], 1e-4)


@torch.no_grad()
def evaluate(nets: Networks, photos: torch.Tensor, operations: OperationSource, config: dict, count: int = 200) -> dict:
    """PSNR on photos of the given split with fixed seeds: sliders, and pairs rendered on another photo."""
    pool = PixelPool(photos, config["encoder_size"], seed=1234)

    def sliders(focused: float) -> tuple[torch.Tensor, torch.Tensor]:
        params, rgb, target = slider_batch(pool, count, 1024, 0.0, focused)
        latents = nets.head(params) * factor_mask(params)[..., None]
        out = torch.cat([nets.renderer(r, z) for r, z in zip(rgb.split(50), latents.split(50))])
        mixer = (params[:, FACTOR_SLICES[2]] != 0).any(1) if focused else torch.ones(count, dtype=torch.bool)
        return tuple(psnr_per_image(x, target).clamp(max=60)[mixer] for x in (out, rgb))

    # A pair whose operation changes nothing has no meaningful "do nothing" figure: capped at 50 dB on both sides.
    report = dict(zip(("slider", "slider_nothing"), (x.clamp(max=50) for x in sliders(0.0))))
    before, after, rgb, target, masks = pair_batch(pool, operations, count, 1024, 0.0)
    size = config["encoder_size"]
    latents = nets.encoder(_grid(before, size), _grid(after, size)) * masks[..., None]
    out = torch.cat([nets.renderer(r, z) for r, z in zip(rgb.split(50), latents.split(50))])
    report["pair"] = psnr_per_image(out, target).clamp(max=50)
    report["pair_nothing"] = psnr_per_image(rgb, target).clamp(max=50)
    # Few sliders of the mixer alone: a mean over whole sets of sliders says nothing of them.
    report["mixer"], report["mixer_nothing"] = sliders(1.0)
    result = {}
    for name, values in report.items():
        result[f"{name}_mean"] = values.mean().item()
        result[f"{name}_p10"] = values.quantile(0.1).item()
    return result


def train(config: dict, data: Path, work: Path, device: str, minutes: float) -> None:
    torch.manual_seed(config["seed"])
    photos, _ = load_photos(work, "train", open_only=config.get("open_only", False))
    held_out, _ = load_photos(work, "val")
    nets = Networks(config).to(device)
    average = Average(nets)
    optimiser = make_optimiser(nets, config)
    folder = work / config["name"]
    checkpoint, step = folder / "last.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        nets.load_state_dict(state["nets"])
        average.module.load_state_dict(state["average"])
        average.updates = state["step"]
        optimiser.load_state_dict(state["optimiser"])
        step = state["step"]
    elif config.get("start_from"):
        state = torch.load(work / config["start_from"], weights_only=True)
        nets.load_state_dict(state["average"])
        average.module.load_state_dict(state["average"])
    operations = OperationSource(config["operations"], data, work, split="train")
    validation = OperationSource(config["operations"], data, work, split="val")
    log = Log(folder / "log.jsonl")

    def keep() -> None:
        save_atomically(
            {"nets": nets.state_dict(), "average": average.module.state_dict(), "optimiser": optimiser.state_dict(),
             "step": step, "config": config},
            checkpoint,
        )  # fmt: skip

    batches = torch.utils.data.DataLoader(
        Batches(photos, operations, config, config["seed"] + step), batch_size=None, num_workers=1, prefetch_factor=8
    )
    deadline = time.time() + minutes * 60 if minutes else float("inf")
    saved = time.time()
    sums = [0.0, 0.0]
    for sliders, pairs in batches:
        if step >= config["steps"] or time.time() > deadline:
            break
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, config["steps"], group["peak"], config["warmup"])
        slider = slider_loss(nets, *(x.to(device) for x in sliders), config["relative"])
        pair = pair_loss(nets, tuple(x.to(device) for x in pairs), config["encoder_size"])
        optimiser.zero_grad(set_to_none=True)
        (slider + pair).backward()
        torch.nn.utils.clip_grad_norm_(nets.parameters(), 1.0)
        optimiser.step()
        average.update(nets)
        sums = [sums[0] + slider.item(), sums[1] + pair.item()]
        step += 1
        if step % 100 == 0:
            log.write(step=step, slider=sums[0] / 100, pair=sums[1] / 100)
            sums = [0.0, 0.0]
        if step % config["evaluate_every"] == 0 or step == config["steps"]:
            log.write(step=step, **evaluate(average.module, held_out, validation, config))
        if time.time() - saved > 120:
            keep()
            saved = time.time()
    keep()


def main() -> None:
    arguments = stage_arguments(__doc__.splitlines()[0]).parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    train(read_config(arguments.config), arguments.data, arguments.work, arguments.device, arguments.minutes)


if __name__ == "__main__":
    main()
