import { ColorError, imageStatistics } from '../../src/color';

test('a picture of known greys', () => {
  // 10 black, 60 middle grey, 25 light grey, 5 white pixels
  const pixels = Uint8Array.from([
    ...Array<number>(30).fill(0),
    ...Array<number>(180).fill(119),
    ...Array<number>(75).fill(200),
    ...Array<number>(15).fill(255),
  ]);
  const statistics = imageStatistics(pixels, 3);
  expect(statistics.pixels).toBe(100);
  expect(statistics.clippedHighlights).toBe(5);
  expect(statistics.clippedShadows).toBe(10);
  const { lightness, chroma, cast } = statistics;
  expect(lightness.p01).toBe(0);
  expect(lightness.p50).toBeCloseTo(50.0, 0);
  expect(lightness.p95).toBeCloseTo(80.6, 0);
  expect(lightness.p99).toBeCloseTo(100, 6);
  expect(lightness.mean).toBeCloseTo(0.6 * 50.03 + 0.25 * 80.6 + 5, 0);
  expect(chroma.p99).toBe(0);
  expect(Math.hypot(cast.a, cast.b)).toBeLessThan(1e-9);
  expect(statistics.histogram.red[119]).toBe(60);
  expect(statistics.histogram.blue.reduce((sum, n) => sum + n, 0)).toBe(100);
});

test('pure red: chroma, cast, and one channel at the top counts as clipped', () => {
  const { chroma, cast, clippedHighlights, clippedShadows } = imageStatistics(Uint8Array.of(255, 0, 0, 9), 4);
  expect(chroma.mean).toBeCloseTo(104.55, 1);
  expect(cast.a).toBeCloseTo(80.09, 1);
  expect(cast.b).toBeCloseTo(67.2, 1);
  expect([clippedHighlights, clippedShadows]).toEqual([100, 0]);
});

test('the same picture at 8 bits, both 16-bit ranges and floats has the same statistics', () => {
  const pixels = Uint8Array.from({ length: 3 * 256 }, (_, i) => (i * 37) % 256);
  const expected = imageStatistics(pixels, 3);
  const others = [
    imageStatistics(
      Uint16Array.from(pixels, (v) => v * 257),
      3,
    ),
    imageStatistics(
      Uint16Array.from(pixels, (v) => Math.round((v / 255) * 32768)),
      3,
      32768,
    ),
    imageStatistics(
      Float32Array.from(pixels, (v) => v / 255),
      3,
    ),
  ];
  for (const statistics of others) {
    expect(statistics.histogram).toEqual(expected.histogram);
    expect(statistics.clippedHighlights).toBe(expected.clippedHighlights);
    expect(statistics.clippedShadows).toBe(expected.clippedShadows);
    expect(statistics.lightness.mean).toBeCloseTo(expected.lightness.mean, 2);
    expect(statistics.chroma.p95).toBeCloseTo(expected.chroma.p95, 0);
  }
});

test('floats outside the range count as clipped and NaN as 0', () => {
  const { clippedHighlights, lightness } = imageStatistics(Float32Array.of(7, 7, 7, NaN, 0, -1), 3);
  expect(clippedHighlights).toBe(50);
  expect(lightness.mean).toBeCloseTo(50, 6);
});

test('nothing to look at is refused', () => {
  expect(() => imageStatistics(new Uint8Array(0), 3)).toThrow(ColorError);
  expect(() => imageStatistics(new Uint8Array(4), 3)).toThrow(ColorError);
});
