import { type Decoded } from './decode';
import { type TiffLayout } from './damage/tiffLayout';

export interface PickedChannels {
  readonly data: Uint8Array | Uint16Array;
  readonly channels: 3 | 4;
  readonly notes: readonly string[];
}

/** Values of ExtraSamples that are transparency. */
const TRANSPARENCY = [1, 2];

/**
 * RGB and transparency of a decoded picture, without what a TIFF holds beside them: a channel is transparency only where
 * the file says so; saved selections and spot colors are none. `deep`: 16 bits. Undefined where there is no RGB.
 */
export function pickChannels(
  { data, info }: Pick<Decoded, 'data' | 'info'>,
  deep: boolean,
  tiff?: TiffLayout,
): PickedChannels | undefined {
  // 1, 2 and 4 channels are there in libraries' types as well.
  const stored: number = info.channels;
  const values = deep ? asUint16(data) : data;
  if (stored < 3) return undefined;
  const further = stored - 3;
  const at = tiff ? tiff.extras.slice(0, further).findIndex((kind) => TRANSPARENCY.includes(kind)) : 0;
  const alpha = further > 0 && at >= 0 ? 3 + at : undefined;
  const channels = alpha === undefined ? 3 : 4;
  const leftOut = stored - channels;
  if (leftOut === 0) return { data: values, channels, notes: [] };
  if (!tiff) return undefined;
  const pixels = values.length / stored;
  const picked = deep ? new Uint16Array(pixels * channels) : new Uint8Array(pixels * channels);
  for (let from = 0, to = 0; from < values.length; from += stored) {
    for (let c = 0; c < 3; c++) picked[to++] = values[from + c];
    if (alpha !== undefined) picked[to++] = values[from + alpha];
  }
  // The library gives YCbCr a channel of its own making.
  if (tiff.samples <= colorants(tiff)) return { data: picked, channels, notes: [] };
  const what =
    leftOut === 1
      ? '1 more channel (a selection or spot color), which was'
      : `${leftOut} more channels (selections, spot colors), which were`;
  return { data: picked, channels, notes: [`The TIFF has ${what} left out.`] };
}

/** Channels of color by PhotometricInterpretation: gray and palettes have one, CMYK four. */
function colorants({ photometric }: TiffLayout): number {
  if ([0, 1, 3].includes(photometric)) return 1;
  return photometric === 5 ? 4 : 3;
}

function asUint16(bytes: Buffer): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : Buffer.from(bytes);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
}
