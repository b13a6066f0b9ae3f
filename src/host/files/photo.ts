import { stat, open as openFile } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Metadata } from 'sharp';
import { throwIfCancelled, unlessCancelled } from '../cancel';
import { type GreySpace, greyToSrgb } from '../../color/icc';
import { HostError } from '../errors';
import { pickChannels } from './channels';
import { colorsOf } from './color/photoColors';
import { misreadTiff, tiffLayout, unreadTiff } from './damage/tiffLayout';
import { decode, unreadable } from './decode';
import { endingOf, RAW_ENDINGS } from './endings';
import { readBmpPhoto } from './formats/bmpPhoto';
import { readHeicPhoto } from './formats/heicPhoto';
import { readRawPhoto } from './formats/rawPhoto';
import { beginsAsPicture, unreadFormat } from './formats/unread';
import { type PhotoMetadata, blocksOf, soundMetadata } from './metadata';
import { READABLE, UNTOUCHED, checkSize, damaged, quoted, reason } from './photoErrors';
import { kindOf, withSource } from './photoKind';
import { type Reading } from './photoSpace';
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
    return kind === 'psd' ? readPsdPhoto(file, source, signal) : readPicture(file, source, signal);
  });
}

/** Reads what the image library knows. */
async function readPicture(file: string, source: ByteSource, signal?: AbortSignal): Promise<ReadPhoto> {
  const header = await readHeader(file, source, signal);
  checkHeader(file, header);
  const reading = await colorsOf(file, header, source);
  if (reading === 'high-dynamic-range') throw highDynamicRange(file);
  const layout = header.format === 'tiff' ? tiffLayout(source) : undefined;
  const misread = layout && misreadTiff(layout);
  if (misread) throw unreadable(file, misread);
  const decoded = await decode({ file, source, header, reading }, signal);
  const picked = pickChannels(decoded, header.depth === 'ushort', layout);
  if (!picked) {
    throw new HostError(
      'PHOTO_FORMAT',
      `${quoted(file)} has ${decoded.info.channels} channels, which is no RGB picture. ${UNTOUCHED}`,
      'Convert it to RGB and try again.',
    );
  }
  const { data, channels } = picked;
  if (data instanceof Uint16Array && header.format === 'heif') widen(data, header.bitsPerSample);
  if (reading.kind === 'grey') throughCurve(data, channels, reading.space);
  if (reading.kind === 'curve') throughCurve(data, channels, { kind: 'grey', curve: reading.curve });
  const space = reading.kind === 'as-is' || reading.kind === 'curve' ? reading.space : undefined;
  const { metadata, notes } = soundMetadata(blocksOf(header, source));
  const { width, height } = decoded.info;
  return {
    pixels: { width, height, channels, data, space },
    density: header.density,
    metadata,
    notes: [...notesOn(header, reading), ...picked.notes, ...decoded.notes, ...notes],
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

/** Each color channel by a curve of the file's own becomes sRGB's, in place; transparency stays. */
export function throughCurve(data: Uint8Array | Uint16Array, channels: number, space: GreySpace): void {
  const top = data instanceof Uint16Array ? 65535 : 255;
  const table = greyToSrgb(space, top + 1).map((value) => Math.round(value * top));
  for (let i = 0; i < data.length; i += channels) {
    for (let c = i; c < i + 3; c++) data[c] = table[data[c]];
  }
}

async function checkFile(file: string): Promise<void> {
  let info;
  try {
    info = await stat(file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    // Where bytes of a name are no UTF-8, this mark stands for them by the time it arrives here.
    if (code === 'ENOENT' && file.includes('\ufffd')) throw foreignName(file, cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new HostError('PHOTO_NOT_FOUND', `There is no file ${quoted(file)}.`, 'Check the path.', cause);
    }
    throw notReadable(file, cause);
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
    throw notReadable(file, cause);
  }
}

async function readHeader(file: string, source: ByteSource, signal?: AbortSignal): Promise<Metadata> {
  try {
    // The project's own limits are checked on the header.
    return await unlessCancelled(sharp(file, { failOn: 'error', limitInputPixels: false }).metadata(), signal);
  } catch (cause) {
    throwIfCancelled(signal);
    const layout = tiffLayout(source);
    const unread = layout && unreadTiff(layout);
    if (unread) throw unreadable(file, unread, cause);
    const format = unreadFormat(source);
    if (format) {
      throw new HostError(
        'PHOTO_FORMAT',
        `${quoted(file)} is ${format}, which is not read. ${UNTOUCHED}`,
        'Export it as TIFF, PNG or JPEG and try again.',
        cause,
      );
    }
    if (beginsAsPicture(source)) throw damaged(file, 'its header cannot be read', cause);
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

function foreignName(file: string, cause: unknown): HostError {
  return new HostError(
    'PHOTO_UNREADABLE',
    `${quoted(file)} cannot be opened: its name is not coded in UTF-8. ${UNTOUCHED}`,
    'Rename it (convmv does whole folders), or copy it under another name, and try again.',
    cause,
  );
}

function highDynamicRange(file: string): HostError {
  return new HostError(
    'PHOTO_FORMAT',
    `${quoted(file)} is a picture of high dynamic range (PQ or HLG), which is not read. ${UNTOUCHED}`,
    'Export it for standard screens, as 16-bit TIFF or PNG, and try again.',
  );
}

function notesOn(header: Metadata, reading: Reading): string[] {
  const notes = reading.note === undefined ? [] : [reading.note];
  const pictures = header.format === 'gif' ? 'frames' : 'pictures';
  if ((header.pages ?? 1) > 1) notes.push(`The file holds ${header.pages ?? 1} ${pictures}; the first was read.`);
  return notes;
}

function notReadable(file: string, cause: unknown): HostError {
  return new HostError(
    'PHOTO_UNREADABLE',
    `${quoted(file)} cannot be opened: ${reason(cause)}.`,
    'Check that you may read it.',
    cause,
  );
}
