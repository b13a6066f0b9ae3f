import { type Chromaticity, type Curve, D65, type Primaries, SRGB_CURVE, SRGB_PRIMARIES } from '../../../color/icc';
import { type CodedColours } from '../photoKind';
import { type Statement, spaceStated } from './statement';

/* Colors by number: ITU-T H.273, as AVIF ("nclx") and PNG (cICP) state them. */

const UNSTATED = 2;
const P3: Primaries = [
  [0.68, 0.32],
  [0.265, 0.69],
  [0.15, 0.06],
];
const REC2020: Primaries = [
  [0.708, 0.292],
  [0.17, 0.797],
  [0.131, 0.046],
];
const DCI_WHITE: Chromaticity = [0.314, 0.351];

const PRIMARIES = new Map<number, readonly [Primaries, Chromaticity]>([
  [1, [SRGB_PRIMARIES, D65]],
  [UNSTATED, [SRGB_PRIMARIES, D65]],
  [9, [REC2020, D65]],
  [11, [P3, DCI_WHITE]],
  [12, [P3, D65]],
]);

const gamma = (value: number): Curve => ({ kind: 'gamma', gamma: value });
/** BT.709, not stated, BT.601, sRGB, BT.2020 of 10 and 12 bits: all are shown by the curve of sRGB. */
const CURVES = new Map<number, Curve>([
  ...[1, UNSTATED, 6, 13, 14, 15].map((number) => [number, SRGB_CURVE] as const),
  [4, gamma(2.2)],
  [5, gamma(2.8)],
  [8, gamma(1)],
]);
/** PQ and HLG. */
const HDR_TRANSFERS = [16, 18];

/** Undefined where the numbers say that nothing is stated. */
export function statementOfCoded({ primaries, transfer }: CodedColours, by: string): Statement | undefined {
  if (HDR_TRANSFERS.includes(transfer)) return { kind: 'high-dynamic-range' };
  if (primaries === UNSTATED && transfer === UNSTATED) return undefined;
  const space = PRIMARIES.get(primaries);
  const curve = CURVES.get(transfer);
  const statement = space && curve && spaceStated(space[0], space[1], [curve], by);
  return (
    statement ?? {
      kind: 'unclear',
      note: `The photo's colors (primaries ${primaries}, curve ${transfer}) are not known; they were taken as sRGB.`,
    }
  );
}
