import { HostError } from '../errors';
import { RESOURCE, imageResources } from './imageResources';
import { soundMetadata } from './metadata';
import { type ReadPhoto } from './photo';
import { READABLE, UNTOUCHED, checkSize, damaged, quoted } from './photoErrors';
import { type PhotoSpace, readingOf } from './photoSpace';
import { readComposite } from './psdComposite';
import { type ByteSource } from './tiffTree';

/** Names of colour modes by number (Adobe Photoshop File Formats Specification); 3 is RGB. */
const MODES: Readonly<Record<number, string>> = {
  0: 'Bitmap',
  1: 'Grayscale',
  2: 'Indexed Color',
  4: 'CMYK',
  7: 'Multichannel',
  8: 'Duotone',
  9: 'Lab',
};
const RGB = 3;
/** A section longer than this is not held in memory: the resources of large documents are some 10 MB. */
const MAX_RESOURCES = 256 << 20;

interface PsdHeader {
  readonly channels: number;
  readonly width: number;
  readonly height: number;
  readonly depth: 8 | 16;
}

/**
 * The photo that a PSD shows: its composite, 8 or 16 bits RGB, with transparency where the document has it, in the
 * document's own colour space. Layers are passed over unread, so a PSD of any size on disk may come. Throws HostError
 * PHOTO_* for other modes, for a PSD saved without a composite, and for what is damaged.
 */
export async function readPsdPhoto(file: string, source: ByteSource, signal?: AbortSignal): Promise<ReadPhoto> {
  const header = readHeader(file, source);
  const modeAt = 26;
  const resourcesAt = modeAt + 4 + uint(file, source, modeAt, 4);
  const resourcesLength = uint(file, source, resourcesAt, 4);
  const layersAt = resourcesAt + 4 + resourcesLength;
  const pixelsAt = layersAt + 4 + uint(file, source, layersAt, 4);
  const stored = resourcesLength <= MAX_RESOURCES ? source.read(resourcesAt + 4, resourcesLength) : undefined;
  if (!stored) throw damaged(file, 'its image resources end early');
  const resources = imageResources(stored);

  // Version 4 bytes, then whether the composite is real or a white sheet.
  if (resources.get(RESOURCE.version)?.[4] === 0) {
    throw new HostError(
      'PHOTO_FORMAT',
      `${quoted(file)} was saved without a composite picture, so there is nothing to read but its layers. ${UNTOUCHED}`,
      'In Photoshop switch on Preferences > File Handling > Maximize PSD and PSB File Compatibility and save it again.',
    );
  }
  const space = spaceOf(file, resources.get(RESOURCE.iccProfile));
  const hasAlpha = header.channels > 3 && hasTransparency(source, layersAt, resources);
  const data = await readComposite(file, source, { ...header, at: pixelsAt, used: hasAlpha ? 4 : 3 }, signal);
  const { metadata, notes } = soundMetadata({
    exif: resources.get(RESOURCE.exif),
    iptc: resources.get(RESOURCE.iptc),
    xmp: resources.get(RESOURCE.xmp),
  });
  const further = header.channels - (hasAlpha ? 4 : 3);
  const { width, height } = header;
  return {
    pixels: { width, height, channels: hasAlpha ? 4 : 3, data, space },
    density: densityOf(resources.get(RESOURCE.resolution)),
    metadata,
    notes: [
      "The PSD's composite picture was read; its layers are not in the results.",
      ...(space ? [`The photo is in ${space.name}; so are the results.`] : []),
      ...(further > 0 ? [`The PSD has ${further} more channels (selections, spot colours), which were left out.`] : []),
      ...notes,
    ],
  };
}

function readHeader(file: string, source: ByteSource): PsdHeader {
  const version = uint(file, source, 4, 2);
  if (version === 2) {
    throw new HostError(
      'PHOTO_FORMAT',
      `${quoted(file)} is a large document (PSB), which is not read. ${UNTOUCHED}`,
      'Save it as PSD, or a flattened copy as 16-bit TIFF, then give that.',
    );
  }
  if (version !== 1) {
    throw new HostError(
      'PHOTO_NOT_AN_IMAGE',
      `${quoted(file)} is not a picture that can be read: PSD of the unknown version ${version}. ${UNTOUCHED}`,
      READABLE,
    );
  }
  const channels = uint(file, source, 12, 2);
  const height = uint(file, source, 14, 4);
  const width = uint(file, source, 18, 4);
  const depth = uint(file, source, 22, 2);
  const mode = uint(file, source, 24, 2);
  if (mode !== RGB) {
    throw new HostError(
      'PHOTO_FORMAT',
      `${quoted(file)} is a PSD in the mode ${MODES[mode] ?? String(mode)}; RGB is read. ${UNTOUCHED}`,
      'Convert a copy with Image > Mode > RGB Color and try again.',
    );
  }
  if (depth !== 8 && depth !== 16) {
    throw new HostError(
      'PHOTO_FORMAT',
      `${quoted(file)} is a PSD with ${depth} bits per channel; 8 and 16 are read. ${UNTOUCHED}`,
      'Convert a copy with Image > Mode > 16 Bits/Channel and try again.',
    );
  }
  if (width === 0 || height === 0 || channels < 3 || channels > 56) {
    throw damaged(file, `its header says ${width} x ${height} pixels of ${channels} channels`);
  }
  checkSize(file, { width, height });
  return { channels, width, height, depth };
}

/** Unlike other photos a PSD is not converted: no image library reads it. */
function spaceOf(file: string, icc: Uint8Array | undefined): PhotoSpace | undefined {
  const reading = readingOf({ space: 'srgb', icc: icc && Buffer.from(icc) });
  if (reading.kind === 'as-is') return reading.space;
  throw new HostError(
    'PHOTO_FORMAT',
    `${quoted(file)} has a colour profile that cannot be worked in. ${UNTOUCHED}`,
    'Convert a copy with Edit > Convert to Profile to sRGB, Display P3, Adobe RGB or ProPhoto RGB and try again.',
  );
}

/** Pixels per inch: 16.16 fixed, always by the inch; the unit beside it is only for showing. */
function densityOf(resolution: Uint8Array | undefined): number | undefined {
  if (!resolution || resolution.length < 4) return undefined;
  const density = new DataView(resolution.buffer, resolution.byteOffset).getUint32(0) / 65536;
  return density >= 1 ? density : undefined;
}

/** Tagged blocks whose presence says that the fourth channel is transparency. */
const MERGED_TRANSPARENCY = /^Mt(rn|16|32)$/;
/** Tagged blocks that hold the layers of documents with more than 8 bits. */
const DEEP_LAYERS = /^(Layr|Lr16|Lr32)$/;
/** More blocks are not looked at. */
const MAX_BLOCKS = 1000;

/**
 * Whether the fourth channel is transparency and not a saved selection: the number of layers is negative then, or a
 * block of a document with a single sheet says so. Where nothing is said and nothing else names the channel, it is.
 */
function hasTransparency(source: ByteSource, section: number, resources: ReadonlyMap<number, Uint8Array>): boolean {
  const number = (at: number, length: 2 | 4): number => {
    const bytes = source.read(at, length);
    return bytes ? bytes.reduce((value, byte) => value * 256 + byte, 0) : 0;
  };
  const end = section + 4 + number(section, 4);
  const layerInfo = number(section + 4, 4);
  const counts = layerInfo > 0 ? [number(section + 8, 2)] : [];
  const mask = section + 8 + layerInfo;
  let at = mask + 4 + number(mask, 4);
  for (let blocks = 0; blocks < MAX_BLOCKS && at + 12 <= end; blocks++) {
    const head = Buffer.from(source.read(at, 8) ?? []).toString('latin1');
    if (!/^8B(IM|64)/.test(head)) break;
    const key = head.slice(4);
    if (MERGED_TRANSPARENCY.test(key)) return true;
    if (DEEP_LAYERS.test(key)) counts.push(number(at + 12, 2));
    const length = number(at + 8, 4);
    at += 12 + length + (-length & 3);
  }
  // The sign of a 16-bit number.
  if (counts.some((count) => count >= 0x8000)) return true;
  // Four bytes for each further channel; 0 is transparency.
  const identifiers = resources.get(RESOURCE.alphaIdentifiers);
  if (identifiers && identifiers.length >= 4) return identifiers.subarray(0, 4).every((byte) => byte === 0);
  return counts.every((count) => count === 0) && !resources.has(RESOURCE.alphaNames);
}

function uint(file: string, source: ByteSource, at: number, length: 2 | 4): number {
  const bytes = source.read(at, length);
  if (!bytes) throw damaged(file, 'it ends in the middle of its header');
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
