import { soundMetadata } from '../metadata';
import { type ReadPhoto } from '../photo';
import { decode } from './decodeThread';
import { rgbColors } from './rgbColors';

const HEIC = { name: 'HEIC', wayOut: 'Export it as JPEG or TIFF, then give that.' };

/**
 * The main picture of a HEIC file: 8 bits, or 10 and 12 spread over 16; turned and cropped as the file asks for,
 * with its transparency, in its own colors (an ICC profile, or Display P3 by number). PQ and HLG are refused.
 * Throws HostError PHOTO_*, HostCancelledError.
 */
export async function readHeicPhoto(file: string, signal?: AbortSignal): Promise<ReadPhoto> {
  const picture = await decode({ kind: 'heic', file }, HEIC, signal);
  if (picture.kind === 'preview') throw new Error('A preview is for raw files.');
  const { icc, coded, exif, xmp } = picture;
  const { pixels, notes: ofColors } = await rgbColors(file, picture, { icc, coded }, signal);
  const { metadata, notes } = soundMetadata({ exif, xmp, iptc: undefined });
  return {
    pixels,
    density: undefined,
    metadata,
    notes: [
      ...ofColors,
      ...((picture.pictures ?? 1) > 1 ? [`The file holds ${picture.pictures} pictures; the main one was read.`] : []),
      ...notes,
    ],
  };
}
