import { Readable, pipeline } from 'node:stream';
import { crc32, createDeflate, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { breathe } from '../cancel';
import { type Pixels } from './pixels';

/** Bytes of pixels that are filtered in one go, between two looks at the signal. */
const BAND = 1 << 20;
/** Size of the compressed pieces, each of which becomes an IDAT chunk. */
const PIECE = 1 << 18;
const PAETH = 4;

/** What a PNG says beside its pixels. */
export interface PngContent {
  readonly profile: NamedProfile;
  /** An EXIF block from its "II" or "MM" on. */
  readonly exif: Uint8Array | undefined;
  readonly xmp: string;
  /** Pixels per inch. */
  readonly density: number | undefined;
}

/**
 * A PNG (third edition of the specification) with the pixels exactly as they are, 8 or 16 bits, alpha kept, and an
 * ICC profile and metadata; piece by piece, so that it never stands in memory whole and that stopping takes no time. An image
 * library's encoder cannot be stopped: a process that ends meanwhile waits for it.
 *
 * Every row has the Paeth filter: on photos as small as choosing the filter row by row, for a fraction of the work.
 */
export async function* pngPieces(
  pixels: Pixels,
  { profile, exif, xmp, density }: PngContent,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const { width, height, channels, data } = pixels;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([data.BYTES_PER_ELEMENT * 8, channels === 4 ? 6 : 2], 8);
  yield Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  yield chunk('IHDR', header);
  // A name, no compression method but the only one there is, the compressed profile.
  yield chunk('iCCP', Buffer.concat([Buffer.from(`${profile.name}\0\0`, 'latin1'), deflateSync(profile.bytes)]));
  if (density !== undefined) yield chunk('pHYs', physicalSize(density));
  if (exif) yield chunk('eXIf', exif);
  yield chunk('iTXt', internationalText('XML:com.adobe.xmp', xmp));
  const deflate = createDeflate({ level: 2, chunkSize: PIECE });
  // Failures come out of the loop below: the pipeline hands them on.
  pipeline(Readable.from(filteredBands(pixels, signal)), deflate, () => undefined);
  for await (const piece of deflate) yield chunk('IDAT', piece as Buffer);
  yield chunk('IEND', Buffer.alloc(0));
}

function chunk(type: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(data.length + 12);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, data.length + 8)), data.length + 8);
  return bytes;
}

/** Pixels per metre, both ways. */
function physicalSize(density: number): Buffer {
  const data = Buffer.alloc(9);
  const perMetre = Math.round(density / 0.0254);
  data.writeUInt32BE(perMetre, 0);
  data.writeUInt32BE(perMetre, 4);
  data[8] = 1;
  return data;
}

/** Not compressed, no language, no translated keyword: as XMP asks for it. */
function internationalText(keyword: string, text: string): Buffer {
  return Buffer.from(`${keyword}\0\0\0\0\0${text}`);
}

async function* filteredBands({ width, height, channels, data }: Pixels, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const samples = width * channels;
  const rowBytes = samples * data.BYTES_PER_ELEMENT;
  const pixelBytes = channels * data.BYTES_PER_ELEMENT;
  const rowsPerBand = Math.max(1, Math.floor(BAND / rowBytes));
  // Rows as bytes with one empty pixel in front, as the filter wants its neighbours.
  let above = new Uint8Array(pixelBytes + rowBytes);
  let current = new Uint8Array(pixelBytes + rowBytes);
  for (let y = 0; y < height; y += rowsPerBand) {
    await breathe(signal);
    const rows = Math.min(rowsPerBand, height - y);
    const band = Buffer.alloc(rows * (rowBytes + 1));
    for (let row = 0; row < rows; row++) {
      const start = (y + row) * samples;
      rowToBytes(data, start, samples, current, pixelBytes);
      filterPaeth(current, above, pixelBytes, band, row * (rowBytes + 1));
      [above, current] = [current, above];
    }
    yield band;
  }
}

/** Samples big-endian into `bytes` from `at` on. */
function rowToBytes(data: Uint8Array | Uint16Array, start: number, samples: number, bytes: Uint8Array, at: number) {
  if (data instanceof Uint8Array) {
    bytes.set(data.subarray(start, start + samples), at);
    return;
  }
  for (let i = 0; i < samples; i++) {
    const value = data[start + i];
    bytes[at + 2 * i] = value >> 8;
    bytes[at + 2 * i + 1] = value & 255;
  }
}

/** Filter type 4: each byte less whichever of left (a), above (b), above left (c) is nearest to a + b - c. */
function filterPaeth(row: Uint8Array, above: Uint8Array, pixelBytes: number, out: Uint8Array, at: number): void {
  out[at] = PAETH;
  for (let i = pixelBytes; i < row.length; i++) {
    const a = row[i - pixelBytes];
    const b = above[i];
    const c = above[i - pixelBytes];
    const fromA = Math.abs(b - c);
    const fromB = Math.abs(a - c);
    const fromC = Math.abs(a + b - 2 * c);
    const predicted = fromA <= fromB && fromA <= fromC ? a : fromB <= fromC ? b : c;
    out[at + 1 + i - pixelBytes] = row[i] - predicted;
  }
}

/** An ICC profile with the name that programs show for it. */
export interface NamedProfile {
  /** Printable ASCII, at most 79 characters. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

let srgb: Promise<Uint8Array> | undefined;

/** The profile that results of these pixels carry: the photo's own, else sRGB's as the image library has it. */
export async function profileOf({ space }: Pixels): Promise<NamedProfile> {
  if (space) return { name: space.name, bytes: space.profile };
  srgb ??= makeSrgbProfile();
  return { name: 'sRGB', bytes: await srgb };
}

async function makeSrgbProfile(): Promise<Uint8Array> {
  const pixel = sharp({ create: { width: 1, height: 1, channels: 3, background: 'black' } });
  const { icc } = await sharp(await pixel.withIccProfile('srgb').png().toBuffer()).metadata();
  if (!icc) throw new Error('The image library gave no sRGB profile.');
  return icc;
}
