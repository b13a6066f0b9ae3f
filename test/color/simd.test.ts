import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Lut3D } from '../../src/color';
import { byteLoop, wordLoop } from '../../src/color/loops';
import { KERNEL_SOURCE_SHA256 } from '../../src/color/simd/kernelBytes';
import { simdKernel, SimdKernel } from '../../src/color/simd/simdKernel';
import { LutTables } from '../../src/color/tables';
import { randomSource } from './reference';

const size = fc.constantFrom(2, 3, 5, 17, 33, 64, 65);
const channels = fc.constantFrom(3 as const, 4 as const);
// Around the kernel's groups of 16, blocks of 64 and chunks of 4096 pixels.
const count = fc.constantFrom(0, 1, 2, 3, 7, 15, 16, 17, 63, 64, 65, 100, 1000, 4095, 4096, 4097, 9001);
const range = fc.constantFrom([0, 1], [0.2, 0.7], [-0.5, 1.5], [-3, 3], [-40, 900]);

function tablesOf(n: number, seed: number, [low, high]: readonly number[]): LutTables {
  const random = randomSource(seed);
  const data = new Float32Array(n ** 3 * 3).map(() => low + (high - low) * random());
  return new LutTables(data, n);
}

/** Random values, with the ends of the range, greys and pixels with two equal channels among them. */
function values(length: number, top: number, seed: number): number[] {
  const random = randomSource(seed);
  const all = Array.from({ length }, () => {
    const kind = random();
    return kind < 0.1 ? 0 : kind < 0.2 ? top : Math.floor(random() * (top + 1));
  });
  for (let i = 4; i < length; i++) if (random() < 0.3) all[i] = all[i - 1];
  return all;
}

function differences(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let found = Math.abs(a.length - b.length);
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) found++;
  return found;
}

test('this engine has SIMD, so that the tests below test it', () => {
  expect(simdKernel()).toBeInstanceOf(SimdKernel);
  expect(simdKernel()).toBe(simdKernel());
});

test('the committed bytes were compiled from the committed source', () => {
  const source = readFileSync(path.resolve(__dirname, '../../src/color/simd/lutKernel.as'));
  const sha = createHash('sha256').update(source.toString('utf8').replaceAll('\r\n', '\n')).digest('hex');
  // If this fails: node scripts/build-kernel.mjs.
  expect(KERNEL_SOURCE_SHA256).toBe(sha);
});

test('8 bits: the kernel gives the bits of the plain loop', () => {
  fc.assert(
    fc.property(size, channels, count, range, fc.nat(), (n, width, pixels, span, seed) => {
      const tables = tablesOf(n, seed, span);
      const source = Uint8Array.from(values(pixels * width, 255, seed));
      const [plain, fast] = [new Uint8Array(source.length), new Uint8Array(source.length)];
      byteLoop(tables.bytes(), n, source, plain, width);
      simdKernel()!.bytes(tables.bytes(), n, source, fast, width);
      expect(differences(plain, fast)).toBe(0);
      simdKernel()!.bytes(tables.bytes(), n, source, source, width);
      expect(differences(plain, source)).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test('16 bits: the kernel gives the bits of the plain loop', () => {
  const maximum = fc.constantFrom(65535 as const, 32768 as const);
  fc.assert(
    fc.property(size, channels, count, range, maximum, fc.nat(), (n, width, pixels, span, top, seed) => {
      const tables = tablesOf(n, seed, span);
      // Values above 32768 count as that.
      const source = Uint16Array.from(values(pixels * width, seed % 2 ? 65535 : top, seed));
      const [plain, fast] = [new Uint16Array(source.length), new Uint16Array(source.length)];
      wordLoop(tables.wide(), n, source, plain, width, top);
      simdKernel()!.words(tables.wide(), top, n, source, fast, width);
      expect(differences(plain, fast)).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test('every value of a channel, at 8 and at 16 bits, and every size of LUT', () => {
  const bytes = Uint8Array.from({ length: 256 * 3 }, (_, i) => (i * 7) & 255);
  const words = Uint16Array.from({ length: 65536 * 3 }, (_, i) => (i % 3 ? (i * 31) & 65535 : Math.floor(i / 3)));
  for (const n of [2, 3, 4, 16, 31, 33, 50, 64, 100, 128, 129]) {
    const tables = tablesOf(n, n, [0, 1]);
    const [plain8, fast8] = [bytes.slice(), bytes.slice()];
    byteLoop(tables.bytes(), n, plain8, plain8, 3);
    simdKernel()!.bytes(tables.bytes(), n, fast8, fast8, 3);
    expect(differences(plain8, fast8)).toBe(0);
    const [plain16, fast16] = [words.slice(), words.slice()];
    wordLoop(tables.wide(), n, plain16, plain16, 3, 65535);
    simdKernel()!.words(tables.wide(), 65535, n, fast16, fast16, 3);
    expect(differences(plain16, fast16)).toBe(0);
  }
}, 60000);

test('views at odd places of a larger buffer, and two LUTs in turn', () => {
  const buffer = new Uint8Array(1001).map((_, i) => i);
  const [first, second] = [Lut3D.bake(9, (r, g, b) => [1 - r, g * g, b]), Lut3D.identity(3)];
  const part = buffer.subarray(5, 305);
  const expected = first.apply(part.slice(), 3);
  for (let i = 0; i < 2; i++) {
    expect(second.apply(part.slice(), 3)).toEqual(part);
    expect(first.apply(part.slice(), 3)).toEqual(expected);
  }
  first.apply(part, 3);
  expect(part).toEqual(expected);
  expect([...buffer.subarray(0, 5), ...buffer.subarray(305, 308)]).toEqual([0, 1, 2, 3, 4, 49, 50, 51]);
});

test('without WebAssembly the plain loops do the work, with the same result', () => {
  const words = Uint16Array.from({ length: 300 }, (_, i) => i * 217);
  const lut = Lut3D.bake(17, (r, g, b) => [r ** 0.8, g, (b + r) / 2]);
  const expected = [
    lut.apply(
      Uint8Array.from(words, (value) => value >> 8),
      3,
    ),
    lut.apply(words.slice(), 3),
  ];
  const { WebAssembly: engine } = globalThis;
  try {
    Reflect.deleteProperty(globalThis, 'WebAssembly');
    jest.isolateModules(() => {
      const { Lut3D: Plain } = jest.requireActual<{ Lut3D: typeof Lut3D }>('../../src/color/lut3d');
      const plain = new Plain(lut.size, lut.data);
      expect(
        plain.apply(
          Uint8Array.from(words, (value) => value >> 8),
          3,
        ),
      ).toEqual(expected[0]);
      expect(plain.apply(words.slice(), 3)).toEqual(expected[1]);
    });
  } finally {
    globalThis.WebAssembly = engine;
  }
});
