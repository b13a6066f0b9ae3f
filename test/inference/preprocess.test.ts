import fc from 'fast-check';
import { preprocessImage, type RgbImage } from '../../src/inference/preprocess';
import { failureOf } from './support/errors';

/** Channel c at (x, y) is (37x + 91y + 53c + 7xy) mod 256; the expected numbers below come from PyTorch on the same. */
function pattern(width: number, height: number, channels: 3 | 4): RgbImage {
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        data[(y * width + x) * channels + c] = c === 3 ? 17 * x : (37 * x + 91 * y + 53 * c + 7 * x * y) % 256;
      }
    }
  }
  return { width, height, data };
}

/** The definition, cell by cell. */
function reference({ width, height, data }: RgbImage, size: number): number[] {
  const channels = data.length / (width * height);
  const out: number[] = [];
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        let sum = 0;
        let count = 0;
        for (let y = Math.floor((i * height) / size); y < Math.ceil(((i + 1) * height) / size); y++) {
          for (let x = Math.floor((j * width) / size); x < Math.ceil(((j + 1) * width) / size); x++) {
            sum += data[(y * width + x) * channels + c];
            count++;
          }
        }
        out.push(sum / count / 255);
      }
    }
  }
  return out;
}

const FROM_PYTORCH: [width: number, height: number, size: number, values: number[]][] = [
  [
    7,
    5,
    3,
    [
      0.337255, 0.487582, 0.470588, 0.467538, 0.532898, 0.48671, 0.486275, 0.633987, 0.614379, 0.545098, 0.528105,
      0.511111, 0.563834, 0.517647, 0.47146, 0.526797, 0.50719, 0.487582, 0.585621, 0.568627, 0.551634, 0.548584,
      0.502397, 0.567756, 0.56732, 0.547712, 0.528105,
    ],
  ],
  [1, 1, 2, [0, 0, 0, 0, 0.207843, 0.207843, 0.207843, 0.207843, 0.415686, 0.415686, 0.415686, 0.415686]],
  [
    10,
    1,
    3,
    [
      0.217647, 0.652941, 0.335294, 0.217647, 0.652941, 0.335294, 0.217647, 0.652941, 0.335294, 0.42549, 0.609804,
      0.292157, 0.42549, 0.609804, 0.292157, 0.42549, 0.609804, 0.292157, 0.633333, 0.566667, 0.5, 0.633333, 0.566667,
      0.5, 0.633333, 0.566667, 0.5,
    ],
  ],
];

describe('preprocessImage', () => {
  test.each(FROM_PYTORCH)('%d x %d to %d equals adaptive_avg_pool2d', (width, height, size, expected) => {
    for (const channels of [3, 4] as const) {
      const values = preprocessImage(pattern(width, height, channels), size);
      expect(values).toHaveLength(expected.length);
      expected.forEach((value, i) => {
        expect(values[i]).toBeCloseTo(value, 5);
      });
    }
  });

  test('any size to any size equals the definition', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 24 }),
        fc.constantFrom(3 as const, 4 as const),
        (width, height, size, channels) => {
          const image = pattern(width, height, channels);
          const values = preprocessImage(image, size);
          const expected = reference(image, size);
          return values.length === expected.length && expected.every((value, i) => Math.abs(value - values[i]) < 1e-6);
        },
      ),
    );
  });

  test('alpha changes nothing', () => {
    const opaque = pattern(9, 9, 4);
    const clear = { ...opaque, data: opaque.data.map((value, i) => (i % 4 === 3 ? 0 : value)) };
    expect(preprocessImage(clear, 4)).toEqual(preprocessImage(opaque, 4));
  });

  test('white is exactly 1 and black exactly 0, at any size', () => {
    for (const [value, expected] of [
      [255, 1],
      [0, 0],
    ] as const) {
      const image = { width: 613, height: 211, data: new Uint8Array(613 * 211 * 3).fill(value) };
      expect(preprocessImage(image, 224).every((sample) => sample === expected)).toBe(true);
    }
  });

  test.each([
    [{ width: 2, height: 2, data: new Uint8Array(11) }, '2 x 2 pixels comes with 11 bytes'],
    [{ width: 2, height: 2, data: new Uint8Array(4) }, '2 x 2 pixels comes with 4 bytes'],
    [{ width: 0, height: 5, data: new Uint8Array(0) }, '0 x 5'],
    [{ width: 2.5, height: 2, data: new Uint8Array(15) }, '2.5 x 2'],
    [{ width: NaN, height: 2, data: new Uint8Array(0) }, 'NaN x 2'],
    [{ width: -1, height: -3, data: new Uint8Array(9) }, '-1 x -3'],
  ])('refuses data that do not fit: %#', async (image, message) => {
    const error = await failureOf(() => preprocessImage(image, 4));
    expect(error.code).toBe('INPUT_IMAGE');
    expect(error.message).toContain(message);
  });
});
