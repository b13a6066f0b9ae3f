"""Compares what scripts/survey-files.mjs read with what other decoders see, and lists what somebody should look at.

Usage: compare_reading.py LINES.jsonl [--out LOOK.jsonl] [--limit 8]
A thumbnail of each file that was read is compared with that of psd-tools' embedded composite (Photoshop files), of Pillow with
LittleCMS (the rest) and, where they are installed, of rawpy and pillow-heif. A file is listed when the mean CIE76 difference
is above the limit, or when it was refused although another decoder reads it. A listed file is not wrong: an embedded
profile that Pillow ignores is listed too. Prints the counts; needs no network and writes nothing but --out.
"""

import argparse
import base64
import io
import json
import multiprocessing
import warnings
from collections import Counter

import numpy as np
from PIL import Image, ImageCms, ImageFile, ImageOps
from psd_tools import PSDImage

warnings.simplefilter("ignore")
Image.MAX_IMAGE_PIXELS = None
# Seconds for one file. "fork": the decoders are loaded once.
PATIENCE = 60
multiprocessing.set_start_method("fork")
SRGB = ImageCms.createProfile("sRGB")
RAWS = set("3fr arw cr2 cr3 crw dcr dng erf iiq kdc mef mos mrw nef nrw orf pef raf rw2 srf srw x3f".split())


def lab(rgb):
    """sRGB of 0 to 255 to CIELAB (D65)."""
    encoded = np.asarray(rgb, np.float64) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = linear @ matrix.T / np.array([0.9505, 1.0, 1.089])
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def to_srgb(image):
    """Pillow's picture as sRGB over the gray 128 that a proxy shows behind transparent places."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16") or image.mode == "I":
        image = Image.fromarray((np.asarray(image).astype(np.float64) / 257).clip(0, 255).astype(np.uint8))
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "LA":
        image = image.convert("RGBA")
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    if image.mode == "RGBA":
        image = image.convert("RGB")
    if profile and image.mode in ("L", "RGB", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB")
        except ImageCms.PyCMSError:
            image = image.convert("RGB")
    image = image.convert("RGB")
    if alpha is None:
        return image
    return Image.composite(image, Image.new("RGB", image.size, (128, 128, 128)), alpha)


def other_view(file):
    """The picture as another decoder sees it, upright, in sRGB."""
    with open(file, "rb") as handle:
        head = handle.read(12)
    if head[:4] == b"8BPS":
        return to_srgb(PSDImage.open(file).topil())
    if file.rsplit(".", 1)[-1].lower() in RAWS:
        import rawpy

        with rawpy.imread(file) as raw:
            return Image.fromarray(raw.postprocess(use_camera_wb=True, no_auto_bright=True))
    if head[4:8] == b"ftyp":
        import pillow_heif

        pillow_heif.register_heif_opener()
    with Image.open(file) as image:
        image.load()
        return to_srgb(ImageOps.exif_transpose(image))


def difference(thumbnail, view):
    size = (thumbnail["width"], thumbnail["height"])
    ours = np.frombuffer(base64.b64decode(thumbnail["rgbBase64"]), np.uint8).reshape(size[1], size[0], 3)
    theirs = np.asarray(view.resize(size, Image.Resampling.BOX))
    return float(np.linalg.norm(lab(ours) - lab(theirs), axis=-1).mean())


def judge(answer, limit):
    """Why somebody should look at the file; None where both agree."""
    try:
        view = other_view(answer["file"])
    except Exception as error:  # another decoder's errors are of any kind
        return None if answer["outcome"] == "refused" else f"only ours reads it ({type(error).__name__}: {error})"[:200]
    if answer["outcome"] != "read":
        return "another decoder reads it"
    apart_in_shape = view.width * answer["height"] != view.height * answer["width"]
    if apart_in_shape and abs(view.width / view.height - answer["width"] / answer["height"]) > 0.02:
        return f"size: {answer['width']}x{answer['height']}, {view.width}x{view.height} to another decoder"
    apart = difference(answer["thumbnail"], view)
    return f"mean dE76 {apart:.1f}" if apart > limit else None


def apart(answer, limit):
    """`judge` in a process of its own: other decoders crash on hostile files, and some never end."""
    queue = multiprocessing.SimpleQueue()
    child = multiprocessing.Process(target=lambda: queue.put(judge(answer, limit)))
    child.start()
    child.join(PATIENCE)
    if child.is_alive():
        child.kill()
        child.join()
    if child.exitcode == 0:
        return queue.get()
    return None if answer["outcome"] == "refused" else "another decoder crashes on it or never ends"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines")
    parser.add_argument("--out")
    parser.add_argument("--limit", type=float, default=8)
    options = parser.parse_args()
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    counts, look = Counter(), []
    with open(options.lines) as handle:
        for line in handle:
            answer = json.loads(line)
            why = apart(answer, options.limit)
            counts[f"{answer['outcome']}: {'agreed' if why is None else why.split(' (')[0].split(':')[0][:30]}"] += 1
            if why is not None:
                answer.pop("thumbnail", None)
                look.append({"why": why, **answer})
    if options.out:
        with open(options.out, "w") as handle:
            handle.writelines(f"{json.dumps(entry)}\n" for entry in look)
    print(json.dumps(counts, indent=1))


if __name__ == "__main__":
    main()
