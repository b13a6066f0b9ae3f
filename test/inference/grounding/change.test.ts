import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FACTORS, type Factor } from '../../../src/inference';
import { type BandChange } from '../../../src/inference/grounding/bandChange';
import { type Change, measureChange, Pixels, sound } from '../../../src/inference/grounding/change';
import { axisReader, shareOf } from '../../../src/inference/grounding/effect';
import { isReading, readingsOf } from '../../../src/inference/grounding/readings';
import { type Sayable } from '../../../src/inference/grounding/sayable';
import { planOfChange, planOfSliders, problemsOfChange } from '../../../src/inference/grounding/sayableOf';
import { parseWording } from '../../../src/inference/grounding/wording';

interface Said {
  readonly clauses: number;
  readonly sentences: number;
  readonly some: Readonly<Record<string, readonly string[]>>;
}

/** What Python measures and lets be said: written by training/tests/test_reasoning_sayable.py. */
interface Golden {
  readonly leastShare: number;
  readonly cases: readonly {
    readonly before: number[];
    readonly after: number[];
    readonly change: Readonly<Record<string, number>>;
    readonly bands: readonly (readonly number[])[];
    readonly values: readonly number[];
    readonly readings: Readonly<Record<string, number>>;
    readonly sayable: Readonly<
      Record<Factor, Readonly<Record<'plan' | 'auto' | 'style' | 'sliders' | 'slidersOnPhoto', Said>>>
    >;
  }[];
}

const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
const GOLDEN = read(path.join(__dirname, 'golden.json')) as Golden;
const WORDING = parseWording(read(path.resolve(__dirname, '../../../models/wording.json')), 'wording.json');
const NAMES: Readonly<Record<string, keyof Change>> = {
  highlights_step: 'highlightsStep',
  shadows_step: 'shadowsStep',
};

const colours = (values: readonly number[]): Pixels => new Pixels(Float32Array.from(values, (value) => value / 255));

describe.each(GOLDEN.cases.map((item, i) => [i, item] as const))('pair %i, as Python has it', (_number, item) => {
  const change = measureChange(colours(item.before), colours(item.after), GOLDEN.leastShare);
  const photo = readingsOf(colours(item.before));

  test('every reading of the photo', () => {
    for (const [name, expected] of Object.entries(item.readings)) {
      expect([name, isReading(name), photo(name)]).toEqual([name, true, expect.closeTo(expected, 2)]);
    }
  });

  test('every reading of the change', () => {
    for (const [name, expected] of Object.entries(item.change)) {
      expect([name, change[NAMES[name] ?? (name as keyof Change)]]).toEqual([name, expect.closeTo(expected, 2)]);
    }
    const parts: (keyof BandChange)[] = ['share', 'saturation', 'luminance', 'hue'];
    item.bands.forEach((band, i) => {
      parts.forEach((part, k) => {
        expect([i, part, change.bands[i][part]]).toEqual([i, part, expect.closeTo(band[k], 2)]);
      });
    });
  });

  test.each(FACTORS)('what may be said of %s', (factor) => {
    const expected = item.sayable[factor];
    const found: [Said, Sayable][] = [
      [expected.plan, planOfChange(WORDING, change, factor)],
      [expected.auto, problemsOfChange(WORDING, change, photo, factor, 'auto')],
      [expected.style, problemsOfChange(WORDING, change, photo, factor, 'style')],
      [expected.sliders, planOfSliders(WORDING, item.values, factor)],
      [expected.slidersOnPhoto, planOfSliders(WORDING, item.values, factor, change)],
    ];
    for (const [said, sayable] of found) {
      expect(sayable.size).toEqual({ clauses: said.clauses, sentences: said.sentences });
      for (const [text, axes] of Object.entries(said.some)) {
        const spoken = text[0].toUpperCase() + text.slice(1);
        expect([spoken, sayable.complete(spoken)]).toEqual([spoken, true]);
        expect([...sayable.axesIn(spoken)].sort()).toEqual(axes);
      }
    }
  });
});

test('the pairs show every kind of change', () => {
  const seen = new Set(
    GOLDEN.cases.flatMap(({ change }) => Object.keys(change).filter((name) => Math.abs(change[name]) > 0.01)),
  );
  expect(seen.size).toBe(15);
  expect(GOLDEN.cases.some(({ bands }) => bands.some(([, ...moved]) => moved.every((value) => value !== 0)))).toBe(
    true,
  );
});

test('an untouched photo has not changed', () => {
  const photo = colours(GOLDEN.cases[0].before);
  const { bands, ...whole } = measureChange(photo, photo, 0);
  for (const value of Object.values(whole)) expect(value).toBeCloseTo(0, 6);
  for (const { saturation, luminance, hue } of bands)
    expect([saturation, luminance, hue].map(Math.abs)).toEqual([0, 0, 0]);
  for (const factor of FACTORS) {
    const plan = planOfChange(WORDING, measureChange(photo, photo, 0), factor);
    expect(plan.size.clauses).toBe(0);
    expect(plan.size.sentences).toBeGreaterThan(20);
  }
});

test.each([
  ['light that is all of one tone', 0.5],
  ['black', 0],
  ['white', 1],
])('%s gives numbers', (_what, level) => {
  const flat = new Float32Array(3 * 64).fill(level);
  const photo = new Pixels(flat);
  const { bands, ...whole } = measureChange(photo, new Pixels(flat.map((value) => Math.min(1, value + 0.2))), 0);
  for (const name of Object.keys(GOLDEN.cases[0].readings)) expect(readingsOf(photo)(name)).not.toBeNaN();
  expect(Object.values(whole).every(Number.isFinite)).toBe(true);
  expect(bands.every((band) => Object.values(band).every(Number.isFinite))).toBe(true);
  // Zones of a photo of one tone are noise.
  for (const name of ['contrast', 'highlights', 'shadows', 'whites', 'blacks', 'lights', 'darks'] as const)
    expect([name, whole[name]]).toEqual([name, 0]);
  expect([whole.saturation, whole.vibrance, whole.monochrome]).toEqual([0, 0, 0]);
});

/** Greys from dark to light, each changed. */
function greys(change: (value: number) => number): [Pixels, Pixels] {
  const values = Float32Array.from({ length: 1200 }, (_, i) => 0.05 + (0.9 * Math.floor(i / 3)) / 400);
  return [new Pixels(values), new Pixels(values.map(change))];
}

test('shadows that run into black, and highlights that run into white, are not opened or held back', () => {
  const change = (to: (value: number) => number): Change => measureChange(...greys(to), 0);
  expect(change((value) => Math.max(0.08, value - 0.4)).shadows).toBeGreaterThan(2);
  expect(change((value) => Math.max(0.01, value - 0.4)).shadows).toBe(0);
  expect(change((value) => Math.min(0.92, value + 0.15)).highlights).toBeLessThan(-2);
  expect(change((value) => Math.min(1, value + 0.15)).highlights).toBe(0);
});

test('readings of sixteen pixels are exact: greys, black and white', () => {
  const grey = (...levels: number[]): Pixels =>
    new Pixels(Float32Array.from({ length: 48 }, (_, i) => levels[Math.floor(i / 3) % levels.length]));
  const middle = readingsOf(grey(0.5));
  for (const name of ['chroma', 'neutral_a', 'neutral_b', 'range', 'clipped', 'crushed'])
    expect([name, middle(name)]).toEqual([name, expect.closeTo(0, 2)]);
  expect(middle('median')).toBeCloseTo(53.39, 1);
  const halves = readingsOf(grey(0, 1));
  expect([halves('crushed'), halves('clipped'), halves('range')]).toEqual([50, 50, expect.closeTo(100, 2)]);
  const quarter = readingsOf(grey(0, 0.5, 0.5, 0.5));
  expect([quarter('crushed'), quarter('clipped'), quarter('range')]).toEqual([25, 0, expect.closeTo(53.39, 1)]);
});

test('readings that point apart are none', () => {
  expect(sound(3, 1, 2)).toBe(1);
  expect(sound(-3, -1)).toBe(-1);
  expect(sound(3, -1)).toBe(0);
  expect(sound(3, 0)).toBe(0);
});

test('an axis is one of the picture or of a hue band', () => {
  const change = measureChange(colours(GOLDEN.cases[2].before), colours(GOLDEN.cases[2].after), 0);
  expect(axisReader('exposure')?.(change)).toBe(change.exposure);
  expect(axisReader('hue.blue')?.(change)).toBe(change.bands[5].hue);
  expect(shareOf(change, 'hue.blue')).toBe(change.bands[5].share);
  expect(shareOf(change, 'exposure')).toBe(1);
  for (const name of ['', 'bands', 'highlightsStep', 'hue', 'share.red', 'hue.teal', 'toString']) {
    expect([name, axisReader(name)]).toEqual([name, undefined]);
  }
});

test('a reading is one of the picture or of a hue band', () => {
  for (const name of ['', 'median.red', 'chroma.teal', 'chroma.red.red', 'toString', 'share.red', 'p25'])
    expect([name, isReading(name)]).toEqual([name, false]);
});
