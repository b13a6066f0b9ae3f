import { type Triple } from '../convert';
import { SRGB } from './spaces';

/*
 * How a retouch that is defined on sRGB's cube is carried on to colours outside of it.
 *
 * The retouch T is known inside the cube only, so a colour c outside has to be taken in, retouched, and put back out.
 * All of it happens in linear light. With Y(x) the luminance of x, and C(x) = x - Y(x) what makes it coloured:
 *
 *   g      the neutral colour that c is pulled towards
 *   s      = g + (c - g) / k, where the line from g to c leaves the cube; k >= 1 says how far outside c lies
 *   C(c')  = C(T(g)) + k (C(T(s)) - C(T(g)))
 *   Y(c')  = Y(T(s)) Y(c) / Y(s)
 *
 * So colour is continued along the line from g through s by its secant, and luminance in proportion. It follows that
 * - the identity gives c again, and a colour inside (k = 1) gives T(c), whatever T is;
 * - exposure, changes of saturation and toning are continued exactly, where they are linear in light;
 * - where T makes everything neutral, c' is neutral; where T tints greys, c' gets that tint once and not k times. This
 *   is why the expansion is about the retouched neutral T(g): about c's own grey it would multiply a sepia tone;
 * - a T that brightens s brightens c. The secant does not give that: T may lift g by more than s, which has no more
 *   room in some component, and the difference times k would darken c;
 * - c' depends continuously on c and on T, without a threshold that a ramp could show.
 *
 * Where c' lies outside the document's own cube its components are clipped one by one, as colour management does.
 * Taking it in as c was would keep its hue better and cost up to a third of its chroma, and a ramp towards ProPhoto's
 * blue under a warmer white balance would turn back on its way.
 *
 * A map into the cube that leaves the cube's own colours alone can only send what is outside to the surface, so there
 * is a kink at the surface and there has to be: any softer knee would move colours that have to stay. Nothing is lost
 * by it, since k carries on what s no longer tells.
 *
 * Why lines in linear light, and not in Oklab: on such a line the dominant wavelength stays, the cube is convex, so the
 * way out is found in closed form, and there is no singular place. ProPhoto's blue and green are no visible colours;
 * there Oklab's cube roots of negative cone responses turn hues by tens of degrees within a step. What lines in linear
 * light cost is the bend of perceived hue (Abney): between c and s Oklab's hue differs by 0.9 degrees on average and
 * 6 at most over Display P3, 1.3 and 8 over Adobe RGB.
 *
 * Which grey: of the luminance of c, mixed with a little of the middle between its largest and smallest component. With
 * 15 % of it, Oklab's lightness of s differs from that of c by 0.001 to 0.007 on average over the three wide spaces;
 * with luminance alone it is double. And it has to stay clear of black and white: ProPhoto's blue has luminance 0.0001,
 * and the way from a grey that dark leaves the cube at once, which makes k, and with it each wiggle of the retouch,
 * some thousand times. Kept at an eighth of the colour's spread away from both, k stays below 1.4 over Display P3, 1.7
 * over Adobe RGB, 3.5 over ProPhoto. Both parts scale with the colour, so a dark copy of a colour is treated as the
 * colour itself, and the same holds towards white.
 */

/** Share of the middle of the components in the grey. */
const MIDDLE = 0.15;
/** Least distance of the grey from black and from white, as share of the colour's spread. */
const CLEARANCE = 1 / 8;
/** No k above this; reached only by profiles whose own white lies outside sRGB's cube. */
const MAX_RATIO = 16;
/** A luminance below this has no proportions. */
const LEAST_LUMINANCE = 1e-9;

/** Y of linear sRGB's red, green and blue under D50; 1 in sum. */
const WEIGHTS = SRGB.toXyz[1];

/** A colour taken into sRGB's cube. */
export interface Fitted {
  /** s, within [0,1]. */
  readonly inside: Triple;
  /** g, all three components of it. */
  readonly grey: number;
  /** k, 1 for a colour that lies inside already. */
  readonly ratio: number;
  /** Y(c) / Y(s). */
  readonly luminanceRatio: number;
}

/** Linear sRGB, not limited -> the same colour, or the one on the cube's surface that stands for it. */
export function fitIntoCube(c: Readonly<Triple>): Fitted {
  const largest = Math.max(...c);
  const smallest = Math.min(...c);
  const clearance = Math.min(0.5, CLEARANCE * (largest - smallest));
  const mixed = (1 - MIDDLE) * luminance(c) + MIDDLE * 0.5 * (largest + smallest);
  const grey = Math.min(1 - clearance, Math.max(clearance, mixed));
  let ratio = 1;
  // The first of the cube's six faces on the way. A grey on such a face gives infinity, and with it the limit.
  if (smallest < 0) ratio = Math.max(ratio, Math.min(MAX_RATIO, (grey - smallest) / grey));
  if (largest > 1) ratio = Math.max(ratio, Math.min(MAX_RATIO, (largest - grey) / (1 - grey)));
  const take = (v: number): number => Math.min(1, Math.max(0, ratio === 1 ? v : grey + (v - grey) / ratio));
  const inside: Triple = [take(c[0]), take(c[1]), take(c[2])];
  const left = luminance(inside);
  return { inside, grey, ratio, luminanceRatio: left > LEAST_LUMINANCE ? luminance(c) / left : 1 };
}

/** c', from T(g) and T(s). */
export function extend(neutral: Readonly<Triple>, retouched: Readonly<Triple>, fitted: Fitted): Triple {
  const { ratio, luminanceRatio } = fitted;
  const n = luminance(neutral);
  const t = luminance(retouched);
  const along = (i: number): number => {
    const tint = neutral[i] - n;
    return t * luminanceRatio + tint + ratio * (retouched[i] - t - tint);
  };
  return [along(0), along(1), along(2)];
}

function luminance(c: Readonly<Triple>): number {
  return WEIGHTS[0] * c[0] + WEIGHTS[1] * c[1] + WEIGHTS[2] * c[2];
}
