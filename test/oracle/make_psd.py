"""Writes a PSD with psd-tools, which shares no code with the reader under test.

Usage: make_psd.py OUT.psd RECIPE.json
The recipe: mode, width, height, depth, compression (raw, rle, zip, zip_with_prediction); samples: a file with the
samples of all channels, one channel after another, 16 bits big-endian; resources: {id: file}; transparency: true to
say that the fourth channel is transparency.
"""

import json
import sys

from psd_tools import PSDImage
from psd_tools.constants import Compression, Tag
from psd_tools.psd.image_data import ImageData
from psd_tools.psd.image_resources import ImageResource
from psd_tools.psd.layer_and_mask import GlobalLayerMaskInfo, LayerAndMaskInformation, LayerInfo
from psd_tools.psd.tagged_blocks import TaggedBlock, TaggedBlocks


def main(out, recipe_file):
    recipe = json.load(open(recipe_file))
    psd = PSDImage.new(recipe["mode"], (recipe["width"], recipe["height"]), depth=recipe["depth"])
    record = psd._record
    samples = open(recipe["samples"], "rb").read()
    channels = len(samples) // (recipe["width"] * recipe["height"] * recipe["depth"] // 8)
    record.header.channels = channels
    record.image_data = ImageData(compression=Compression[recipe["compression"].upper()])
    record.image_data.set_data([samples], record.header)
    for key, file in recipe.get("resources", {}).items():
        record.image_resources[int(key)] = ImageResource(key=int(key), data=open(file, "rb").read())
    if recipe.get("transparency"):
        blocks = TaggedBlocks()
        key = Tag.SAVING_MERGED_TRANSPARENCY16 if recipe["depth"] == 16 else Tag.SAVING_MERGED_TRANSPARENCY
        blocks[key] = TaggedBlock(key=key, data=b"")
        record.layer_and_mask_information = LayerAndMaskInformation(LayerInfo(), GlobalLayerMaskInfo(), blocks)
    with open(out, "wb") as file:
        record.write(file)
    seen = PSDImage.open(out)
    print(json.dumps({"size": seen.size, "depth": seen.depth, "channels": seen.channels}))


if __name__ == "__main__":
    main(*sys.argv[1:])
