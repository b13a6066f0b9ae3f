import * as fc from 'fast-check';
import { ColorError, deltaE2000, imageDifference, type Triple } from '../../src/color';

// Table 1 of Sharma, Wu, Dalal (2005): L1 a1 b1 L2 a2 b2 dE00.
const SHARMA = `
50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082`
  .trim()
  .split('\n')
  .map((line) => line.split(' ').map(Number));

test.each(SHARMA.map((row, i) => [i + 1, row] as const))('CIEDE2000 test pair %i', (_number, row) => {
  const first = row.slice(0, 3) as Triple;
  const second = row.slice(3, 6) as Triple;
  expect(deltaE2000(first, second)).toBeCloseTo(row[6], 4);
  expect(deltaE2000(second, first)).toBeCloseTo(row[6], 4);
});

test('the table is complete', () => {
  expect(SHARMA).toHaveLength(34);
});

test('no difference to itself, never negative, never NaN', () => {
  const lab = fc.tuple(
    fc.double({ min: 0, max: 100, noNaN: true }),
    fc.double({ min: -120, max: 120, noNaN: true }),
    fc.double({ min: -120, max: 120, noNaN: true }),
  );
  fc.assert(
    fc.property(lab, lab, (first, second) => {
      expect(deltaE2000(first, first)).toBe(0);
      expect(deltaE2000(first, second)).toBeGreaterThanOrEqual(0);
    }),
  );
});

test('images: mean, percentiles and maximum over all pixels, across bit depths', () => {
  const pixels = new Uint8Array(300).fill(128);
  expect(imageDifference(pixels, pixels, 3)).toEqual({ mean: 0, p95: 0, p99: 0, max: 0 });
  const other = pixels.slice();
  other.set([255, 0, 0], 30);
  const { mean, p95, p99, max } = imageDifference(pixels, other, 3);
  expect([p95, p99]).toEqual([0, 0]);
  expect(max).toBeGreaterThan(30);
  expect(mean).toBeCloseTo(max / 100, 4);
  const wide = Uint16Array.from(pixels, (value) => value * 257);
  expect(imageDifference(pixels, wide, 3).max).toBeLessThan(1e-5);
  expect(() => imageDifference(pixels, pixels.subarray(3), 3)).toThrow(ColorError);
  expect(() => imageDifference(new Uint8Array(0), new Uint8Array(0), 3)).toThrow(ColorError);
});
