import * as fc from 'fast-check';
import { labToSrgb, linearToSrgb, srgbToLab, srgbToLinear, VeraRetouchError, ColorError } from '../../src/color';

const unit = fc.double({ min: 0, max: 1, noNaN: true });

test('sRGB transfer: known values, both ways, continuous at the joint', () => {
  expect(srgbToLinear(0.5)).toBeCloseTo(0.2140411, 6);
  expect(srgbToLinear(0.04)).toBeCloseTo(0.04 / 12.92, 12);
  expect(srgbToLinear(1)).toBe(1);
  expect(linearToSrgb(0.18)).toBeCloseTo(0.4613561, 6);
  expect(Math.abs(srgbToLinear(0.04045) - srgbToLinear(0.0404501))).toBeLessThan(1e-7);
  fc.assert(
    fc.property(fc.double({ min: -1, max: 4, noNaN: true }), (value) => {
      expect(linearToSrgb(srgbToLinear(value))).toBeCloseTo(value, 6);
    }),
  );
});

test.each([
  ['white', [1, 1, 1], [100, 0, 0]],
  ['black', [0, 0, 0], [0, 0, 0]],
  ['red', [1, 0, 0], [53.2408, 80.0925, 67.2032]],
  ['green', [0, 1, 0], [87.7347, -86.1827, 83.1793]],
  ['blue', [0, 0, 1], [32.297, 79.1875, -107.8602]],
  ['middle grey', [0.466, 0.466, 0.466], [49.967, 0, 0]],
])('Lab of %s', (_name, [r, g, b], expected) => {
  srgbToLab(r, g, b).forEach((value, i) => {
    expect(Math.abs(value - expected[i])).toBeLessThan(0.02);
  });
});

test('Lab and back; greys have no chroma', () => {
  fc.assert(
    fc.property(unit, unit, unit, (r, g, b) => {
      const [l, a, bb] = srgbToLab(r, g, b);
      const back = labToSrgb(l, a, bb);
      [r, g, b].forEach((value, i) => {
        expect(Math.abs(back[i] - value)).toBeLessThan(1e-5);
      });
      const grey = srgbToLab(g, g, g);
      expect(Math.hypot(grey[1], grey[2])).toBeLessThan(1e-9);
    }),
  );
});

test('errors carry name, code, hint and cause', () => {
  const cause = new Error('below');
  const base = new VeraRetouchError('happened', { code: 'X', hint: 'do this', cause });
  expect(base).toMatchObject({ name: 'VeraRetouchError', message: 'happened', code: 'X', hint: 'do this', cause });
  const color = new ColorError('BAD_ARGUMENT', 'wrong');
  expect(color).toBeInstanceOf(VeraRetouchError);
  expect(color).toMatchObject({ name: 'ColorError', code: 'BAD_ARGUMENT', hint: undefined });
});
