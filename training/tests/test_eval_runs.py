"""Runs beside each other: proposals and who chooses among them, and training curves."""

import io
import json

import pytest
import torch
from PIL import Image

from veraretouch.data.files import DataError
from veraretouch.eval.curves import draw, read_log, series
from veraretouch.eval.proposals import compare, load_tone, means
from veraretouch.models.tone import ToneEncoder

torch.set_num_threads(1)


def test_a_chooser_takes_what_it_likes_and_the_ceiling_what_is_nearest():
    target, before = torch.full((8, 8, 3), 0.5), torch.full((8, 8, 3), 0.3)
    outs = {"near": torch.full((8, 8, 3), 0.52), "bright": torch.full((8, 8, 3), 0.9), "dark": torch.full((8, 8, 3), 0.4)}
    found = compare(before, target, outs, lambda x: x.flatten(1).mean(1))
    assert found["preferred"] == found["bright"] and found["nearest"] == found["near"]
    # The input is 0.2 off: PSNR 13.98 dB; the mean of the three is 0.1067 off.
    assert found["near"]["gain"] == pytest.approx(33.979 - 13.979, abs=1e-2) and found["mean"]["psnr"] == pytest.approx(19.44, abs=1e-2)
    assert [found[name]["overEdited"] for name in ("near", "bright", "dark")] == [0.0, 1.0, 0.0]
    both = means([found, compare(before, before, outs, lambda x: -x.flatten(1).mean(1))])
    assert both["bright"]["overEdited"] == 1.0 and both["dark"]["overEdited"] == 0.5 and both["mean"]["photos"] == 2


def test_tone_encoders_come_out_of_checkpoints_of_any_size(tmp_path):
    tone = ToneEncoder(width=8, hidden=24, latent=4, fine=True).eval()
    path = tmp_path / "last.pt"
    torch.save({"average": {f"vision.tone.{k}": v for k, v in tone.state_dict().items()} | {"latents.0.bias": torch.zeros(4)}}, path)
    picture = torch.rand(2, 3, 256, 256)
    torch.testing.assert_close(load_tone(path).direct_latents(picture), tone.direct_latents(picture))
    torch.save({"average": {"vision.projector.mean": torch.zeros(2)}}, path)
    with pytest.raises(DataError, match="no tone encoder"):
        load_tone(path)
    with pytest.raises(DataError, match="Nothing was measured"):
        load_tone(tmp_path / "none.pt")


def test_curves_are_drawn_of_what_logs_hold(tmp_path):
    pytest.importorskip("matplotlib")
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(json.dumps({"step": s, "psnr": 20 + s, **({"harm": 0.1} if s else {})}) for s in (0, 5, 9)) + "\n")
    lines = read_log(log)
    assert series(lines, "harm") == ([5, 9], [0.1, 0.1]) and series(lines, "psnr")[1] == [20, 25, 29]
    out = tmp_path / "curves.png"
    draw({"one": lines, "two": lines[:2]}, ["psnr", "harm"], out)
    assert Image.open(io.BytesIO(out.read_bytes())).width > 600
    with pytest.raises(DataError, match="'nothing'"):
        draw({"one": lines}, ["psnr", "nothing"], out)
    log.write_text("no json\n")
    with pytest.raises(DataError, match="training log"):
        read_log(log)
