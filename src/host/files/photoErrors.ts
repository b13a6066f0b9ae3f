import { HostError } from '../errors';

/**
 * Limits of what is read. Photo, packed layers and encoder buffers are in memory at once: at most about 30 bytes for
 * each pixel (measured on noise of 16 bits), so 110 megapixels stay within 4 GB together with the model. 30,000 is the
 * longest side of a PSD.
 */
export const MAX_PIXELS = 110e6;
export const MAX_SIDE = 30000;

export const UNTOUCHED = 'Nothing was written for it.';
export const READABLE = 'JPEG, PNG, TIFF, WebP, AVIF, HEIC, GIF, BMP, PSD, PSB and camera raw files are read.';

/** Throws HostError PHOTO_TOO_LARGE. */
export function checkSize(file: string, { width, height }: { width: number; height: number }): void {
  if (width * height <= MAX_PIXELS && Math.max(width, height) <= MAX_SIDE) return;
  const megapixels = (width * height) / 1e6;
  throw new HostError(
    'PHOTO_TOO_LARGE',
    `${quoted(file)} has ${width} x ${height} pixels (${megapixels.toFixed(0)} megapixels); the limits are ` +
      `${MAX_PIXELS / 1e6} megapixels, beyond which 4 GB of memory would not do, and ${MAX_SIDE} pixels a side, ` +
      `which a PSD cannot exceed. ${UNTOUCHED}`,
    'Make a smaller copy, retouch that, and apply its .cube file to the large photo in your editor.',
  );
}

export function damaged(file: string, why: string, cause?: unknown): HostError {
  return new HostError(
    'PHOTO_DAMAGED',
    `${quoted(file)} is damaged or cut short: ${why}. ${UNTOUCHED}`,
    'Copy the file again from its source, or open it in an editor and save it anew.',
    cause,
  );
}

/** A path as people see it, control characters made visible. */
export function quoted(file: string): string {
  return JSON.stringify(file);
}

/** The first line of what a library threw, without the path that it repeats. */
export function reason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const line = (text.split('\n').find((part) => part.trim() !== '') ?? 'unknown reason').trim();
  return line
    .replace(/^(\/|[A-Z]:\\)[^:]*: /, '')
    .replace(/[.\s]+$/, '')
    .slice(0, 200);
}
