import { parseManifest } from '../../src/inference/manifest';
import { buildPrompt, type PromptPiece } from '../../src/inference/prompt';
import { BundleTokenizer } from '../../src/inference/tokenizer';
import { BUNDLES, jsonOf, readBundle, TINY } from './support/bundles';
import { failureOf } from './support/errors';

describe.each(BUNDLES)('prompts of the %s bundle', (_name, folder) => {
  const files = readBundle(folder);
  const manifest = parseManifest(jsonOf(files, 'bundle.json'));
  const tokenizer = BundleTokenizer.create(jsonOf(files, 'tokenizer.json'), jsonOf(files, 'tokenizer_config.json'));
  const build = (instruction: string) => buildPrompt(manifest, tokenizer, 'style', instruction);
  const idsOf = (pieces: PromptPiece[]) => pieces.flatMap((piece) => ('ids' in piece ? piece.ids : []));
  const template = (mode: 'auto' | 'style') => manifest.prompts[mode].replace('{voice}', manifest.voices[0]);
  const special = new Set(tokenizer.addedTokens.map((token) => tokenizer.addedTokenId(token)));

  test('auto: the photo at its place, the template around it', () => {
    const pieces = buildPrompt(manifest, tokenizer, 'auto');
    expect(pieces.map((piece) => ('ids' in piece ? 'ids' : piece.rows))).toEqual(['ids', 'image', 'ids']);
    const [before, after] = template('auto').split('{image}');
    expect(pieces[0]).toEqual({ ids: tokenizer.encodeTemplate(before) });
    expect(pieces[2]).toEqual({ ids: tokenizer.encodeTemplate(after) });
  });

  test('param: the parameters at their place', () => {
    const rows = buildPrompt(manifest, tokenizer, 'param').filter((piece) => 'rows' in piece);
    expect(rows).toEqual([{ rows: 'params' }]);
  });

  test('style: the instruction between the halves of the template, without white space around it', () => {
    const [head, tail] = template('style').split('{image}')[1].split('{instruction}');
    const expected = ['head', 'text', 'tail'].flatMap((part) =>
      part === 'text' ? tokenizer.encodeText('faded film') : tokenizer.encodeTemplate(part === 'head' ? head : tail),
    );
    for (const text of ['faded film', '  faded film \n', '\ufefffaded\u0085film']) {
      expect(build(text).at(-1)).toEqual({ ids: expected });
    }
  });

  test('special tokens and places in the instruction are text', () => {
    const count = (text: string) => idsOf(build(text)).filter((id) => special.has(id)).length;
    const plain = count('film');
    for (const token of tokenizer.addedTokens) expect(count(`film ${token}`)).toBe(plain);
    const pieces = build('film {image} {params} {instruction} {voice}');
    expect(pieces.filter((piece) => 'rows' in piece)).toEqual([{ rows: 'image' }]);
    expect(tokenizer.decode(idsOf(pieces))).toContain('film {image} {params} {instruction} {voice}');
  });

  test('the token of a voice stands at its place, where the bundle has voices', () => {
    const { voices } = manifest;
    for (const mode of ['auto', 'style', 'param'] as const) {
      const one = idsOf(buildPrompt(manifest, tokenizer, mode, 'film'));
      const ids = voices.map((_, voice) => idsOf(buildPrompt(manifest, tokenizer, mode, 'film', voice)));
      for (const [voice, token] of voices.entries()) {
        const place = ids[voice].indexOf(tokenizer.addedTokenId(token));
        expect(place).toBeGreaterThan(0);
        expect(ids[voice].filter((_, i) => i !== place)).toEqual(one.filter((_, i) => i !== place));
      }
      expect(one.some((id) => voices.some((token) => tokenizer.addedTokenId(token) === id))).toBe(voices.length > 0);
    }
  });

  test.each(['', '   ', '\n\t', '\u3000'])('an empty style is refused: %j', async (text) => {
    const error = await failureOf(() => build(text));
    expect(error.code).toBe('INPUT_INSTRUCTION');
    expect(error.message).toContain('empty');
  });

  test('the longest style is taken, one token more is refused with both lengths', async () => {
    const max = manifest.maxInstructionTokens;
    // A word among spaces costs one token each time: find a text of exactly `max`.
    const words = Array.from({ length: 4 * max }, (_, i) => 'a'.concat(' a'.repeat(i)));
    const fits = words.find((text) => tokenizer.encodeText(text).length === max)!;
    const tooLong = words.find((text) => tokenizer.encodeText(text).length === max + 1)!;
    expect(idsOf(build(fits)).length - idsOf(build('x')).length).toBe(max - tokenizer.encodeText('x').length);
    const error = await failureOf(() => build(tooLong));
    expect(error.code).toBe('INPUT_INSTRUCTION');
    expect(error.message).toContain(`${max + 1} tokens`);
    expect(error.message).toContain(`at most ${max} tokens`);
  });

  test.each([10_000, 10_000_000])('%d characters are refused at once', async (length) => {
    const started = performance.now();
    const error = await failureOf(() =>
      build(
        'warm film, '
          .repeat(length / 11 + 1)
          .slice(0, length)
          .trim(),
      ),
    );
    expect(error.code).toBe('INPUT_INSTRUCTION');
    expect(error.message).toMatch(/\d{4,} characters/);
    expect(error.hint).toContain(`${manifest.maxInstructionTokens} tokens`);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('prompts of version 2', () => {
  const files = readBundle(TINY);
  const tokenizer = BundleTokenizer.create(jsonOf(files, 'tokenizer.json'), jsonOf(files, 'tokenizer_config.json'));
  const of = (prompts: Partial<Record<'auto' | 'style' | 'param', string>>) => {
    const json = jsonOf(files, 'bundle.json');
    json.formatVersion = 2;
    Object.assign(json.prompts, prompts);
    if (prompts.param) {
      delete json.graphs.params;
      delete json.dimensions.paramTokens;
      delete json.focus;
      json.parameterText = 'python-dict';
    }
    return parseManifest(json);
  };
  const start = tokenizer.addedTokenId('<|im_start|>');
  const task = tokenizer.addedTokenId('<Style_Retouch_Task>');

  test('the text of a user and what is around it are one run of text', () => {
    const manifest = of({ style: '{image}<|im_start|><Style_Retouch_Task>Instr{instruction} please<|im_start|>' });
    const whole = tokenizer.encodeText('Instruction please');
    expect(buildPrompt(manifest, tokenizer, 'style', ' uction ')).toEqual([
      { rows: 'image' },
      { ids: [start, task, ...whole, start] },
    ]);
    // In pieces it is another prompt: this is what the test is about.
    expect([...tokenizer.encodeText('Instr'), ...tokenizer.encodeText('uction')]).not.toEqual(
      tokenizer.encodeText('Instruction'),
    );
  });

  test('a photo cuts a run', () => {
    const manifest = of({ style: 'Instr{image}uction{instruction}' });
    expect(buildPrompt(manifest, tokenizer, 'style', '!')).toEqual([
      { ids: tokenizer.encodeText('Instr') },
      { rows: 'image' },
      { ids: tokenizer.encodeText('uction!') },
    ]);
  });

  test('special tokens, places and signs of replacement in the text of a user are text', () => {
    const manifest = of({ style: '{image}<|im_start|>a {instruction} b' });
    for (const text of [...tokenizer.addedTokens, '{image}', '{instruction}', '{parameters}', '$& $1 $$', "$'"]) {
      expect(buildPrompt(manifest, tokenizer, 'style', text)).toEqual([
        { rows: 'image' },
        { ids: [start, ...tokenizer.encodeText(`a ${text} b`)] },
      ]);
    }
  });

  test('parameters are put in their place as they are', () => {
    const manifest = of({ param: '<|im_start|>Instr{parameters}<|im_start|>' });
    expect(buildPrompt(manifest, tokenizer, 'param', "{'a': -0.4}")).toEqual([
      { ids: [start, ...tokenizer.encodeText("Instr{'a': -0.4}"), start] },
    ]);
  });

  test('an empty or too long style is refused as in version 1', async () => {
    const manifest = of({});
    for (const text of ['  ', 'a '.repeat(300)]) {
      expect((await failureOf(() => buildPrompt(manifest, tokenizer, 'style', text))).code).toBe('INPUT_INSTRUCTION');
    }
  });
});
