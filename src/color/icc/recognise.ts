import { type Curve, makeTransfer } from './curve';
import { KNOWN_SPACES, type KnownSpace, type RgbSpace } from './spaces';

/** Profiles in circulation round and adapt differently; the four spaces differ by 0.04 and more. */
const PRIMARY_TOLERANCE = 0.002;
/**
 * In linear light, and after encoding again: together they tell sRGB's curve from gamma 2.2 (0.008 and 0.03 apart)
 * and take ProPhoto's pure gamma 1.8 for the curve with a straight toe (0.0004 and 0.007 apart).
 */
const LINEAR_TOLERANCE = 0.003;
const ENCODED_TOLERANCE = 0.01;
const SAMPLES = 256;

/** Which of the known spaces this one is, by its primaries and curves; undefined for any other. */
export function recogniseSpace(space: RgbSpace): KnownSpace | undefined {
  return (Object.keys(KNOWN_SPACES) as KnownSpace[]).find((name) => {
    const known = KNOWN_SPACES[name];
    return (
      space.toXyz.every((row, i) => row.every((v, j) => Math.abs(v - known.toXyz[i][j]) <= PRIMARY_TOLERANCE)) &&
      space.curves.every((curve, i) => sameCurve(curve, known.curves[i]))
    );
  });
}

function sameCurve(curve: Curve, known: Curve): boolean {
  const own = makeTransfer(curve);
  const reference = makeTransfer(known);
  if (!own || !reference) return false;
  for (let i = 0; i <= SAMPLES; i++) {
    const x = i / SAMPLES;
    const linear = own.toLinear(x);
    if (Math.abs(linear - reference.toLinear(x)) > LINEAR_TOLERANCE) return false;
    if (Math.abs(reference.fromLinear(linear) - x) > ENCODED_TOLERANCE) return false;
  }
  return true;
}
