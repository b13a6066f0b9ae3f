import { breathe } from '../../cancel';
import { type ReadPhoto } from '../photo';
import { damaged } from '../photoErrors';
import { type Pixels } from '../pixels';
import { type ByteSource } from '../tiffTree';
import { type BmpHeader, readBmpHeader } from './bmpHeader';
import { rowsOf } from './bmpRows';
import { rgbColors } from './rgbColors';

/** Pixels between two looks at the signal. */
const BAND = 1 << 20;

/**
 * A BMP: 1, 4, 8, 16, 24 or 32 bits a pixel, by palette, RLE4, RLE8 or bit fields, from the top or from the bottom, with
 * the ICC profile that a V5 header may carry. Values become 8 bits; alpha counts where a header states its bits and not
 * all of it is 0. Pixels that RLE leaves out are the palette's first color, as other programs show them.
 * Throws HostError PHOTO_*, HostCancelledError.
 */
export async function readBmpPhoto(file: string, source: ByteSource, signal?: AbortSignal): Promise<ReadPhoto> {
  const header = readBmpHeader(file, source);
  const alpha = header.fields?.[3] !== undefined;
  const decoded = await decodePixels(file, source, header, alpha ? 4 : 3, signal);
  const { pixels, notes } = await rgbColors(file, decoded, { icc: header.icc }, signal);
  return {
    pixels,
    density: header.density,
    metadata: {},
    notes: header.note === undefined ? notes : [...notes, header.note],
  };
}

async function decodePixels(
  file: string,
  source: ByteSource,
  header: BmpHeader,
  channels: 3 | 4,
  signal?: AbortSignal,
): Promise<Pixels> {
  const { width, height, topDown } = header;
  const rows = rowsOf(file, source, header);
  // The first row is asked for before memory is: a few bytes may claim to be a hundred megapixels.
  let next = rows.next();
  const data = new Uint8Array(width * height * channels);
  let visible = false;
  for (let row = 0; row < height; row++) {
    if (next.done) throw damaged(file, 'its pixels end early');
    const at = (topDown ? row : height - 1 - row) * width * channels;
    const line = next.value;
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) data[at + x * channels + c] = line[4 * x + c];
      visible ||= line[4 * x + 3] > 0;
    }
    if ((row * width) % BAND < width) await breathe(signal);
    next = rows.next();
  }
  if (channels === 3 || visible) return { width, height, channels, data };
  // Many programs write 32 bits with an alpha of 0 and mean an opaque picture.
  const opaque = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) opaque[3 * i + c] = data[4 * i + c];
  }
  return { width, height, channels: 3, data: opaque };
}
