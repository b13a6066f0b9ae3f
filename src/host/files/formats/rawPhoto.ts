import { ADOBE_RGB, makeTransfer, writeMatrixProfile } from '../../../color/icc';
import { HostError } from '../../errors';
import { soundMetadata } from '../metadata';
import { type ReadPhoto } from '../photo';
import { UNTOUCHED, damaged, quoted } from '../photoErrors';
import { type ByteSource } from '../tiffTree';
import { decode } from './decodeThread';
import { readPreview } from './rawPreview';
import { rgbColors } from './rgbColors';
import { baselineExposure, isCutShort, rawMetadata } from './rawMetadata';

const RAW = {
  name: 'a camera raw file',
  wayOut: 'Develop it to a 16-bit TIFF first (in Camera Raw, Lightroom, darktable or RawTherapee), then give that.',
};

/**
 * Where 18 percent gray lies on a sensor that is exposed by ISO 12232: at 12.7 percent of saturation
 * (1 / 7.87, its saturation-based speed with half a stop of headroom).
 */
const GRAY_ON_SENSOR = 0.127;
/** The exponent that brings it to where it belongs; see `toneCurve`. */
const EXPONENT = Math.log(1 - 0.18) / Math.log(1 - GRAY_ON_SENSOR);
const VALUES = 65536;

/**
 * A camera raw file, developed: 16 bits in Adobe RGB (1998), the camera's white balance, a tone curve that is the same
 * for every photo; turned upright. Where the raw pixels are of a kind that the decoder does not know, the camera's own
 * preview, if it has at least half of the sensor's long edge; which is said. Throws HostError PHOTO_*,
 * HostCancelledError.
 */
export async function readRawPhoto(file: string, source: ByteSource, signal?: AbortSignal): Promise<ReadPhoto> {
  if (isCutShort(source)) throw damaged(file, 'its raw pixels end early');
  const curve = toneCurve(baselineExposure(source));
  const picture = await decode({ kind: 'raw', file, curve }, RAW, signal);
  const { metadata, notes } = soundMetadata(rawMetadata(source));
  if (picture.kind === 'preview') {
    const { pixels, notes: ofPreview, size } = await readPreview(file, picture, signal);
    const [long, sensor] = [Math.max(...size), Math.max(...picture.sensor)];
    if (long * 2 < sensor) throw tooSmall(file, size, picture.sensor);
    const said =
      `The raw pixels are of a kind that is not read here; the camera's own preview was read instead ` +
      `(${size[0]} x ${size[1]} of ${picture.sensor[0]} x ${picture.sensor[1]} pixels, 8 bits).`;
    return { pixels, density: undefined, metadata, notes: [said, ...ofPreview, ...notes] };
  }
  const icc = writeMatrixProfile(ADOBE_RGB, { description: 'Adobe RGB (1998)' });
  const { pixels, notes: ofColors } = await rgbColors(file, picture, { icc }, signal);
  const developed =
    "The camera raw file was developed with the camera's white balance and a neutral tone curve, 16 bits; " +
    'settings of Lightroom or Camera Raw beside it or in it were not applied.';
  return { pixels, density: undefined, metadata, notes: [developed, ...ofColors, ...notes] };
}

/**
 * Linear light of a sensor (65,536 values, saturation at the last) -> encoded Adobe RGB (1998), 0..65535. The curve
 * y = 1 - (1 - x)^k lifts gray to where viewers expect it and runs into white without a corner; k = 1.46 for a sensor
 * exposed by ISO 12232. `exposure` in stops is a DNG's BaselineExposure: it multiplies k, which is the slope at black.
 */
export function toneCurve(exposure: number): Uint16Array {
  const k = Math.min(16, Math.max(1, EXPONENT * 2 ** exposure));
  const encode = makeTransfer(ADOBE_RGB.curves[0])!;
  return Uint16Array.from({ length: VALUES }, (_, i) =>
    Math.round(65535 * encode.fromLinear(1 - (1 - i / (VALUES - 1)) ** k)),
  );
}

function tooSmall(file: string, size: readonly number[], sensor: readonly number[]): HostError {
  return new HostError(
    'PHOTO_FORMAT',
    `${quoted(file)} is a camera raw file of a kind that the decoder does not know, and its preview of ` +
      `${size.join(' x ')} pixels is too small beside ${sensor.join(' x ')}. ${UNTOUCHED}`,
    RAW.wayOut,
  );
}
