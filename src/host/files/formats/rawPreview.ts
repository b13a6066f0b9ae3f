import sharp from 'sharp';
import { throwIfCancelled, unlessCancelled } from '../../cancel';
import { checkSize, damaged, reason } from '../photoErrors';
import { type Pixels } from '../pixels';
import { type Preview } from './decodeThread';
import { rgbColors } from './rgbColors';

/** A camera's preview: 8 bits, upright, with width and height as it is stored. Throws HostError PHOTO_*. */
export async function readPreview(
  file: string,
  preview: Preview,
  signal?: AbortSignal,
): Promise<{ pixels: Pixels; notes: string[]; size: [number, number] }> {
  try {
    const bytes = Buffer.from(preview.bytes.buffer, preview.bytes.byteOffset, preview.bytes.byteLength);
    const header = await unlessCancelled(sharp(bytes).metadata(), signal);
    checkSize(file, header);
    const image = sharp(bytes, { failOn: 'error', limitInputPixels: false, ignoreIcc: true });
    const upright = header.orientation ? image.autoOrient() : image.rotate(preview.turn);
    const raw = upright.toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const { data, info } = await unlessCancelled(raw, signal);
    const stored = { width: info.width, height: info.height, channels: 3, data } as const;
    const { pixels, notes } = await rgbColors(file, stored, { icc: header.icc }, signal);
    return { pixels, notes, size: [header.width, header.height] };
  } catch (cause) {
    throwIfCancelled(signal);
    if (cause instanceof Error && 'code' in cause && String(cause.code).startsWith('PHOTO_')) throw cause;
    throw damaged(file, reason(cause), cause);
  }
}
