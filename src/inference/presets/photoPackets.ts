import { MAX_PRESET_BYTES } from './values';

/*
 * Where photos keep XMP: DNG and TIFF in tag 700 of their first directory (Adobe, XMP Specification Part 3, 2016, 1.1.7;
 * TIFF 6.0; BigTIFF), JPEG in APP1 segments (ibid., 1.1.3). Lightroom for phones shares its presets as DNG photos.
 */

/** A photo by its bytes, with the XMP in it: none, one packet, or in JPEGs the main one and what did not fit into it. */
export interface PhotoPackets {
  readonly kind: string;
  readonly packets: readonly Uint8Array[];
}

const XMP_TAG = 700;
const ASCII = new TextDecoder('latin1');
const MAIN = 'http://ns.adobe.com/xap/1.0/\0';
const EXTENSION = 'http://ns.adobe.com/xmp/extension/\0';
const GUID_LENGTH = 32;
/** The extension's GUID, its whole length and the place of this part in it. */
const EXTENSION_HEAD = EXTENSION.length + GUID_LENGTH + 8;

/** The XMP of a JPEG, TIFF or DNG; undefined for other bytes. Looks at no more than tables that lie inside the bytes. */
export function photoPackets(bytes: Uint8Array): PhotoPackets | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 3 && bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) {
    return { kind: 'JPEG', packets: packetsOfJpeg(bytes, view) };
  }
  if (bytes.length < 8) return undefined;
  const order = view.getUint16(0);
  const isLittle = order === 0x4949;
  const version = view.getUint16(2, isLittle);
  if ((!isLittle && order !== 0x4d4d) || (version !== 42 && version !== 43)) return undefined;
  const packet = packetOfTiff(bytes, view, isLittle, version === 43);
  return { kind: 'TIFF or DNG', packets: packet ? [packet] : [] };
}

function packetOfTiff(bytes: Uint8Array, view: DataView, isLittle: boolean, isBig: boolean): Uint8Array | undefined {
  /** An offset or a count: of 4 bytes, in BigTIFF of 8. Infinity where the file ends before it. */
  const wide = (at: number): number => {
    if (at + (isBig ? 8 : 4) > bytes.length) return Infinity;
    return isBig ? Number(view.getBigUint64(at, isLittle)) : view.getUint32(at, isLittle);
  };
  const directory = wide(isBig ? 8 : 4);
  const [head, size] = isBig ? [8, 20] : [2, 12];
  if (directory + head > bytes.length) return undefined;
  const count = isBig ? wide(directory) : view.getUint16(directory, isLittle);
  for (let i = 0; i < count; i++) {
    const entry = directory + head + i * size;
    if (entry + size > bytes.length) return undefined;
    if (view.getUint16(entry, isLittle) !== XMP_TAG) continue;
    const length = wide(entry + 4);
    const from = wide(entry + (isBig ? 12 : 8));
    return from + length <= bytes.length ? bytes.subarray(from, from + length) : undefined;
  }
  return undefined;
}

function packetsOfJpeg(bytes: Uint8Array, view: DataView): Uint8Array[] {
  let main: Uint8Array | undefined;
  const parts: Uint8Array[] = [];
  for (const segment of appSegments(bytes, view)) {
    if (!main && startsWith(segment, MAIN)) main = segment.subarray(MAIN.length);
    if (startsWith(segment, EXTENSION) && segment.length > EXTENSION_HEAD) parts.push(segment);
  }
  if (!main) return [];
  const guid = /HasExtendedXMP\s*(?:=\s*["']|>\s*)([0-9A-F]{32})/i.exec(ASCII.decode(main))?.[1];
  const extension = guid === undefined ? undefined : joined(parts, guid);
  return extension ? [main, extension] : [main];
}

/** The contents of the APP1 segments before the picture data. */
function* appSegments(bytes: Uint8Array, view: DataView): Generator<Uint8Array> {
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      // Fill bytes may stand before a marker.
      at++;
      continue;
    }
    if (marker === 0xda || marker === 0xd9) return;
    const length = view.getUint16(at + 2);
    if (length < 2 || at + 2 + length > bytes.length) return;
    if (marker === 0xe1) yield bytes.subarray(at + 4, at + 2 + length);
    at += 2 + length;
  }
}

/** The parts of an extension in their places; undefined unless they follow each other without a gap to its whole length. */
function joined(parts: readonly Uint8Array[], guid: string): Uint8Array | undefined {
  const own = parts
    .filter((part) => ASCII.decode(part.subarray(EXTENSION.length, EXTENSION.length + GUID_LENGTH)) === guid)
    .map((part) => {
      const view = new DataView(part.buffer, part.byteOffset + EXTENSION.length + GUID_LENGTH, 8);
      return { length: view.getUint32(0), at: view.getUint32(4), data: part.subarray(EXTENSION_HEAD) };
    })
    .sort((a, b) => a.at - b.at);
  const length = own[0]?.length ?? 0;
  if (length === 0 || length > MAX_PRESET_BYTES) return undefined;
  const whole = new Uint8Array(length);
  let end = 0;
  for (const { at, data } of own) {
    if (at !== end || at + data.length > length) return undefined;
    whole.set(data, at);
    end += data.length;
  }
  return end === length ? whole : undefined;
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  if (bytes.length < text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text.charCodeAt(i)) return false;
  return true;
}
