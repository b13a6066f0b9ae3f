"""Brings pixels to sRGB with LittleCMS through Pillow, which shares no code with the reader under test.

Usage: convert_pixels.py MODE WIDTH HEIGHT PIXELS PROFILE OUT
MODE: CMYK (0 = no ink) or RGB; 8 bits, interleaved. The rendering intent is perceptual, as the image library asks for.
"""

import json
import sys

from PIL import Image, ImageCms


def main(mode, width, height, pixels, profile, out):
    size = (int(width), int(height))
    image = Image.frombytes(mode, size, open(pixels, "rb").read())
    srgb = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, profile, srgb, renderingIntent=int(ImageCms.Intent.PERCEPTUAL), outputMode="RGB")
    open(out, "wb").write(converted.tobytes())
    print(json.dumps({"size": converted.size}))


if __name__ == "__main__":
    main(*sys.argv[1:])
