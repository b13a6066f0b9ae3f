"""Makes test/fixtures/lut: a harsh LUT and what OpenColorIO's tetrahedral interpolation makes of some pixels with it.

Run once, by hand; the tests read the files. Usage: pip install opencolorio==2.6.0 numpy
                                                     python test/oracle/lut_golden.py test/fixtures/lut
"""

import json
import os
import sys

import numpy as np
import PyOpenColorIO as ocio

SIZE = 6
DEPTHS = {
    "uint8": (np.uint8, 255, ocio.BIT_DEPTH_UINT8),
    "uint16": (np.uint16, 65535, ocio.BIT_DEPTH_UINT16),
    "float32": (np.float32, 1, ocio.BIT_DEPTH_F32),
}


def write_cube(path, random):
    """Random colours: no neighbour resembles another, so that a wrong vertex or weight shows."""
    lines = [f"LUT_3D_SIZE {SIZE}"]
    lines += [" ".join(f"{value:.6f}" for value in row) for row in random.random((SIZE**3, 3))]
    with open(path, "w", encoding="ascii", newline="\n") as out:
        out.write("\n".join(lines) + "\n")


def colours(random):
    """In [0,1]: the corners, greys, edges of equal fractions, each order of the fractions, and random ones."""
    corners = [[r, g, b] for b in (0, 1) for g in (0, 1) for r in (0, 1)]
    greys = [[v, v, v] for v in np.linspace(0, 1, 24)]
    orders = [[0.53, 0.47, 0.44], [0.53, 0.44, 0.47], [0.47, 0.53, 0.44]]
    orders += [[0.44, 0.53, 0.47], [0.47, 0.44, 0.53], [0.44, 0.47, 0.53]]
    equal = [[0.5, 0.5, 0.1], [0.5, 0.1, 0.5], [0.1, 0.5, 0.5], [0.9, 0.3, 0.3], [0.3, 0.9, 0.3], [0.3, 0.3, 0.9]]
    return np.concatenate([corners, greys, orders, equal, random.random((84, 3))])


def main(folder):
    random = np.random.default_rng(20)
    cube = os.path.join(folder, "golden.cube")
    write_cube(cube, random)
    transform = ocio.FileTransform(os.path.abspath(cube), interpolation=ocio.INTERP_TETRAHEDRAL)
    processor = ocio.Config.CreateRaw().getProcessor(transform)
    golden = {"made": f"OpenColorIO {ocio.__version__}, test/oracle/lut_golden.py"}
    points = colours(random)
    for name, (kind, top, depth) in DEPTHS.items():
        pixels = np.ascontiguousarray((points * top if top == 1 else np.round(points * top)).astype(kind))
        out = np.empty_like(pixels)
        cpu = processor.getOptimizedCPUProcessor(depth, depth, ocio.OPTIMIZATION_NONE)
        source, target = (
            ocio.PackedImageDesc(array, len(points), 1, ocio.CHANNEL_ORDERING_RGB, depth, array.itemsize,
                                 3 * array.itemsize, array.nbytes)
            for array in (pixels, out)
        )
        cpu.apply(source, target)
        golden[name] = {"pixels": pixels.ravel().tolist(), "retouched": out.ravel().tolist()}
    with open(os.path.join(folder, "golden.json"), "w", encoding="ascii", newline="\n") as out:
        json.dump(golden, out)
        out.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
