"""Writes test/inference/pil_resize_golden.json: what Pillow's resampling gives, to compare ours with bit by bit.

    python test/oracle/pil_resize_golden.py > test/inference/pil_resize_golden.json

Needs Pillow 13 or later, which resizes down the columns first where that is much less work. The picture is made by a formula that the test repeats, so only digests are kept; the two smallest
results are kept as bytes, to see what differs when something does.
"""

import hashlib
import json

import PIL
from PIL import Image

FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
RESIZES = [
    (7, 5, 3, 4), (5, 7, 11, 9), (1, 1, 4, 3), (1, 9, 5, 2), (9, 1, 2, 7), (64, 48, 64, 48), (64, 48, 64, 17),
    (64, 48, 31, 48), (333, 217, 97, 64), (61, 43, 257, 199), (601, 401, 1, 1), (2, 1500, 13, 40), (1500, 2, 40, 13),
    (512, 341, 256, 256), (127, 251, 128, 250), (30, 47, 25, 36), (30, 47, 25, 37), (400, 700, 512, 512),
]
LETTERBOXES = [
    (90, 61, 24, 48), (61, 90, 24, 48), (37, 37, 24, 48), (3, 250, 8, 40), (250, 3, 8, 40), (1, 1, 8, 16),
    (512, 341, 512, 1024), (683, 1024, 512, 1024), (501, 500, 512, 1024), (13, 17, 512, 1024), (400, 1200, 128, 256),
    (1200, 400, 128, 256),
]


def picture(width, height):
    """Noise between plateaus of 0 and 255, where overshoot is cut off."""
    state = width * 65537 + height
    data = bytearray()
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) % 2**32
        value = state >> 23
        data.append(min(255, max(0, value - 128)))
    return Image.frombytes("RGB", (width, height), bytes(data))


def letterbox(image, short_edge, size):
    w, h = image.size
    scale = short_edge / min(w, h)
    new = (short_edge, int(h * scale)) if w <= h else (int(w * scale), short_edge)
    image = image.resize(new, Image.Resampling.LANCZOS)
    edge = max(new)
    square = Image.new("RGB", (edge, edge))
    square.paste(image, ((edge - new[0]) // 2, (edge - new[1]) // 2))
    return square.resize((size, size), Image.Resampling.BICUBIC)


def entry(case, image):
    data = image.tobytes()
    kept = {"bytes": list(data)} if len(data) <= 48 else {}
    return {**case, "sha256": hashlib.sha256(data).hexdigest(), **kept}


def main():
    cases = []
    for width, height, to_width, to_height in RESIZES:
        source = picture(width, height)
        for name, pil_filter in FILTERS.items():
            case = {"from": [width, height], "to": [to_width, to_height], "filter": name}
            cases.append(entry(case, source.resize((to_width, to_height), pil_filter)))
    boxes = [
        entry({"from": [w, h], "shortEdge": short, "size": size}, letterbox(picture(w, h), short, size))
        for w, h, short, size in LETTERBOXES
    ]
    lines = ",\n".join(json.dumps(case) for case in cases)
    box_lines = ",\n".join(json.dumps(case) for case in boxes)
    print(f'{{"made": "Pillow {PIL.__version__}, test/oracle/pil_resize_golden.py",')
    print(f'"resizes": [\n{lines}\n],\n"letterboxes": [\n{box_lines}\n]}}')


main()
