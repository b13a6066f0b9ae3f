import { breathe } from '../cancel';

/** One channel of a picture, compressed row by row with PackBits as PSD files store it ("RLE"). */
export interface PackedChannel {
  /** Compressed bytes of each row, big-endian uint16: height * 2 bytes. */
  readonly counts: Uint8Array;
  /** The compressed rows, one after another. */
  readonly rows: Uint8Array;
}

/** Rows of one channel, 8 bits a value. `fill` writes row `y` into `row` (width bytes). */
export interface ChannelSource {
  readonly width: number;
  readonly height: number;
  fill(row: Uint8Array, y: number): void;
}

/** Pixels between two looks at the signal: some tens of milliseconds of work. */
const PIXELS_PER_BAND = 2e6;

/** Packs a channel. The result may hold up to 1/128 more bytes than the channel. */
export async function packChannel(source: ChannelSource, signal?: AbortSignal): Promise<PackedChannel> {
  const { width, height } = source;
  const counts = new Uint8Array(height * 2);
  // Memory that is never written is never really taken from the system, so the worst case may be asked for.
  const out = new Uint8Array(height * (width + Math.ceil(width / 128)));
  const row = new Uint8Array(width);
  const band = Math.max(1, Math.floor(PIXELS_PER_BAND / width));
  let end = 0;
  for (let y = 0; y < height; y++) {
    if (y % band === 0) await breathe(signal);
    source.fill(row, y);
    const start = end;
    end = packRow(row, out, start);
    const length = end - start;
    counts[2 * y] = length >> 8;
    counts[2 * y + 1] = length & 255;
  }
  return { counts, rows: out.subarray(0, end) };
}

/**
 * PackBits (Apple TN1023): a header byte n in 0..127 is followed by n + 1 literal bytes, a header byte 257 - k
 * (k in 2..128) by one byte to repeat k times. Returns the end of what was written into `out` from `at`.
 */
export function packRow(row: Uint8Array, out: Uint8Array, at: number): number {
  const width = row.length;
  let position = at;
  let i = 0;
  while (i < width) {
    const value = row[i];
    let run = i + 1;
    const runLimit = Math.min(width, i + 128);
    while (run < runLimit && row[run] === value) run++;
    if (run - i >= 3) {
      out[position++] = 257 - (run - i);
      out[position++] = value;
      i = run;
      continue;
    }
    // Literals end where three equal bytes begin: breaking off for two would gain nothing.
    const start = i;
    const limit = Math.min(width, i + 128);
    i = run;
    while (i < limit && !(i + 2 < width && row[i] === row[i + 1] && row[i] === row[i + 2])) i++;
    out[position++] = i - start - 1;
    for (let k = start; k < i; k++) out[position++] = row[k]!;
  }
  return position;
}
