"""What readers that share no code with the writer find in the metadata of one photo's results.

Usage: check_metadata.py NAME.psd NAME.png
Prints one JSON object: for each file EXIF by Pillow (directories as {tag: text}) and XMP by Python's own XML parser
(properties as [namespace, name, text]); of the PSD also the IPTC records and the XMP of the group.
"""

import json
import sys
import xml.etree.ElementTree as ElementTree

from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import Resource, Tag

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def exif_of(block):
    if block is None:
        return None
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + block)
    plain = lambda directory: {str(tag): str(value) for tag, value in directory.items()}
    return {
        "main": plain(exif),
        "exif": plain(exif.get_ifd(0x8769)),
        "gps": plain(exif.get_ifd(0x8825)),
        "thumbnail": plain(exif.get_ifd(1)),
    }


def properties_of(packet):
    root = ElementTree.fromstring(packet)
    rdf = root if root.tag == f"{RDF}RDF" else root.find(f"{RDF}RDF")
    split = lambda name: name[1:].split("}") if name[0] == "{" else ["", name]
    found = []
    for description in rdf.findall(f"{RDF}Description"):
        found += [[*split(name), value] for name, value in description.attrib.items() if name != f"{RDF}about"]
        found += [[*split(element.tag), "".join(element.itertext()).strip()] for element in description]
    return found


def main(psd_file, png_file):
    psd = PSDImage.open(psd_file)
    resource = lambda key: bytes(psd.image_resources[key].data) if key in psd.image_resources else None
    group = next(layer for layer in psd if layer.kind == "group")
    settings = group.tagged_blocks.get_data(Tag.METADATA_SETTING)
    setting = next(item for item in settings if item.key == b"cust")
    iptc = resource(Resource.IPTC_NAA)
    png = Image.open(png_file)
    png.load()
    exif = png.info.get("exif")
    report = {
        "group": {
            "name": group.name,
            "copied": setting.copy_on_sheet,
            "xmp": properties_of(setting.data[b"layerXMP"].value.rstrip("\0")),
        },
        "psd": {
            "exif": exif_of(resource(Resource.EXIF_DATA_1)),
            "xmp": properties_of(resource(Resource.XMP_METADATA)),
            "iptc": iptc and iptc.hex(),
        },
        "png": {
            "exif": exif_of(exif[6:] if exif and exif.startswith(b"Exif") else exif),
            "xmp": properties_of(png.info["XML:com.adobe.xmp"]),
        },
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
