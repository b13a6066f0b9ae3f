import sharp from 'sharp';
import { throwIfCancelled, unlessCancelled } from '../../cancel';
import { damaged, reason } from '../photoErrors';
import { type Pixels } from '../pixels';
import { tiffHeader } from './tiffHeader';

/** Samples by row: RGB or CMYK (0 = no ink), with alpha or without. */
export interface Samples {
  readonly width: number;
  readonly height: number;
  /** 3 and 4 are RGB and RGBA, unless `cmyk` says that 4 and 5 are CMYK and CMYKA. */
  readonly channels: number;
  readonly cmyk?: boolean;
  readonly data: Uint8Array | Uint16Array;
}

/**
 * Whether bytes are a profile for a device of these colors ("RGB ", "CMYK"), whole as far as its header says: the image
 * library passes over any other in silence.
 */
export function isProfileFor(icc: Uint8Array, colors: 'RGB ' | 'CMYK'): boolean {
  const bytes = Buffer.from(icc.buffer, icc.byteOffset, icc.byteLength);
  if (bytes.length < 132 || bytes.readUInt32BE(0) > bytes.length) return false;
  return bytes.toString('latin1', 36, 40) === 'acsp' && bytes.toString('latin1', 16, 20) === colors;
}

/** Pixels that are converted at a time: each band is held a few times over. */
const PIXELS_PER_BAND = 1 << 22;

/**
 * Brings samples to sRGB by an ICC profile of any kind, as the image library converts a TIFF that carries it; without
 * one CMYK is taken as the library's own (a common offset press). Alpha stays. RGB keeps its depth; CMYK becomes 8 bits,
 * for the library converts it with no more.
 * Throws HostError PHOTO_DAMAGED where the library fails on the profile.
 */
export async function convertToSrgb(
  file: string,
  samples: Samples,
  icc: Uint8Array | undefined,
  signal?: AbortSignal,
): Promise<Pixels> {
  const { width, height, channels, cmyk = false, data } = samples;
  const colors = cmyk ? 4 : 3;
  const to = channels > colors ? 4 : 3;
  const deep = data instanceof Uint16Array;
  const kept = deep && !cmyk;
  const result = kept ? new Uint16Array(width * height * to) : new Uint8Array(width * height * to);
  const rows = Math.max(1, Math.floor(PIXELS_PER_BAND / width));
  for (let y = 0; y < height; y += rows) {
    throwIfCancelled(signal);
    const count = Math.min(rows, height - y) * width;
    const from = y * width;
    const band = inks(data, from, count, channels, colors);
    let converted;
    try {
      converted = await unlessCancelled(convert(band, { width, height: count / width, colors, icc }), signal);
    } catch (cause) {
      throwIfCancelled(signal);
      throw damaged(file, reason(cause), cause);
    }
    for (let i = 0; i < count; i++) {
      for (let c = 0; c < 3; c++) result[(from + i) * to + c] = converted[3 * i + c];
      if (to < 4) continue;
      const alpha = data[(from + i) * channels + colors];
      result[(from + i) * to + 3] = deep && !kept ? Math.round(alpha / 257) : alpha;
    }
  }
  return { width, height, channels: to, data: result };
}

/** The colors of some pixels without their alpha, in the byte order of this machine. */
function inks(
  data: Uint8Array | Uint16Array,
  from: number,
  count: number,
  channels: number,
  colors: number,
): Uint8Array | Uint16Array {
  if (channels === colors) return data.subarray(from * channels, (from + count) * channels);
  const band = data instanceof Uint16Array ? new Uint16Array(count * colors) : new Uint8Array(count * colors);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < colors; c++) band[i * colors + c] = data[(from + i) * channels + c];
  }
  return band;
}

/** Through a TIFF in memory: the image library takes a profile only from a file. */
async function convert(
  band: Uint8Array | Uint16Array,
  { width, height, colors, icc }: { width: number; height: number; colors: number; icc: Uint8Array | undefined },
): Promise<Uint8Array | Uint16Array> {
  const deep = band instanceof Uint16Array;
  const bytes = new Uint8Array(band.buffer, band.byteOffset, band.byteLength);
  const head = tiffHeader({ width, height, samples: colors, bits: deep ? 16 : 8, icc, length: bytes.length });
  const image = sharp(Buffer.concat([head, bytes]), { failOn: 'error', limitInputPixels: false });
  if (!deep || colors === 4) return image.toColourspace('srgb').removeAlpha().raw().toBuffer();
  // Deep RGB is left as it is unless an output profile is asked for (see to16Bits in photo.ts).
  const wide = image.toColourspace('rgb16').withIccProfile('srgb').removeAlpha();
  return new Uint16Array(new Uint8Array(await wide.raw({ depth: 'ushort' }).toBuffer()).buffer);
}
