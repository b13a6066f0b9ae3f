import sharp from 'sharp';
import { pngPieces } from '../png';
import { type Pixels } from '../pixels';

/** Six saturated colors and two grays. */
const COLORS = [
  200, 40, 40, 40, 200, 40, 40, 40, 200, 200, 200, 40, 200, 40, 200, 40, 200, 200, 90, 90, 90, 180, 180, 180,
];

/**
 * Whether the image library converts RGB by this profile, seen on eight colors. It passes over a profile that it cannot
 * open, without a word; the numbers then stay as they are.
 */
export async function convertsBy(profile: Uint8Array): Promise<boolean> {
  const pixels: Pixels = { width: 8, height: 1, channels: 3, data: Uint8Array.from(COLORS) };
  const content = { profile: { name: 'probe', bytes: profile }, exif: undefined, xmp: '', density: undefined };
  const pieces: Uint8Array[] = [];
  for await (const piece of pngPieces(pixels, content)) pieces.push(piece);
  try {
    const shown = await sharp(Buffer.concat(pieces)).toColourspace('srgb').raw().toBuffer();
    return shown.some((value, i) => value !== pixels.data[i]);
  } catch {
    return false;
  }
}
