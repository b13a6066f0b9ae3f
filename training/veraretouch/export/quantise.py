"""Which forms of weights a bundle takes on which device, by measured loss of quality and measured time.

    python -m veraretouch.export.quantise --bundle models --config configs/data.toml --data D --work W --out DIR2 --json FILE \
        [--count 20] [--timed 6] [--forms NAME ...] [--measure-only]

Every form is put into a copy of the bundle, which the product's own program (scripts/answer-prompts.mjs; onnxruntime-node,
onnxruntime-web) answers held-out prompts with, beside the bundle as it is: its weights widened to float32. No graphics processor
is needed: for "webgpu" a graph is judged as Node computes it, and in place of time the bytes count that the device holds.
DIR2 and the table (FILE and FILE with .md) are written whole or not at all.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from veraretouch.data.files import DataError, write_json, write_whole
from veraretouch.export.bundle_files import staged, write_checksums
from veraretouch.export.errors import ExportError
from veraretouch.export.graph import save
from veraretouch.export.quantise_prompts import Answer, Prompt, answers, candidate, compare, prompts, times
from veraretouch.export.quantise_rule import LEAST_SAME, MOST_BYTES, MOST_DROP, Choice, choices
from veraretouch.export.quantise_table import table
from veraretouch.export.weight_forms import EXACT, Form, embed_int4, with_form
from veraretouch.synth.store import SynthError
from veraretouch.train.common import read_config

PRESENT = "int8 rows, widened"
HEAD_AND_ATTENTION = ("self_attn", "head.")
DECODERS = (
    Form("int8 rows, either b64", "either", 8, 64),
    Form("int8 rows, either b32", "either", 8, 32),
    Form("int8 b64 rough", "nbits", 8, 64),
    Form("int4 b32 rough", "nbits", 4, 32),
    Form("int4 b32 exact", "nbits", 4, 32, level=EXACT),
    Form("int4 b32 asym rough", "nbits", 4, 32, symmetric=False),
    Form("int4 b16 asym rough", "nbits", 4, 16, symmetric=False),
    Form("int4 b32 mlp, int8 rest, rough", "nbits", 4, 32, wide=HEAD_AND_ATTENTION),
    Form("int4 b16 asym, widened", "widened", 4, 16, symmetric=False),
    Form("int8 tokens", "integer"),
)
EMBED = "int4 b32"
ADAPTOR = Form("int8 b64 rough", "nbits", 8, 64)
# What a device's runtime is fast at, or right with. MatMulNBits is 25 times slower in wasm than native, and products of whole
# numbers overflow on processors with AVX2 and without VNNI, so they are for wasm only.
# What is either is MatMulNBits but on wasm, where the product tells its sessions to widen (src/inference/backend.ts).
KINDS = {"node": ("either", "nbits", "widened"), "wasm": ("either", "widened", "integer"), "webgpu": ("either", "nbits", "widened")}
TIMED_TOKENS = 100
ROUNDS = 2
TRIES = 4


@dataclass
class Measured:
    """What was found: rows of the table, and what `choices` needs."""

    rows: list[dict] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    costs: dict[str, dict[str, float]] = field(default_factory=lambda: {"node": {}, "wasm": {}, "webgpu": {}})
    embeds: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Bench:
    """Prompts, and the answers of the bundle as it is, by device. timed: of how many Auto prompts the time is taken."""

    bundle: Path
    asked: list[Prompt]
    timed: int
    wanted: dict[str, list[Answer]]

    @staticmethod
    def of(bundle: Path, asked: list[Prompt], timed: int) -> Bench:
        return Bench(bundle, asked, timed, {"node": answers(bundle, "node", 1, asked)})

    def row(self, folder: Path, device: str, **what) -> tuple[dict, bool]:
        """Figures of quality of one candidate on one device, with one thread."""
        given = self.wanted["node"] if folder == self.bundle and device == "node" else answers(folder, device, 1, self.asked)
        loss, figures = compare(self.bundle, self.asked, self.wanted["node"], given)
        row = {"device": device, **what, **figures}
        print(json.dumps(row), flush=True)
        return row, loss.kept

    def time(self, entries: list[tuple[Path, dict]]) -> None:
        """Puts "times" into each row: of every thread count the fastest of ROUNDS, which go through all candidates in turn, so
        that what else the machine does meets all of them."""
        autos = [prompt for prompt in self.asked if prompt.case["mode"] == "auto"][: self.timed]
        spent: list[dict[str, list[dict]]] = [{} for _ in entries]
        for _ in range(ROUNDS):
            for own, (folder, row) in zip(spent, entries, strict=True):
                for threads in (1, 2) if row["device"] == "node" else (1,):
                    own.setdefault(str(threads), []).append(times(answers(folder, row["device"], threads, autos)))
        for own, (_, row) in zip(spent, entries, strict=True):
            row["times"] = {n: {key: min(r[key] for r in rounds) for key in rounds[0]} for n, rounds in own.items()}
            print(json.dumps({key: row[key] for key in ("device", "graph", "form", "times")}), flush=True)


def measure(bench: Bench, scratch: Path, forms: list[Form]) -> Measured:
    """Every form on every device that it is for. Raises ExportError."""
    found, present = Measured(), bench.bundle
    decoder = onnx.load(present / "decoder.onnx")
    entries: list[tuple[Path, dict]] = []
    good: list[tuple[str, dict]] = []

    def judge(folder: Path, devices: tuple[str, ...], graph: str, form: str) -> bool:
        size = (folder / f"{graph}.onnx").stat().st_size
        for device in devices:
            row, kept = bench.row(folder, device, graph=graph, form=form, bytes=size)
            entries.append((folder, row))
            good.extend([(device, row)] if kept and graph == "decoder" else [])
        return kept

    found.sizes[PRESENT] = (present / "decoder.onnx").stat().st_size
    found.costs["webgpu"][PRESENT] = held_bytes(decoder, None)
    judge(present, ("node", "wasm"), "decoder", PRESENT)
    for form in forms:
        graph = with_form(decoder, form)
        folder = candidate(present, scratch / form.name.replace(" ", "-"), {"decoder": graph})
        found.sizes[form.name] = (folder / "decoder.onnx").stat().st_size
        kept = judge(folder, tuple(d for d in ("node", "wasm") if form.kind in KINDS[d]), "decoder", form.name)
        # A graphics processor may round activations, as a processor does, or not, which loses less.
        if kept and form.kind in KINDS["webgpu"]:
            found.costs["webgpu"][form.name] = held_bytes(graph, form)
    found.embeds[PRESENT] = (present / "embed.onnx").stat().st_size
    folder = candidate(present, scratch / "embed", {"embed": embed_int4(onnx.load(present / "embed.onnx"))})
    if judge(folder, ("node",), "embed", EMBED):
        found.embeds[EMBED] = (folder / "embed.onnx").stat().st_size
    folder = candidate(present, scratch / "adaptor", {"adaptor": with_form(onnx.load(present / "adaptor.onnx"), ADAPTOR)})
    judge(folder, ("node",), "adaptor", ADAPTOR.name)
    bench.time(entries)
    for device, row in good:
        found.costs[device][row["form"]] = cost(row)
    found.rows = [row for _, row in entries]
    return found


def cost(row: dict) -> float:
    """Milliseconds of the language model for an answer of TIMED_TOKENS tokens, on the most threads that were timed."""
    spent = row["times"][max(row["times"])]
    return spent["prefillMs"] + TIMED_TOKENS * spent["tokenMs"]


def held_bytes(graph: onnx.ModelProto, form: Form | None) -> float:
    """Bytes of weights that a device holds and reads for every token: what is widened counts four a value."""
    if form is not None and form.kind in ("nbits", "either"):
        return float(graph.ByteSize())
    stored = {1: 4, 2: 4, 3: 4}  # float32, uint8 of two values each four bits (below), int8
    values = sum(math.prod(i.dims) * (2 if i.data_type == 2 and i.name.endswith(".int4") else 1) for i in graph.graph.initializer)
    return float(values * stored[3])


def write(bundle: Path, out: Path, forms: dict[str, Form], choice: Choice) -> None:
    """The bundle with the chosen files, whole or not at all; what is not chosen anew is copied."""
    manifest = json.loads((bundle / "bundle.json").read_text())
    decoder = onnx.load(bundle / "decoder.onnx")
    with staged(out) as staging:
        for path in bundle.iterdir():
            if path.name not in ("bundle.json", "SHA256SUMS", "decoder.onnx", "embed.onnx"):
                (staging / path.name).write_bytes(path.read_bytes())
        if choice.embed == PRESENT:
            (staging / "embed.onnx").write_bytes((bundle / "embed.onnx").read_bytes())
        else:
            save(embed_int4(onnx.load(bundle / "embed.onnx")), staging / "embed.onnx")
        names = {choice.default: "decoder.onnx"}
        entry = {"default": "decoder.onnx"}
        for device, form in choice.decoders.items():
            names.setdefault(form, f"decoder-{device}.onnx")
            if form != choice.default:
                entry[device] = names[form]
        for form, name in names.items():
            if form == PRESENT:
                (staging / name).write_bytes((bundle / "decoder.onnx").read_bytes())
            else:
                save(with_form(decoder, forms[form]), staging / name)
        manifest["graphs"]["decoder"] = entry
        (staging / "bundle.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        for path in staging.iterdir():
            path.chmod(0o644)
        write_checksums(staging)


def choose(bench: Bench, found: Measured, scratch: Path, forms: dict[str, Form]) -> tuple[Choice, list[dict]]:
    """The fastest choice whose whole bundle keeps the rule on node and wasm, and its rows. Raises ExportError."""
    rest = sum(p.stat().st_size for p in bench.bundle.iterdir() if p.name not in ("decoder.onnx", "embed.onnx"))
    for number, choice in enumerate(choices(PRESENT, found.sizes, found.costs, found.embeds, rest)):
        if set(choice.decoders.values()) == {PRESENT} and choice.embed == PRESENT:
            return choice, []
        if number == TRIES:
            break
        folder = scratch / f"choice-{number}"
        write(bench.bundle, folder, forms, choice)
        judged = [bench.row(folder, device, graph="all", form=f"choice {number + 1}", bytes=choice.bytes) for device in ("node", "wasm")]
        if all(kept for _, kept in judged):
            bench.time([(folder, row) for row, _ in judged])
            return choice, [row for row, _ in judged]
    raise ExportError(f"None of the {TRIES} fastest choices keeps the rule as a whole. Nothing was written; raise --count.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, required=True, help="bundle of our own format whose decoder is in eight bits")
    parser.add_argument("--config", type=Path, required=True, help="configs/data.toml")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the new bundle")
    parser.add_argument("--json", type=Path, required=True, help="the table; also written as Markdown beside it")
    parser.add_argument("--count", type=int, default=20, help="prompts of each mode")
    parser.add_argument("--timed", type=int, default=6, help="Auto prompts that are timed")
    parser.add_argument("--forms", nargs="+", choices=[f.name for f in DECODERS], help="only these forms of the decoder")
    parser.add_argument("--measure-only", action="store_true", help="write the table and no bundle")
    a = parser.parse_args()
    forms = {f.name: f for f in DECODERS if not a.forms or f.name in a.forms}
    try:
        asked = prompts(read_config(a.config), a.data, a.work, a.count)
        with tempfile.TemporaryDirectory(prefix="quantise-", dir=a.json.resolve().parent) as folder:
            bench = Bench.of(a.bundle, asked, a.timed)
            found = measure(bench, Path(folder), list(forms.values()))
            report = {
                "bundle": json.loads((a.bundle / "bundle.json").read_text())["name"], "promptsOfEachMode": a.count,
                "rule": {"mostDrop": MOST_DROP, "leastSameDirections": LEAST_SAME, "mostBytes": MOST_BYTES},
                "loadAverage": round(os.getloadavg()[0], 1), "rows": found.rows,
            }  # fmt: skip
            if not a.measure_only:
                choice, rows = choose(bench, found, Path(folder), forms)
                report["choice"] = {
                    "decoder": {"default": choice.default, **choice.decoders}, "embed": choice.embed, "bytes": choice.bytes,
                    "rows": rows,
                }  # fmt: skip
                write(a.bundle, a.out, forms, choice)
        write_json(a.json, report)
        write_whole(a.json.with_suffix(".md"), lambda stream: stream.write(table(report).encode()))
    except (ExportError, DataError, SynthError, OSError) as error:
        print(f"quantise: {error}", file=sys.stderr)
        return 2
    print(table(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
