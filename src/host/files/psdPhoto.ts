import { HostError } from '../errors';
import { RESOURCE, imageResources } from './imageResources';
import { soundMetadata } from './metadata';
import { type ReadPhoto } from './photo';
import { READABLE, UNTOUCHED, checkSize, damaged, quoted } from './photoErrors';
import { type PsdMode, psdColors, psdMode } from './formats/psdColors';
import { readComposite } from './psdComposite';
import { type ByteSource } from './tiffTree';

/** A section longer than this is not held in memory: the resources of large documents are some 10 MB. */
const MAX_RESOURCES = 256 << 20;

interface PsdHeader {
  /** A large document (PSB): lengths of eight bytes where a PSD has four. */
  readonly large: boolean;
  readonly mode: PsdMode;
  readonly channels: number;
  readonly width: number;
  readonly height: number;
  readonly depth: 8 | 16;
}

/**
 * The photo that a PSD or PSB shows: its composite, 8 or 16 bits, with transparency where the document has it. RGB
 * stays in the document's own color space; CMYK becomes sRGB by the document's profile, grayscale by its curve, indexed
 * color by its table. Layers are passed over unread, so a document of any size on disk may come. Throws HostError PHOTO_*
 * for other modes, for one saved without a composite, and for what is damaged.
 */
export async function readPsdPhoto(file: string, source: ByteSource, signal?: AbortSignal): Promise<ReadPhoto> {
  const header = readHeader(file, source);
  const modeAt = 26;
  const modeLength = uint(file, source, modeAt, 4);
  const resourcesAt = modeAt + 4 + modeLength;
  const resourcesLength = uint(file, source, resourcesAt, 4);
  const layersAt = resourcesAt + 4 + resourcesLength;
  const lengthBytes = header.large ? 8 : 4;
  const pixelsAt = layersAt + lengthBytes + uint(file, source, layersAt, lengthBytes);
  const stored = resourcesLength <= MAX_RESOURCES ? source.read(resourcesAt + 4, resourcesLength) : undefined;
  if (!stored) throw damaged(file, 'its image resources end early');
  const resources = imageResources(stored);
  checkComposite(file, resources);
  const { mode, channels } = header;
  const alpha = channels > mode.colors && hasTransparency(source, layersAt, header.large, resources);
  const used = mode.colors + (alpha ? 1 : 0);
  const samples = await readComposite(file, source, { ...header, at: pixelsAt, used, alpha }, signal);
  const palette = mode.name === 'Indexed Color' ? source.read(modeAt + 4, Math.min(modeLength, 768)) : undefined;
  const { width, height } = header;
  const picture = { width, height, channels: used, data: samples, alpha };
  const colors = { icc: resources.get(RESOURCE.iccProfile), palette, seeThrough: seeThroughOf(resources) };
  const { pixels, notes: ofColors } = await psdColors(file, mode, picture, colors, signal);
  const { metadata, notes } = soundMetadata({
    exif: resources.get(RESOURCE.exif),
    iptc: resources.get(RESOURCE.iptc),
    xmp: resources.get(RESOURCE.xmp),
  });
  const further = channels - used;
  return {
    pixels,
    density: densityOf(resources.get(RESOURCE.resolution)),
    metadata,
    notes: [
      `The ${header.large ? 'PSB' : 'PSD'}'s composite picture was read; its layers are not in the results.`,
      ...ofColors,
      ...(further > 0 ? [`The PSD has ${further} more channels (selections, spot colours), which were left out.`] : []),
      ...notes,
    ],
  };
}

/** Version 4 bytes, then whether the composite is real or a white sheet. */
function checkComposite(file: string, resources: ReadonlyMap<number, Uint8Array>): void {
  if (resources.get(RESOURCE.version)?.[4] !== 0) return;
  throw new HostError(
    'PHOTO_FORMAT',
    `${quoted(file)} was saved without a composite picture, so there is nothing to read but its layers. ${UNTOUCHED}`,
    'In Photoshop switch on Preferences > File Handling > Maximize PSD and PSB File Compatibility and save it again.',
  );
}

function readHeader(file: string, source: ByteSource): PsdHeader {
  const version = uint(file, source, 4, 2);
  if (version !== 1 && version !== 2) {
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
  const mode = psdMode(file, uint(file, source, 24, 2));
  if ((depth !== 8 && depth !== 16) || (mode.name === 'Indexed Color' && depth === 16)) {
    throw new HostError(
      'PHOTO_FORMAT',
      `${quoted(file)} is a PSD with ${depth} bits per channel; 8 and 16 are read. ${UNTOUCHED}`,
      'Convert a copy with Image > Mode > 16 Bits/Channel and try again.',
    );
  }
  if (width === 0 || height === 0 || channels < mode.colors || channels > 56) {
    throw damaged(file, `its header says ${width} x ${height} pixels of ${channels} channels`);
  }
  checkSize(file, { width, height });
  return { large: version === 2, mode, channels, width, height, depth };
}

/** The color of an indexed picture that is transparent: its number in the table. */
function seeThroughOf(resources: ReadonlyMap<number, Uint8Array>): number | undefined {
  const stored = resources.get(RESOURCE.transparencyIndex);
  return stored && stored.length >= 2 ? stored[0] * 256 + stored[1] : undefined;
}

/** Pixels per inch: 16.16 fixed, always by the inch; the unit beside it is only for showing. */
function densityOf(resolution: Uint8Array | undefined): number | undefined {
  if (!resolution || resolution.length < 4) return undefined;
  const density = new DataView(resolution.buffer, resolution.byteOffset).getUint32(0) / 65536;
  return density >= 1 ? density : undefined;
}

/** Tagged blocks whose presence says that the first channel behind the colors is transparency. */
const MERGED_TRANSPARENCY = /^Mt(rn|16|32)$/;
/** Tagged blocks that hold the layers of documents with more than 8 bits. */
const DEEP_LAYERS = /^(Layr|Lr16|Lr32)$/;
/** Tagged blocks whose length has eight bytes in a large document. */
const LONG_BLOCKS = /^(LMsk|Lr16|Lr32|Layr|Mt16|Mt32|Mtrn|Alph|FMsk|lnk2|FEid|FXid|PxSD)$/;
/** More blocks are not looked at. */
const MAX_BLOCKS = 1000;

/**
 * Whether the first channel behind the colors is transparency and not a saved selection: the number of layers is
 * negative then, or a block of a document with a single sheet says so. Where nothing is said and nothing else names the
 * channel, it is.
 */
function hasTransparency(
  source: ByteSource,
  section: number,
  large: boolean,
  resources: ReadonlyMap<number, Uint8Array>,
): boolean {
  const size = large ? 8 : 4;
  const number = (at: number, length: number): number => {
    const bytes = source.read(at, length);
    return bytes ? bytes.reduce((value, byte) => value * 256 + byte, 0) : 0;
  };
  const end = section + size + number(section, size);
  const layerInfo = number(section + size, size);
  const counts = layerInfo > 0 ? [number(section + 2 * size, 2)] : [];
  const mask = section + 2 * size + layerInfo;
  let at = mask + 4 + number(mask, 4);
  for (let blocks = 0; blocks < MAX_BLOCKS && at + 12 <= end; blocks++) {
    const head = Buffer.from(source.read(at, 8) ?? []).toString('latin1');
    if (!/^8B(IM|64)/.test(head)) break;
    const key = head.slice(4);
    if (MERGED_TRANSPARENCY.test(key)) return true;
    const lengthBytes = large && (head.startsWith('8B64') || LONG_BLOCKS.test(key)) ? 8 : 4;
    if (DEEP_LAYERS.test(key)) counts.push(number(at + 8 + lengthBytes, 2));
    const length = number(at + 8, lengthBytes);
    at += 8 + lengthBytes + length + ((4 - (length % 4)) % 4);
  }
  // The sign of a 16-bit number.
  if (counts.some((count) => count >= 0x8000)) return true;
  // Four bytes for each further channel; 0 is transparency.
  const identifiers = resources.get(RESOURCE.alphaIdentifiers);
  if (identifiers && identifiers.length >= 4) return identifiers.subarray(0, 4).every((byte) => byte === 0);
  return counts.every((count) => count === 0) && !resources.has(RESOURCE.alphaNames);
}

function uint(file: string, source: ByteSource, at: number, length: 2 | 4 | 8): number {
  const bytes = source.read(at, length);
  if (!bytes) throw damaged(file, 'it ends in the middle of its header');
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
