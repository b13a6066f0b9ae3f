import {
  type Chromaticity,
  type Curve,
  KNOWN_SPACES,
  type KnownSpace,
  makeTransfer,
  type Primaries,
  recogniseSpace,
  type RgbSpace,
  SRGB_CURVE,
  spaceOfPrimaries,
} from '../../../color/icc';

/** What a photo's file says about its colors outside an ICC profile. */
export type Statement =
  /** `by` names the place for people: "its EXIF". */
  | { readonly kind: 'space'; readonly space: RgbSpace; readonly known?: KnownSpace | undefined; readonly by: string }
  /** Made for screens that shine brighter than white. */
  | { readonly kind: 'high-dynamic-range' }
  /** Something is said, but not enough to go by. `note` for people. */
  | { readonly kind: 'unclear'; readonly note: string };

export function known(space: KnownSpace, by: string): Statement {
  return { kind: 'space', space: KNOWN_SPACES[space], known: space, by };
}

/** Writers state sRGB's and Adobe RGB's curve as a gamma of about 2.2: 1 / 0.45455. */
const NEARLY_2_2 = 0.025;
const ADOBE_CURVE: Curve = { kind: 'gamma', gamma: 563 / 256 };

/** The curves that may be meant by an exponent; the last one is the exponent itself. */
export function curvesOfGamma(gamma: number): Curve[] {
  const pure: Curve = { kind: 'gamma', gamma };
  return Math.abs(gamma - 2.2) <= NEARLY_2_2 ? [SRGB_CURVE, ADOBE_CURVE, pure] : [pure];
}

/** The curves that may be meant where none is stated. */
export const USUAL_CURVES: readonly Curve[] = [ADOBE_CURVE, SRGB_CURVE];

/**
 * The space of stated primaries (CIE xy): a known space where one of the curves makes it one, else the stated primaries
 * with the last curve. Undefined for numbers that span no space.
 */
export function spaceStated(
  primaries: Primaries,
  white: Chromaticity,
  curves: readonly Curve[],
  by: string,
): Statement | undefined {
  let own: RgbSpace | undefined;
  for (const curve of curves.filter((one) => makeTransfer(one))) {
    own = spaceOfPrimaries(primaries, white, curve);
    const name = own && recogniseSpace(own);
    if (name) return known(name, by);
  }
  return own && { kind: 'space', space: own, by };
}
