import fc from 'fast-check';
import { AnswerGrammar, compileSkeleton, pickToken, type SectionIds } from '../../src/inference/grammar';
import { parseManifest } from '../../src/inference/manifest';
import { BundleTokenizer } from '../../src/inference/tokenizer';
import { BUNDLES, jsonOf, type Loose, readBundle, TINY } from './support/bundles';

const SECTIONS: SectionIds[] = [
  { field: 'elements', start: 100, end: 101, maxTokens: 3, allowed: new Uint8Array() },
  { field: 'plan.light', start: 102, end: 103, maxTokens: 1, allowed: new Uint8Array() },
];
const RETOUCH = [200, 201, 202];
/** The end of the last section and two retouch tokens: where the latents are read. */
const FINAL = (first: number) => ({
  marks: [0, 1, 2].map((factor) => ({ place: first + factor, row: 6 + factor })),
  states: [first, first + 1, first + 2],
});

describe('AnswerGrammar', () => {
  test('walks through the sections; given tokens are fed with the one before them', () => {
    const grammar = new AnswerGrammar(SECTIONS, RETOUCH);
    expect(grammar.begin()).toEqual({ feed: [100], marks: [], states: [] });
    expect(grammar.section.field).toBe('elements');
    expect(grammar.accept(7)).toEqual({ feed: [7], marks: [], states: [], closes: false, finished: false });
    expect(grammar.accept(101)).toEqual({
      feed: [101, 102],
      marks: [{ place: 1, row: 3 }],
      states: [],
      closes: true,
      finished: false,
    });
    expect(grammar.section.field).toBe('plan.light');
    expect(grammar.accept(103)).toEqual({ feed: [103, 200, 201], ...FINAL(0), closes: true, finished: true });
  });

  test('a section that reaches its length is closed in the pass of its last token', () => {
    const grammar = new AnswerGrammar(SECTIONS, RETOUCH);
    grammar.accept(7);
    grammar.accept(8);
    expect(grammar.accept(9)).toMatchObject({ feed: [9, 101, 102], closes: true, finished: false });
    expect(grammar.accept(9)).toEqual({ feed: [9, 103, 200, 201], ...FINAL(1), closes: true, finished: true });
  });

  test('separators stand before each section and before the retouch tokens, in the same passes', () => {
    const grammar = new AnswerGrammar(SECTIONS, RETOUCH, [[50], [60, 61], [70]]);
    expect(grammar.begin()).toEqual({ feed: [50, 100], marks: [], states: [] });
    expect(grammar.accept(7)).toMatchObject({ feed: [7], closes: false });
    expect(grammar.accept(101)).toEqual({
      feed: [101, 60, 61, 102],
      marks: [{ place: 3, row: 3 }],
      states: [],
      closes: true,
      finished: false,
    });
    // The first latent is read where the first retouch token is predicted: at the separator.
    expect(grammar.accept(9)).toEqual({
      feed: [9, 103, 70, 200, 201],
      ...FINAL(2),
      closes: true,
      finished: true,
    });
  });

  test('problems and plans turn to rows of their own', () => {
    const both: SectionIds[] = [
      { ...SECTIONS[0], field: 'problems.specificColor' },
      { ...SECTIONS[1], field: 'plan.globalColor' },
    ];
    const grammar = new AnswerGrammar(both, RETOUCH);
    expect(grammar.begin().marks).toEqual([{ place: 0, row: 2 }]);
    expect(grammar.accept(101).marks).toEqual([{ place: 1, row: 4 }]);
  });

  test('with latents first the retouch tokens open the answer, and the last end is not fed for anything', () => {
    const grammar = new AnswerGrammar(SECTIONS, RETOUCH, [], true);
    expect(grammar.begin()).toEqual({ feed: [200, 201, 202, 100], ...FINAL(0) });
    expect(grammar.accept(7)).toMatchObject({ feed: [7], states: [], finished: false });
    expect(grammar.accept(101)).toEqual({
      feed: [101, 102],
      marks: [{ place: 1, row: 3 }],
      states: [],
      closes: true,
      finished: false,
    });
    expect(grammar.accept(9)).toEqual({ feed: [9, 103], marks: [], states: [], closes: true, finished: true });
  });

  test('with latents first, a first section that turns to a factor has its row behind those of the latents', () => {
    const grammar = new AnswerGrammar([SECTIONS[1]], RETOUCH, [], true);
    const { marks, states } = FINAL(0);
    expect(grammar.begin()).toEqual({ feed: [200, 201, 202, 102], marks: [...marks, { place: 3, row: 3 }], states });
    expect(grammar.accept(103)).toEqual({ feed: [103], marks: [], states: [], closes: true, finished: true });
  });

  test('whatever the model writes, the answer is well formed', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), (ends) => {
        const grammar = new AnswerGrammar(SECTIONS, RETOUCH);
        const ids = [...grammar.begin().feed];
        for (let i = 0; ; i++) {
          const step = grammar.accept(ends[i] ? grammar.section.end : 1);
          ids.push(...step.feed);
          if (step.finished) break;
        }
        return /^100(,1){0,3},101,102(,1){0,1},103,200,201$/.test(ids.join(','));
      }),
    );
  });
});

describe.each(BUNDLES)('skeleton of the %s bundle', (_name, folder) => {
  const files = readBundle(folder);
  const manifest = parseManifest(jsonOf(files, 'bundle.json'));
  const tokenizer = BundleTokenizer.create(jsonOf(files, 'tokenizer.json'), jsonOf(files, 'tokenizer_config.json'));
  const outputs = jsonOf(files, 'output_tokens.json') as number[];
  const own = jsonOf(files, 'section_tokens.json') as Record<string, number[]>;
  const skeleton = compileSkeleton(manifest, tokenizer, outputs);
  const section = skeleton.sections.auto[0];

  test('every mode ends in the three retouch tokens, in the order of the factors', () => {
    expect(skeleton.retouch).toEqual(
      ['<retouch_light>', '<retouch_color&temp>', '<retouch_colormixer>'].map((token) => tokenizer.addedTokenId(token)),
    );
  });

  test('special tokens are never picked, however they score, but for the end of the section', () => {
    const special = new Set(tokenizer.addedTokens.map((token) => tokenizer.addedTokenId(token)));
    const logits = Float32Array.from(outputs, (id) => (special.has(id) ? 1000 : -1000));
    const best = outputs.findIndex((id) => !special.has(id)) + 5;
    logits[best] = -999;
    logits[outputs.indexOf(section.end)] = -2000;
    expect(pickToken(logits, skeleton, section)).toBe(outputs[best]);
    logits[outputs.indexOf(section.end)] = 0;
    expect(pickToken(logits, skeleton, section)).toBe(section.end);
  });

  test("each field is written with its own tokens where the bundle lists them, in every mode, and the field's end", () => {
    const { sections } = compileSkeleton(manifest, tokenizer, outputs, own);
    for (const { field, end, allowed } of Object.values(sections).flat()) {
      const written = outputs.filter((_, i) => allowed[i] === 1).sort((a, b) => a - b);
      expect(written).toEqual([...own[field], end].sort((a, b) => a - b));
    }
    const logits = Float32Array.from(outputs, (id) => (own.elements.includes(id) ? -5 : 5));
    expect(own.elements).toContain(pickToken(logits, skeleton, { ...sections.auto[0], allowed: only(own.elements) }));
    expect(pickToken(logits, skeleton, sections.auto[0])).toBe(sections.auto[0].end);
  });

  const only = (ids: number[]) => Uint8Array.from(outputs, (id) => Number(ids.includes(id)));

  test.each([
    ['no list', { ...own, elements: undefined }, 'no list of tokens for "elements"'],
    ['an empty list', { ...own, 'plan.light': [] }, 'no list of tokens for "plan.light"'],
    ['a special token', { ...own, elements: [section.end] }, `gives "elements" ${section.end}`],
    ['text', { ...own, elements: ['a'] }, 'gives "elements" "a"'],
    ['nothing at all', null, 'no list of tokens'],
  ])('%s for a field is refused', (_what, tokens, message) => {
    expect(() => compileSkeleton(manifest, tokenizer, outputs, tokens)).toThrow(message);
  });

  test('of equal scores the first wins; scores that are no number never do', () => {
    const logits = new Float32Array(outputs.length).fill(NaN);
    expect(pickToken(logits, skeleton, section)).toBeUndefined();
    const texts = outputs.map((id, i) => (tokenizer.isText(id) ? i : -1)).filter((i) => i >= 0);
    logits[texts[9]] = -5;
    logits[texts[4]] = -5;
    expect(pickToken(logits, skeleton, section)).toBe(outputs[texts[4]]);
    logits.fill(-Infinity);
    expect(pickToken(logits, skeleton, section)).toBeUndefined();
  });
});

describe('scores for all of the vocabulary', () => {
  const files = readBundle(TINY);
  const tokenizer = BundleTokenizer.create(jsonOf(files, 'tokenizer.json'), jsonOf(files, 'tokenizer_config.json'));
  const compile = (edit: (json: Loose) => unknown) => {
    const json = jsonOf(files, 'bundle.json');
    json.formatVersion = 2;
    delete json.outputTokens;
    edit(json);
    return compileSkeleton(parseManifest(json), tokenizer, undefined);
  };

  test('logit i is token i; rows of the embedding beyond the tokenizer are never written', () => {
    const { sections, scores, outputTokens } = compile((json) => (json.dimensions.vocabulary = 440));
    expect([scores, outputTokens]).toEqual([440, undefined]);
    const [section] = sections.auto;
    const logits = new Float32Array(440);
    logits[438] = 9;
    logits[section.end] = 5;
    logits[section.start] = 8;
    logits[57] = 6;
    expect(pickToken(logits, {}, section)).toBe(57);
    logits[57] = 4;
    expect(pickToken(logits, {}, section)).toBe(section.end);
  });

  test('151,665 of them: masks are shared between sections of one end, and a token is picked in a moment', () => {
    const { sections } = compile((json) => (json.dimensions.vocabulary = 151_665));
    const all = Object.values(sections).flat();
    expect(new Set(all.map(({ allowed }) => allowed)).size).toBe(new Set(all.map(({ end }) => end)).size);
    for (const { allowed, end } of all) {
      for (const other of all) expect(allowed[other.end]).toBe(other.end === end ? 1 : 0);
    }
    const logits = new Float32Array(151_665).map((_, i) => (i * 7919) % 1000);
    const started = performance.now();
    for (let i = 0; i < 20; i++) pickToken(logits, {}, all[0]);
    expect((performance.now() - started) / 20).toBeLessThan(50);
  });

  test('separators are plain text, whatever they say', () => {
    const { separators } = compile((json) => (json.separators = { param: ['', '\n', '<|im_start|>', 'a'] }));
    expect(separators.param).toEqual(['', '\n', '<|im_start|>', 'a'].map((text) => tokenizer.encodeText(text)));
    expect(separators.param[2].length).toBeGreaterThan(1);
    expect(separators.auto.flat()).toEqual([]);
  });

  test('a vocabulary without the end of a section is refused', () => {
    expect(() => compile((json) => (json.dimensions.vocabulary = 300))).toThrow('lacks the token that ends');
  });
});
