import path from 'node:path';
import { InputError, parametersFromSliders, Retoucher, type RgbImage } from '../../../src/inference';
import { compileSkeleton, type SectionIds } from '../../../src/inference/grammar';
import { type AnswerGuide, Grounding } from '../../../src/inference/grounding/guide';
import { Pixels } from '../../../src/inference/grounding/change';
import { readingsOf } from '../../../src/inference/grounding/readings';
import { parseWording, wordsOf } from '../../../src/inference/grounding/wording';
import { type Field, parseManifest } from '../../../src/inference/manifest';
import { BundleTokenizer } from '../../../src/inference/tokenizer';
import { jsonOf, type Loose, memorySource, readBundle, TINY, TINY_FIRST, withManifest } from '../support/bundles';
import { nodeBackend } from '../support/nodeBackend';
import { failureOf } from '../support/errors';

const MODELS = readBundle(path.resolve(__dirname, '../../../models'));
const JSON_OF_WORDING = jsonOf(MODELS, 'wording.json');
const WORDING = parseWording(JSON_OF_WORDING, 'wording.json');
const TOKENIZER = BundleTokenizer.create(jsonOf(MODELS, 'tokenizer.json'), jsonOf(MODELS, 'tokenizer_config.json'));

/** Planes [3, 64, 64] of many colours. */
const PIXELS = Float32Array.from(
  { length: 3 * 64 * 64 },
  (_, i) => ((i * 37 + (i >> 6) * 11 + (i >> 12) * 91) % 211) / 210,
);

/** Every second pixel in both directions of planes [3, 64, 64], as [N, 3]. */
function interleaved(planes: Float32Array): Float32Array {
  const places = Array.from({ length: 64 * 64 }, (_, i) => i).filter((i) => i % 2 === 0 && (i >> 6) % 2 === 0);
  return Float32Array.from(places.flatMap((i) => [planes[i], planes[4096 + i], planes[8192 + i]]));
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const SKELETON = compileSkeleton(
  parseManifest(jsonOf(MODELS, 'bundle.json')),
  TOKENIZER,
  jsonOf(MODELS, 'output_tokens.json'),
  jsonOf(MODELS, 'section_tokens.json'),
);

const sectionOf = (name: Field): SectionIds => SKELETON.sections.auto.find(({ field }) => field === name)!;

/** How many tokens were written, and how many of them had to follow. */
const tokens = { all: 0, forced: 0 };

function written(guide: AnswerGuide, field: Field, next: () => number): string {
  const section = sectionOf(field);
  const ids: number[] = [];
  for (;;) {
    const logits = Float32Array.from({ length: SKELETON.scores }, next);
    const must = guide.forced(section);
    const id = guide.pick(logits, SKELETON, section);
    // What must follow is what any scores choose.
    if (must !== undefined) expect(id).toBe(must);
    if (must !== undefined) tokens.forced++;
    tokens.all++;
    if (id === undefined) throw new Error(`Nothing may be written behind "${TOKENIZER.decode(ids)}".`);
    guide.accept(id, section, id === section.end ? TOKENIZER.decode(ids) : undefined);
    if (id === section.end) return TOKENIZER.decode(ids);
    ids.push(id);
    if (ids.length > 64) throw new Error(`It does not end: "${TOKENIZER.decode(ids)}".`);
  }
}

const BRIGHTER = async (colours: Float32Array): Promise<Float32Array> => colours.map((value) => value ** 0.7);
const WARMER = async (colours: Float32Array): Promise<Float32Array> =>
  colours.map((value, i) => Math.min(1, value * [1.12, 1, 0.84][i % 3]));

describe('any scores at all', () => {
  const grounding = new Grounding(WORDING, TOKENIZER, SKELETON);

  test.each([
    [
      'brighter',
      BRIGHTER,
      'light',
      /bright|light|lift|rais|increas|open|flat|soft|lower|reduc|eas|hold|restrain|rein|deepen|darken|dark|pull|dim|keep|protect|support|tone|recover|strengthen|boost/i,
    ],
    ['warmer', WARMER, 'globalColor', /warm|magenta|green|satur|color|enrich|intensify|mute|calm|photo|picture/i],
  ] as const)('give a plan that ends, in the wording, of a %s picture', async (_what, render, factor, words) => {
    for (let seed = 1; seed <= 40; seed++) {
      const guide = await grounding.ofPhoto(seed % 2 ? 'auto' : 'style', PIXELS, render);
      const problems = written(guide, `problems.${factor}`, random(seed));
      const plan = written(guide, `plan.${factor}`, random(seed + 100));
      expect(problems).toMatch(/^[A-Z]/);
      expect(plan).toMatch(words);
      expect(plan).not.toMatch(
        factor === 'light' ? /darken the (picture|photo|frame)|dim the|lower the (exposure|brightness)/i : /cool/i,
      );
    }
  });

  test('say nothing of an untouched picture but that it stays', async () => {
    const guide = await grounding.ofPhoto('auto', PIXELS, async (colours) => colours);
    expect(written(guide, 'problems.light', random(4))).toMatch(/no |nothing|fine|sound|well|good|needs/i);
    expect(written(guide, 'plan.light', random(5))).toMatch(/leave|keep|no |not|alone|let|stay|nothing/i);
  });

  test('have no say where only one token can follow', () => {
    // The pairs above are written with it checked, token by token.
    expect(tokens.all).toBeGreaterThan(1000);
    expect(tokens.forced / tokens.all).toBeGreaterThan(0.3);
  });

  test('name faults that the photo has, with its own figures', async () => {
    const darker = PIXELS.map((value) => value ** 3);
    const photo = readingsOf(new Pixels(interleaved(darker)));
    const dark = photo('median') < 38 ? 'dark' : 'a little dark';
    const five = String(5 * Math.round(photo('median') / 5));
    const told: string[] = [];
    for (let seed = 1; seed <= 60; seed++) {
      const guide = await grounding.ofPhoto('auto', darker, BRIGHTER);
      const text = written(guide, 'problems.light', random(seed));
      expect(text).not.toMatch(/bright|pale/);
      if (/midtones|median/.test(text)) told.push(text);
    }
    for (const text of told) {
      expect(text).toMatch(new RegExp(`near L ${five}\\b`));
      expect(text.toLowerCase()).toContain(dark);
    }
    expect(told.length).toBeGreaterThan(3);
  });

  test('say of sliders which way they go, and that there are none where there are none', async () => {
    const { values } = parametersFromSliders({ Contrast2012: -70, SaturationAdjustmentBlue: 40 });
    const guide = await grounding.ofSliders(values, undefined, BRIGHTER);
    const light = written(guide, 'plan.light', random(6));
    expect(light).toMatch(/contrast|given settings/i);
    expect(light).not.toMatch(/(raise|increase|strengthen|boost) the/i);
    expect(written(guide, 'plan.globalColor', random(7))).toMatch(/setting/);
    expect(written(guide, 'plan.specificColor', random(8))).toMatch(/blues|given settings/);
  });

  test.each([
    ['sure', 2.3, undefined],
    ['not sure', 2.1, 'end'],
  ])('name another key element only where the model is %s', async (_what, more, expected) => {
    const guide = await grounding.ofPhoto('auto', PIXELS, BRIGHTER);
    const section = sectionOf('elements');
    const logits = new Float32Array(SKELETON.scores).fill(-9);
    const placeOf = (id: number): number => SKELETON.outputTokens!.indexOf(id);
    const [comma] = TOKENIZER.encodeText(',');
    logits[placeOf(section.end)] = 1;
    logits[placeOf(comma)] = 1 + more;
    expect(guide.pick(logits, SKELETON, section)).toBe(expected && section.end);
    // Within a name nothing is ended.
    logits[placeOf(comma)] = -9;
    logits[
      section.allowed.findIndex((may, i) => may === 1 && ![comma, section.end].includes(SKELETON.outputTokens![i]))
    ] = 1.1;
    expect(guide.pick(logits, SKELETON, section)).toBeUndefined();
  });

  test('that are no numbers choose nothing', async () => {
    const guide = await grounding.ofPhoto('auto', PIXELS, BRIGHTER);
    expect(guide.pick(new Float32Array(SKELETON.scores).fill(NaN), SKELETON, sectionOf('plan.light'))).toBeUndefined();
  });
});

describe('wording.json', () => {
  test('names the words that its texts are made of', () => {
    const words = wordsOf(WORDING);
    for (const word of ['warm', 'picture', 'slightly', 'blues', 'towards', ',', ';', '%', 'L', 'look', 'dark'])
      expect(words).toContain(word);
    for (const place of ['{}', 'n', 'm', 'word']) expect(words.has(place)).toBe(false);
  });

  test.each<[what: string, spoil: (wording: Loose) => void, message: string]>([
    [
      'no axes',
      (w) => {
        delete w.axes;
      },
      'axes is not a list',
    ],
    [
      'an unknown axis',
      (w) => (w.axes[0].name = 'sharpness'),
      'axes[0].name is not an axis that this program measures',
    ],
    ['an unknown factor', (w) => (w.axes[0].factor = 'sharpness'), 'axes[0].factor is not a factor'],
    ['a claim of an axis that is not listed', (w) => (w.clauses[3].axis = 'hue.teal'), 'clauses[3].axis'],
    ['a direction of 2', (w) => (w.clauses[3].direction = 2), 'clauses[3].direction is not 1 or -1'],
    ['no verbs', (w) => (w.clauses[3].verbs = []), 'clauses[3].verbs is not a list with a text in it'],
    ['another form', (w) => (w.clauses[3].form = 'leap'), 'clauses[3].form is not a form'],
    ['two lists of sizes', (w) => (w.sizes.slight.length = 2), 'sizes.slight is not three lists'],
    ['a limit that is no number', (w) => (w.still = null), 'still is not a number'],
    ['three shares', (w) => (w.leastShare = [0, 0, 1]), 'leastShare is not a pair of numbers'],
    ['no sentences of a factor', (w) => delete w.sentences.leave.light, 'sentences.leave.light is not a list'],
    ['problems that are a text', (w) => (w.problems = 'none'), 'problems is not an object'],
    [
      'a fault without texts',
      (w) => delete w.problems.faults[0].said[0].texts,
      'problems.faults[0].said[0].texts is not a list',
    ],
    ['an unknown reading', (w) => (w.problems.faults[0].shown[0][0] = 'p25'), 'shown[0] is not a reading of a photo'],
    ['a limit that is a text', (w) => (w.problems.faults[0].shown[0][2] = '52'), 'shown[0] is not a number'],
    [
      'another rounding',
      (w) => (w.problems.faults[0].said[0].figures[0][1] = 'ten'),
      'figures[0] is not a way to round',
    ],
    ['a degree too few', (w) => (w.problems.faults[0].said[0].degrees.words.length = 1), 'degrees.words is not a list'],
    [
      'a figure without texts',
      (w) => delete w.problems.against[0].figure.texts,
      'against[0].figure.texts is not a list',
    ],
    ['words that are a number', (w) => (w.problems.against[0].words = 3), 'problems.against[0].words is not a text'],
  ])('with %s is refused', async (_what, spoil, message) => {
    const wording = structuredClone(JSON_OF_WORDING);
    spoil(wording);
    const error = await failureOf(() => parseWording(wording, 'wording.json'));
    expect(error.code).toBe('BUNDLE_MANIFEST');
    expect(error.message).toContain(message);
  });

  test('belongs to bundles with the picture first', async () => {
    const first = jsonOf(readBundle(TINY_FIRST), 'bundle.json');
    expect(parseManifest(first).wordingFile).toBeUndefined();
    expect(parseManifest({ ...first, wording: 'wording.json' }).wordingFile).toBe('wording.json');
    const words = { ...jsonOf(readBundle(TINY), 'bundle.json'), wording: 'wording.json' };
    expect((await failureOf(() => parseManifest(words))).message).toContain(
      'absent where "latentStates" is not "first"',
    );
    expect((await failureOf(() => parseManifest({ ...first, wording: '../wording.json' }))).code).toBe(
      'BUNDLE_FILE_NAME',
    );
  });
});

describe('a model that lacks the words', () => {
  const FILES = new Map([...withManifest(readBundle(TINY_FIRST), (m: Loose) => (m.wording = 'wording.json'))]);

  test('is refused where the file is not there', async () => {
    const error = await failureOf(Retoucher.load(memorySource(FILES), nodeBackend(), { verify: 'used' }));
    expect(error.message).toContain('wording.json');
  });

  test('a photo for parameters is looked at as any photo is', async () => {
    const retoucher = await Retoucher.load(memorySource(readBundle(TINY_FIRST)), nodeBackend(), { verify: 'used' });
    const photo = { width: 2, height: 0, data: new Uint8Array(0) } as RgbImage;
    const parameters = parametersFromSliders({ Exposure2012: 40 });
    expect(await failureOf(retoucher.param(parameters, { photo }))).toBeInstanceOf(InputError);
    await retoucher.dispose();
  });
});
