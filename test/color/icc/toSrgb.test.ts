import { DISPLAY_P3, SRGB, toSrgb } from '../../../src/color/icc';

test('sRGB stays as it is, each channel its own', () => {
  const back = toSrgb(SRGB)(0.8, 0.4, 0.2);
  [0.8, 0.4, 0.2].forEach((value, i) => {
    expect(back[i]).toBeCloseTo(value, 6);
  });
});

// The left numbers are the primaries of sRGB in Display P3, as CSS Color 4 gives them.
test.each([
  ['red', [0.91749, 0.20029, 0.13856], [1, 0, 0]],
  ['green', [0.45842, 0.98527, 0.29832], [0, 1, 0]],
  ['blue', [0, 0, 0.95959], [0, 0, 1]],
])('Display P3 of the %s of sRGB', (_name, [r, g, b], expected) => {
  const way = toSrgb(DISPLAY_P3)(r, g, b);
  expected.forEach((value, i) => {
    expect(Math.abs(way[i] - value)).toBeLessThan(0.01);
  });
});
