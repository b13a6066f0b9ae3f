import { fnv1a, voiceOfParameters, voiceOfPhoto } from '../../src/inference/voices';

/** [3, size, size] in [0, 1], by formula. */
function picture(seed: number, size: number): Float32Array {
  return Float32Array.from({ length: 3 * size * size }, (_, i) => ((seed * 31 + i * 7 + (i >> 5) * seed) & 255) / 255);
}

const MANY = 2 ** 31 - 1;

/* What veraretouch.export.voices gave for the same inputs. */

test.each([
  ['', 2166136261],
  ['a', 3826002220],
  ['foobar', 3214735720],
])('FNV-1a of "%s"', (text, expected) => {
  expect(fnv1a(new TextEncoder().encode(text))).toBe(expected);
});

test.each([
  [8, [1, 2, 2, 12, 1692165297]],
  [9, [15, 13, 6, 0, 2027115375]],
  [64, [3, 1, 14, 8, 1220576979]],
  [100, [14, 15, 11, 15, 1338889023]],
  [511, [7, 4, 0, 10, 455611912]],
])('the voice of a photo of %i pixels is that of Python', (size, expected) => {
  expect([
    voiceOfPhoto(picture(1, size), size, '', 16),
    voiceOfPhoto(picture(2, size), size, '', 16),
    voiceOfPhoto(picture(3, size), size, 'warm film', 16),
    voiceOfPhoto(picture(3, size), size, '暖色', 16),
    voiceOfPhoto(picture(1, size), size, '', MANY),
  ]).toEqual(expected);
});

test.each([
  ['zeros', () => 0, [13, 2, 1280837150]],
  ['from -1 to 1', (i: number) => (i * 2) / 37 - 1, [5, 4, 657557622]],
  ['hundredths', (i: number) => i / 100 - 0.19, [10, 0, 106697483]],
] as const)('the voice of parameters is that of Python: %s', (_name, value, expected) => {
  const values = Float32Array.from({ length: 38 }, (_, i) => value(i));
  expect([16, 5, MANY].map((count) => voiceOfParameters(values, count))).toEqual(expected);
});
