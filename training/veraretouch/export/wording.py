"""Gives a finished bundle `wording.json`, what its answers may say of a picture that is known before the words, and a parity.json
that knows of it. Weights stay as they are.

    python -m veraretouch.export.wording --bundle models
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from veraretouch.export.bundle import BundleInfo
from veraretouch.export.bundle_files import add_file, add_wording
from veraretouch.export.errors import ExportError
from veraretouch.export.parity import parity_bytes
from veraretouch.export.restore import Restored
from veraretouch.export.runner import dialogue_of


def ground(bundle: Path) -> None:
    """Raises ExportError for a bundle that is damaged, of another make, or whose words come before the picture."""
    restored = Restored(bundle)
    models, manifest = restored.models(), restored.manifest
    info = BundleInfo(
        manifest["name"], manifest["version"], image_size=manifest["preprocess"]["image"]["size"],
        reference_size=restored.reference_size, wording=True,
    )  # fmt: skip
    parity = parity_bytes(models, dialogue_of(bundle, manifest), info)
    add_wording(bundle)
    add_file(bundle, "parity.json", parity)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, required=True)
    bundle = parser.parse_args().bundle
    try:
        ground(bundle)
    except (ExportError, OSError, ValueError, KeyError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{bundle} has the wording")
    return 0


if __name__ == "__main__":
    sys.exit(main())
