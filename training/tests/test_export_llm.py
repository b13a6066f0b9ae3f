"""The hand-written decoder graph computes what `transformers` computes, with any cutting of the input."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from veraretouch.export.errors import ExportError
from veraretouch.export.graph import save
from veraretouch.export.llm import DecoderShape, build_decoder, build_embed
from veraretouch.export.storage import as_stored

torch.set_num_threads(1)
HEAD = as_stored(torch.nn.Linear(96, 50, bias=False), "lm.head.").weight


def _llama(layers: int = 3, **changes):
    from transformers import LlamaConfig, LlamaModel

    torch.manual_seed(1)
    config = LlamaConfig(
        **{
            "hidden_size": 96, "intermediate_size": 160, "num_hidden_layers": layers,
            "num_attention_heads": 6, "num_key_value_heads": 2, "vocab_size": 200,
            "rms_norm_eps": 1e-5, "initializer_range": 0.2,
            "rope_parameters": {"rope_type": "default", "rope_theta": 100000.0}, **changes,
        }
    )  # fmt: skip
    return as_stored(LlamaModel(config), "lm.")


def _session(model, tmp_path, **options):
    save(model, tmp_path / "graph.onnx")
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    for name, value in options.items():
        setattr(settings, name, value)
    return onnxruntime.InferenceSession(str(tmp_path / "graph.onnx"), settings)


def _run(session, embeds: np.ndarray, cuts: list[int], shape: DecoderShape):
    """Feeds `embeds` [1,S,H] cut at `cuts`; returns all hidden states and every pass's logits."""
    names = [output.name for output in session.get_outputs()]
    empty = np.zeros((1, shape.kv_heads, 0, shape.head_dim), np.float32)
    parts = [f"{i}.{part}" for i in range(shape.layers) for part in ("key", "value")]
    cache = {f"past.{part}": empty for part in parts}
    hidden, logits, first = [], [], 0
    for last in [*cuts, embeds.shape[1]]:
        feed = {"inputs_embeds": embeds[:, first:last], "attention_mask": np.ones((1, last), np.int64)}
        out = dict(zip(names, session.run(None, {**feed, **cache}), strict=True))
        cache = {f"past.{part}": out[f"present.{part}"] for part in parts}
        assert cache["past.0.key"].shape == (1, shape.kv_heads, last, shape.head_dim)
        hidden.append(out["hidden"])
        logits.append(out["logits"])
        first = last
    return np.concatenate(hidden, axis=1), logits


@pytest.mark.parametrize("cuts", [[], [1], [17, 18, 19, 22], list(range(1, 24))])
def test_decoder_equals_transformers(tmp_path, cuts) -> None:
    llama = _llama()
    shape = DecoderShape.of(llama.config)
    assert (shape.head_dim, shape.rope_theta) == (16, 100000.0)
    session = _session(build_decoder(llama.state_dict(), shape, HEAD), tmp_path)
    embeds = torch.randn(1, 24, 96)
    with torch.no_grad():
        wanted = llama(inputs_embeds=embeds).last_hidden_state
    hidden, logits = _run(session, embeds.numpy(), cuts, shape)
    assert np.abs(hidden - wanted.numpy()).max() < 2e-5
    for last, scores in zip([*cuts, 24], logits, strict=True):
        assert scores.shape == (1, 1, 50)
        assert np.abs(scores[0, 0] - (wanted[0, last - 1] @ HEAD.T).numpy()).max() < 1e-4


def test_only_the_first_layers_are_exported(tmp_path) -> None:
    cut, whole = _llama(layers=2), _llama(layers=3)
    whole_state = whole.state_dict()
    cut.load_state_dict({n: whole_state[n] for n in cut.state_dict()})
    shape = DecoderShape.of(cut.config)
    model = build_decoder(whole_state, shape, HEAD)
    assert sum(node.op_type == "GroupQueryAttention" for node in model.graph.node) == 2
    embeds = torch.randn(1, 9, 96)
    hidden, _ = _run(_session(model, tmp_path), embeds.numpy(), [4], shape)
    with torch.no_grad():
        wanted = cut(inputs_embeds=embeds).last_hidden_state.numpy()
    assert np.abs(hidden - wanted).max() < 2e-5


def test_a_missing_weight_is_named() -> None:
    llama = _llama(layers=1)
    state = llama.state_dict()
    del state["layers.0.mlp.up_proj.weight"]
    with pytest.raises(ExportError, match="layers.0.mlp.up_proj.weight"):
        build_decoder(state, DecoderShape.of(llama.config), HEAD)


def test_scaled_rotary_positions_are_refused() -> None:
    scaled = {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}
    with pytest.raises(ExportError, match="linear"):
        DecoderShape.of(_llama(layers=1, rope_parameters=scaled).config)


def test_int8_weights_become_float_once_when_the_session_is_made(tmp_path) -> None:
    llama = _llama()
    model = build_decoder(llama.state_dict(), DecoderShape.of(llama.config), HEAD)
    stored = [i for i in model.graph.initializer if i.data_type == onnx.TensorProto.INT8]
    # Five matrices a layer and the head; k and v projections are too small to be worth it.
    assert len(stored) == 3 * 5 + 1
    folded = tmp_path / "folded.onnx"
    _session(
        model,
        tmp_path,
        optimized_model_filepath=str(folded),
        graph_optimization_level=onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    )
    after = onnx.load(folded).graph
    assert not any(i.data_type == onnx.TensorProto.INT8 for i in after.initializer)
    weights = {i.name for i in after.initializer}
    products = [node for node in after.node if node.op_type == "MatMul"]
    assert products and all(node.input[1] in weights for node in products)


@pytest.mark.parametrize("storage", ["int8", "float16", "float32"])
def test_embed_returns_the_stored_rows(tmp_path, storage) -> None:
    from veraretouch.export.storage import store_and_load

    table = store_and_load(np.random.default_rng(4).normal(size=(50, 96)), storage)
    session = _session(build_embed(table, storage), tmp_path)
    ids = np.array([[3, 49, 0, 3]], np.int64)
    assert np.array_equal(session.run(None, {"input_ids": ids})[0], table[ids])
