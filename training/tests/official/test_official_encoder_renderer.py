"""The published encoder and renderer: every name and shape of the table, and weights that land where they belong."""

import pytest
import torch

from veraretouch.official.checkpoint import read_pickled
from veraretouch.official.encoder_renderer import EncoderRenderer
from veraretouch.official.errors import OfficialModelError


def small(seed: int) -> EncoderRenderer:
    torch.manual_seed(seed)
    return EncoderRenderer(width=16, widths=(8, 12), latent=5).eval()


# Convolutions of 3x3 with their norms, by the table of the published model: name, input and output channels.
STAGES = [
    ("model1", 64, 64), ("model2", 64, 64), ("model3", 64, 128), ("model4", 128, 128),
    ("model5", 128, 256), ("model6", 256, 256), ("model7", 256, 512), ("model8", 512, 512),
]  # fmt: skip


def table() -> dict[str, tuple[int, ...]]:
    """Written from the description of the published model, not from the modules."""
    shapes: dict[str, tuple[int, ...]] = {}

    def conv(name, inputs, outputs, kernel):
        shapes.update({f"{name}.weight": (outputs, inputs, kernel, kernel), f"{name}.bias": (outputs,)})

    def linear(name, inputs, outputs):
        shapes.update({f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)})

    def norm(name, channels):
        shapes.update({f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")})
        shapes[f"{name}.num_batches_tracked"] = ()

    conv("encoder.model0.0", 6, 64, 7)
    norm("encoder.model0.1", 64)
    for stage, inputs, outputs in STAGES:
        conv(f"encoder.{stage}.0", inputs, outputs, 3)
        norm(f"encoder.{stage}.1", outputs)
        conv(f"encoder.{stage}.3", outputs, outputs, 3)
        norm(f"encoder.{stage}.4", outputs)
    for name, inputs in (("en1", 64), ("en2", 128), ("en3", 256)):
        conv(f"encoder.{name}.0", inputs, 2 * inputs, 1)
        norm(f"encoder.{name}.1", 2 * inputs)
    for name in ("attn_spatial1", "attn_spatial2"):
        conv(f"encoder.{name}.conv", 2, 1, 7)
    for name, channels in (("attn_mid1", 128), ("attn_mid2", 256)):
        conv(f"encoder.{name}.channel_att.1", channels, channels // 16, 1)
        conv(f"encoder.{name}.channel_att.3", channels // 16, channels, 1)
        conv(f"encoder.{name}.spatial_att.0", 2, 1, 7)
    linear("encoder.attn_deep.fc.0", 512, 32)
    linear("encoder.attn_deep.fc.2", 32, 512)
    linear("encoder.fc", 512, 2688)
    for i, (inputs, outputs) in enumerate(((3, 128), (128, 256), (256, 512))):
        linear(f"decoder.layers.{i}", inputs, outputs)
        linear(f"decoder.z_projs.{i}", 2688, outputs)
        shapes.update({f"decoder.layer_norms.{i}.{part}": (outputs,) for part in ("weight", "bias")})
    linear("decoder.out_layer", 512, 3)
    return shapes


def test_names_and_shapes_are_those_of_the_published_file():
    with torch.device("meta"):
        own = {name: tuple(value.shape) for name, value in EncoderRenderer().state_dict().items()}
    assert own == table()


def test_weights_go_through_a_file_and_compute_the_same(tmp_path):
    model = small(1)
    torch.save({"model_state_dict": model.state_dict()}, tmp_path / "encoder_renderer.pth")
    again = small(2).load(read_pickled(tmp_path / "encoder_renderer.pth"))
    before, after, colours = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64), torch.rand(2, 7, 3)
    latents = model.encoder(before, after)
    assert latents.shape == (2, 3, 5)
    # The same weights at other addresses: a library may add from another place on.
    torch.testing.assert_close(again.encoder(before, after), latents, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(again.decoder(colours, latents), model.decoder(colours, latents), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(model.encoder(after, before), latents)


def test_a_masked_factor_does_not_matter_to_the_renderer():
    """ReLU of 0 is 0: what a factor's columns of the projections hold is never seen."""
    model = small(3)
    latents, colours = torch.randn(1, 3, 5), torch.rand(1, 9, 3)
    latents[:, 1] = 0
    expected = model.decoder(colours, latents)
    for projection in model.decoder.z_projs:
        projection.weight.data[:, 5:10] = 77.0
    assert torch.equal(model.decoder(colours, latents), expected)


def test_counters_of_training_may_be_missing_and_nothing_else():
    model, state = small(4), small(5).state_dict()
    model.load({name: value for name, value in state.items() if not name.endswith("num_batches_tracked")})
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    for name in ("encoder.fc.bias", "decoder.layers.0.weight"):
        broken = dict(small(6).state_dict())
        del broken[name]
        with pytest.raises(OfficialModelError, match=name.replace(".", r"\.")):
            model.load(broken)
        with pytest.raises(OfficialModelError, match="of another|instead of"):
            model.load({**small(6).state_dict(), name: torch.zeros(1, 1)})
    assert all(torch.equal(value, kept[name]) for name, value in model.state_dict().items())
