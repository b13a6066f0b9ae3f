import { bakeMeasured, LUT_LIMITS, type Render } from '../../src/inference/bake';

const each = (colour: (value: number) => number, seen: number[] = []): Render => {
  return (colours) => {
    seen.push(colours.length / 3);
    return Promise.resolve(colours.map(colour));
  };
};

test('a straight line is exact at 33 points', async () => {
  const { lut, error } = await bakeMeasured(each((value) => 0.2 + 0.6 * value));
  expect(lut.size).toBe(33);
  expect(error.max).toBeLessThan(1e-3);
});

test('what 33 points cannot follow gets 65; what 65 cannot either is said', async () => {
  const wave = (period: number) => each((value) => 0.5 + 0.1 * Math.sin((2 * Math.PI * value) / period));
  const fine = await bakeMeasured(wave(0.16));
  expect(fine.lut.size).toBe(65);
  expect(fine.error.max).toBeLessThan(LUT_LIMITS.max);
  const hopeless = await bakeMeasured(wave(0.02));
  expect(hopeless.lut.size).toBe(65);
  expect(hopeless.error.max).toBeGreaterThan(LUT_LIMITS.max);
});

test('a fault at the colours of the photo alone is found', async () => {
  // A dent in the middle of one cell of the grid.
  const dent = each((value) => value + 0.3 * Math.max(0, 1 - Math.abs(value * 255 - 100) / 3));
  const photo = new Uint8Array(3000).fill(100);
  const [without, withPhoto] = [await bakeMeasured(dent), await bakeMeasured(dent, photo)];
  expect(withPhoto.error.mean).toBeGreaterThan(3 * without.error.mean);
});

/** A dent of one small place of the cube, which the measured colours of the cube do not meet. */
const hidden: Render = (colours) => {
  const result = colours.slice();
  for (let i = 0; i < colours.length; i += 3) {
    const here = [0, 1, 2].every((c) => Math.abs(colours[i + c] * 255 - 100) < 0.3);
    if (here) for (let c = 0; c < 3; c++) result[i + c] += 0.3;
  }
  return Promise.resolve(result);
};

test('a few bad pixels of the photo alone decide by the largest error', async () => {
  const photo = Uint8Array.from({ length: 3000 }, (_, i) => (i < 15 ? 100 : 200));
  const { lut, error } = await bakeMeasured(hidden, photo);
  expect(error.mean).toBeLessThan(LUT_LIMITS.mean);
  expect(error.p99).toBeLessThan(LUT_LIMITS.p99);
  expect(error.max).toBeGreaterThan(LUT_LIMITS.max);
  expect(lut.size).toBe(65);
  expect((await bakeMeasured(hidden)).error.max).toBeLessThan(0.01);
});

test('two pixels of a hundred decide by the 99th percentile, of the photo and of the cube', async () => {
  // Between two points of the grid of 33 that are also points of the grid of 65 but for the middle.
  const wave: Render = (colours) => {
    const cell = (value: number): number => {
      const at = 32 * value - 20;
      return at > 0 && at < 1 ? value + 0.032 * Math.sin(Math.PI * at) : value;
    };
    return Promise.resolve(colours.map((value, i) => (i % 3 === 1 ? cell(value) : value)));
  };
  const cube = await bakeMeasured(wave);
  expect(cube.lut.size).toBe(65);
  const few = Uint8Array.from({ length: 3000 }, (_, i) => (i < 60 ? 163 : 200));
  const light: Render = (colours) =>
    Promise.resolve(colours.map((value) => (Math.abs(value * 255 - 163) < 0.02 ? value + 0.02 : value)));
  const photo = await bakeMeasured(light, few);
  expect(photo.error.mean).toBeLessThan(LUT_LIMITS.mean);
  expect(photo.error.p99).toBeGreaterThan(LUT_LIMITS.p99);
  expect(photo.error.max).toBeLessThan(LUT_LIMITS.max);
  expect(photo.lut.size).toBe(65);
});

test('few colours are rendered beside the grid, however large the photo', async () => {
  const seen: number[] = [];
  await bakeMeasured(
    each((value) => value, seen),
    new Uint8Array(3e6),
  );
  expect(seen).toEqual([4096, 33 ** 3]);
  await bakeMeasured(
    each((value) => value, seen),
    new Uint8Array(30),
  );
  expect(seen[2]).toBe(2058);
});
