import { BANDS } from './bandChange';
import type { Change } from './change';

const WHOLE = [
  ...(['exposure', 'contrast', 'highlights', 'shadows', 'whites', 'blacks', 'lights', 'darks'] as const),
  ...(['temperature', 'tint', 'saturation', 'vibrance', 'monochrome'] as const),
];
const OF_BANDS = ['saturation', 'luminance', 'hue'] as const;

/** Reads the change along an axis, in the axis' units, signed; undefined for a name that is no axis. */
export function axisReader(name: string): ((change: Change) => number) | undefined {
  const [kind, bandName] = name.split('.') as [string, string | undefined];
  if (bandName === undefined) {
    const whole = WHOLE.find((known) => known === kind);
    return whole && ((change) => change[whole]);
  }
  const band = BANDS.findIndex((known) => known === bandName);
  const part = OF_BANDS.find((known) => known === kind);
  return band < 0 || !part ? undefined : (change) => change.bands[band][part];
}

/** The change along an axis that is known to be one. */
export function effectOf(change: Change, axis: string): number {
  return axisReader(axis)!(change);
}

/** The share of the pixels that an axis' hue band has; 1 for an axis of the whole picture. */
export function shareOf(change: Change, axis: string): number {
  const band = BANDS.findIndex((known) => axis.endsWith(`.${known}`));
  return band < 0 ? 1 : change.bands[band].share;
}
