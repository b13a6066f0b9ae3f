"""OpenColorIO's time for a .cube on raw interleaved RGB, one thread, tetrahedral; for `npm run bench -- lut`.

Usage: lut_ocio.py CUBE RAW WIDTH HEIGHT BITS REPEAT RESULT
Writes the retouched pixels to RESULT and prints JSON: version, milliseconds of each repetition.
"""

import json
import sys
import time

import numpy as np
import PyOpenColorIO as ocio


def main(cube, raw, width, height, bits, repeat, result):
    width, height = int(width), int(height)
    kind, depth = {"8": (np.uint8, ocio.BIT_DEPTH_UINT8), "16": (np.uint16, ocio.BIT_DEPTH_UINT16)}[bits]
    pixels = np.fromfile(raw, kind)
    out = np.empty_like(pixels)
    transform = ocio.FileTransform(cube, interpolation=ocio.INTERP_TETRAHEDRAL)
    processor = ocio.Config.CreateRaw().getProcessor(transform)
    cpu = processor.getOptimizedCPUProcessor(depth, depth, ocio.OPTIMIZATION_DEFAULT)
    size = pixels.itemsize
    source, target = (
        ocio.PackedImageDesc(array, width, height, ocio.CHANNEL_ORDERING_RGB, depth, size, 3 * size, 3 * size * width)
        for array in (pixels, out)
    )
    cpu.apply(source, target)
    times = []
    for _ in range(int(repeat)):
        start = time.perf_counter()
        cpu.apply(source, target)
        times.append((time.perf_counter() - start) * 1000)
    out.tofile(result)
    print(json.dumps({"version": ocio.__version__, "ms": times}))


if __name__ == "__main__":
    main(*sys.argv[1:])
