import sharp from 'sharp';
import { srgbToLinear } from '../../color/convert';
import { neutralIn, type RgbSpace, toSrgb } from '../../color/icc';
import { Lut3D } from '../../color/lut3d';
import { unlessCancelled } from '../cancel';
import { type Proxy } from '../host';
import { type Pixels } from './pixels';

/** Neutral middle grey shows through transparent places: it is neither bright, dark nor coloured. */
const BEHIND = 128;
/** Grid of the way to sRGB; on average within CIEDE2000 0.5 (test/host/colour), which the model cannot tell. */
const CONVERSION_SIZE = 33;

/** See HostDocument.readProxy. Box-averaged first, then Lanczos, so thin detail does not alias into false tones. */
export async function makeProxy(pixels: Pixels, longEdge: number, signal?: AbortSignal): Promise<Proxy> {
  const { width, height, channels } = pixels;
  let image = sharp(pixels.data, { raw: { width, height, channels }, limitInputPixels: false });
  if (Math.max(width, height) > longEdge) {
    image = image.resize(longEdge, longEdge, { fit: 'inside', withoutEnlargement: true });
  }
  if (channels === 4) image = image.flatten({ background: behind(pixels.space?.space) });
  const raw = image.toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const { data, info } = await unlessCancelled(raw, signal);
  // Few pixels by now: what the model sees is sRGB, whatever the photo is in.
  if (pixels.space) Lut3D.bake(CONVERSION_SIZE, toSrgb(pixels.space.space)).apply(data, 3);
  return { width: info.width, height: info.height, data };
}

function behind(space: RgbSpace | undefined): { r: number; g: number; b: number } {
  if (!space) return { r: BEHIND, g: BEHIND, b: BEHIND };
  const [r, g, b] = neutralIn(space, srgbToLinear(BEHIND / 255));
  return { r: Math.round(r * 255), g: Math.round(g * 255), b: Math.round(b * 255) };
}
