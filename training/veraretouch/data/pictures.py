"""Reading pictures as data sets of professional retouching hold them: 8 and 16 bits, TIFF, PNG and JPEG, sRGB and wider.

Everything comes out as sRGB float32 in [0, 1]. Wide-gamut files are converted by the name in their ICC profile; what lies
outside sRGB is cut off, as an export to sRGB does.
"""

from __future__ import annotations

import io
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
import torch
from PIL import Image, ImageCms

from .files import DataError

SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
_ICC_TAG = 34675
# B. Lindbloom, "RGB/XYZ matrices": ProPhoto (D50) and XYZ (D50) to linear sRGB by Bradford; Adobe RGB (D65) and XYZ (D65) to sRGB.
_PROPHOTO = np.array([[0.7976749, 0.1351917, 0.0313534], [0.2880402, 0.7118741, 0.0000857], [0.0, 0.0, 0.8252100]])
_FROM_D50 = np.array([[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.0334540], [0.0719453, -0.2289914, 1.4052427]])
_ADOBE = np.array([[0.5767309, 0.1855540, 0.1881852], [0.2973769, 0.6273491, 0.0752741], [0.0270343, 0.0706872, 0.9911085]])
_FROM_D65 = np.array([[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]])


def _to_srgb(linear: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Linear colours of another space -> encoded sRGB (IEC 61966-2-1) in [0, 1]."""
    rgb = np.clip(linear @ matrix.T.astype(np.float32), 0, 1)
    return np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * np.maximum(rgb, 1e-9) ** (1 / 2.4) - 0.055).astype(np.float32)


def from_prophoto(rgb: np.ndarray) -> np.ndarray:
    """ProPhoto (ROMM) RGB [..., 3] in [0, 1], curve of ISO 22028-2 -> sRGB."""
    linear = np.where(rgb < 16 / 512, rgb / 16, np.maximum(rgb, 1e-9) ** 1.8).astype(np.float32)
    return _to_srgb(linear, _FROM_D50 @ _PROPHOTO)


def from_adobe_rgb(rgb: np.ndarray) -> np.ndarray:
    """Adobe RGB (1998) [..., 3] in [0, 1], gamma 563/256 -> sRGB."""
    return _to_srgb((rgb ** (563 / 256)).astype(np.float32), _FROM_D65 @ _ADOBE)


def _profiled(rgb: np.ndarray, icc: bytes | None, path: Path) -> np.ndarray:
    if not icc:
        return rgb
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))).strip()
    except (ImageCms.PyCMSError, OSError) as cause:
        raise DataError(f"{path} holds a damaged colour profile. It was left untouched; export it again in sRGB.") from cause
    known = name.lower()
    if "prophoto" in known or "romm" in known:
        return from_prophoto(rgb)
    if "adobe rgb" in known:
        return from_adobe_rgb(rgb)
    if "srgb" in known:
        return rgb
    raise DataError(f"{path} is in the colour space {name!r}; known are sRGB, Adobe RGB and ProPhoto. It was left untouched; export it in sRGB.")


def _decoded(path: Path) -> tuple[np.ndarray, bytes | None]:
    """(array [H, W] or [H, W, C] as stored, ICC profile)."""
    if path.suffix.lower() in (".tif", ".tiff"):
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            array = page.asarray()
            planar = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and array.ndim == 3
            icc = page.tags.get(_ICC_TAG)
            return (np.moveaxis(array, 0, -1) if planar else array), (icc.value if icc else None)
    with Image.open(path) as image:
        icc = image.info.get("icc_profile")
        if image.format == "PNG" and image.mode not in ("P", "1"):
            return imagecodecs.png_decode(path.read_bytes()), icc  # Pillow would keep the upper 8 of 16 bits
        return np.array(image.convert("RGB")), icc


def read_picture(path: Path) -> np.ndarray:
    """Picture file -> sRGB float32 [H, W, 3] in [0, 1]. Alpha is dropped, grey repeated. Raises DataError by name."""
    try:
        array, icc = _decoded(path)
    except DataError:
        raise
    except Exception as cause:  # every decoder has errors of its own
        raise DataError(f"{path} cannot be read as a picture ({cause}). It was left untouched; restore or remove it.") from cause
    if array.dtype not in (np.uint8, np.uint16) or array.ndim not in (2, 3) or min(array.shape[:2]) < 2:
        raise DataError(f"{path} holds {array.dtype} values of shape {array.shape}, not a picture of 8 or 16 bits. It was left untouched; export it again.")
    if array.ndim == 2 or array.shape[2] < 3:
        array = np.repeat(array.reshape(*array.shape[:2], -1)[:, :, :1], 3, axis=2)
    rgb = array[:, :, :3].astype(np.float32) / np.iinfo(array.dtype).max
    return _profiled(rgb, icc, path)


def resized(rgb: np.ndarray, height: int, width: int) -> np.ndarray:
    """Float [H, W, 3] -> [height, width, 3], bilinear with antialiasing; the same array when the size is right."""
    if rgb.shape[:2] == (height, width):
        return rgb
    planes = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None]
    out = torch.nn.functional.interpolate(planes, (height, width), mode="bilinear", antialias=True, align_corners=False)
    return out[0].permute(1, 2, 0).clamp(0, 1).numpy()
