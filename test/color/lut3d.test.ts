import * as fc from 'fast-check';
import { ColorError, gridPoints, Lut3D, type PixelArray } from '../../src/color';
import { randomSource, referenceSample } from './reference';

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const size = fc.integer({ min: 2, max: 9 });

/** A LUT of random values, for properties that must hold for any table. */
/** What loops.ts derives for 8 bits. */
const INTEGER_ERROR = 1 / 256 + (3 * 255) / 2 ** 15;

function randomLut(n: number, seed: number, low = 0, high = 1): Lut3D {
  const random = randomSource(seed);
  return new Lut3D(
    n,
    new Float32Array(n ** 3 * 3).map(() => low + (high - low) * random()),
  );
}

describe('grid and construction', () => {
  test('red is the fastest axis, blue the slowest', () => {
    const points = gridPoints(3);
    expect([...points.subarray(0, 12)]).toEqual([0, 0, 0, 0.5, 0, 0, 1, 0, 0, 0, 0.5, 0]);
    expect([...points.subarray(-3)]).toEqual([1, 1, 1]);
    expect(points).toHaveLength(81);
  });

  test('bake and a chunked evaluation of gridPoints give the same LUT', () => {
    const fn = (r: number, g: number, b: number): [number, number, number] => [r * r, (g + b) / 2, 1 - b];
    const points = gridPoints(5);
    const data = new Float32Array(points.length);
    for (let i = 0; i < points.length; i += 3) data.set(fn(points[i], points[i + 1], points[i + 2]), i);
    expect(Lut3D.bake(5, fn).data).toEqual(data);
  });

  test.each([0, 1, 2.5, 130, NaN, -33])('size %p is refused', (n) => {
    expect(() => Lut3D.identity(n)).toThrow(ColorError);
  });

  test.each([NaN, Infinity, -1e30])('value %p is refused', (bad) => {
    const data = gridPoints(2);
    data[7] = bad;
    expect(() => new Lut3D(2, data)).toThrow(/value 7/);
  });

  test('a wrong number of values is refused', () => {
    expect(() => new Lut3D(3, new Float32Array(80))).toThrow(/81/);
  });
});

describe('interpolation', () => {
  test('agrees with an independent implementation', () => {
    fc.assert(
      fc.property(size, fc.integer(), unit, unit, unit, (n, seed, r, g, b) => {
        const lut = randomLut(n, seed);
        const expected = referenceSample(lut.data, n, [Math.fround(r), Math.fround(g), Math.fround(b)]);
        lut.sample(r, g, b).forEach((value, c) => {
          expect(value).toBeCloseTo(expected[c], 5);
        });
      }),
    );
  });

  test('a hand-computed colour in each of the six tetrahedra', () => {
    // One cell. Vertex (r,g,b) holds 1*r + 10*g + 100*b and, in the second channel, 1 only at (1,1,1):
    // the first is linear, so any order gives the same; the second equals the smallest fraction.
    const lut = new Lut3D(
      2,
      gridPoints(2).map((_, i, points) => {
        const [r, g, b] = points.subarray(i - (i % 3), i - (i % 3) + 3);
        return [r + 10 * g + 100 * b, r * g * b, Math.max(r, g, b)][i % 3];
      }),
    );
    const orders: [number, number, number][] = [
      [0.7, 0.5, 0.2],
      [0.7, 0.2, 0.5],
      [0.5, 0.7, 0.2],
      [0.2, 0.7, 0.5],
      [0.5, 0.2, 0.7],
      [0.2, 0.5, 0.7],
    ];
    for (const [r, g, b] of orders) {
      const [linear, lowest, highest] = lut.sample(r, g, b);
      expect(linear).toBeCloseTo(r + 10 * g + 100 * b, 4);
      expect(lowest).toBeCloseTo(0.2, 6);
      expect(highest).toBeCloseTo(0.7, 6);
    }
  });

  test('grid points come out as stored', () => {
    fc.assert(
      fc.property(size, fc.integer(), fc.nat(), (n, seed, pick) => {
        const lut = randomLut(n, seed);
        const i = 3 * (pick % n ** 3);
        const points = gridPoints(n);
        lut.sample(points[i], points[i + 1], points[i + 2]).forEach((value, c) => {
          expect(value).toBeCloseTo(lut.data[i + c], 5);
        });
      }),
    );
  });

  test('results stay within the range of the table', () => {
    fc.assert(
      fc.property(size, fc.integer(), unit, unit, unit, (n, seed, r, g, b) => {
        const lut = randomLut(n, seed, 0.25, 0.75);
        for (const value of lut.sample(r, g, b)) {
          expect(value).toBeGreaterThanOrEqual(0.25 - 1e-6);
          expect(value).toBeLessThanOrEqual(0.75 + 1e-6);
        }
      }),
    );
  });

  test('greys stay grey whatever the colours around them do', () => {
    fc.assert(
      fc.property(size, fc.integer(), unit, (n, seed, grey) => {
        const lut = randomLut(n, seed);
        for (let i = 0; i < n; i++) lut.data.fill(i / (n - 1), 3 * i * (1 + n + n * n), 3 * i * (1 + n + n * n) + 3);
        for (const value of lut.sample(grey, grey, grey)) expect(value).toBeCloseTo(grey, 5);
      }),
    );
  });

  test('outside [0,1] is clipped, NaN counts as 0', () => {
    const lut = randomLut(4, 7);
    expect(lut.sample(-3, 2, Infinity)).toEqual(lut.sample(0, 1, 1));
    expect(lut.sample(NaN, NaN, NaN)).toEqual(lut.sample(0, 0, 0));
  });
});

/** Every level of the depth on each channel, in combinations that visit all six tetrahedra. */
function manyColors(maximum: number): number[] {
  const random = randomSource(11);
  const colors: number[] = [];
  const step = Math.max(1, Math.floor(maximum / 4096));
  for (let v = 0; v <= maximum; v += step) {
    colors.push(v, maximum - v, Math.round(random() * maximum), v, v, v, Math.round(random() * maximum), v, v);
  }
  colors.push(maximum, maximum, maximum);
  return colors;
}

describe('apply', () => {
  test.each([2, 17, 33, 65])('identity of size %p changes no 8-bit and no 16-bit value', (n) => {
    const lut = Lut3D.identity(n);
    for (const [pixels, maximum] of [
      [Uint8Array.from(manyColors(255)), undefined],
      [Uint8ClampedArray.from(manyColors(255)), undefined],
      [Uint16Array.from(manyColors(65535)), 65535],
      [Uint16Array.from(manyColors(32768)), 32768],
    ] as [PixelArray, 65535 | 32768 | undefined][]) {
      const before = pixels.slice();
      lut.apply(pixels, 3, maximum ? { maximum } : {});
      // Counted here: comparing long arrays inside expect takes seconds.
      expect(pixels.filter((value, i) => value !== before[i])).toHaveLength(0);
    }
  });

  test('8 bits, 16 bits and floats agree with the independent implementation', () => {
    const lut = randomLut(9, 3);
    for (const [pixels, top] of [
      [Uint8Array.from(manyColors(255)), 255],
      [Uint16Array.from(manyColors(65535)), 65535],
      [Float32Array.from(manyColors(255), (v) => v / 255), 1],
    ] as [PixelArray, number][]) {
      const out = lut.apply(pixels, 3, { destination: new (pixels.constructor as typeof Uint8Array)(pixels.length) });
      // Nearest level; the 8-bit loop may differ by its own error where two are as near.
      const tolerance = top === 1 ? 1e-6 : 0.5 + INTEGER_ERROR;
      let worst = 0;
      for (let i = 0; i < pixels.length; i += 3) {
        const color = [pixels[i] / top, pixels[i + 1] / top, pixels[i + 2] / top];
        referenceSample(lut.data, 9, color).forEach((value, c) => {
          worst = Math.max(worst, Math.abs(out[i + c] - value * top));
        });
      }
      expect(worst).toBeLessThanOrEqual(tolerance);
    }
  });

  test('a destination leaves the source alone and receives alpha unchanged', () => {
    const lut = Lut3D.bake(5, (r, g, b) => [1 - r, 1 - g, 1 - b]);
    const pixels = Uint8Array.of(0, 128, 255, 77, 10, 20, 30, 0);
    const destination = new Uint8Array(8);
    expect(lut.apply(pixels, 4, { destination })).toBe(destination);
    expect([...destination]).toEqual([255, 127, 0, 77, 245, 235, 225, 0]);
    expect([...pixels]).toEqual([0, 128, 255, 77, 10, 20, 30, 0]);
    const wide = lut.apply(Uint16Array.of(0, 32768, 65535, 5), 4);
    expect([...wide]).toEqual([65535, 32767, 0, 5]);
  });

  test('values above 32768 count as 32768 in that range', () => {
    const pixels = Uint16Array.of(40000, 65535, 32768);
    Lut3D.identity(33).apply(pixels, 3, { maximum: 32768 });
    expect([...pixels]).toEqual([32768, 32768, 32768]);
  });

  test('overshoot is clipped for integers, after interpolation, and kept for floats', () => {
    const lut = Lut3D.bake(2, (r, g, b) => [3 * r - 1, 3 * g - 1, 3 * b - 1]);
    expect([...lut.apply(Uint8Array.of(0, 128, 255), 3)]).toEqual([0, 129, 255]);
    expect([...lut.apply(Uint16Array.of(0, 32768, 65535), 3)]).toEqual([0, 32769, 65535]);
    expect([...lut.apply(Float32Array.of(0, 0.5, 1), 3)]).toEqual([-1, 0.5, 2]);
  });

  test('a monotone LUT maps an 8-bit and a 16-bit ramp to a ramp', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.3, max: 3, noNaN: true }), fc.integer({ min: 2, max: 17 }), (gamma, n) => {
        const lut = Lut3D.bake(n, (r, g, b) => [r ** gamma, g ** gamma, b ** gamma]);
        const ramp8 = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
        const ramp16 = Uint16Array.from({ length: 3 * 1024 }, (_, i) => Math.floor(i / 3) * 64);
        for (const ramp of [lut.apply(ramp8, 3), lut.apply(ramp16, 3)]) {
          for (let i = 3; i < ramp.length; i++) if (ramp[i] < ramp[i - 3]) throw new Error(`falls at value ${i}`);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('bands of an image give the same as the whole', () => {
    const lut = randomLut(6, 5);
    const pixels = Uint8Array.from(manyColors(255));
    const whole = lut.apply(pixels.slice(), 3);
    lut.apply(pixels.subarray(0, 300), 3);
    lut.apply(pixels.subarray(300), 3);
    expect(pixels).toEqual(whole);
  });

  test.each<[string, () => unknown]>([
    ['a length that is no whole number of pixels', () => Lut3D.identity(2).apply(new Uint8Array(7), 3)],
    ['2 channels', () => Lut3D.identity(2).apply(new Uint8Array(8), 2 as 3)],
    ['an array of another type', () => Lut3D.identity(2).apply(new Int16Array(6) as unknown as Uint16Array, 3)],
    ['a plain array', () => Lut3D.identity(2).apply([1, 2, 3] as unknown as Uint8Array, 3)],
    ['a short destination', () => Lut3D.identity(2).apply(new Uint8Array(6), 3, { destination: new Uint8Array(3) })],
    [
      'a destination of another type',
      () => Lut3D.identity(2).apply<PixelArray>(new Uint8Array(6), 3, { destination: new Float32Array(6) }),
    ],
    ['another maximum', () => Lut3D.identity(2).apply(new Uint16Array(6), 3, { maximum: 4095 as 65535 })],
  ])('%s is refused', (_name, call) => {
    expect(call).toThrow(ColorError);
  });

  test('no pixels is no error', () => {
    expect(Lut3D.identity(2).apply(new Uint8Array(0), 4)).toHaveLength(0);
  });
});
