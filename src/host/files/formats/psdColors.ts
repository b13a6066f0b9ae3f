import { greyToSrgb } from '../../../color/icc';
import { breathe } from '../../cancel';
import { HostError } from '../../errors';
import { UNTOUCHED, damaged, quoted } from '../photoErrors';
import { type Reading, readingOf } from '../photoSpace';
import { type Pixels } from '../pixels';
import { rgbColors } from './rgbColors';
import { convertToSrgb, isProfileFor } from './toSrgb';

export interface PsdMode {
  readonly name: 'Grayscale' | 'Indexed Color' | 'RGB' | 'CMYK' | 'Duotone';
  /** Channels that make the picture. */
  readonly colors: 1 | 3 | 4;
}

/** Color modes that are read, by number (Adobe Photoshop File Formats Specification). */
const MODES: Readonly<Record<number, PsdMode>> = {
  1: { name: 'Grayscale', colors: 1 },
  2: { name: 'Indexed Color', colors: 1 },
  3: { name: 'RGB', colors: 3 },
  4: { name: 'CMYK', colors: 4 },
  // Stored as the gray that the inks are printed by.
  8: { name: 'Duotone', colors: 1 },
};
/** What to do about the others. */
const OTHERS: Readonly<Record<number, readonly [name: string, wayOut: string]>> = {
  0: ['Bitmap', 'Convert a copy with Image > Mode > Grayscale and try again.'],
  7: ['Multichannel', 'Convert a copy with Image > Mode > RGB Color and try again.'],
  9: ['Lab', 'Convert a copy with Image > Mode > RGB Color and try again.'],
};

/** Throws HostError PHOTO_FORMAT for a mode that is not read. */
export function psdMode(file: string, number: number): PsdMode {
  const mode = MODES[number] as PsdMode | undefined;
  if (mode) return mode;
  const [name, wayOut] = (OTHERS[number] as (typeof OTHERS)[0] | undefined) ?? [String(number), OTHERS[7][1]];
  throw new HostError(
    'PHOTO_FORMAT',
    `${quoted(file)} is a PSD in the mode ${name}; RGB, CMYK, Grayscale, Duotone and Indexed Color are read. ${UNTOUCHED}`,
    wayOut,
  );
}

/** Samples as the file stores them, interleaved; the last channel is transparency if `alpha`. */
interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array | Uint16Array;
  readonly alpha: boolean;
}

interface Colors {
  readonly icc: Uint8Array | undefined;
  /** Indexed Color: all reds, all greens, all blues. */
  readonly palette: Uint8Array | undefined;
  /** Indexed Color: the number of the transparent color. */
  readonly seeThrough: number | undefined;
}

/** Samples of a document's mode as pixels. `notes` for people. Throws HostError PHOTO_DAMAGED, HostCancelledError. */
export async function psdColors(
  file: string,
  mode: PsdMode,
  picture: Picture,
  colors: Colors,
  signal?: AbortSignal,
): Promise<{ pixels: Pixels; notes: string[] }> {
  const { name } = mode;
  if (name === 'CMYK') return fromCmyk(file, picture, colors.icc, signal);
  if (name === 'Grayscale' || name === 'Duotone') return fromGray(name, picture, colors.icc, signal);
  const rgb = name === 'RGB' ? { ...picture, channels: picture.alpha ? 4 : 3 } : fromPalette(file, picture, colors);
  return rgbColors(file, rgb as Pixels, { icc: colors.icc }, signal);
}

/** Stored as light: full ink is 0. */
async function fromCmyk(
  file: string,
  { width, height, channels, data, alpha }: Picture,
  icc: Uint8Array | undefined,
  signal?: AbortSignal,
): Promise<{ pixels: Pixels; notes: string[] }> {
  const top = data instanceof Uint16Array ? 65535 : 255;
  const colors = alpha ? channels - 1 : channels;
  for (let i = 0; i < data.length; i += channels) {
    for (let c = 0; c < colors; c++) data[i + c] = top - data[i + c];
  }
  const isCmyk = icc !== undefined && isProfileFor(icc, 'CMYK');
  const pixels = await convertToSrgb(
    file,
    { width, height, channels, cmyk: true, data },
    isCmyk ? icc : undefined,
    signal,
  );
  const depth = data instanceof Uint16Array ? ', with 8 bits per channel' : '';
  const note = isCmyk
    ? 'The photo is CMYK; it was converted to sRGB'
    : 'The photo is CMYK without a profile; the inks of a common offset press were assumed, and it was converted to sRGB';
  return { pixels, notes: [`${note}${depth}.`] };
}

async function fromGray(
  name: 'Grayscale' | 'Duotone',
  { width, height, channels: from, data, alpha }: Picture,
  icc: Uint8Array | undefined,
  signal?: AbortSignal,
): Promise<{ pixels: Pixels; notes: string[] }> {
  const top = data instanceof Uint16Array ? 65535 : 255;
  // A duotone's profile is for its inks.
  const profile = name === 'Grayscale' && icc ? Buffer.from(icc) : undefined;
  const reading: Reading = readingOf({ space: 'b-w', ...(profile ? { icc: profile } : {}) });
  const table =
    reading.kind === 'grey' ? greyToSrgb(reading.space, top + 1).map((value) => Math.round(value * top)) : undefined;
  const channels = alpha ? 4 : 3;
  const count = width * height;
  const rgb = data instanceof Uint16Array ? new Uint16Array(count * channels) : new Uint8Array(count * channels);
  const band = 1 << 22;
  for (let start = 0; start < count; start += band) {
    await breathe(signal);
    for (let i = start; i < Math.min(count, start + band); i++) {
      const value = data[i * from];
      const to = i * channels;
      rgb[to] = rgb[to + 1] = rgb[to + 2] = table ? table[value] : value;
      if (alpha) rgb[to + 3] = data[i * from + 1];
    }
  }
  const notes = [
    ...(name === 'Duotone' ? ["The PSD is a duotone; its gray picture was read, without the inks' colors."] : []),
    ...(profile ? [] : ['The photo is gray without a profile; the curve of sRGB was assumed.']),
    ...(profile && reading.kind !== 'grey'
      ? ['The gray photo has a profile that cannot be worked in; the curve of sRGB was assumed.']
      : []),
  ];
  return { pixels: { width, height, channels, data: rgb }, notes };
}

function fromPalette(file: string, picture: Picture, { palette, seeThrough }: Colors): Pixels {
  const { width, height, channels: from, data, alpha } = picture;
  if (palette?.length !== 768) throw damaged(file, 'its color table is not whole');
  const channels = alpha || (seeThrough !== undefined && data.includes(seeThrough)) ? 4 : 3;
  const rgb = new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    const index = data[i * from];
    for (let c = 0; c < 3; c++) rgb[i * channels + c] = palette[256 * c + index];
    if (channels === 4) rgb[i * channels + 3] = index === seeThrough ? 0 : alpha ? data[i * from + 1] : 255;
  }
  return { width, height, channels, data: rgb };
}
