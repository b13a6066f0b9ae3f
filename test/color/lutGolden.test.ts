import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Lut3D, parseCube, type PixelArray } from '../../src/color';
import { LutTables } from '../../src/color/tables';
import { byteLoop, wordLoop } from '../../src/color/loops';
import { referenceSample } from './reference';

/*
 * What OpenColorIO's tetrahedral interpolation makes of the corners, greys, all orders of the fractions and random
 * colours, with a LUT of random values. Made once by test/oracle/lut_golden.py.
 */
const folder = path.resolve(__dirname, '../fixtures/lut');
const { lut } = parseCube(readFileSync(path.join(folder, 'golden.cube'), 'latin1'));
type Golden = Record<'uint8' | 'uint16' | 'float32', { pixels: number[]; retouched: number[] }>;
const golden = JSON.parse(readFileSync(path.join(folder, 'golden.json'), 'utf8')) as Golden;

function worst(found: PixelArray, expected: number[]): number {
  return expected.reduce((largest, value, i) => Math.max(largest, Math.abs(value - found[i])), 0);
}

/** At most one value in fifty lies so near the middle between two levels that either is right. */
function sameLevels(found: Uint8Array | Uint16Array, expected: number[]): void {
  expect(worst(found, expected)).toBeLessThanOrEqual(1);
  expect([...found].filter((value, i) => value !== expected[i]).length).toBeLessThanOrEqual(expected.length / 50);
}

test('8 bits: the same levels as OpenColorIO, but for values in the middle between two levels', () => {
  const { pixels, retouched } = golden.uint8;
  const found = lut.apply(Uint8Array.from(pixels), 3);
  sameLevels(found, retouched);
  found.forEach((value, i) => {
    if (value === retouched[i]) return;
    const pixel = pixels.slice(i - (i % 3), i - (i % 3) + 3).map((level) => level / 255);
    const exact = 255 * referenceSample(lut.data, lut.size, pixel)[i % 3];
    // Where the two part, the exact value is a tie but for the error of integers that loops.ts derives.
    expect(Math.abs(exact - Math.floor(exact) - 0.5)).toBeLessThan(1 / 256 + (3 * 255) / 2 ** 15);
  });
});

test('16 bits: the same levels as OpenColorIO, but for values between two levels', () => {
  const { pixels, retouched } = golden.uint16;
  sameLevels(lut.apply(Uint16Array.from(pixels), 3), retouched);
});

test('floats: the same as OpenColorIO to six digits', () => {
  const { pixels, retouched } = golden.float32;
  expect(worst(lut.apply(Float32Array.from(pixels), 3), retouched)).toBeLessThan(1e-6);
});

test('the plain loops, which a browser without SIMD uses, are the same too', () => {
  const tables = new LutTables(lut.data, lut.size);
  const bytes = Uint8Array.from(golden.uint8.pixels);
  byteLoop(tables.bytes(), lut.size, bytes, bytes, 3);
  expect(bytes).toEqual(lut.apply(Uint8Array.from(golden.uint8.pixels), 3));
  const words = Uint16Array.from(golden.uint16.pixels);
  wordLoop(tables.wide(), lut.size, words, words, 3, 65535);
  expect(words).toEqual(lut.apply(Uint16Array.from(golden.uint16.pixels), 3));
});

test('the fixture has what it is made for', () => {
  expect(lut).toBeInstanceOf(Lut3D);
  for (const { pixels, retouched } of [golden.uint8, golden.uint16, golden.float32]) {
    expect(pixels.length).toBe(retouched.length);
    expect(pixels.length).toBeGreaterThan(300);
  }
});
