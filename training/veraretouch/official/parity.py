"""parity.json of a converted model: what its PyTorch reference answers, with the weights that the bundle holds."""

from __future__ import annotations

import json

import numpy as np

from veraretouch.export.parity import parity_case
from veraretouch.export.pictures import pixels_of
from veraretouch.export.runner import BundleRunner
from veraretouch.official.bundle import OfficialBundle
from veraretouch.official.judge import answered, inputs, latents_of, modes_of

# Words of a section whose words are given.
SHORT = 2


def parity_bytes(content: OfficialBundle, count: int) -> bytes:
    """`count` cases of every mode that the bundle has, chosen by formula and by nothing else, and `short_case`."""
    renderer = content.vlm.retouch_decoder
    given = [inputs(mode, index) for mode in modes_of(content) for index in range(count)]
    cases = [parity_case(renderer, one, *answered(content, one)) for one in given]
    cases.append(short_case(content))
    return json.dumps({"cases": cases}, ensure_ascii=False, separators=(",", ":")).encode()


def short_case(content: OfficialBundle) -> dict:
    """A case whose few words are given, not chosen: what a device compares itself with each time it starts."""
    dialogue, mode = content.dialogue(), "auto"
    few = dialogue.encode("warm light")[:SHORT]
    tokens: list[int] = []
    for index, section in enumerate(dialogue.answer[mode]):
        tag = dialogue.token_id(section.start), dialogue.token_id(section.end)
        tokens += [*dialogue.separator_ids(mode, index), tag[0], *few, tag[1]]
    tokens += [*dialogue.separator_ids(mode, len(dialogue.answer[mode])), *dialogue.retouch_ids[:2]]
    given = {**inputs(mode, 0), "tokens": tokens}
    return {**parity_case(content.vlm.retouch_decoder, given, tokens, latents_of(content, given)), "given": True}


def runner_cases(runner: BundleRunner, asked: list[dict]) -> list[dict]:
    """The same inputs answered by onnxruntime from the files of a bundle: tokens, latents and colours of its own."""

    def case(given: dict) -> dict:
        if given["mode"] == "reference":
            tokens, latents = [], runner.encode(pixels_of(given["before"]), pixels_of(given["after"]))
        else:
            image = pixels_of(given["image"]) if "image" in given else None
            result = runner.generate(given["mode"], image, given.get("instruction", ""), given.get("params"))
            tokens, latents = result.token_ids, result.latents
        points = [{"rgb": point["rgb"]} for point in given["render"]]
        colours = runner.render(np.asarray([point["rgb"] for point in points], np.float32), latents)
        return {
            **given,
            "tokens": tokens,
            "latents": latents.ravel().tolist(),
            "render": [{**point, "out": out.tolist()} for point, out in zip(points, colours)],
        }

    return [case(given) for given in asked]
