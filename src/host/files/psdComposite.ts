import { Readable, pipeline } from 'node:stream';
import { createInflate } from 'node:zlib';
import { breathe } from '../cancel';
import { HostError } from '../errors';
import { UNTOUCHED, damaged, quoted, reason } from './photoErrors';
import { type ByteSource } from './tiffTree';

export interface CompositePlan {
  readonly width: number;
  readonly height: number;
  readonly depth: 8 | 16;
  /** Channels in the file. */
  readonly channels: number;
  /** Where the image data section is. */
  readonly at: number;
  /** How many of the channels are wanted, from the first on. */
  readonly used: number;
  /** Whether the last of these is transparency. */
  readonly alpha: boolean;
  /** A large document (PSB): the lengths of packed rows have four bytes. */
  readonly large: boolean;
}

type Samples = Uint8Array | Uint16Array;

/** Compression of the image data section. */
const RAW = 0;
const RLE = 1;
const ZIP = 2;
const ZIP_PREDICTED = 3;
/** How many bytes one stored byte becomes at most, by compression: PackBits and deflate have such limits. */
const MOST = [1, 64, 1032, 1032];
/** Bytes of a channel that are unpacked between two looks at the signal. */
const BAND = 1 << 22;

/**
 * The merged picture at the end of a PSD, interleaved, as it is stored: width * height * used samples. Beside them only some rows are
 * in memory. Colours of a document with transparency are stored blended with white; they are brought back.
 * Throws HostError PHOTO_DAMAGED, PHOTO_FORMAT.
 */
export async function readComposite(
  file: string,
  source: ByteSource,
  plan: CompositePlan,
  signal?: AbortSignal,
): Promise<Samples> {
  const { width, height, depth, used, at } = plan;
  const start = source.read(at, 2);
  if (!start) throw damaged(file, 'it ends before its composite picture');
  const compression = start[0] * 256 + start[1];
  const bands = bandsOf(file, source, plan, compression);
  const samples = width * height * used;
  // Before memory is used: a few bytes may claim to be a hundred megapixels.
  const least = Math.floor((samples * (depth / 8)) / MOST[compression]);
  if (!source.read(at + 1 + least, 1)) throw damaged(file, 'its composite picture ends early');
  const data = depth === 16 ? new Uint16Array(samples) : new Uint8Array(samples);
  let unpacked = 0;
  for await (const { channel, firstRow, bytes } of bands) {
    unpacked += bytes.length;
    if (unpacked >= BAND / 2) {
      await breathe(signal);
      unpacked = 0;
    }
    const step = depth / 8;
    let to = firstRow * width * used + channel;
    for (let i = 0; i < bytes.length; i += step, to += used) {
      data[to] = step === 1 ? bytes[i] : bytes[i] * 256 + bytes[i + 1];
    }
  }
  if (plan.alpha) await removeWhite(data, used, signal);
  return data;
}

/** Some rows of one channel, unpacked, samples big-endian. */
interface Band {
  readonly channel: number;
  readonly firstRow: number;
  readonly bytes: Uint8Array;
}

function bandsOf(
  file: string,
  source: ByteSource,
  plan: CompositePlan,
  compression: number,
): Iterable<Band> | AsyncIterable<Band> {
  if (compression === RAW) return rawBands(file, source, plan);
  if (compression === RLE) return packedBands(file, source, plan);
  if (compression === ZIP || compression === ZIP_PREDICTED) {
    return zippedBands(file, source, plan, compression === ZIP_PREDICTED);
  }
  throw new HostError(
    'PHOTO_FORMAT',
    `The composite picture of ${quoted(file)} is stored in an unknown way (${compression}). ${UNTOUCHED}`,
    'Open it in Photoshop and save it anew.',
  );
}

const rowBytesOf = ({ width, depth }: CompositePlan): number => width * (depth / 8);

function* rawBands(file: string, source: ByteSource, plan: CompositePlan): Generator<Band> {
  const rowBytes = rowBytesOf(plan);
  const rowsPerBand = Math.max(1, Math.floor(BAND / rowBytes));
  for (let channel = 0; channel < plan.used; channel++) {
    for (let firstRow = 0; firstRow < plan.height; firstRow += rowsPerBand) {
      const rows = Math.min(rowsPerBand, plan.height - firstRow);
      const at = plan.at + 2 + (channel * plan.height + firstRow) * rowBytes;
      const bytes = source.read(at, rows * rowBytes);
      if (!bytes) throw damaged(file, 'its composite picture ends early');
      yield { channel, firstRow, bytes };
    }
  }
}

/** The lengths of all rows of all channels come first, then the rows (PackBits). */
function* packedBands(file: string, source: ByteSource, plan: CompositePlan): Generator<Band> {
  const { height, channels, used, large } = plan;
  const size = large ? 4 : 2;
  const table = source.read(plan.at + 2, height * channels * size);
  if (!table) throw damaged(file, 'its composite picture ends early');
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const rowBytes = rowBytesOf(plan);
  const rowsPerBand = Math.max(1, Math.floor(BAND / rowBytes));
  let at = plan.at + 2 + table.length;
  for (let channel = 0; channel < used; channel++) {
    for (let firstRow = 0; firstRow < height; firstRow += rowsPerBand) {
      const rows = Math.min(rowsPerBand, height - firstRow);
      const lengths = Array.from({ length: rows }, (_, row) => {
        const i = size * (channel * height + firstRow + row);
        return large ? view.getUint32(i) : view.getUint16(i);
      });
      const packed = source.read(
        at,
        lengths.reduce((sum, length) => sum + length, 0),
      );
      if (!packed) throw damaged(file, 'its composite picture ends early');
      at += packed.length;
      const bytes = new Uint8Array(rows * rowBytes);
      let from = 0;
      lengths.forEach((length, row) => {
        const whole = unpackRow(
          packed.subarray(from, from + length),
          bytes.subarray(row * rowBytes, (row + 1) * rowBytes),
        );
        if (!whole) throw damaged(file, 'a row of its composite picture is not whole');
        from += length;
      });
      yield { channel, firstRow, bytes };
    }
  }
}

/** The opposite of packRow. Whether the row came out whole; what lies outside is neither read nor written. */
export function unpackRow(packed: Uint8Array, row: Uint8Array): boolean {
  let to = 0;
  for (let from = 0; from < packed.length && to < row.length;) {
    const head = packed[from++];
    if (head < 128) {
      const count = head + 1;
      if (from + count > packed.length || to + count > row.length) return false;
      row.set(packed.subarray(from, from + count), to);
      from += count;
      to += count;
    } else if (head > 128) {
      const count = 257 - head;
      if (from >= packed.length || to + count > row.length) return false;
      row.fill(packed[from++], to, to + count);
      to += count;
    }
  }
  return to === row.length;
}

/** Photoshop does not write these; other programs do. All channels are one stream: it is left when it has given enough. */
async function* zippedBands(
  file: string,
  source: ByteSource,
  plan: CompositePlan,
  predicted: boolean,
): AsyncGenerator<Band> {
  const { height, used, depth } = plan;
  const rowBytes = rowBytesOf(plan);
  const inflate = createInflate();
  // Failures come out of the loop below: the pipeline hands them on.
  pipeline(Readable.from(piecesFrom(source, plan.at + 2)), inflate, () => undefined);
  let row = 0;
  let bytes = new Uint8Array(rowBytes);
  let filled = 0;
  try {
    for await (const piece of inflate as AsyncIterable<Buffer>) {
      for (let at = 0; at < piece.length;) {
        const part = piece.subarray(at, at + rowBytes - filled);
        bytes.set(part, filled);
        at += part.length;
        filled += part.length;
        if (filled < rowBytes) break;
        if (predicted) addUp(bytes, depth);
        yield { channel: Math.floor(row / height), firstRow: row % height, bytes };
        if (++row === used * height) return;
        bytes = new Uint8Array(rowBytes);
        filled = 0;
      }
    }
  } catch (cause) {
    throw damaged(file, reason(cause), cause);
  }
  throw damaged(file, 'its composite picture ends early');
}

/** Each sample was stored as its difference from the one to its left. */
function addUp(row: Uint8Array, depth: 8 | 16): void {
  if (depth === 8) {
    for (let i = 1; i < row.length; i++) row[i] = row[i] + row[i - 1];
    return;
  }
  for (let i = 2; i < row.length; i += 2) {
    const sum = row[i] * 256 + row[i + 1] + row[i - 2] * 256 + row[i - 1];
    row[i] = sum >> 8;
    row[i + 1] = sum;
  }
}

/** All bytes from `at` to the end of the file. */
function* piecesFrom(source: ByteSource, at: number): Generator<Uint8Array> {
  for (let size = BAND; size > 0;) {
    const piece = source.read(at, size);
    if (piece) {
      yield piece;
      at += size;
    } else {
      size >>= 1;
    }
  }
}

/**
 * Stored is colour * a + white * (1 - a), with a = alpha / white; the colour comes back as exactly as it can. Where all
 * is transparent there is no colour to come back.
 */
async function removeWhite(data: Samples, channels: number, signal?: AbortSignal): Promise<void> {
  const white = data instanceof Uint16Array ? 65535 : 255;
  const band = Math.floor(BAND / channels) * channels;
  for (let start = 0; start < data.length; start += band) {
    await breathe(signal);
    const end = Math.min(start + band, data.length);
    for (let i = start; i < end; i += channels) {
      const last = i + channels - 1;
      const alpha = data[last];
      if (alpha === white || alpha === 0) continue;
      for (let c = i; c < last; c++) {
        const colour = white - ((white - data[c]) * white) / alpha;
        data[c] = colour > 0 ? Math.round(colour) : 0;
      }
    }
  }
}
