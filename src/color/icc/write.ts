import { ColorError } from '../errors';
import { buildProfile } from './container';
import { makeTransfer } from './curve';
import { adaptationToD50, type ColorSpace, D50, type RgbSpace } from './spaces';
import { curveType, fixedSteps, fixedType, textTags } from './types-write';

export interface MatrixProfileOptions {
  /** Version 2.4, which every program reads (default), or 4.2, which holds formulas instead of sampled curves. */
  readonly version?: 2 | 4;
  /** Shown by programs as the profile's name; in version 2 printable ASCII only. At most 120 characters. */
  readonly description?: string;
}

/**
 * A display profile of the space, with the required tags and no others: matrix and curves for RGB, one curve for grey.
 * Numbers are rounded to the format's 1/65536; white is exactly D50 where the space's white is. Where two channels
 * have the same curve, they share it in the file.
 *
 * The media white of both versions is D50: what white was before its adaptation is said by `chad`, as in the profiles
 * that the ICC itself publishes.
 *
 * @throws ColorError BAD_ARGUMENT for a curve that does not rise from dark to light
 */
export function writeMatrixProfile(space: ColorSpace, options: MatrixProfileOptions = {}): Uint8Array {
  const { version = 2, description = 'VeraRetouch' } = options;
  const curves = space.kind === 'rgb' ? space.curves : [space.curve];
  if (curves.some((curve) => !makeTransfer(curve))) {
    throw new ColorError('BAD_ARGUMENT', 'A curve of this colour space does not rise from dark to light.');
  }
  const tags = [...textTags(version, description), whitePoint()];
  if (space.kind === 'rgb') {
    tags.push(...adaptation(space), ...primaries(space));
    const data = new Map(curves.map((curve) => [curve, curveType(version, curve)]));
    curves.forEach((curve, i) => tags.push([['rTRC', 'gTRC', 'bTRC'][i], data.get(curve)!]));
  } else {
    tags.push(['kTRC', curveType(version, space.curve)]);
  }
  const colorSpace = space.kind === 'rgb' ? 'RGB ' : 'GRAY';
  return buildProfile({ version, deviceClass: 'mntr', colorSpace, connectionSpace: 'XYZ ', tags });
}

function whitePoint(): [string, Uint8Array] {
  return ['wtpt', fixedType('XYZ ', D50.map(fixedSteps))];
}

/** chromaticAdaptationTag: from the space's own white to D50. */
function adaptation({ white }: RgbSpace): [string, Uint8Array][] {
  return white ? [['chad', fixedType('sf32', adaptationToD50(white).flat().map(fixedSteps))]] : [];
}

/** Rounded so that their sum is the rounded white: three roundings of their own would tint it. */
function primaries({ toXyz }: RgbSpace): [string, Uint8Array][] {
  const rows = toXyz.map((row) => {
    const steps = row.map(fixedSteps);
    // The largest carries the remainder.
    const largest = row.indexOf(Math.max(...row));
    const sum = steps[0] + steps[1] + steps[2];
    steps[largest] += fixedSteps(row[0] + row[1] + row[2]) - sum;
    return steps;
  });
  return ['rXYZ', 'gXYZ', 'bXYZ'].map((name, i) => [
    name,
    fixedType(
      'XYZ ',
      rows.map((row) => row[i]),
    ),
  ]);
}
