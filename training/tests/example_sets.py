"""Small sets of examples for tests, written as `synth.run` writes them."""

from pathlib import Path

import numpy as np

from veraretouch.synth.store import Index, Sample, key_of, pack, shard_name, write_shard


def write_examples(folder: Path, task: str, arrays: dict[str, np.ndarray], metas: list[dict]) -> None:
    """One shard of one task: arrays [N, ...], a meta each."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = [Sample(key_of(task, i), meta, {name: array[i] for name, array in arrays.items()}) for i, meta in enumerate(metas)]
    write_shard(folder / shard_name(task, 0), ((sample.key, pack(sample)) for sample in samples))
    index = Index.open(folder, {"version": 1})
    index.add(task, 0, len(metas))
    index.finish()
