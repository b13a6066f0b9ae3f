import { type ColorFunction, ColorError, deltaE2000, Lut3D, type Triple } from '../../../src/color';
import {
  ADOBE_RGB,
  bakeGrey,
  bakeInSpace,
  type Curve,
  DISPLAY_P3,
  type GreySpace,
  KNOWN_SPACES,
  type KnownSpace,
  makeTransfer,
  PROPHOTO_RGB,
  retouchInSpace,
  type RgbSpace,
  SRGB,
} from '../../../src/color/icc';
import { inverse, product, transform } from '../../../src/color/icc/matrix';
import { randomSource } from '../reference';
import { blackAndWhite, contrast, halfExposure, identity, look, luminance, paler, sepia, warm } from './retouches';

const NAMES = Object.keys(KNOWN_SPACES) as KnownSpace[];
const WIDE = NAMES.filter((name) => name !== 'srgb');

/** A display profile as calibration makes them: sampled curves, blacks that are level, primaries of its own. */
const table = (gamma: number): Curve => ({
  kind: 'table',
  values: Array.from({ length: 64 }, (_, i) => Math.max(0, (i - 2) / 61) ** gamma),
});
const MONITOR: RgbSpace = {
  kind: 'rgb',
  toXyz: [
    [0.47, 0.33, 0.164],
    [0.24, 0.69, 0.07],
    [0.01, 0.06, 0.755],
  ],
  curves: [table(2.1), table(2.2), table(2.3)],
};
/** ACES 2065-1, the widest there is: blue has a negative luminance. */
const ACES: RgbSpace = {
  kind: 'rgb',
  toXyz: [
    [0.99084, 0.01223, -0.03887],
    [0.36189, 0.72254, -0.08443],
    [-0.00272, 0.00823, 0.81939],
  ],
  curves: PROPHOTO_RGB.curves,
};
/** Grey encodings: Photoshop's usual gamma, sRGB's curve, linear. */
const GREYS: GreySpace[] = [{ kind: 'gamma', gamma: 2.2 } as const, SRGB.curves[0], table(1)].map((curve) => ({
  kind: 'grey',
  curve,
}));

function largest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

function decode(space: RgbSpace, color: Readonly<Triple>): Triple {
  return space.curves.map((curve, i) => makeTransfer(curve)!.toLinear(color[i])) as Triple;
}

function encode(space: RgbSpace, color: Readonly<Triple>): Triple {
  return space.curves.map((curve, i) => makeTransfer(curve)!.fromLinear(color[i])) as Triple;
}

/** CIE L*a*b* under D50 of linear RGB in the space. */
function lab(space: RgbSpace, linear: Readonly<Triple>): Triple {
  const [x, y, z] = transform(space.toXyz, linear).map((value, i) => {
    const t = value / [0.9642, 1, 0.8249][i];
    return t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116;
  });
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Colours that sRGB has, encoded in the space, and the same in encoded sRGB. */
function shared(space: RgbSpace, count: number): { document: Triple; srgb: Triple }[] {
  const random = randomSource(7);
  const fromSrgb = product(inverse(space.toXyz), SRGB.toXyz);
  return Array.from({ length: count }, () => {
    const srgb: Triple = [random(), random(), random()];
    return { document: encode(space, transform(fromSrgb, decode(SRGB, srgb))), srgb };
  });
}

function randomColours(count: number): Triple[] {
  const random = randomSource(11);
  return Array.from({ length: count }, () => [random(), random(), random()]);
}

describe('the identity', () => {
  const spaces: [string, RgbSpace][] = [...Object.entries(KNOWN_SPACES), ['a monitor', MONITOR], ['ACES', ACES]];

  test.each(spaces)('gives the identity in %s', (_name, space) => {
    const expected = Lut3D.identity(9).data;
    expect(largest(bakeInSpace(space, identity, 9).data, expected)).toBeLessThan(1e-6);
    // 32-bit floats on the way, whose rounding a pure gamma would show near black.
    expect(largest(bakeInSpace(space, Lut3D.identity(6), 9).data, expected)).toBeLessThan(1e-4);
  });

  test.each(GREYS)('gives the identity in grey', (grey) => {
    const expected = Float32Array.from({ length: 256 }, (_, i) => i / 255);
    expect(largest(bakeGrey(grey, identity), expected)).toBeLessThan(1e-6);
    expect(largest(bakeGrey(grey, Lut3D.identity(6)), expected)).toBeLessThan(1e-4);
  });
});

test.each(NAMES)('%s: colours that sRGB has go the long way', (name) => {
  const space = KNOWN_SPACES[name];
  const fromSrgb = product(inverse(space.toXyz), SRGB.toXyz);
  const inSpace = retouchInSpace(space, look);
  for (const { document, srgb } of shared(space, 500)) {
    const expected = encode(space, transform(fromSrgb, decode(SRGB, look(...srgb))));
    // Where the look reaches black in a channel, the steepness of a gamma near 0 shows rounding.
    expect(largest(inSpace(...document), expected)).toBeLessThan(2e-3);
    expect(largest(decode(space, inSpace(...document) as Triple), decode(space, expected))).toBeLessThan(2e-6);
  }
});

test('what a retouch gives beyond [0,1] is clipped, in every space', () => {
  const over: ColorFunction = (r, g, b) => [1.5 * r, g - 0.2, b];
  const clipped: ColorFunction = (r, g, b) => [Math.min(1, 1.5 * r), Math.max(0, g - 0.2), b];
  expect(bakeInSpace(DISPLAY_P3, over, 5).data).toEqual(bakeInSpace(DISPLAY_P3, clipped, 5).data);
});

describe.each(WIDE)('%s, colours that sRGB does not have', (name) => {
  const space = KNOWN_SPACES[name];

  test('neutrals stay neutral, black and white stays black and white', () => {
    const kept = retouchInSpace(space, contrast);
    for (let v = 0; v <= 1; v += 1 / 64) {
      const [r, g, b] = kept(v, v, v);
      expect(Math.max(Math.abs(r - g), Math.abs(b - g))).toBeLessThan(1e-6);
    }
    const grey = retouchInSpace(space, blackAndWhite);
    for (const color of randomColours(300)) {
      const [r, g, b] = grey(...color);
      expect(Math.max(Math.abs(r - g), Math.abs(b - g))).toBeLessThan(1e-5);
    }
  });

  test('what is linear in light is continued exactly: exposure, saturation, toning', () => {
    const toSrgb = product(inverse(SRGB.toXyz), space.toXyz);
    const back = inverse(toSrgb);
    const cases: [ColorFunction, (c: Readonly<Triple>) => Triple][] = [
      [halfExposure, ([r, g, b]) => [r / 2, g / 2, b / 2]],
      [paler(0.4), (c) => c.map((v) => v + 0.4 * (luminance(c) - v)) as Triple],
      [sepia, (c) => [luminance(c), 0.85 * luminance(c), 0.6 * luminance(c)]],
    ];
    for (const [retouch, linear] of cases) {
      const inSpace = retouchInSpace(space, retouch);
      for (const color of randomColours(300)) {
        const expected = transform(back, linear(transform(toSrgb, decode(space, color))));
        const clipped = expected.map((v) => Math.min(1, Math.max(0, v)));
        expect(largest(decode(space, inSpace(...color) as Triple), clipped)).toBeLessThan(1e-5);
      }
    }
  });

  /** Ramps in encoded steps from middle grey to each primary and to each mixture of two. */
  const CORNERS: Triple[] = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
    [1, 1, 0],
    [0, 1, 1],
    [1, 0, 1],
  ];
  const STEPS = 128;
  const ramp = (corner: Triple): Triple[] =>
    Array.from({ length: STEPS + 1 }, (_, i) => corner.map((v) => 0.5 + (v - 0.5) * (i / STEPS)) as Triple);
  const labsOf = (colors: Triple[]): Triple[] => colors.map((color) => lab(space, decode(space, color)));
  const stepsOf = (labs: Triple[]): number[] => labs.slice(1).map((color, i) => deltaE2000(color, labs[i]));
  /** Degrees between the hues of two colours; 0 where one has too little chroma to have a hue. */
  const turn = ([, a, b]: Triple, [, c, d]: Triple): number =>
    Math.min(Math.hypot(a, b), Math.hypot(c, d)) < 20
      ? 0
      : Math.abs((Math.atan2(a * d - b * c, a * c + b * d) * 180) / Math.PI);

  test.each<[string, ColorFunction]>([
    ['exposure', halfExposure],
    ['white balance', warm],
    ['contrast', contrast],
    ['sepia', sepia],
    ['a look', look],
  ])("ramps from grey to the gamut's corners stay smooth: %s", (_what, retouch) => {
    const inSpace = retouchInSpace(space, retouch);
    for (const corner of CORNERS) {
      const before = labsOf(ramp(corner));
      const after = labsOf(ramp(corner).map((color) => inSpace(...color) as Triple));
      expect(Math.max(...stepsOf(after))).toBeLessThan(2.5 * Math.max(...stepsOf(before)));
      after.slice(1).forEach((color, i) => {
        expect(turn(color, after[i])).toBeLessThan(3);
      });
      // Neither of these two is meant to turn a hue; curves for each channel do so by their nature, inside sRGB too.
      if (retouch === halfExposure || retouch === contrast) {
        after.forEach((color, i) => {
          expect(turn(color, before[i])).toBeLessThan(12);
        });
      }
    }
  });

  test('ramps keep their order: further from grey before, further from grey after', () => {
    for (const retouch of [halfExposure, contrast, warm]) {
      const inSpace = retouchInSpace(space, retouch);
      for (const corner of CORNERS) {
        const spread = ramp(corner).map((color) => {
          const linear = decode(space, inSpace(...color));
          return Math.max(...linear) - Math.min(...linear);
        });
        // The first steps of a cast grey lead back through grey; the last may meet the document's own limits.
        let most = 0;
        for (const value of spread.slice(STEPS / 4)) {
          expect(value).toBeGreaterThan(most - 0.03);
          most = Math.max(most, value);
        }
      }
    }
  });

  test('more of a retouch gives more of its effect', () => {
    const amounts = Array.from({ length: 21 }, (_, i) => i / 20);
    const brighten = (amount: number): ColorFunction => {
      const curve = (v: number): number => v ** (1 - 0.4 * amount);
      return (r, g, b) => [curve(r), curve(g), curve(b)];
    };
    const brighter = amounts.map((amount) => retouchInSpace(space, brighten(amount)));
    const palest = amounts.map((amount) => retouchInSpace(space, paler(amount)));
    for (const color of [...CORNERS, ...randomColours(60)]) {
      const luminance = brighter.map((fn) => transform(space.toXyz, decode(space, fn(...color) as Triple))[1]);
      const chroma = palest.map((fn) => {
        const linear = decode(space, fn(...color));
        return Math.max(...linear) - Math.min(...linear);
      });
      const rise = Math.min(...luminance.slice(1).map((v, i) => v - luminance[i]));
      const jump = Math.max(...luminance.slice(1).map((v, i) => v - luminance[i]));
      const fall = Math.max(...chroma.slice(1).map((v, i) => v - chroma[i]));
      expect(rise).toBeGreaterThan(-1e-6);
      expect(jump).toBeLessThan(0.05);
      expect(fall).toBeLessThan(1e-6);
    }
  });
});

test('grey documents: tone is taken over, colour by its luminance', () => {
  for (const grey of GREYS) {
    const curve = makeTransfer(grey.curve)!;
    const half = bakeGrey(grey, halfExposure, 64);
    const tinted = bakeGrey(grey, sepia, 64);
    for (let i = 0; i < 64; i++) {
      const linear = curve.toLinear(i / 63);
      expect(Math.abs(curve.toLinear(half[i]) - linear / 2)).toBeLessThan(1e-5);
      expect(Math.abs(curve.toLinear(tinted[i]) - linear * (0.2225 + 0.85 * 0.7169 + 0.6 * 0.0606))).toBeLessThan(1e-4);
    }
    expect(half.every((value, i) => i === 0 || value >= half[i - 1])).toBe(true);
  }
});

test('arguments that make no sense', () => {
  const flat: RgbSpace = { ...SRGB, toXyz: [SRGB.toXyz[0], SRGB.toXyz[0], SRGB.toXyz[2]] };
  const falling: Curve = { kind: 'table', values: [1, 0] };
  const nothing: ColorFunction = () => [NaN, 0, 0];
  for (const call of [
    () => bakeInSpace(flat, identity, 5),
    () => bakeInSpace({ ...SRGB, curves: [falling, falling, falling] }, identity, 5),
    () => bakeInSpace(ADOBE_RGB, identity, 1),
    () => bakeInSpace(ADOBE_RGB, nothing, 5),
    () => bakeGrey({ kind: 'grey', curve: falling }, identity),
    () => bakeGrey(GREYS[0], identity, 1),
    () => bakeGrey(GREYS[0], identity, 2.5),
    () => bakeGrey(GREYS[0], nothing),
  ]) {
    expect(call).toThrow(ColorError);
  }
});
