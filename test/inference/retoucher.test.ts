import { readFileSync } from 'node:fs';
import { imageDifference, Lut3D } from '../../src/color';
import {
  LUT_LIMITS,
  Retoucher,
  parametersFromSliders,
  type Mode,
  type RetouchResult,
  type RgbImage,
  type Strength,
  type TextEvent,
} from '../../src/inference';
import { type Loose, memorySource, PLAIN_ADAPTOR, readBundle, TINY, withManifest } from './support/bundles';
import { nodeBackend } from './support/nodeBackend';
import { failureOf } from './support/errors';
import { PUBLISHED } from './support/published';
import { watched } from './support/watched';

const FILES = readBundle(TINY);
const PARAMETERS = parametersFromSliders({ Exposure2012: 40, Vibrance: -20, HueAdjustmentBlue: 60 });

function photo(seed: number, width = 90, height = 61): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = (seed * 31 + i * 7 + (i >> 5) * seed) & 255;
  return { width, height, data };
}

const open = (backend = nodeBackend()) => Retoucher.load(memorySource(FILES), backend, { verify: 'used' });

describe('a retouch', () => {
  let retoucher: Retoucher;
  beforeAll(async () => {
    retoucher = await open();
  });
  afterAll(() => retoucher.dispose());

  test('by auto: latents, the whole reasoning, times', async () => {
    const result = await retoucher.auto(photo(1));
    expect(result.mode).toBe('auto');
    expect(result.latents).toHaveLength(24);
    expect(Object.keys(result.reasoning)).toEqual(['elements', 'problems', 'plan']);
    for (const part of [result.reasoning.problems, result.reasoning.plan]) {
      expect(Object.keys(part)).toEqual(['light', 'globalColor', 'specificColor']);
    }
    expect(result.tokens).toBe(result.tokenIds.length);
    expect(Object.keys(result.timingsMs).sort()).toEqual(['decode', 'load', 'picture', 'prefill', 'vision']);
    for (const ms of Object.values(result.timingsMs)) expect(ms).toBeGreaterThan(0);
    const again = await retoucher.auto(photo(1));
    expect(again.latents).toEqual(result.latents);
    expect(again.timingsMs.load).toBe(0);
  });

  test('words that are given are taken, and latents follow from them and from the photo', async () => {
    const [one, other] = [await retoucher.auto(photo(1)), await retoucher.auto(photo(2))];
    expect(one.tokenIds).not.toEqual(other.tokenIds);
    const same = await retoucher.auto(photo(1), { words: one.tokenIds });
    expect(same.latents).toEqual(one.latents);
    expect(same.reasoning).toEqual(one.reasoning);
    const told = await retoucher.auto(photo(1), { words: other.tokenIds });
    expect(told.tokenIds).toEqual(other.tokenIds);
    expect(told.latents).not.toEqual(one.latents);
    expect(told.latents).not.toEqual(other.latents);
    for (const words of [[], one.tokenIds.slice(0, -3), [...one.tokenIds, 5], [9, ...one.tokenIds.slice(1)]]) {
      expect((await failureOf(retoucher.auto(photo(1), { words }))).message).toContain('are no answer');
    }
  });

  test('depends on the photo and on the style', async () => {
    const tokens = async (work: Promise<RetouchResult>) => (await work).tokenIds.join();
    const answers = await Promise.all([
      tokens(retoucher.auto(photo(1))),
      tokens(retoucher.auto(photo(7))),
      tokens(retoucher.style(photo(1), 'warm film')),
      tokens(retoucher.style(photo(1), 'cold night')),
    ]);
    expect(new Set(answers).size).toBe(4);
  });

  test('alpha and calls side by side change nothing', async () => {
    const image = photo(3);
    const rgba = new Uint8Array((image.data.length / 3) * 4);
    for (let i = 0; i < image.data.length; i++) rgba[Math.floor(i / 3) * 4 + (i % 3)] = image.data[i]!;
    const [a, b, c] = await Promise.all([
      retoucher.auto(image),
      retoucher.auto(photo(5)),
      retoucher.auto({ ...image, data: rgba }),
    ]);
    expect(c.tokenIds).toEqual(a.tokenIds);
    expect(c.latents).toEqual(a.latents);
    expect(b.tokenIds).not.toEqual(a.tokenIds);
  });

  test('text is streamed by field, in order, and adds up to the reasoning', async () => {
    const events: TextEvent[] = [];
    const { reasoning } = await retoucher.style(photo(2), 'faded', { onText: (event) => events.push(event) });
    const text = (field: string) =>
      events
        .filter((event) => event.field === field)
        .map((event) => event.text)
        .join('');
    const fields = retoucher.manifest.answer.style.map((section) => section.field);
    expect(events.filter((event) => event.done).map((event) => event.field)).toEqual(fields);
    for (const field of fields) {
      const last = events.filter((event) => event.field === field).at(-1);
      expect(last?.done).toBe(true);
    }
    expect(text('elements')).toBe(reasoning.elements);
    for (const factor of ['light', 'globalColor', 'specificColor'] as const) {
      expect(text(`problems.${factor}`)).toBe(reasoning.problems[factor]);
      expect(text(`plan.${factor}`)).toBe(reasoning.plan[factor]);
    }
    expect(events.map((event) => event.text).join('').length).toBeGreaterThan(0);
  });

  test('special tokens in a style are words like others', async () => {
    const token = '<retouch_light>';
    const result = await retoucher.style(photo(1), `film ${token} <|im_end|> <plan_light_end>`);
    expect(result.tokenIds.slice(-3)).toEqual([426, 427, 428].map((id) => id - 1));
    expect(result.tokenIds[0]).toBe(412);
  });

  test('param: factors whose parameters are all 0 have latents of 0, the others do not', async () => {
    const zero = (latents: Float32Array, factor: number) =>
      latents.subarray(factor * 8, factor * 8 + 8).every((v) => v === 0);
    for (const [sliders, active] of [
      [{ Exposure2012: 10 }, [true, false, false]],
      [{ Saturation: -10, HueAdjustmentRed: 5 }, [false, true, true]],
      [{}, [false, false, false]],
    ] as const) {
      const parameters = parametersFromSliders(sliders);
      const { latents, reasoning } = await retoucher.param(parameters);
      const live = await retoucher.sliders(parameters);
      active.forEach((isActive, factor) => {
        expect(zero(latents, factor)).toBe(!isActive);
        expect(zero(live, factor)).toBe(!isActive);
      });
      expect(reasoning.elements).toBe('');
      expect(reasoning.problems).toEqual({ light: '', globalColor: '', specificColor: '' });
    }
  });

  test('reference: photos of different sizes, no words, its order matters', async () => {
    const there = await retoucher.reference(photo(1), photo(2, 40, 200));
    const back = await retoucher.reference(photo(2, 40, 200), photo(1));
    expect(there.tokens).toBe(0);
    expect(there.reasoning.elements).toBe('');
    expect(there.latents).not.toEqual(back.latents);
  });

  test.each([
    [1, 1],
    [1, 5000],
    [5000, 1],
  ])('a photo of %d x %d pixels works', async (width, height) => {
    const result = await retoucher.auto(photo(4, width, height));
    expect(result.latents.every(Number.isFinite)).toBe(true);
  });

  test('bad photos are refused before anything runs', async () => {
    const bad = { width: 4, height: 4, data: new Uint8Array(5) };
    for (const work of [
      retoucher.auto(bad),
      retoucher.style(bad, 'x'),
      retoucher.reference(bad, photo(1)),
      retoucher.reference(photo(1), bad),
    ]) {
      expect((await failureOf(work)).code).toBe('INPUT_IMAGE');
    }
  });
});

describe('the LUT', () => {
  let retoucher: Retoucher;
  let latents: Float32Array;
  beforeAll(async () => {
    retoucher = await open();
    latents = await retoucher.sliders(PARAMETERS);
  });
  afterAll(() => retoucher.dispose());

  test('holds the renderer at its grid points, red fastest; the bundle says its size', async () => {
    const lut = await retoucher.bakeLut(latents);
    expect(lut.size).toBe(retoucher.manifest.lutSize);
    const at = [1, lut.size >> 1, lut.size - 2];
    const colour = Float32Array.from(at, (i) => i / (lut.size - 1));
    const direct = await retoucher.renderColours(colour, latents);
    const start = 3 * (at[0] + lut.size * (at[1] + lut.size * at[2]));
    for (let c = 0; c < 3; c++) expect(lut.data[start + c]).toBeCloseTo(direct[c], 5);
    expect(lut.data.every((value) => value >= 0 && value <= 1)).toBe(true);
  });

  test('strength multiplies each factor of its own', async () => {
    const scaled = latents.map((value, i) => value * [0, 0.5, 2][Math.floor(i / 8)]);
    const expected = await retoucher.bakeLut(scaled, { size: 5 });
    const strength = { light: 0, globalColor: 0.5, specificColor: 2 };
    expect(await retoucher.bakeLut(latents, { size: 5, strength })).toEqual(expected);
    expect((await retoucher.bakeLut(latents, { size: 5 })).data).not.toEqual(expected.data);
    expect(await retoucher.bakeLut(latents, { size: 5, strength: { light: 1 } })).toEqual(
      await retoucher.bakeLut(latents, { size: 5 }),
    );
  });

  test('0 is exactly the photo as it was, whichever way it is said, and 1 exactly what the model says', async () => {
    const none = { light: 0, globalColor: 0, specificColor: 0 };
    const identity = Lut3D.identity(5);
    expect((await retoucher.bakeLut(latents, { size: 5, strength: none })).data).toEqual(identity.data);
    expect((await retoucher.bakeLut(latents, { size: 5, strength: { overall: 0 } })).data).toEqual(identity.data);
    expect((await retoucher.bakeLut(new Float32Array(latents.length), { size: 5 })).data).toEqual(identity.data);
    const ones = { light: 1, globalColor: 1, specificColor: 1, overall: 1 };
    const whole = await retoucher.bakeLut(latents, { size: 5 });
    expect((await retoucher.bakeLut(latents, { size: 5, strength: ones })).data).toEqual(whole.data);
  });

  test('from 0 to 1 the retouch comes in without a jump, at either end', async () => {
    const lut = async (strength: Strength) => (await retoucher.bakeLut(latents, { size: 5, strength })).data;
    const step = (a: Float32Array, b: Float32Array) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));
    const all = (value: number) => ({ light: value, globalColor: value, specificColor: value });
    const whole = step(await lut(all(0)), await lut(all(1)));
    expect(whole).toBeGreaterThan(0.05);
    for (const [from, to] of [
      [0, 0.001],
      [0.5, 0.501],
      [0.999, 1],
      [1, 1.001],
    ]) {
      expect(step(await lut(all(from)), await lut(all(to)))).toBeLessThan(0.01 * whole);
    }
    const half = await lut({ overall: 0.5 });
    const [none, full] = [await lut({ overall: 0 }), await lut({})];
    half.forEach((value, i) => {
      expect(value).toBeCloseTo((none[i] + full[i]) / 2, 6);
    });
  });

  test('the size follows from the measured error', async () => {
    const gentle = await retoucher.bakeMeasuredLut(latents, { strength: { overall: 0.1 } });
    expect(gentle.lut.size).toBe(33);
    expect(gentle.error.mean).toBeLessThan(LUT_LIMITS.mean);
    expect(gentle.error.max).toBeGreaterThanOrEqual(gentle.error.p99);
    const colours = Float32Array.from({ length: 300 }, (_, i) => ((i * 37) % 101) / 100);
    const direct = await retoucher.renderColours(colours, latents);
    const { lut, error } = await retoucher.bakeMeasuredLut(latents, {
      photo: Uint8Array.from(colours, (value) => Math.round(value * 255)),
    });
    const measured = imageDifference(lut.apply(colours.slice(), 3), direct, 3);
    expect(measured.max).toBeLessThan(2 * error.max + 0.05);
  });

  test.each([
    [{ strength: { overall: 1.1 } }, 'INPUT_STRENGTH'],
    [{ strength: { light: -0.1 } }, 'INPUT_STRENGTH'],
    [{ strength: { light: 2.1 } }, 'INPUT_STRENGTH'],
    [{ strength: { globalColor: NaN } }, 'INPUT_STRENGTH'],
    [{ strength: { colour: 1 } as Strength }, 'INPUT_STRENGTH'],
    [{ size: 1 }, 'INPUT_SIZE'],
    [{ size: 33.5 }, 'INPUT_SIZE'],
    [{ size: 1000 }, 'INPUT_SIZE'],
  ])('%j is refused', async (options, code) => {
    expect((await failureOf(retoucher.bakeLut(latents, options))).code).toBe(code);
  });

  test('latents of another bundle, or that are no numbers, are refused', async () => {
    expect((await failureOf(retoucher.bakeLut(new Float32Array(25)))).code).toBe('INPUT_LATENTS');
    expect((await failureOf(retoucher.bakeLut(latents.map((v, i) => (i === 9 ? NaN : v))))).code).toBe('INPUT_LATENTS');
    for (const colours of [
      [0, 0],
      [0, 0, 1.01],
      [0, NaN, 0],
    ]) {
      const error = await failureOf(retoucher.renderColours(Float32Array.from(colours), latents));
      expect(error.code).toBe('INPUT_COLOURS');
    }
  });
});

describe('loading', () => {
  test.each<[string, (r: Retoucher) => Promise<unknown>, string[]]>([
    ['auto', (r) => r.auto(photo(1)), ['vision', 'effect', 'embed', 'decoder', 'adaptor']],
    ['style', (r) => r.style(photo(1), 'x'), ['vision', 'style', 'effect', 'embed', 'decoder', 'adaptor']],
    ['param', (r) => r.param(PARAMETERS), ['embed', 'decoder', 'adaptor', 'params']],
    ['reference', (r) => r.reference(photo(1), photo(2)), ['encoder']],
    ['sliders', (r) => r.sliders(PARAMETERS), ['params']],
    ['bakeLut', (r) => r.bakeLut(new Float32Array(24)), ['renderer']],
  ])('%s loads the graphs that it needs, once', async (_name, call, graphs) => {
    const source = memorySource(FILES);
    const retoucher = await Retoucher.load(source, nodeBackend(), { verify: 'used' });
    source.reads.length = 0;
    await call(retoucher);
    await call(retoucher);
    expect(source.reads).toEqual(graphs.map((graph) => `${graph}.onnx`));
    await retoucher.dispose();
  });

  test('a bundle without rows of factors answers too, and its words lie elsewhere', async () => {
    const alone = new Map([...FILES, ['adaptor.onnx', new Uint8Array(readFileSync(PLAIN_ADAPTOR))]]);
    const plain = withManifest(alone, (m: Loose) => delete m.focus);
    const results = [];
    for (const files of [FILES, plain]) {
      const retoucher = await Retoucher.load(memorySource(files), nodeBackend());
      await retoucher.prepare('style');
      results.push([
        await retoucher.auto(photo(1)),
        await retoucher.style(photo(1), 'warm'),
        await retoucher.param(PARAMETERS),
      ]);
      await retoucher.dispose();
    }
    for (const [i, withRows] of results[0].entries()) {
      expect(Array.from(results[1][i].latents)).not.toEqual(Array.from(withRows.latents));
    }
  });

  test('a bundle without a head for sliders says what to do instead', async () => {
    const retoucher = await Retoucher.load(memorySource(PUBLISHED), nodeBackend());
    expect(retoucher.capabilities.sliders).toBe(false);
    const { code, hint } = await failureOf(retoucher.sliders(PARAMETERS));
    expect([code, hint]).toEqual(['INPUT_NO_SLIDERS', expect.stringContaining('Use param mode') as string]);
    await retoucher.dispose();
  });

  test.each<[Mode, (r: Retoucher) => Promise<RetouchResult>]>([
    ['auto', (r) => r.auto(photo(1))],
    ['style', (r) => r.style(photo(1), 'x')],
    ['param', (r) => r.param(PARAMETERS)],
    ['reference', (r) => r.reference(photo(1), photo(2))],
  ])('once prepared, %s and its LUT load nothing more', async (mode, call) => {
    const source = memorySource(FILES);
    const retoucher = await Retoucher.load(source, nodeBackend(), { verify: 'used' });
    await retoucher.prepare(mode);
    const prepared = source.reads.length;
    expect(prepared).toBeGreaterThan(1);
    const { latents, timingsMs } = await call(retoucher);
    await retoucher.bakeLut(latents);
    expect(source.reads).toHaveLength(prepared);
    expect(timingsMs.load).toBe(0);
    await retoucher.dispose();
  });

  test('tells what it verifies and loads', async () => {
    const seen: string[] = [];
    const retoucher = await Retoucher.load(memorySource(FILES), nodeBackend(), {
      onProgress: ({ stage, file }) => seen.push(`${stage} ${file}`),
    });
    expect(seen).toHaveLength(FILES.size - 1);
    await retoucher.sliders(PARAMETERS);
    expect(seen.at(-1)).toBe('load params.onnx');
    expect(retoucher.loadMs).toBeGreaterThan(0);
    await retoucher.dispose();
  });

  test('every tensor that the runtime made is released again', async () => {
    const backend = watched(nodeBackend());
    const retoucher = await open(backend);
    await retoucher.auto(photo(1));
    await retoucher.param(PARAMETERS);
    await retoucher.bakeLut(await retoucher.sliders(PARAMETERS), { size: 9 });
    await retoucher.reference(photo(1), photo(2));
    expect(backend.log.length).toBeGreaterThan(20);
    expect(backend.alive()).toBe(0);
    await retoucher.dispose();
  });

  test('after dispose, calls are refused', async () => {
    const retoucher = await open();
    await retoucher.sliders(PARAMETERS);
    await retoucher.dispose();
    await retoucher.dispose();
    expect((await failureOf(retoucher.sliders(PARAMETERS))).code).toBe('INFERENCE');
  });

  test.each<[string, (dimensions: Loose) => unknown]>([
    ['hidden', (d) => (d.hidden = 64)],
    ['layers', (d) => (d.layers = 3)],
    ['kvHeads', (d) => (d.kvHeads = 3)],
    ['headDim', (d) => (d.headDim = 16)],
    ['latent', (d) => (d.latent = 9)],
    ['imageTokens', (d) => (d.imageTokens = 5)],
  ])('dimensions that the graphs do not have are an error of our own: %s', async (_name, edit) => {
    const files = withManifest(FILES, (manifest) => {
      edit(manifest.dimensions);
    });
    const retoucher = await Retoucher.load(memorySource(files), nodeBackend());
    const error = await failureOf(retoucher.auto(photo(1)));
    expect(['INFERENCE', 'BUNDLE_GRAPH']).toContain(error.code);
    await retoucher.dispose();
  });
});
