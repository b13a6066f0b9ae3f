"""Shards as training batches: token sequences with the positions of loss and of the control latents."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import torch

from ..export.dialogue import LATENT_ROW, Dialogue, focus_of
from ..models.vlm import IMAGE_SLOT, IMAGE_TOKENS, PARAM_SLOT, PARAM_TOKENS
from ..synth.store import Entry, Index, SynthError, read_shard

PAD = 0
TASKS = ("auto", "style", "param")


@dataclass
class Sequence:
    """ids with slots; `targets` are (position, token) pairs: the state at `position` must predict `token`.

    `focus` says where factor tokens are added: (position, row of `models.vlm.focus_tokens`). `instruction` are the
    token ids of a style in words.
    """

    ids: list[int]
    targets: list[tuple[int, int]]
    states: tuple[int, int, int]
    focus: list[tuple[int, int]] = field(default_factory=list)
    instruction: list[int] = field(default_factory=list)
    # A second style and the weight of the first, for mixtures of two.
    other: list[int] = field(default_factory=list)
    weight: float = 1.0


def mix_sequences(sequences: list[Sequence], metas: list[dict]) -> None:
    """Put the second instruction of mixed examples (`retell.draw_mixtures`) into their sequences."""
    for sequence, meta in zip(sequences, metas, strict=True):
        if "mix" in meta:
            row, sequence.weight = meta["mix"]
            sequence.other = sequences[row].instruction


def encode_prompt(meta: dict, dialogue: Dialogue, image_tokens: int = IMAGE_TOKENS) -> list[int]:
    """Ids of an example's prompt, with slots where the picture's `image_tokens` or the tokens of sliders are spliced in."""
    ids: list[int] = []
    for part in dialogue.prompt_parts(meta["task"], meta.get("instruction", ""), meta.get("voice", 0)):
        if isinstance(part, str):
            ids += [IMAGE_SLOT] * image_tokens if part == "image" else [PARAM_SLOT] * PARAM_TOKENS
        else:
            ids += part
    return ids


def encode_example(meta: dict, dialogue: Dialogue, answers: str = "fields", image_tokens: int = IMAGE_TOKENS) -> Sequence:
    """Prompt and answer as the decode rules lay them out: start tags and retouch tokens are given, not predicted.

    answers: "fields" for the answer in its many wordings, "plainFields" for the one with a single wording per claim.
    """
    ids = encode_prompt(meta, dialogue, image_tokens)
    targets, focus = [], []
    first = len(ids)
    if dialogue.latents_first:
        ids += dialogue.retouch_ids
    for section in dialogue.answer[meta["task"]]:
        if (row := focus_of(section.field)) is not None:
            focus.append((len(ids), row))
        ids.append(dialogue.token_id(section.start))
        for token in [*dialogue.encode(meta[answers][section.field]), dialogue.token_id(section.end)]:
            targets.append((len(ids) - 1, token))
            ids.append(token)
    if not dialogue.latents_first:
        first = len(ids) - 1
        ids += dialogue.retouch_ids[:2]
    focus += [(first + factor, LATENT_ROW + factor) for factor in range(3)]
    words = dialogue.encode_user_text(meta["instruction"]) if meta["task"] == "style" else []
    return Sequence(ids, targets, (first, first + 1, first + 2), focus, words)


def padded(lists: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Lists of ids -> (ids [B, S], mask float [B, S]), padded on the right."""
    width = max(1, max(map(len, lists)))
    ids, mask = torch.full((len(lists), width), PAD), torch.zeros(len(lists), width)
    for row, values in enumerate(lists):
        ids[row, : len(values)] = torch.tensor(values, dtype=torch.long)
        mask[row, : len(values)] = 1
    return ids, mask


def section_vocabulary(metas: list[dict], names: list[str], encode) -> dict[str, list[int]]:
    """Field -> token ids of its texts, in ascending order; for key elements those of every name that one may have too.

    A name is encoded as it occurs: after a space, and at the beginning of a sentence with a capital letter.
    """
    texts: dict[str, set[str]] = {}
    for meta in metas:
        for kind in ("fields", "plainFields"):
            for field_name, text in meta.get(kind, {}).items():
                texts.setdefault(field_name, set()).add(text)
    forms = {form for name in names for form in (f" {name}", f"{name[0].upper()}{name[1:]}", f"A {name}, an {name},")}
    texts.setdefault("elements", set()).update(forms)
    return {name: sorted({token for text in own for token in encode(text)}) for name, own in texts.items()}


@dataclass(frozen=True)
class Part:
    """How many examples of a shard are read; `cut` where it holds more."""

    name: str
    task: str
    count: int
    cut: bool


def first_share(entries: list[Entry], share: float) -> list[Part]:
    """Of the shards of every task the first that hold `share` (0 to 1] of its examples. Raises SynthError for another share."""
    if not 0 < share <= 1:
        raise SynthError(f"The share of the examples is {share}; it lies above 0 and at most at 1. Nothing was read.")
    left = {task: ceil(share * sum(e.count for e in entries if e.task == task)) for task in {e.task for e in entries}}
    parts = []
    for entry in entries:
        count = min(entry.count, left[entry.task])
        left[entry.task] -= count
        if count:
            parts.append(Part(entry.name, entry.task, count, count < entry.count))
    return parts


def split_of(config: dict, work: Path, split: str, tasks: tuple[str, ...] = TASKS) -> Shards:
    """The examples of a stage's configuration: `shards`, and of the training split its `share` (all without one)."""
    return Shards(work / "shards" / config["shards"] / split, tasks, config.get("share", 1.0) if split == "train" else 1.0)


class Shards:
    """All examples of one split in memory: those of the whole shards in `folder` (`synth.store`), tasks in order of name; with
    a `share` below 1 the first so many of each task."""

    def __init__(self, folder: Path, tasks: tuple[str, ...] = TASKS, share: float = 1.0):
        index = Index.read(folder)
        entries = first_share(sorted((e for e in index.entries.values() if e.task in tasks), key=lambda e: e.name), share)
        if not entries:
            raise SynthError(f"There are no examples of {', '.join(tasks)} in {folder}. Make them with `python -m veraretouch.synth.run`.")
        count = sum(e.count for e in entries)
        pictures = sum(e.count for e in entries if e.task != "param")
        self.metas: list[dict] = []
        self.image_row: list[int] = []
        self.arrays: dict[str, torch.Tensor] = {}
        row = image = 0
        for entry in entries:
            held = row
            for sample in read_shard(folder / entry.name):
                if row == held + entry.count:
                    row += not entry.cut
                    break
                for name, array in sample.arrays.items():
                    of_picture = name in ("picture", "features", "figures")
                    if name not in self.arrays:
                        # Filled in place: with lists to be joined, twice the memory would be needed.
                        rows = pictures if of_picture else count
                        self.arrays[name] = torch.empty((rows, *array.shape), dtype=torch.from_numpy(array.copy()).dtype)
                    self.arrays[name][image if of_picture else row].copy_(torch.from_numpy(array.copy()))
                self.metas.append(sample.meta)
                self.image_row.append(image if "picture" in sample.arrays else -1)
                image += "picture" in sample.arrays
                row += 1
            if row != held + entry.count:
                raise SynthError(
                    f"{folder / entry.name} does not hold the {entry.count} examples that the index names. Nothing was changed. "
                    "Delete it and run synth.run again."
                )

    def __len__(self) -> int:
        return len(self.metas)

    def rows(self, task: str) -> list[int]:
        return [i for i, meta in enumerate(self.metas) if meta["task"] == task]

    def pixels(self, rows: torch.Tensor, count: int, rng: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """(before, after) [B, count, 3] in [0, 1]; a random choice of pixels when a generator is given."""
        before, after = self.arrays["before"], self.arrays["after"]
        if rng is None:
            return before[rows, :count].float() / 255, after[rows, :count].float() / 255
        which = torch.randperm(before.shape[1], generator=rng)[:count]
        return before[rows][:, which].float() / 255, after[rows][:, which].float() / 255

    def pictures(self, rows: torch.Tensor, rng: torch.Generator | None = None) -> torch.Tensor:
        """What the model sees, [B, 3, 256, 256] in [0, 1]; flipped at random when a generator is given."""
        index = torch.tensor([self.image_row[i] for i in rows.tolist()])
        x = self.arrays["picture"][index].permute(0, 3, 1, 2).float() / 255
        if rng is not None and torch.rand((), generator=rng) < 0.5:
            x = x.flip(3)
        return x

    def features(self, rows: torch.Tensor) -> torch.Tensor:
        index = torch.tensor([self.image_row[i] for i in rows.tolist()])
        return self.arrays["features"][index].float()

    def figures(self, rows: torch.Tensor) -> torch.Tensor:
        """[B, 44], see reasoning.figures; of picture tasks only."""
        return self.arrays["figures"][torch.tensor([self.image_row[i] for i in rows.tolist()])]


def batches_by_length(
    lengths: list[int], tasks: list[str], shares: dict[str, float], size: int, seed: int
) -> Iterator[list[int]]:
    """Endless batches of similar lengths in which tasks occur in the given shares, whatever their counts."""
    rng = random.Random(seed)
    pools = {task: [i for i, t in enumerate(tasks) if t == task] for task in shares}
    queues: dict[str, list[int]] = {task: [] for task in shares}

    def take(task: str) -> int:
        if not queues[task]:
            queues[task] = rng.sample(pools[task], len(pools[task]))
        return queues[task].pop()

    while True:
        window = [take(rng.choices(list(shares), list(shares.values()))[0]) for _ in range(size * 16)]
        window.sort(key=lambda i: lengths[i])
        groups = [window[i : i + size] for i in range(0, len(window), size)]
        rng.shuffle(groups)
        yield from groups


@dataclass
class Batch:
    ids: torch.Tensor
    mask: torch.Tensor
    target_rows: torch.Tensor
    target_positions: torch.Tensor
    target_tokens: torch.Tensor
    states: torch.Tensor
    rows: torch.Tensor
    # Places of factor tokens: example, position, and which of the nine.
    focus: torch.Tensor
    words: torch.Tensor
    words_mask: torch.Tensor
    # The same of second styles, and the weights [B] of the first; None in a batch without mixtures.
    others: torch.Tensor | None = None
    others_mask: torch.Tensor | None = None
    weights: torch.Tensor | None = None


def collate(sequences: list[Sequence], rows: list[int], class_of: torch.Tensor) -> Batch:
    """Right-padded batch; `class_of[token]` is the token's row in the output head."""
    width = max(len(s.ids) for s in sequences)
    ids = torch.full((len(sequences), width), PAD)
    mask = torch.zeros(len(sequences), width, dtype=torch.long)
    where, positions, tokens, focus = [], [], [], []
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence.ids)] = torch.tensor(sequence.ids)
        mask[row, : len(sequence.ids)] = 1
        for position, token in sequence.targets:
            where.append(row)
            positions.append(position)
            tokens.append(token)
        focus += [(row, at, which) for at, which in sequence.focus]
    mixture = ()
    if any(s.weight < 1 for s in sequences):
        others = padded([s.other or s.instruction for s in sequences])
        mixture = (*others, torch.tensor([s.weight for s in sequences]))
    return Batch(
        ids, mask, torch.tensor(where, dtype=torch.long), torch.tensor(positions, dtype=torch.long),
        class_of[torch.tensor(tokens, dtype=torch.long)], torch.tensor([s.states for s in sequences]), torch.tensor(rows), torch.tensor(focus),
        *padded([s.instruction for s in sequences]), *mixture,
    )  # fmt: skip
