import { ColorError } from './errors';
import { type PixelArray } from './tetrahedral';

/** Class name of a typed array, true also for arrays made in another realm (frame, worker, test sandbox). */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/**
 * Checks interleaved pixels and returns the value that means 1.0 in them: 255, 65535 (or `maximum`), or 1 for floats.
 *
 * @throws ColorError BAD_ARGUMENT
 */
export function checkPixels(pixels: PixelArray, channels: number, maximum: number = 65535): number {
  const kind = kindOf(pixels);
  if (!['Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Float32Array'].includes(kind)) {
    throw new ColorError('BAD_ARGUMENT', `Pixels must be an 8-bit, 16-bit or 32-bit float array, got ${kind}.`);
  }
  if (channels !== 3 && channels !== 4) {
    throw new ColorError('BAD_ARGUMENT', `Pixels must have 3 or 4 channels, got ${String(channels)}.`);
  }
  if (pixels.length % channels !== 0) {
    throw new ColorError('BAD_ARGUMENT', `${pixels.length} values are not whole pixels of ${channels} channels.`);
  }
  if (maximum !== 65535 && maximum !== 32768) {
    throw new ColorError('BAD_ARGUMENT', `The 16-bit maximum must be 65535 or 32768, got ${maximum}.`);
  }
  if (kind === 'Float32Array') return 1;
  return kind === 'Uint16Array' ? maximum : 255;
}
