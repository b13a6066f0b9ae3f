import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Retoucher } from '../../src/inference';
import { BUNDLES, memorySource, readBundle } from './support/bundles';
import { nodeBackend } from './support/nodeBackend';
import { answerTo, type ParityCase } from './support/parity';

describe.each(BUNDLES)('parity with PyTorch: %s bundle', (_name, folder) => {
  const file = path.join(folder, 'parity.json');
  const cases = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { cases: ParityCase[] }).cases : [];
  let retoucher: Retoucher;

  beforeAll(async () => {
    retoucher = await Retoucher.load(memorySource(readBundle(folder)), nodeBackend());
  }, 120_000);
  afterAll(() => retoucher.dispose());

  test('every mode has a case', () => {
    expect(new Set(cases.map((item) => item.mode))).toEqual(new Set(['auto', 'style', 'param', 'reference']));
  });

  const checked = cases.filter((item) => item.checked);
  if (existsSync(path.join(folder, 'wording.json'))) {
    test('answers of every mode are checked too, and some come out otherwise for it', () => {
      expect(new Set(checked.map((item) => item.mode))).toEqual(new Set(['auto', 'style', 'param']));
      expect(checked.some((item) => item.checked!.join() !== item.tokens.join())).toBe(true);
    });
    test.each(checked.map((item, i) => [`${i} ${item.mode} ${item.instruction ?? ''}`, item] as const))(
      'checked case %s',
      async (_title, item) => {
        const result = await answerTo(retoucher, item, false);
        expect(result.tokenIds).toEqual(item.checked);
        expect(cosine(result.latents, item.latents)).toBeGreaterThanOrEqual(0.999);
      },
      120_000,
    );
  }

  test.each(cases.map((item, i) => [`${i} ${item.mode} ${item.instruction ?? ''}`, item] as const))(
    'case %s',
    async (_title, item) => {
      const result = await answerTo(retoucher, item);
      expect(result.tokenIds).toEqual(item.tokens);
      expect(result.tokens).toBe(item.tokens.length);
      expect(cosine(result.latents, item.latents)).toBeGreaterThanOrEqual(0.999);
      // The cosine does not see a wrong length of the vector.
      expect(Math.abs(norm(result.latents) - norm(item.latents))).toBeLessThanOrEqual(0.01 * norm(item.latents));
      const rgb = Float32Array.from(item.render.flatMap((colour) => colour.rgb));
      // The renderer is compared on PyTorch's own latents, so that its error is not mixed with theirs.
      const out = await retoucher.renderColours(rgb, Float32Array.from(item.latents));
      const expected = item.render.flatMap((colour) => colour.out);
      expect(expected.length).toBeGreaterThan(0);
      expect(largestDifference(out, expected)).toBeLessThan(1e-4);
    },
    120_000,
  );
});

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] ** 2;
    bb += b[i] ** 2;
  }
  // Two zero vectors agree: parameters that are all 0 give latents that are all 0.
  return aa === 0 && bb === 0 ? 1 : ab / Math.sqrt(aa * bb);
}

function norm(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}
