"""Runs a bundle with onnxruntime from its files alone: the check that nothing is missing in it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from tokenizers import Tokenizer

from veraretouch.engine.params import FACTOR_SLICES
from veraretouch.export.answer import STATE_COUNT, AnswerWalk, GenerationResult
from veraretouch.export.dialogue import Dialogue, Section
from veraretouch.export.errors import ExportError
from veraretouch.export.pictures import squash
from veraretouch.export.voices import voice_of
from veraretouch.official.int8 import KEEP_SUMS
from veraretouch.official.preprocess import letterbox, reference
from veraretouch.official.prompts import DECIMALS as PARAMETER_DECIMALS
from veraretouch.official.prompts import parameter_text


def verify_checksums(folder: Path) -> None:
    """Raises ExportError naming the first file that differs from SHA256SUMS, is missing or unlisted."""
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    present = {p.name for p in folder.iterdir() if p.name != "SHA256SUMS"}
    for name in sorted(present ^ set(listed)):
        raise ExportError(
            f"{name} is {'not listed in' if name in present else 'missing, but listed in'} "
            "SHA256SUMS. Nothing was run; export the bundle again."
        )
    for name, digest in listed.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise ExportError(f"{name} was changed after the export. Nothing was run; export again.")


class BundleRunner:
    """All graphs of a verified bundle in onnxruntime's CPU provider, and its dialogue. `device`: whose files are taken."""

    def __init__(self, folder: str | Path, threads: int = 1, device: str = "node") -> None:
        self.folder, self.device = Path(folder), device
        verify_checksums(self.folder)
        self.manifest = json.loads((self.folder / "bundle.json").read_text())
        self.dialogue = dialogue_of(self.folder, self.manifest)
        self._threads = threads
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}

    def run(self, graph: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Outputs of one graph by name."""
        session = self._session(graph)
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, inputs), strict=True))

    def generate(
        self,
        mode: str,
        image: np.ndarray | None = None,
        instruction: str = "",
        params: list[float] | None = None,
        voice: int | None = None,
    ) -> GenerationResult:
        """One answer; `image` uint8 [H,W,3] sRGB of any size (auto, style), `params` 38 in [-1,1]; `voice`: a number in
        place of the one that follows from the input."""
        rows, picture = None, None
        if mode != "param":
            picture = seen(image, self.manifest["preprocess"]["image"])[None]
            rows = self.run("vision", image=picture)["image_tokens"]
        elif "params" in self.manifest["graphs"]:
            rows = self.run("params", params=np.asarray(params, np.float32)[None])["param_tokens"]
        walk = AnswerWalk(self.dialogue, mode)
        plan = self._plan(mode, rows, instruction)
        focus = None if plan is None else self._focus(mode, rows, plan, picture)
        if voice is None:
            given = picture[0] if picture is not None else np.asarray(params, np.float32)
            voice = voice_of(given, instruction, len(self.dialogue.voice_ids))
        parts = self._prompt(mode, instruction, params, voice)
        embeds = [rows if isinstance(part, str) else self._embed(part) for part in parts]
        states = self._decode(walk, np.concatenate([*embeds, self._fed(walk, focus)], axis=1), focus)
        given = {} if plan is None else {"plan": plan}
        latents = self.run("adaptor", states=states, **given)["latents"][0]
        if mode == "param":
            said = np.asarray(params, np.float32)
            if "parameterText" in self.manifest:
                said = np.round(said, PARAMETER_DECIMALS)
            present = [bool(np.any(said[part])) for part in FACTOR_SLICES]
            latents = latents * np.asarray(present, np.float32)[:, None]
        well_formed = walk.cut_sections == 0
        return GenerationResult(walk.fields, walk.token_ids, latents, well_formed, walk.margin)

    def encode(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Latents [3,D] of a reference pair, uint8 [H,W,3] each."""
        how = self.manifest["preprocess"]["reference"]
        pair = {"before": before, "after": after}
        inputs = {name: seen(image, how)[None] for name, image in pair.items()}
        return self.run("encoder", **inputs)["latents"][0]

    def render(self, rgb: np.ndarray, latents: np.ndarray) -> np.ndarray:
        """Colours [N,3] in [0,1] through the renderer."""
        inputs = {"rgb": rgb.astype(np.float32), "latents": latents.astype(np.float32)}
        return self.run("renderer", **inputs)["out"]

    def _session(self, graph: str) -> onnxruntime.InferenceSession:
        if graph not in self._sessions:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self._threads
            options.log_severity_level = 3
            for key, value in KEEP_SUMS.items():
                options.add_session_config_entry(key, value)
            # As the product has it: see ortSessionOptions in src/inference/backend.ts.
            if self.device == "wasm":
                options.add_session_config_entry("session.disable_quant_qdq", "1")
            files = self.manifest["graphs"][graph]
            path = self.folder / files.get(self.device, files["default"])
            self._sessions[graph] = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        return self._sessions[graph]

    def _prompt(self, mode: str, instruction: str, params: list[float] | None, voice: int) -> list[list[int] | str]:
        """Ids and places. From version 2 on the user's text is encoded as one with the text around it."""
        if self.manifest["formatVersion"] == 1:
            return self.dialogue.prompt_parts(mode, instruction, voice)
        text = self.manifest["prompts"][mode].replace("{instruction}", instruction)
        if "{voice}" in text:
            text = text.replace("{voice}", self.manifest["voices"][voice])
        if "{parameters}" in text:
            text = text.replace("{parameters}", parameter_text(params))
        first, *others = (self.dialogue.encode(part) for part in text.split("{image}"))
        return [first, *(part for ids in others for part in ("image", ids))]

    def _embed(self, ids: list[int]) -> np.ndarray:
        return self.run("embed", input_ids=np.asarray([ids], np.int64))["embeds"]

    def _plan(self, mode: str, rows: np.ndarray, instruction: str) -> np.ndarray | None:
        """Factor tokens [1,3,H] of what shall be done, None when the bundle has none."""
        if "focus" not in self.manifest:
            return None
        if mode == "param":
            return rows
        if mode == "auto":
            return self._own(rows)
        words = self._embed(self.dialogue.encode_user_text(instruction))
        return self.run("style", embeds=words, image_tokens=rows)["style_tokens"]

    def _own(self, rows: np.ndarray) -> np.ndarray:
        first = self.manifest["focus"]["imageRow"]
        return rows[:, first : first + STATE_COUNT]

    def _focus(self, mode: str, rows: np.ndarray, plan: np.ndarray, picture) -> np.ndarray:
        """The rows [9,H] that are added where the answer turns to a factor."""
        if mode == "param":
            return np.concatenate([np.zeros_like(plan), plan, plan], axis=1)[0]
        effect = self.run("effect", image=picture, plan=plan)["effect_tokens"]
        return np.concatenate([self._own(rows) + effect, effect, plan], axis=1)[0]

    def _fed(self, walk: AnswerWalk, focus: np.ndarray | None) -> np.ndarray:
        embeds = self._embed(walk.pending)
        for place, which in walk.marks if focus is not None else []:
            embeds[0, place] += focus[which]
        return embeds

    def _decode(self, walk: AnswerWalk, embeds: np.ndarray, focus) -> np.ndarray:
        """Walks to the end; returns the states [1, 3*H] that the latents are read from."""
        sizes = self.manifest["dimensions"]
        places = self.manifest.get("cache", {}).get("positions", 0)
        half = self.device in self.manifest.get("cache", {}).get("float16", [])
        empty = np.zeros((1, sizes["kvHeads"], places, sizes["headDim"]), np.float16 if half else np.float32)
        names = [f"{i}.{part}" for i in range(sizes["layers"]) for part in ("key", "value")]
        cache = {f"past.{name}": empty for name in names}
        length, states = 0, None
        while True:
            length += embeds.shape[1]
            mask = np.ones((1, length), np.int64)
            out = self.run("decoder", inputs_embeds=embeds, attention_mask=mask, **cache)
            if walk.latent_places:
                states = out["hidden"][:, np.asarray(walk.latent_places) - len(walk.pending)].reshape(1, -1)
                walk.latent_places = []
            if not walk.done:
                walk.choose(out["logits"][0, 0])
            if walk.done and not walk.latent_places:
                return states
            embeds = self._fed(walk, focus)
            cache = {f"past.{name}": out[f"present.{name}"] for name in names}


def dialogue_of(folder: Path, manifest: dict) -> Dialogue:
    """Prompts, skeleton and tokenizer of a bundle, whose manifest is the parsed `bundle.json`."""
    own = None
    if "sectionTokens" in manifest:
        own = json.loads((folder / manifest["sectionTokens"]).read_text())
    answer = {
        mode: [Section.from_json(entry, own) for entry in sections]
        for mode, sections in manifest["answer"].items()
    }
    outputs = list(range(manifest["dimensions"]["vocabulary"]))
    if "outputTokens" in manifest:
        outputs = json.loads((folder / manifest["outputTokens"]).read_text())
    return Dialogue(
        Tokenizer.from_file(str(folder / manifest["tokenizer"]["tokenizer"])),
        outputs,
        manifest["prompts"],
        answer,
        tuple(manifest["retouchTokens"]),
        manifest["maxInstructionTokens"],
        manifest.get("separators"),
        manifest["latentStates"] == "first",
        manifest.get("voices", ()),
    )


def seen(image: np.ndarray, how: dict) -> np.ndarray:
    """uint8 [H,W,3] sRGB -> float32 [3,S,S] in [0,1], by an entry of `preprocess`."""
    kind, size = how.get("kind", "squash"), how["size"]
    if kind == "letterbox":
        return letterbox(Image.fromarray(image), how["shortEdge"], size).numpy()
    if kind == "resize":
        return reference(Image.fromarray(image), size).numpy()
    return squash(image, size).numpy()
