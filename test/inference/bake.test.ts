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
