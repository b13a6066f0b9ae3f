"""Looks at the results for one photo with readers that share no code with the writer: psd-tools, Pillow, LittleCMS.

Usage: check_psd.py ORIGINAL.png NAME.psd NAME.png NAME.cube
Prints one JSON object; a difference is the largest one over all pixels and channels, in 8-bit levels.
"""

import ctypes
import ctypes.util
import glob
import json
import os
import sys

import numpy as np
import PIL
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import Resource, Tag


def over_white(image):
    """RGB over white, as floats: what is seen; colours of fully transparent pixels mean nothing."""
    pixels = np.asarray(image.convert("RGBA")).astype(np.float64)
    alpha = pixels[..., 3:] / 255
    return pixels[..., :3] * alpha + 255 * (1 - alpha)


def difference(a, b):
    return float(np.abs(over_white(a) - over_white(b)).max())


def shown_with(psd, shown):
    """The layers composited with only the pixel layers named in `shown` visible; not the stored merged picture."""
    for layer in psd.descendants():
        if layer.kind != "group":
            layer.visible = layer.name in shown
    return psd.composite(force=True)


def read_cube(path):
    rows = []
    with open(path, encoding="ascii") as lines:
        for line in lines:
            if line.startswith("LUT_3D_SIZE"):
                size = int(line.split()[1])
            if line[0] in "-0123456789":
                rows.append([float(value) for value in line.split()])
    return np.array(rows).reshape(size, size, size, 3)  # [blue, green, red]


def little_cms():
    """The LittleCMS that Pillow brings, or the system's."""
    folder = os.path.dirname(PIL.__file__)
    bundled = glob.glob(os.path.join(folder, "..", "pillow.libs", "liblcms2*"))
    bundled += glob.glob(os.path.join(folder, ".dylibs", "liblcms2*"))
    name = bundled[0] if bundled else ctypes.util.find_library("lcms2")
    if name is None:
        sys.exit("LittleCMS was not found: install Pillow from a wheel, or the system package of lcms2.")
    library = ctypes.CDLL(name)
    library.cmsOpenProfileFromMem.restype = ctypes.c_void_p
    library.cmsCreateTransform.restype = ctypes.c_void_p
    library.cmsCreateTransform.argtypes = [ctypes.c_void_p, ctypes.c_uint32] * 2 + [ctypes.c_uint32] * 2
    library.cmsDoTransform.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32]
    return library


def link_difference(profile, cube):
    """Largest difference between the DeviceLink profile, applied by LittleCMS, and the .cube, at its grid points."""
    library = little_cms()
    handle = library.cmsOpenProfileFromMem(profile, len(profile))
    rgb16 = (4 << 16) | (3 << 3) | 2  # TYPE_RGB_16 of lcms2.h
    # Without its optimisations, one of which bends every table so that white stays white.
    flags = 0x0100 | 0x0004  # cmsFLAGS_NOOPTIMIZE, cmsFLAGS_NOWHITEONWHITEFIXUP
    transform = handle and library.cmsCreateTransform(handle, rgb16, None, rgb16, 0, flags)
    if not transform:
        return None
    size = len(cube)
    axis = np.round(np.arange(size) / (size - 1) * 65535)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    grid = np.ascontiguousarray(np.stack([red, green, blue], -1).astype(np.uint16))
    out = np.empty_like(grid)
    library.cmsDoTransform(transform, grid.ctypes.data, out.ctypes.data, size**3)
    return float(np.abs(out / 65535 - np.clip(cube, 0, 1)).max() * 255)


def main(original_file, psd_file, png_file, cube_file):
    original, png = Image.open(original_file), Image.open(png_file)
    psd = PSDImage.open(psd_file)
    layers = [(layer.kind, layer.name, layer.visible) for layer in psd.descendants()]
    lookup = next(layer for layer in psd.descendants() if layer.kind == "colorlookup")
    descriptor = lookup.tagged_blocks.get_data(Tag.COLOR_LOOKUP)
    report = {
        "layers": layers,
        "size": psd.size,
        "merged": difference(psd.topil(), png),
        "profile": psd.image_resources.get_data(Resource.ICC_PROFILE) == png.info["icc_profile"],
        "link": link_difference(bytes(descriptor[b"profile"].value), read_cube(cube_file)),
        "cube": bytes(descriptor[b"LUT3DFileData"].value) == open(cube_file, "rb").read(),
        "hidden": difference(shown_with(psd, {"Retouched pixels"}), png),
        "bottom": difference(shown_with(psd, {"Background", "Original"}), original),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
