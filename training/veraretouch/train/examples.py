"""Shards as training batches: token sequences with the positions of loss and of the control latents."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ..export.dialogue import LATENT_ROW, Dialogue, focus_of
from ..models.vlm import IMAGE_SLOT, IMAGE_TOKENS, PARAM_SLOT, PARAM_TOKENS

PAD = 0


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


def encode_prompt(meta: dict, dialogue: Dialogue) -> list[int]:
    """Ids of an example's prompt, with slots where tokens of the picture or of sliders are spliced in."""
    ids: list[int] = []
    for part in dialogue.prompt_parts(meta["task"], meta.get("instruction", "")):
        if isinstance(part, str):
            ids += [IMAGE_SLOT] * IMAGE_TOKENS if part == "image" else [PARAM_SLOT] * PARAM_TOKENS
        else:
            ids += part
    return ids


def encode_example(meta: dict, dialogue: Dialogue, answers: str = "fields") -> Sequence:
    """Prompt and answer as the decode rules lay them out: start tags and retouch tokens are given, not predicted.

    answers: "fields" for the answer in its many wordings, "plainFields" for the one with a single wording per claim.
    """
    ids = encode_prompt(meta, dialogue)
    targets, focus = [], []
    for section in dialogue.answer[meta["task"]]:
        if (row := focus_of(section.field)) is not None:
            focus.append((len(ids), row))
        ids.append(dialogue.token_id(section.start))
        for token in [*dialogue.encode(meta[answers][section.field]), dialogue.token_id(section.end)]:
            targets.append((len(ids) - 1, token))
            ids.append(token)
    end = len(ids) - 1
    ids += dialogue.retouch_ids[:2]
    focus += [(end + factor, LATENT_ROW + factor) for factor in range(3)]
    words = dialogue.encode_user_text(meta["instruction"]) if meta["task"] == "style" else []
    return Sequence(ids, targets, (end, end + 1, end + 2), focus, words)


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


class Shards:
    """All examples of one split in memory."""

    def __init__(self, folder: Path, tasks: tuple[str, ...] = ("auto", "style", "param")):
        self.metas: list[dict] = []
        parts: dict[str, list[np.ndarray]] = {"before": [], "after": [], "params": [], "tone": [], "features": [], "figures": []}
        self.image_row: list[int] = []
        images = 0
        for path in sorted(folder.glob("*.json")):
            if path.name.split("-")[0] not in tasks:
                continue
            metas = json.loads(path.read_text())
            with np.load(path.with_suffix(".npz")) as arrays:
                for name in arrays.files:
                    parts[name].append(arrays[name])
                pictures = "tone" in arrays.files
            self.metas += metas
            self.image_row += list(range(images, images + len(metas))) if pictures else [-1] * len(metas)
            images += len(metas) if pictures else 0
        if not self.metas:
            raise FileNotFoundError(f"no examples in {folder}; make them with veraretouch.data.shards")
        self.arrays = {name: torch.from_numpy(np.concatenate(values)) for name, values in parts.items() if values}

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

    def tone(self, rows: torch.Tensor, rng: torch.Generator | None = None) -> torch.Tensor:
        """[B, 3, 112, 112] in [0, 1]; flipped and turned at random when a generator is given."""
        index = torch.tensor([self.image_row[i] for i in rows.tolist()])
        x = self.arrays["tone"][index].permute(0, 3, 1, 2).float() / 255
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
        ids, mask, torch.tensor(where), torch.tensor(positions), class_of[torch.tensor(tokens)],
        torch.tensor([s.states for s in sequences]), torch.tensor(rows), torch.tensor(focus),
        *padded([s.instruction for s in sequences]), *mixture,
    )  # fmt: skip
