import { stat, open as openFile } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { throwIfCancelled, unlessCancelled } from '../cancel';
import { type GreySpace, greyToSrgb } from '../../color/icc';
import { HostError } from '../errors';
import { endingOf, RAW_ENDINGS } from './endings';
import { readBmpPhoto } from './formats/bmpPhoto';
import { readHeicPhoto } from './formats/heicPhoto';
import { readRawPhoto } from './formats/rawPhoto';
import { type PhotoMetadata, blocksOf, soundMetadata } from './metadata';
import { READABLE, UNTOUCHED, checkSize, damaged, quoted, reason } from './photoErrors';
import { type PhotoKind, codedColours, kindOf, withSource } from './photoKind';
import { type Reading, isHighDynamicRange, readingOf, readingOfCoded } from './photoSpace';
import { type Pixels } from './pixels';
import { readPsdPhoto } from './psdPhoto';
import { type ByteSource } from './tiffTree';

export interface ReadPhoto {
  readonly pixels: Pixels;
  /** Pixels per inch as the file states it, if it does. */
  readonly density: number | undefined;
  readonly metadata: PhotoMetadata;
  readonly notes: readonly string[];
}

const FORMATS = ['jpeg', 'png', 'tiff', 'webp', 'heif', 'gif'];
// One photo after another, each once: a cache would only hold memory.
sharp.cache(false);

/** Limits the threads that decoding and encoding one picture may use. */
export function useThreads(threads: number): void {
  sharp.concurrency(threads);
}

/**
 * Reads a whole photo, 8 or 16 bits per channel. RGB with a matrix profile keeps its own numbers; grey and CMYK, and RGB
 * with any other profile, become sRGB. EXIF orientation is applied, transparency is kept. The header is checked against
 * the limits before pixels are decoded. Throws HostError PHOTO_*.
 */
export async function readPhoto(file: string, signal?: AbortSignal): Promise<ReadPhoto> {
  throwIfCancelled(signal);
  await checkFile(file);
  return withSource(file, (source) => {
    const kind = RAW_ENDINGS.has(endingOf(file)) ? 'camera-raw' : kindOf(source);
    if (kind === 'camera-raw') return readRawPhoto(file, source, signal);
    if (kind === 'heic') return readHeicPhoto(file, signal);
    if (kind === 'bmp') return readBmpPhoto(file, source, signal);
    return kind === 'psd' ? readPsdPhoto(file, source, signal) : readPicture(file, source, kind, signal);
  });
}

/** Reads what the image library knows. */
async function readPicture(
  file: string,
  source: ByteSource,
  kind: PhotoKind,
  signal?: AbortSignal,
): Promise<ReadPhoto> {
  const header = await readHeader(file, signal);
  checkHeader(file, header);
  const sixteen = header.depth === 'ushort';
  const coded = kind === 'avif' && !header.icc ? codedColours(source) : undefined;
  if (coded && isHighDynamicRange(coded)) throw highDynamicRange(file);
  const reading = coded ? readingOfCoded(coded) : readingOf(header);
  const image = openImage(file, reading.kind !== 'convert').autoOrient();
  const converted = sixteen ? to16Bits(image, header, reading) : image.toColourspace('srgb');
  const opaque = header.hasAlpha ? converted : converted.removeAlpha();
  let decoded;
  try {
    const raw = opaque.raw({ depth: sixteen ? 'ushort' : 'uchar' }).toBuffer({ resolveWithObject: true });
    decoded = await unlessCancelled(raw, signal);
  } catch (cause) {
    throwIfCancelled(signal);
    throw damaged(file, reason(cause), cause);
  }
  const { width, height, channels } = decoded.info;
  if (channels !== 3 && channels !== 4) {
    throw new HostError(
      'PHOTO_FORMAT',
      `${quoted(file)} has ${channels} channels, which is no RGB picture. ${UNTOUCHED}`,
      'Convert it to RGB and try again.',
    );
  }
  const data = sixteen ? asUint16(decoded.data) : decoded.data;
  if (data instanceof Uint16Array && header.format === 'heif') widen(data, header.bitsPerSample);
  if (reading.kind === 'grey') greyValues(data, channels, reading.space);
  const space = reading.kind === 'as-is' ? reading.space : undefined;
  const { metadata, notes } = soundMetadata(blocksOf(header, source));
  return {
    pixels: { width, height, channels, data, space },
    density: header.density,
    metadata,
    notes: [...notesOn(header, reading), ...notes],
  };
}

/**
 * 10 and 12 bits come as the upper ones of 16, whose lower ones are 0, so that white would not be white. Repeating the
 * upper bits in the lower ones spreads the values over 0..65535, exactly at both ends.
 */
function widen(data: Uint16Array, bits = 16): void {
  if (bits >= 16) return;
  for (let i = 0; i < data.length; i++) data[i] |= data[i] >> bits;
}

/** Grey by the file's own curve becomes sRGB, in place. */
function greyValues(data: Uint8Array | Uint16Array, channels: number, space: GreySpace): void {
  const top = data instanceof Uint16Array ? 65535 : 255;
  const table = greyToSrgb(space, top + 1).map((value) => Math.round(value * top));
  for (let i = 0; i < data.length; i += channels) data[i] = data[i + 1] = data[i + 2] = table[data[i]];
}

async function checkFile(file: string): Promise<void> {
  let info;
  try {
    info = await stat(file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new HostError('PHOTO_NOT_FOUND', `There is no file ${quoted(file)}.`, 'Check the path.', cause);
    }
    throw unreadable(file, cause);
  }
  if (info.isDirectory()) {
    throw new HostError(
      'PHOTO_NOT_A_FILE',
      `${quoted(file)} is a folder. ${UNTOUCHED}`,
      `Name the photos in it, for example ${quoted(path.join(file, '*.jpg'))} without the quotes.`,
    );
  }
  if (!info.isFile()) {
    throw new HostError('PHOTO_NOT_A_FILE', `${quoted(file)} is not an ordinary file. ${UNTOUCHED}`, READABLE);
  }
  if (info.size === 0) {
    throw new HostError('PHOTO_NOT_AN_IMAGE', `${quoted(file)} is empty (0 bytes). ${UNTOUCHED}`, READABLE);
  }
  try {
    await (await openFile(file, 'r')).close();
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function openImage(file: string, ignoreIcc = false): Sharp {
  // The project's own limits are checked on the header; "error" also refuses files that were cut short.
  return sharp(file, { failOn: 'error', limitInputPixels: false, sequentialRead: true, ignoreIcc });
}

async function readHeader(file: string, signal?: AbortSignal): Promise<Metadata> {
  try {
    return await unlessCancelled(openImage(file).metadata(), signal);
  } catch (cause) {
    throwIfCancelled(signal);
    throw new HostError(
      'PHOTO_NOT_AN_IMAGE',
      `${quoted(file)} is not a picture that can be read: ${reason(cause)}. ${UNTOUCHED}`,
      READABLE,
      cause,
    );
  }
}

function checkHeader(file: string, header: Metadata): void {
  if (!FORMATS.includes(header.format)) {
    throw new HostError(
      'PHOTO_FORMAT',
      `${quoted(file)} is in the format "${header.format}", which is not read. ${UNTOUCHED}`,
      `${READABLE} Convert it to one of these.`,
    );
  }
  if (header.depth !== 'uchar' && header.depth !== 'ushort') {
    throw new HostError(
      'PHOTO_FORMAT',
      `${quoted(file)} holds values of type "${header.depth}"; photos of 8 or 16 bits per channel are read. ${UNTOUCHED}`,
      'Convert it to 16 bits per channel and try again.',
    );
  }
  checkSize(file, header);
}

function highDynamicRange(file: string): HostError {
  return new HostError(
    'PHOTO_FORMAT',
    `${quoted(file)} is a picture of high dynamic range (PQ or HLG), which is not read. ${UNTOUCHED}`,
    'Export it for standard screens, as 16-bit TIFF or PNG, and try again.',
  );
}

/**
 * The encoder's 16-bit pipeline computes in Display P3 when a file has a profile, and leaves values as they are when
 * it has none. Only the first must be brought to sRGB, which asking for an output profile does.
 */
function to16Bits(image: Sharp, header: Metadata, reading: Reading): Sharp {
  const wide = image.toColourspace('rgb16');
  return reading.kind === 'convert' && header.space === 'rgb16' ? wide.withIccProfile('srgb') : wide;
}

function asUint16(bytes: Buffer): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : Buffer.from(bytes);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
}

function notesOn(header: Metadata, reading: Reading): string[] {
  const notes: string[] = [];
  if (reading.kind !== 'grey' && reading.note !== undefined) notes.push(reading.note);
  if (reading.kind === 'as-is' && reading.space)
    notes.push(`The photo is in ${reading.space.name}; so are the results.`);
  const pictures = header.format === 'gif' ? 'frames' : 'pictures';
  if ((header.pages ?? 1) > 1) notes.push(`The file holds ${header.pages ?? 1} ${pictures}; the first was read.`);
  return notes;
}

function unreadable(file: string, cause: unknown): HostError {
  return new HostError(
    'PHOTO_UNREADABLE',
    `${quoted(file)} cannot be opened: ${reason(cause)}.`,
    'Check that you may read it.',
    cause,
  );
}
