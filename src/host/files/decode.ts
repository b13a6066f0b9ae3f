import sharp, { type Metadata, type OutputInfo, type Sharp } from 'sharp';
import { throwIfCancelled, unlessCancelled } from '../cancel';
import { HostError } from '../errors';
import { checkJpeg } from './damage/jpegCheck';
import { checkPng } from './damage/pngCheck';
import { silentTiffDamage, tiffDamage, uncheckedTiles } from './damage/tiffData';
import { tiffLayout, unreadTiff } from './damage/tiffLayout';
import { UNTOUCHED, damaged, quoted, reason } from './photoErrors';
import { type Reading } from './photoSpace';
import { type ByteSource } from './tiffTree';

export interface PictureFile {
  readonly file: string;
  readonly source: ByteSource;
  readonly header: Metadata;
  readonly reading: Reading;
}

export interface Decoded {
  /** As the image library gives them: 8 bits, or 16 in the machine's order of bytes. */
  readonly data: Buffer;
  readonly info: OutputInfo;
  readonly notes: readonly string[];
}

/** Files above this are not held in memory for a closer look. */
const MAX_HELD = 1 << 30;

/**
 * The pixels of a picture. A decoder's warning is no verdict: some are about nothing, others about a picture that is
 * gray from its middle on. So the first try stops at any warning; then the file itself is looked into. Throws HostError
 * PHOTO_DAMAGED or PHOTO_FORMAT.
 */
export async function decode(picture: PictureFile, signal?: AbortSignal): Promise<Decoded> {
  const { file, header } = picture;
  const warned = header.format === 'jpeg' || header.format === 'tiff';
  try {
    const pixels = await pixelsOf(picture, file, warned ? 'warning' : 'error', signal);
    const why = await silentDamage(picture, signal);
    if (why) throw damaged(file, why);
    return { ...pixels, notes: [] };
  } catch (cause) {
    throwIfCancelled(signal);
    if (cause instanceof HostError) throw cause;
    if (header.format === 'jpeg') return doubtfulJpeg(picture, signal);
    if (header.format === 'tiff') return doubtfulTiff(picture, signal);
    if (header.format === 'png') return doubtfulPng(picture, cause, signal);
    throw damaged(file, reason(cause), cause);
  }
}

/** Damage without any warning: of a JPEG every code is walked, for its decoder goes on over many a wrong one. */
async function silentDamage({ header, source }: PictureFile, signal?: AbortSignal): Promise<string | undefined> {
  if (header.format === 'tiff') return silentTiffDamage(source, signal);
  if (header.format !== 'jpeg' || source.size > MAX_HELD) return undefined;
  const bytes = source.read(0, source.size);
  const verdict = bytes && checkJpeg(bytes);
  return verdict?.kind === 'damaged' ? verdict.why : undefined;
}

async function doubtfulJpeg(picture: PictureFile, signal?: AbortSignal): Promise<Decoded> {
  const { file, source } = picture;
  const bytes = source.size <= MAX_HELD ? source.read(0, source.size) : undefined;
  const verdict = bytes ? checkJpeg(bytes) : undefined;
  if (verdict?.kind === 'damaged') throw damaged(file, verdict.why);
  if (verdict?.kind === 'unknown') return settled(picture, file, [], signal, otherJpeg);
  if (!bytes || !verdict?.endMissing) return settled(picture, file, [], signal);
  const ended = Buffer.concat([bytes, Buffer.from([0xff, 0xd9])]);
  return settled(picture, ended, ["The JPEG's end mark is missing; its picture is complete."], signal);
}

async function doubtfulTiff(picture: PictureFile, signal?: AbortSignal): Promise<Decoded> {
  const { file, source } = picture;
  const layout = tiffLayout(source);
  const unread = layout && unreadTiff(layout);
  if (unread) throw unreadable(file, unread);
  const why = layout && (await tiffDamage(layout, source, signal));
  if (why) throw damaged(file, why);
  if (layout && uncheckedTiles(layout)) throw damaged(file, 'a tile cannot be decoded');
  return settled(picture, file, [], signal, refusedTiff);
}

async function doubtfulPng(picture: PictureFile, cause: unknown, signal?: AbortSignal): Promise<Decoded> {
  const { file, source, reading } = picture;
  if (source.size > MAX_HELD) throw damaged(file, reason(cause), cause);
  const verdict = checkPng(source, reading.kind === 'convert');
  if (verdict.kind === 'damaged') throw damaged(file, verdict.why, cause);
  return settled(picture, verdict.bytes, ['Damaged data beside the picture in the PNG was left out.'], signal);
}

/** Decodes what was looked into, passing over warnings. */
async function settled(
  picture: PictureFile,
  input: string | Buffer,
  notes: readonly string[],
  signal?: AbortSignal,
  refuse: (file: string, cause: unknown) => HostError = (file, cause) => damaged(file, reason(cause), cause),
): Promise<Decoded> {
  try {
    return { ...(await pixelsOf(picture, input, 'error', signal)), notes };
  } catch (cause) {
    throwIfCancelled(signal);
    throw refuse(picture.file, cause);
  }
}

/** Which compression the image library was built without: the words of its TIFF reader. */
const NOT_CONFIGURED = /([\w-]+( [\w-]+)?) compression support is not configured/;

function refusedTiff(file: string, cause: unknown): HostError {
  const coding = NOT_CONFIGURED.exec(String(cause))?.[1];
  return coding ? unreadable(file, `compressed as ${coding}`, cause) : damaged(file, reason(cause), cause);
}

function otherJpeg(file: string, cause: unknown): HostError {
  return new HostError(
    'PHOTO_FORMAT',
    `${quoted(file)} is a JPEG of a rare kind (12 bits, lossless or arithmetic), which cannot be read: ` +
      `${reason(cause)}. ${UNTOUCHED}`,
    'Save it as an ordinary JPEG or as TIFF, and try again.',
    cause,
  );
}

/** For a TIFF of a kind that is not read; `what` goes on from "is a TIFF". */
export function unreadable(file: string, what: string, cause?: unknown): HostError {
  return new HostError(
    'PHOTO_FORMAT',
    `${quoted(file)} is a TIFF ${what}, which is not read. ${UNTOUCHED}`,
    'Save it as an RGB TIFF of 8 or 16 bits per channel with LZW or ZIP compression, in strips, and try again.',
    cause,
  );
}

async function pixelsOf(
  { header, reading }: PictureFile,
  input: string | Buffer,
  failOn: 'error' | 'warning',
  signal?: AbortSignal,
): Promise<{ data: Buffer; info: OutputInfo }> {
  const sixteen = header.depth === 'ushort';
  const ignoreIcc = reading.kind !== 'convert';
  // The project's own limits were checked on the header.
  const image = sharp(input, { failOn, limitInputPixels: false, sequentialRead: true, ignoreIcc }).autoOrient();
  const converted = sixteen ? to16Bits(image, header, reading) : image.toColourspace('srgb');
  const opaque = header.hasAlpha ? converted : converted.removeAlpha();
  const raw = opaque.raw({ depth: sixteen ? 'ushort' : 'uchar' }).toBuffer({ resolveWithObject: true });
  return unlessCancelled(raw, signal);
}

/**
 * The encoder's 16-bit pipeline computes in Display P3 when a file has a profile, and leaves values as they are when
 * it has none. Only the first must be brought to sRGB, which asking for an output profile does.
 */
function to16Bits(image: Sharp, header: Metadata, reading: Reading): Sharp {
  const wide = image.toColourspace('rgb16');
  return reading.kind === 'convert' && header.space === 'rgb16' ? wide.withIccProfile('srgb') : wide;
}
