import * as fc from 'fast-check';
import { ColorError, gridPoints, Lut3D, type PixelArray, type Tile } from '../../src/color';

const lut = Lut3D.bake(5, (r, g, b) => [1 - r, g * g, (b + r) / 2]);
const KINDS: ((length: number) => PixelArray)[] = [
  (length) => Uint8Array.from({ length }, (_, i) => (i * 37) & 255),
  (length) => Uint16Array.from({ length }, (_, i) => (i * 7919) & 65535),
  (length) => Float32Array.from({ length }, (_, i) => (i % 101) / 100),
];
const side = fc.integer({ min: 1, max: 40 });

describe('a tile of a larger image', () => {
  test('gets what the whole image would, and nothing else is touched', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...KINDS),
        fc.constantFrom(3 as const, 4 as const),
        fc.tuple(side, side, side, side, fc.nat(8), fc.nat(8)),
        fc.boolean(),
        (make, channels, [x, y, width, height, right, below], inPlace) => {
          const imageWidth = x + width + right;
          const pixels = make(imageWidth * (y + height + below) * channels);
          const whole = lut.apply(pixels.slice(), channels);
          const before = pixels.slice();
          const tile: Tile = { x, y, width, height, imageWidth };
          const result = inPlace
            ? lut.apply(pixels, channels, { tile })
            : lut.apply(pixels, channels, { tile, destination: pixels.slice() });
          result.forEach((value, i) => {
            const [column, row] = [Math.floor(i / channels) % imageWidth, Math.floor(i / channels / imageWidth)];
            const inside = column >= x && column < x + width && row >= y && row < y + height;
            if (value !== (inside ? whole[i] : before[i])) throw new Error(`value ${i}`);
          });
          if (!inPlace) expect(pixels).toEqual(before);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('may be empty', () => {
    const pixels = Uint8Array.of(1, 2, 3, 4, 5, 6);
    lut.apply(pixels, 3, { tile: { x: 2, y: 0, width: 0, height: 1, imageWidth: 2 } });
    expect([...pixels]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test.each<[string, Partial<Tile>]>([
    ['wider than the image', { x: 2, width: 3 }],
    ['higher than the image', { y: 2, height: 2 }],
    ['before its start', { x: -1 }],
    ['in fractions', { width: 1.5 }],
    ['not a number', { height: NaN }],
    ['with rows that do not fit', { imageWidth: 5 }],
    ['without rows', { imageWidth: 0, width: 0 }],
  ])('%s is refused, and nothing is written', (_name, wrong) => {
    const pixels = new Uint8Array(4 * 3 * 3).fill(9);
    const tile = { x: 0, y: 0, width: 1, height: 1, imageWidth: 4, ...wrong };
    expect(() => lut.apply(pixels, 3, { tile })).toThrow(ColorError);
    expect(pixels.every((value) => value === 9)).toBe(true);
  });
});

describe('floats', () => {
  test.each([2, 6, 17, 33, 50, 64])('the identity of size %p changes no float within the range', (n) => {
    const pixels = Float32Array.from({ length: 30000 }, (_, i) => (i % 2 ? i / 30000 : Math.random() ** 8));
    pixels.set([0, 1, 1e-30, 1e-45, 1 - 2 ** -24, 0.1]);
    const after = Lut3D.identity(n).apply(pixels.slice(), 3);
    expect(after.findIndex((value, i) => value !== pixels[i])).toBe(-1);
  });

  test('the identity clips what every LUT clips, and copies alpha', () => {
    const pixels = Float32Array.of(-1, 2, NaN, 7, Infinity, -Infinity, 0.5, NaN);
    const expected = [0, 1, 0, 7, 1, 0, 0.5, NaN];
    expect([...Lut3D.identity(5).apply(pixels.slice(), 4)]).toEqual(expected);
    const almost = gridPoints(5).map((value, i) => (i === 200 ? value + 1e-7 : value));
    new Lut3D(5, almost).apply(pixels, 4).forEach((value, i) => {
      if (Number.isNaN(expected[i])) expect(value).toBeNaN();
      else expect(value).toBeCloseTo(expected[i], 6);
    });
  });
});
