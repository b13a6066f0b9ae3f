"""Preset parsing, engine extras and looks."""

import json

import numpy as np
import pytest
import torch

torch.set_num_threads(1)

from veraretouch.data import files, looks, xmp
from veraretouch.engine import extras
from veraretouch.engine.params import INDEX

HEAD = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"'
)
TAIL = "</rdf:Description></rdf:RDF></x:xmpmeta>"
CURVE = "<crs:ToneCurvePV2012{}><rdf:Seq>{}</rdf:Seq></crs:ToneCurvePV2012{}>"


def points(*texts: str) -> str:
    return "".join(f"<rdf:li>{t}</rdf:li>" for t in texts)


@pytest.fixture
def preset(tmp_path):
    def read(attributes: str = "", children: str = ""):
        path = tmp_path / "p.xmp"
        path.write_text(f"{HEAD} {attributes}>{children}{TAIL}")
        return xmp.read_preset(path)

    return read


@pytest.fixture
def rgb():
    return torch.rand(500, 3, generator=torch.Generator().manual_seed(1))


def test_attribute_and_element_form_agree(preset):
    a = preset(
        'crs:Exposure2012="+1.00" crs:HueAdjustmentBlue="-30" crs:ColorGradeShadowHue="220" crs:ColorGradeShadowSat="40"'
    )
    b = preset(
        "",
        "<crs:Exposure2012>+1.00</crs:Exposure2012><crs:HueAdjustmentBlue>-30</crs:HueAdjustmentBlue>"
        "<crs:ColorGradeShadowHue>220</crs:ColorGradeShadowHue><crs:ColorGradeShadowSat>40</crs:ColorGradeShadowSat>",
    )
    assert torch.equal(a.params, b.params) and a.grading == b.grading
    assert a.params[INDEX["Exposure2012"]] == pytest.approx(1 / xmp.STOPS_AT_FULL_EXPOSURE)
    assert a.params[INDEX["HueAdjustmentBlue"]] == pytest.approx(-0.3)
    assert a.grading.shadows == extras.Wheel(220, 0.4, 0)


def test_temperature_absolute_offset_and_incremental(preset):
    def temperature(text):
        return float(preset(text).params[INDEX["IncrementalTemperature"]])

    assert temperature('crs:Temperature="5500"') == 0
    assert temperature('crs:Temperature="7500"') > 0.3
    assert temperature('crs:Temperature="3800"') < 0
    assert temperature('crs:Temperature="+500"') == pytest.approx(temperature('crs:Temperature="6000"'))
    assert temperature('crs:Temperature="9000" crs:IncrementalTemperature="-20"') == pytest.approx(-0.2)


def test_old_split_toning_names(preset):
    p = preset('crs:SplitToningHighlightHue="50" crs:SplitToningHighlightSaturation="20" crs:SplitToningBalance="-40"')
    assert p.grading.highlights == extras.Wheel(50, 0.2, 0) and p.grading.balance == -0.4


def test_curves_grayscale_and_what_is_not_understood(preset):
    curve = points("0, 20", "128, 120", "255, 240")
    p = preset(
        'crs:ConvertToGrayscale="True" crs:GrayMixerRed="-40" crs:GrainAmount="30" crs:Clarity2012="0"',
        CURVE.format("", curve, "") + CURVE.format("Blue", points("0, 0", "255, 255"), "Blue"),
    )
    assert p.curves == {"master": ((0, 20), (128, 120), (255, 240))}
    assert p.grayscale == (-0.4, 0, 0, 0, 0, 0, 0, 0)
    assert p.unsupported == {"GrainAmount": "30"}
    four = preset("", "".join(CURVE.format(s, curve, s) for s in ("", "Red", "Green", "Blue")))
    assert set(four.curves) == {"master"}


@pytest.mark.parametrize(
    "text, message",
    [
        ("<not xml", "cannot|can be read"),
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + HEAD + ">" + TAIL, "can be read"),
        ("<a/>", "no rdf:RDF"),
        (HEAD + ' crs:Contrast2012="strong">' + TAIL, "not a number"),
        (HEAD + ' crs:Contrast2012="nan">' + TAIL, "not a number"),
        (HEAD + ">" + CURVE.format("", points("0; 1"), "") + TAIL, "damaged"),
    ],
)
def test_bad_presets_are_refused(tmp_path, text, message):
    path = tmp_path / "bad.xmp"
    path.write_text(text)
    with pytest.raises(files.DataError, match=message):
        xmp.read_preset(path)


def test_extras_are_exact_identities_at_neutral(rgb):
    assert torch.equal(extras.apply_tone_curves(rgb, {}), rgb)
    assert torch.equal(extras.apply_tone_curves(rgb, {"red": extras.IDENTITY_CURVE}), rgb)
    assert torch.equal(extras.apply_color_grading(rgb, extras.ColorGrading(balance=0.5)), rgb)
    grey = rgb.mean(-1, keepdim=True).expand_as(rgb)
    assert (extras.apply_grayscale(grey) - grey).abs().max() < 2e-3


def test_tone_curves_pass_through_their_points(rgb):
    curve = ((0, 20), (64, 55), (128, 128), (192, 196), (255, 235))
    ramp = torch.linspace(0, 1, 256)[:, None].expand(-1, 3)
    out = extras.apply_tone_curves(ramp, {"master": curve})
    for x, y in curve:
        assert out[x, 0] * 255 == pytest.approx(y, abs=0.3)
    assert (out[1:] >= out[:-1]).all()
    blue = extras.apply_tone_curves(rgb, {"blue": curve})
    assert torch.equal(blue[:, :2], rgb[:, :2]) and not torch.equal(blue[:, 2], rgb[:, 2])
    with pytest.raises(extras.ExtrasError):
        extras.apply_tone_curves(rgb, {"master": ((0, 0), (0, 255))})


@pytest.mark.parametrize("hue, channel", [(0, 0), (120, 1), (240, 2)])
def test_color_grading_tints_the_named_range(hue, channel):
    dark, light = torch.full((1, 3), 0.15), torch.full((1, 3), 0.85)
    grading = extras.ColorGrading(shadows=extras.Wheel(hue, 0.5), blending=0.2)
    tinted = extras.apply_color_grading(dark, grading)[0]
    assert tinted.argmax() == channel and tinted.max() - tinted.min() > 0.05
    untouched = extras.apply_color_grading(light, grading)[0]
    assert untouched.max() - untouched.min() < 0.01


def test_grayscale_mixer_moves_only_its_hue():
    red, blue = torch.tensor([[0.8, 0.2, 0.2]]), torch.tensor([[0.2, 0.2, 0.8]])
    plain, mixed = (0.0,) * 8, (1.0,) + (0.0,) * 7
    assert extras.apply_grayscale(red, mixed)[0, 0] > extras.apply_grayscale(red, plain)[0, 0] + 0.05
    assert extras.apply_grayscale(blue, mixed)[0, 0] == pytest.approx(
        float(extras.apply_grayscale(blue, plain)[0, 0]), abs=0.01
    )
    out = extras.apply_grayscale(red)
    # Grey but for the last bits: each channel is a sum of its own.
    assert out.amax() - out.amin() < 1e-6


def test_lut_reproduces_linear_functions_and_its_own_points(rgb):
    axis = torch.linspace(0, 1, 5)
    blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
    linear = torch.stack((0.5 * red + 0.2 * blue, green, 1 - 0.3 * red), -1)
    expected = torch.stack((0.5 * rgb[:, 0] + 0.2 * rgb[:, 2], rgb[:, 1], 1 - 0.3 * rgb[:, 0]), -1)
    assert (extras.apply_lut(rgb, linear) - expected).abs().max() < 1e-5
    table = torch.rand(5, 5, 5, 3, generator=torch.Generator().manual_seed(2))
    corner = torch.tensor([[0.25, 0.5, 1.0]])
    assert torch.allclose(extras.apply_lut(corner, table)[0], table[4, 2, 1], atol=1e-6)
    with pytest.raises(extras.ExtrasError):
        extras.apply_lut(rgb, table[..., :2])


def preset_look(**extra) -> looks.Look:
    params = torch.zeros(38)
    params[INDEX["Exposure2012"]], params[INDEX["Saturation"]], params[INDEX["HueAdjustmentRed"]] = 0.1, -0.5, 0.4
    return looks.Look("preset", "preset/x", "X", "Creative", "", "x", params=params, extra=looks.Extra(**extra))


def test_masks_take_factors_apart(rgb):
    look = preset_look(
        curves={"master": ((0, 30), (255, 220))}, grading=extras.ColorGrading(highlights=extras.Wheel(40, 0.3))
    )
    assert looks.factors_of(look) == (1, 1, 1)
    assert torch.equal(looks.apply_look(rgb, look, (0, 0, 0)), rgb)
    light = looks.apply_look(rgb, look, (1, 0, 0))
    assert light.min() > 0.1  # the curve lifts black
    colour = looks.apply_look(rgb, look, (0, 1, 0))
    assert colour.std(-1).mean() < rgb.std(-1).mean()
    batch = looks.apply_look(rgb.view(5, 100, 3), look)
    assert torch.allclose(batch.view(-1, 3), looks.apply_look(rgb, look), atol=1e-6)
    with pytest.raises(files.DataError):
        looks.apply_look(rgb, look, (0.5, 1, 1))


def test_film_looks_cannot_be_masked(rgb):
    look = looks.Look("film", "film/a", "A", "film", "", "a", lut=torch.rand(3, 3, 3, 3))
    assert torch.equal(looks.apply_look(rgb, look, (0, 0, 0)), rgb)
    with pytest.raises(files.DataError, match="cannot be masked"):
        looks.apply_look(rgb, look, (1, 0, 1))


@pytest.mark.parametrize(
    "one, other",
    [
        ("Kodak Portra 400 +1", "kodak_portra_400_nc_++"),
        ("Ilford HP5 Plus Stand Dev", "ilford_hp_5_-"),
        ("Fuji Velvia 50", "Velvia 50 Video"),
        ("polaroid_px-70_warm_--", "polaroid_px-70_cold_+++"),
        ("Exposure +0.30", "Exposure -1.00"),
    ],
)
def test_variants_are_one_family(one, other):
    assert looks.family_of(one) == looks.family_of(other)


def test_different_stocks_are_different_families():
    names = [
        "Kodak Portra 400",
        "Kodak Portra 160",
        "Fuji Velvia 50",
        "Fuji Velvia 100",
        "Kodak Tri-X 400",
        "Kodak T-Max 400",
    ]
    assert len({looks.family_of(n) for n in names}) == len(names)


def test_load_and_split_looks(tmp_path):
    (tmp_path / "presets" / "C").mkdir(parents=True)
    entries = []
    for i in range(30):
        (tmp_path / "presets" / "C" / f"{i}.xmp").write_text(f'{HEAD} crs:Contrast2012="{i + 1}">{TAIL}')
        entries.append(
            {
                "file": f"C/{i}.xmp",
                "category": "C",
                "name": f"Look {'abcdefghij'[i % 10] * 3} +{i // 10}",
                "description": None,
            }
        )
    (tmp_path / "presets" / "C" / "none.xmp").write_text(f'{HEAD} crs:GrainAmount="9">{TAIL}')
    entries.append({"file": "C/none.xmp", "category": "C", "name": "Nothing", "description": "grain"})
    (tmp_path / "presets.json").write_text(json.dumps(entries))
    luts = np.linspace(0, 65535, 2 * 81).reshape(2, 3, 3, 3, 3).astype(np.uint16)
    np.savez(tmp_path / "film-luts.npz", luts=luts, names=np.array(["bw/ilford_x", "print/kodak_2383_cuspclip"]))
    table = tmp_path / "split.json"
    assert looks.main(["--data", str(tmp_path), "--table", str(table)]) == 0
    every = looks.load_looks(tmp_path)
    seen, unseen = (looks.load_looks(tmp_path, s, table) for s in ("seen", "unseen"))
    assert len(every) == 32 == len(seen) + len(unseen) and unseen
    assert not {look.family for look in seen} & {look.family for look in unseen}
    assert [look.name for look in every if look.kind == "film"] == ["Ilford X", "Kodak 2383 Cuspclip"]


def test_committed_looks_split_holds_out_both_kinds():
    table = json.loads((files.TABLES / "looks_split.json").read_text())
    films = [k for k in table["unseen"] if k.startswith("film/")]
    presets = [k for k in table["unseen"] if k.startswith("preset/")]
    assert len(films) + len(presets) == len(set(table["unseen"])) >= 0.14 * table["count"]
    assert len(films) >= 40 and len(presets) >= 60
