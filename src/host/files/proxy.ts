import sharp from 'sharp';
import { unlessCancelled } from '../cancel';
import { type Proxy } from '../host';
import { type Pixels } from './photo';

/** Neutral middle grey shows through transparent places: it is neither bright, dark nor coloured. */
const BEHIND = { r: 128, g: 128, b: 128 };

/** See HostDocument.readProxy. Box-averaged first, then Lanczos, so thin detail does not alias into false tones. */
export async function makeProxy(pixels: Pixels, longEdge: number, signal?: AbortSignal): Promise<Proxy> {
  const { width, height, channels } = pixels;
  let image = sharp(pixels.data, { raw: { width, height, channels }, limitInputPixels: false });
  if (Math.max(width, height) > longEdge) {
    image = image.resize(longEdge, longEdge, { fit: 'inside', withoutEnlargement: true });
  }
  if (channels === 4) image = image.flatten({ background: BEHIND });
  const raw = image.toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const { data, info } = await unlessCancelled(raw, signal);
  return { width: info.width, height: info.height, data };
}
