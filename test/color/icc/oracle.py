"""Colour management by LittleCMS, which shares no code with this project, for the tests in this folder.

Reads {"tasks": [...]} as JSON from standard input and prints {"available": ..., "littlecms": ..., "results": [...]}.
LittleCMS is called directly, in 64-bit floats: Pillow's own interface to it stops at 8 bits. Arrays travel as base64 of
float64, profiles as base64. Without a LittleCMS library, "available" says why and there are no results.
"""

import base64
import ctypes
import ctypes.util
import glob
import io
import json
import os
import sys

import PIL
from PIL import ImageCms

DOUBLES = 1 << 22
# Channels and LittleCMS' number of the colour space (lcms2.h: FLOAT_SH, COLORSPACE_SH, CHANNELS_SH, BYTES_SH(0)).
FORMATS = {
    name: (channels, DOUBLES | space << 16 | channels << 3)
    for name, channels, space in (("rgb", 3, 4), ("grey", 1, 3), ("lab", 3, 10), ("xyz", 3, 9))
}
RELATIVE = 1
# cmsFLAGS_NOOPTIMIZE and cmsFLAGS_NOWHITEONWHITEFIXUP: without its optimisations, one of which bends every device link
# so that white stays white.
PLAIN = 0x0100 | 0x0004


class XyY(ctypes.Structure):
    _fields_ = [("x", ctypes.c_double), ("y", ctypes.c_double), ("Y", ctypes.c_double)]


def load():
    """The LittleCMS that Pillow brings, or the system's; None where there is none."""
    folder = os.path.dirname(PIL.__file__)
    found = glob.glob(os.path.join(folder, "..", "pillow.libs", "liblcms2*"))
    found += glob.glob(os.path.join(folder, ".dylibs", "liblcms2*"))
    name = found[0] if found else ctypes.util.find_library("lcms2")
    if name is None:
        return None
    library = ctypes.CDLL(name)
    handle = ctypes.c_void_p
    doubles = ctypes.POINTER(ctypes.c_double)
    for function, result, *arguments in (
        ("cmsOpenProfileFromMem", handle, ctypes.c_char_p, ctypes.c_uint32),
        ("cmsCreate_sRGBProfile", handle),
        ("cmsCreateLab4Profile", handle, handle),
        ("cmsCreateXYZProfile", handle),
        ("cmsCreateRGBProfile", handle, ctypes.POINTER(XyY), ctypes.POINTER(XyY * 3), handle * 3),
        ("cmsCreateGrayProfile", handle, ctypes.POINTER(XyY), handle),
        ("cmsBuildParametricToneCurve", handle, handle, ctypes.c_int32, doubles),
        ("cmsSaveProfileToMem", ctypes.c_int, handle, handle, ctypes.POINTER(ctypes.c_uint32)),
        ("cmsCreateTransform", handle, handle, *[ctypes.c_uint32, handle], *[ctypes.c_uint32] * 3),
        ("cmsDoTransform", None, handle, handle, handle, ctypes.c_uint32),
    ):
        getattr(library, function).restype = result
        getattr(library, function).argtypes = arguments
    return library


def make_profile(lcms, spec):
    """One that LittleCMS makes from chromaticities and the parameters of a curve of ICC's function types 0 to 4."""
    parameters = (ctypes.c_double * 10)(*spec["curve"])
    curve = lcms.cmsBuildParametricToneCurve(None, spec["type"] + 1, parameters)
    white = XyY(*spec["white"], 1)
    if "primaries" not in spec:
        return lcms.cmsCreateGrayProfile(white, curve)
    primaries = (XyY * 3)(*[XyY(x, y, 1) for x, y in spec["primaries"]])
    return lcms.cmsCreateRGBProfile(white, primaries, (ctypes.c_void_p * 3)(curve, curve, curve))


def open_profile(lcms, spec):
    if spec == "srgb":
        return lcms.cmsCreate_sRGBProfile()
    if spec == "lab":
        return lcms.cmsCreateLab4Profile(None)
    if spec == "xyz":
        return lcms.cmsCreateXYZProfile()
    if isinstance(spec, dict):
        return make_profile(lcms, spec)
    data = base64.b64decode(spec)
    return lcms.cmsOpenProfileFromMem(data, len(data))


def transform(lcms, task):
    """Values through two profiles, or through one device link, relative colorimetric."""
    channels, source = FORMATS[task["from"]]
    out_channels, target = FORMATS[task["to"]]
    profiles = [open_profile(lcms, spec) for spec in task["profiles"]] + [None]
    if None in profiles[:-1]:
        return None
    handle = lcms.cmsCreateTransform(profiles[0], source, profiles[1], target, RELATIVE, PLAIN)
    if not handle:
        return None
    values = base64.b64decode(task["values"])
    count = len(values) // (8 * channels)
    out = ctypes.create_string_buffer(count * 8 * out_channels)
    lcms.cmsDoTransform(handle, values, out, count)
    return base64.b64encode(out.raw).decode()


def save(lcms, task):
    profile = open_profile(lcms, task["save"])
    size = ctypes.c_uint32(0)
    lcms.cmsSaveProfileToMem(profile, None, size)
    data = ctypes.create_string_buffer(size.value)
    lcms.cmsSaveProfileToMem(profile, data, size)
    return base64.b64encode(data.raw).decode()


def pillow(task):
    """The profile as Pillow reads it: its description, after a transform from it could be built."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(base64.b64decode(task["pillow"])))
    mode = {"RGB ": "RGB", "GRAY": "L"}[profile.profile.xcolor_space]
    ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    return ImageCms.getProfileDescription(profile).strip()


def run(lcms, task):
    if "pillow" in task:
        return pillow(task)
    if "pillowMakes" in task:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(task["pillowMakes"]))
        return base64.b64encode(profile.tobytes()).decode()
    return save(lcms, task) if "save" in task else transform(lcms, task)


def main():
    lcms = load()
    report = {"available": lcms is not None, "littlecms": ImageCms.core.littlecms_version}
    if lcms is not None:
        report["results"] = [run(lcms, task) for task in json.load(sys.stdin)["tasks"]]
    print(json.dumps(report))


if __name__ == "__main__":
    main()
