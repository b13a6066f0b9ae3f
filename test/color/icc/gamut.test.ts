import { type Triple } from '../../../src/color';
import { KNOWN_SPACES, type KnownSpace, SRGB } from '../../../src/color/icc';
import { fitIntoCube } from '../../../src/color/icc/gamut';
import { inverse, product, transform } from '../../../src/color/icc/matrix';

/** Oklab (Ottosson 2020) of linear sRGB, and whether all three cone responses are those of a visible colour. */
function oklab([r, g, b]: Readonly<Triple>): { lab: Triple; visible: boolean } {
  const cones = [
    0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b,
    0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b,
    0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b,
  ];
  const [l, m, s] = cones.map(Math.cbrt);
  const lab: Triple = [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
  return { lab, visible: cones.every((value) => value > 0) };
}

/** Linear sRGB of all colours of a grid over the space whose luminance lies above black, perceptually spaced. */
function colours(name: KnownSpace): Triple[] {
  const toSrgb = product(inverse(SRGB.toXyz), KNOWN_SPACES[name].toXyz);
  const steps = Array.from({ length: 13 }, (_, i) => (i / 12) ** 2.2);
  return steps.flatMap((r) => steps.flatMap((g) => steps.map((b) => transform(toSrgb, [r, g, b]))));
}

const isOutside = (c: Readonly<Triple>): boolean => c.some((v) => v < -1e-9 || v > 1 + 1e-9);
const mean = (values: number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

test('colours inside stay, colours outside go to the surface, on a line through a grey', () => {
  for (const c of colours('prophoto-rgb')) {
    const { inside, grey, ratio } = fitIntoCube(c);
    if (!isOutside(c)) {
      // What rounding leaves of a face.
      expect(ratio).toBeLessThan(10);
      inside.forEach((v, i) => {
        expect(Math.abs(v - c[i])).toBeLessThan(1e-8);
      });
      continue;
    }
    expect(ratio).toBeGreaterThan(1);
    expect(Math.min(...inside.map((v) => Math.min(v, 1 - v)))).toBeCloseTo(0, 9);
    inside.forEach((v, i) => {
      expect(v >= 0 && v <= 1).toBe(true);
      expect(grey + ratio * (v - grey)).toBeCloseTo(c[i], 9);
    });
  }
});

test('a dark copy of a colour is treated as the colour, and a light one likewise', () => {
  const c: Triple = [-0.2, 0.9, 0.1];
  const bright = fitIntoCube(c);
  const dark = fitIntoCube(c.map((v) => v / 1000) as Triple);
  expect(dark.ratio).toBeCloseTo(bright.ratio, 9);
  dark.inside.forEach((v, i) => {
    expect(v * 1000).toBeCloseTo(bright.inside[i], 9);
  });
  const light = fitIntoCube(c.map((v) => 1 - v / 1000) as Triple);
  expect(light.ratio).toBeCloseTo(fitIntoCube(c.map((v) => 1 - v) as Triple).ratio, 9);
});

test('whatever comes in, what goes out is a colour', () => {
  for (const c of [
    [0, 0, 0],
    [1, 1, 1],
    [1.3, 1.3, 1.3],
    [-1, -1, -1],
    [9, -9, 0],
    [1, 1, 1.001],
    [0, 0, -1e-18],
  ]) {
    const { inside, ratio } = fitIntoCube(c as Triple);
    expect(inside.every((v) => v >= 0 && v <= 1)).toBe(true);
    expect(ratio >= 1 && ratio <= 16).toBe(true);
  }
});

/** The figures that the choice is justified with in gamut.ts. */
test.each<[KnownSpace, { ratio: number; lightness: number; hue: number; turn: number }]>([
  ['display-p3', { ratio: 1.4, lightness: 0.002, hue: 1, turn: 7 }],
  ['adobe-rgb', { ratio: 1.7, lightness: 0.003, hue: 1.5, turn: 9 }],
  ['prophoto-rgb', { ratio: 3.5, lightness: 0.008, hue: 3.5, turn: 50 }],
])('%s: how far outside, and how well hue and lightness hold', (name, bounds) => {
  const outside = colours(name).filter(isOutside);
  const fitted = outside.map((c) => fitIntoCube(c));
  expect(Math.max(...fitted.map(({ ratio }) => ratio))).toBeLessThan(bounds.ratio);
  const pairs = outside
    .map((c, i) => [oklab(c), oklab(fitted[i].inside)])
    .filter(([c]) => c.visible && Math.hypot(c.lab[1], c.lab[2]) > 0.03)
    .map(([c, s]) => [c.lab, s.lab]);
  const turns = pairs.map(([[, a, b], [, x, y]]) =>
    Math.abs((Math.atan2(a * y - b * x, a * x + b * y) * 180) / Math.PI),
  );
  expect(mean(turns)).toBeLessThan(bounds.hue);
  expect(Math.max(...turns)).toBeLessThan(bounds.turn);
  expect(mean(pairs.map(([[l], [m]]) => Math.abs(l - m)))).toBeLessThan(bounds.lightness);
});
