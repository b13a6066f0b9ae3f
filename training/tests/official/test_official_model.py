"""The published vision-language model on small random weights: names, sizes, what its latents are read from."""

import json

import pytest
import torch
from safetensors.torch import save_file

from veraretouch.official.checkpoint import read_safetensors
from veraretouch.official.config import config_json, read_config
from veraretouch.official.errors import OfficialModelError
from veraretouch.official.model import (
    EMBEDDING,
    HEAD,
    OfficialConfig,
    OfficialVlm,
    random_state,
    retouch_states,
)
from veraretouch.official.synthetic import twin_config

TWIN = twin_config(320)


@pytest.fixture(scope="module")
def twin():
    return OfficialVlm(TWIN).load(random_state(TWIN, 1))


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_at_the_published_sizes_it_is_as_large_as_published():
    with torch.device("meta"):
        model = OfficialVlm(OfficialConfig(vocabulary=151_936))
    state = model.state_dict()
    assert count(model.model.vision_tower) == 125_073_504
    language = sum(value.numel() for name, value in state.items() if name.startswith(("model.layers", "model.norm")))
    assert language + state[EMBEDDING].numel() == 494_032_768  # Qwen2-0.5B
    assert round(count(model) / 1e9, 2) == 0.63  # as the paper says
    assert model.config.image_tokens == 256
    for name, shape in {
        "model.layers.23.self_attn.k_proj.bias": (128,),
        "model.layers.0.mlp.down_proj.weight": (896, 4864),
        "model.mm_projector.0.weight": (896, 3072),
        "model.mm_projector.2.bias": (896,),
        "model.vision_tower.vision_tower.model.patch_embed.0.reparam_conv.weight": (96, 3, 3, 3),
        "model.vision_tower.vision_tower.model.network.10.1.token_mixer.qkv.weight": (4608, 1536),
        "model.vision_tower.vision_tower.model.conv_exp.se.reduce.weight": (192, 3072, 1, 1),
        "retouch_head.0.weight": (1344, 2688),
        "retouch_head.6.weight": (2688, 1344),
        "retouch_decoder.z_projs.2.weight": (512, 2688),
        HEAD: (151_936, 896),
    }.items():
        assert tuple(state[name].shape) == shape, name


def test_weights_go_through_a_checkpoint_and_compute_the_same(twin, tmp_path):
    state = random_state(TWIN, 1)
    del state[HEAD]
    save_file(state, tmp_path / "model.safetensors")
    again = OfficialVlm(TWIN).load(read_safetensors(tmp_path))
    image = torch.rand(2, 3, 128, 128)
    rows = twin.see(image)
    assert rows.shape == (2, TWIN.image_tokens, 64) and TWIN.image_tokens == 4
    # The same weights at other addresses: a library may add from another place on.
    torch.testing.assert_close(again.see(image), rows, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(rows[0], rows[1], atol=1e-3)


def test_what_does_not_fit_is_refused_by_name_and_nothing_is_taken(twin):
    before = {name: value.clone() for name, value in twin.state_dict().items()}
    broken = {
        "lacks model.mm_projector.2.weight": lambda s: s.pop("model.mm_projector.2.weight"),
        "has, .*model.layers.2.x": lambda s: s.update({"model.layers.2.x": torch.zeros(1)}),
        "retouch_head.0.bias is": lambda s: s.update({"retouch_head.0.bias": torch.zeros(3)}),
        f"{HEAD} differs": lambda s: s.update({HEAD: torch.zeros_like(s[HEAD])}),
    }
    for message, change in broken.items():
        state = random_state(TWIN, 2)
        change(state)
        with pytest.raises(OfficialModelError, match=message):
            twin.load(state)
    assert all(torch.equal(value, before[name]) for name, value in twin.state_dict().items())


def test_an_untied_head_is_its_own():
    config = OfficialConfig(**{**TWIN.__dict__, "tied": False})
    state = random_state(config, 3)
    assert not torch.equal(state[HEAD], state[EMBEDDING])
    assert torch.equal(OfficialVlm(config).load(state).lm_head.weight, state[HEAD])
    del state[HEAD]
    with pytest.raises(OfficialModelError, match=HEAD):
        OfficialVlm(config).load(state)


@torch.no_grad()
def test_rows_of_a_picture_come_row_by_row(twin):
    tower = twin.model.vision_tower.vision_tower.model
    seen = []
    hook = tower.conv_exp.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    rows = tower(torch.rand(1, 3, 128, 192))
    hook.remove()
    assert seen[0].shape == (1, 256, 2, 3) and rows.shape == (1, 6, 256)
    for i in range(2):
        for j in range(3):
            assert torch.equal(rows[0, 3 * i + j], seen[0][0, :, i, j])


@torch.no_grad()
def test_an_answer_with_its_cache_is_the_answer_without(twin):
    prompt = twin.embed([5, 9, 200])
    ids, states = twin.answer(prompt, end=-1, longest=12)
    assert len(ids) == 12 and len(set(ids)) > 3
    whole = twin.model(inputs_embeds=torch.cat((prompt, twin.embed(ids[:-1])), dim=1)).last_hidden_state[0]
    assert torch.allclose(whole[prompt.shape[1] - 1 :], states, atol=1e-4)
    assert twin.lm_head(states).argmax(dim=1).tolist() == ids
    shorter, _ = twin.answer(prompt, end=ids[6], longest=12)
    assert shorter == ids[: ids.index(ids[6]) + 1]


def test_latents_are_read_where_a_retouch_token_was_predicted_first(twin):
    states = torch.randn(6, 64)
    found = retouch_states([7, 3, 7, 8, 3, 9], states, (7, 8, 9))
    assert torch.equal(found, states[[0, 3, 5]])
    with pytest.raises(OfficialModelError, match="never came to the retouch token 9"):
        retouch_states([7, 8], states[:2], (7, 8, 9))
    latents = twin.latents(found)
    assert latents.shape == (3, 6)
    masked = twin.latents(found, [1.0, 0.0, 1.0])
    assert torch.equal(masked[[0, 2]], latents[[0, 2]]) and masked[1].abs().max() == 0
    # The order of the factors matters to the adaptor.
    assert not torch.allclose(twin.latents(found.flip(0)), latents, atol=1e-3)


def test_sizes_come_from_the_checkpoints_own_configuration(tmp_path):
    path = tmp_path / "config.json"
    good = {
        "model_type": "llava_qwen2", "vocab_size": 151_680, "hidden_size": 896, "num_hidden_layers": 24,
        "num_attention_heads": 14, "num_key_value_heads": 2, "intermediate_size": 4864, "rms_norm_eps": 1e-6,
        "rope_theta": 1000000.0, "tie_word_embeddings": True,
    }  # fmt: skip
    path.write_text(json.dumps(good))
    assert read_config(tmp_path) == OfficialConfig(vocabulary=151_680)
    for change, message in (
        ({"model_type": "llama"}, "of the kind 'llama'"),
        ({"hidden_size": "896"}, "no whole number for hidden"),
        ({"num_hidden_layers": 0}, "no whole number for layers"),
        ({"veraretouch_sizes": {"latent": "6"}}, "no whole number for latent"),
        ({"veraretouch_sizes": {"vision": {"layers": [2, -1]}}}, "no whole number for layers"),
        ({"veraretouch_sizes": {"colour": 3}}, "names a size 'colour'"),
        ({"veraretouch_sizes": 3}, "no configuration of the published model"),
    ):
        path.write_text(json.dumps({**good, **change}))
        with pytest.raises(OfficialModelError, match=message):
            read_config(tmp_path)
    for text in ("", "[]", json.dumps({"model_type": "llava_qwen2"})):
        path.write_text(text)
        with pytest.raises(OfficialModelError, match="no configuration of the published model"):
            read_config(tmp_path)


@pytest.mark.parametrize("config", [TWIN, OfficialConfig(vocabulary=151_936), OfficialConfig(9, epsilon=1e-5, tied=False)])
def test_sizes_are_read_as_they_are_written(config, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(config_json(config)))
    assert read_config(tmp_path) == config
    # Of the published model nothing is said that its own config.json would not say.
    assert ("veraretouch_sizes" in config_json(config)) == (config.latent != 896)
