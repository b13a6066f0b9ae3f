import { imageStatistics } from '../../src/color';
import { withLookOf } from '../../src/panel/borrow';
import { parseProvenance, provenanceOf, storyOf } from '../../src/panel/provenance';
import { readSettings, settingsOf, withUsed } from '../../src/panel/settings';
import { FULL, START, type Try, strengthOf } from '../../src/panel/state';

const MADE: Try = {
  id: 3,
  mode: 'style',
  latents: Float32Array.from({ length: 24 }, (_, i) => i / 8),
  texts: { elements: 'A street.', 'problems.light': 'Too dark.', 'plan.light': 'Raise it.' },
  factors: { ...FULL, light: { strength: 1.5, on: true }, globalColor: { strength: 1, on: false } },
  overall: 0.7,
  instruction: 'warm',
  sliders: {},
  document: 'd1',
  seconds: 2,
};

describe('what is kept with a layer', () => {
  const kept = (): Record<string, unknown> =>
    JSON.parse(JSON.stringify(provenanceOf(MADE, 'model 1'))) as Record<string, unknown>;

  test('can be edited again, to the last number', () => {
    const { mode, latents, texts, factors, overall, instruction } = parseProvenance(kept(), 8)!;
    expect({ mode, texts, factors, overall, instruction }).toEqual({
      mode: MADE.mode,
      texts: MADE.texts,
      factors: MADE.factors,
      overall: MADE.overall,
      instruction: MADE.instruction,
    });
    expect([...latents]).toEqual([...MADE.latents]);
  });

  test('words that were cut short are known as such again', () => {
    expect(kept()).not.toHaveProperty('cut');
    expect(parseProvenance(kept(), 8)).not.toHaveProperty('cut');
    const cut = JSON.parse(JSON.stringify(provenanceOf({ ...MADE, cut: true }, 'model 1'))) as unknown;
    expect(parseProvenance(cut, 8)).toMatchObject({ cut: true, texts: MADE.texts });
  });

  test.each([
    ['of another program', { format: 'other' }],
    ['of another model', { latents: [1, 2, 3] }],
    ['with values that are none', { latents: Array.from({ length: 24 }, () => 'x') }],
    ['of no mode', { mode: 'magic' }],
  ])('%s is not taken', (_name, patch) => {
    expect(parseProvenance({ ...kept(), ...patch }, 8)).toBeUndefined();
  });

  test('strengths out of range, unknown sliders and texts that are none are put right', () => {
    const read = parseProvenance(
      {
        ...kept(),
        overall: 9,
        factors: { light: { strength: -1, on: false } },
        sliders: { Exposure2012: 500, Vibrance: 20, constructor: 1 },
        texts: { elements: 7, 'plan.light': 'x'.repeat(9999) },
      },
      8,
    )!;
    expect(read.overall).toBe(1);
    expect(read.factors.light).toEqual({ strength: 1, on: false });
    expect(read.factors.globalColor).toEqual(FULL.globalColor);
    expect(read.sliders).toEqual({ Exposure2012: 0, Vibrance: 20 });
    expect(read.texts).toEqual({ 'plan.light': 'x'.repeat(4000) });
  });

  test.each([undefined, null, 'text', [], 3])('%p is none', (json) => {
    expect(parseProvenance(json, 8)).toBeUndefined();
  });

  test('the story tells what is said, titled, and nothing for what is not', () => {
    const told = ['In the photo: A street.', 'Problem, light: Too dark.', 'Plan, light: Raise it.'];
    expect(storyOf(MADE)).toEqual(told);
    expect(storyOf({ ...MADE, cut: true })).toEqual([...told, 'The reasoning was not written to its end.']);
  });
});

test('a factor that is off has no strength', () => {
  expect(strengthOf(MADE)).toEqual({ light: 1.5, globalColor: 0, specificColor: 1 });
});

const ACCEPTED = { bundle: 'a'.repeat(64), terms: 'b'.repeat(64) };

describe('settings', () => {
  test('come back as they were written', () => {
    const state = { ...START, history: ['a', 'b'], help: false, accepted: [ACCEPTED] };
    expect(readSettings(JSON.parse(JSON.stringify(settingsOf(state))))).toEqual({
      ...{ history: ['a', 'b'], seen: true, accepted: [ACCEPTED] },
    });
  });

  test.each([
    undefined,
    null,
    7,
    { history: 'x' },
    { history: [1, {}], seen: 'yes', accepted: [{ bundle: 'x', terms: 7 }, null] },
  ])('%p is a first start', (json) => {
    expect(readSettings(json)).toEqual({ history: [], seen: false, accepted: [] });
  });

  test('the history is short, newest first, each once, and takes nothing empty', () => {
    expect(withUsed(['a', 'b', 'c'], ' b ')).toEqual(['b', 'a', 'c']);
    expect(withUsed(['a'], '  ')).toEqual(['a']);
    expect(withUsed(Array.from({ length: 8 }, String), 'new')).toHaveLength(8);
  });
});

describe('the look of one picture', () => {
  const picture = (make: (i: number) => readonly [number, number, number]) => ({
    width: 40,
    height: 25,
    data: Uint8Array.from(Array.from({ length: 1000 }, (_, i) => make(i)).flat()),
  });
  const grey = picture((i) => [60 + (i % 100), 60 + (i % 100), 60 + (i % 100)]);
  const warm = picture((i) => [120 + (i % 90), 100 + (i % 80), 60 + (i % 60)]);

  test('brings its cast, and goes half of the way to its lightness', () => {
    const out = withLookOf(grey, warm);
    const [own, other, got] = [grey, warm, out].map(({ data }) => imageStatistics(data as Uint8Array, 3));
    expect(out.data).toHaveLength(grey.data.length);
    expect(got.cast.b).toBeGreaterThan(own.cast.b + 5);
    expect(Math.abs(got.cast.b - other.cast.b)).toBeLessThan(3);
    expect(got.lightness.mean).toBeGreaterThan(own.lightness.mean);
    expect(got.lightness.mean).toBeLessThan(other.lightness.mean);
  });

  test('of itself changes next to nothing', () => {
    const { data } = withLookOf(warm, warm);
    expect(Math.max(...Array.from(data, (value, i) => Math.abs(value - warm.data[i])))).toBeLessThanOrEqual(4);
  });

  test('a picture of one colour does no harm', () => {
    const flat = picture(() => [128, 128, 128]);
    for (const [a, b] of [
      [flat, warm],
      [warm, flat],
    ] as const) {
      expect(withLookOf(a, b).data.every((value) => Number.isFinite(value))).toBe(true);
    }
  });
});
