import {
  CancelledError,
  type CallOptions,
  parametersFromSliders,
  Retoucher,
  type RetouchResult,
  type RgbImage,
} from '../../src/inference';
import { type Backend } from '../../src/inference/backend';
import { parseManifest } from '../../src/inference/manifest';
import { type Files, jsonOf, memorySource, readBundle, TINY, TINY_FIRST, withManifest } from './support/bundles';
import { nodeBackend } from './support/nodeBackend';
import { failureOf } from './support/errors';
import { watched } from './support/watched';

const FILES = readBundle(TINY_FIRST);
const PARAMETERS = parametersFromSliders({ Exposure2012: 40 });

function photo(seed: number, width = 90, height = 61): RgbImage {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (seed * 31 + i * 7 + (i >> 5) * seed) & 255);
  return { width, height, data };
}

const open = (files: Files = FILES, backend: Backend = nodeBackend()) =>
  Retoucher.load(memorySource(files), backend, { verify: 'used' });

type Ask = (retoucher: Retoucher, options?: CallOptions) => Promise<RetouchResult>;
const MODES: [mode: string, ask: Ask][] = [
  ['auto', (r, options) => r.auto(photo(1), options)],
  ['style', (r, options) => r.style(photo(1), 'warm film', options)],
  ['param', (r, options) => r.param(PARAMETERS, options)],
];

describe('the picture before the words', () => {
  let retoucher: Retoucher;
  beforeAll(async () => {
    retoucher = await open();
  });
  afterAll(() => retoucher.dispose());

  test('the bundle says so', () => {
    expect(retoucher.capabilities.pictureFirst).toBe(true);
    expect(retoucher.manifest.voices).toHaveLength(16);
  });

  test.each(MODES)('%s: latents come once, before the first word, and are those of the result', async (_mode, ask) => {
    const order: string[] = [];
    let early = new Float32Array(0);
    const result = await ask(retoucher, {
      onLatents: (latents) => {
        order.push('latents');
        early = latents.slice();
        // Theirs to change: the result has its own.
        latents.fill(7);
      },
      onText: ({ field }) => {
        if (order.at(-1) !== field) order.push(field);
      },
    });
    expect(order[0]).toBe('latents');
    expect(order.slice(1)).not.toContain('latents');
    expect(order.length).toBeGreaterThan(3);
    expect(early).toEqual(result.latents);
    const { picture, vision, prefill, decode } = result.timingsMs;
    expect(picture).toBeGreaterThan(0);
    expect(picture).toBeLessThan(vision + prefill + decode);
    // The answer begins with the retouch tokens and ends with the last section.
    const id = (content: string): number =>
      (jsonOf(FILES, 'tokenizer.json').added_tokens as { id: number; content: string }[]).find(
        (token) => token.content === content,
      )!.id;
    expect(result.tokenIds.slice(0, 3)).toEqual(retoucher.manifest.retouchTokens.map(id));
    expect(result.tokenIds.at(-1)).toBe(id('<plan_specificcolor_end>'));
  });

  test('param: factors whose parameters are all 0 have latents of 0 already then', async () => {
    let early = new Float32Array(0);
    const onLatents = (latents: Float32Array): void => void (early = latents.slice());
    await retoucher.param(PARAMETERS, { onLatents });
    expect(early.subarray(0, 8).some((value) => value !== 0)).toBe(true);
    expect(early.subarray(8).every((value) => value === 0)).toBe(true);
  });

  test.each(MODES)('%s without words: the same picture, and nothing else', async (_mode, ask) => {
    const texts: unknown[] = [];
    const early: Float32Array[] = [];
    const whole = await ask(retoucher);
    const fast = await ask(retoucher, {
      wordless: true,
      onText: (event) => texts.push(event),
      onLatents: (latents) => early.push(latents),
    });
    expect(fast.latents).toEqual(whole.latents);
    expect(early).toEqual([whole.latents]);
    expect(texts).toEqual([]);
    expect(fast).toMatchObject({ tokens: 0, tokenIds: [] });
    const none = { light: '', globalColor: '', specificColor: '' };
    expect(fast.reasoning).toEqual({ elements: '', problems: none, plan: none });
    expect(whole.tokens).toBeGreaterThan(10);
  });

  test('without words the decoder runs once, and no scores are fetched', async () => {
    const backend = watched(nodeBackend());
    const other = await open(FILES, backend);
    await other.auto(photo(1), { wordless: true });
    expect(backend.log.filter((entry) => /hidden|logits/.test(entry))).toEqual(['run:hidden']);
    expect(backend.alive()).toBe(0);
    await other.dispose();
  });

  test('words that are given do not change the picture', async () => {
    const [one, other] = [await retoucher.auto(photo(1)), await retoucher.auto(photo(2))];
    const told = await retoucher.auto(photo(1), { words: other.tokenIds, voice: 4 });
    expect(told.tokenIds).toEqual(other.tokenIds);
    expect(told.latents).toEqual(one.latents);
    const spoilt = [...other.tokenIds.slice(1), 5];
    expect((await failureOf(retoucher.auto(photo(1), { words: spoilt }))).message).toContain('are no answer');
  });

  test('a LUT can be baked while the words are written', async () => {
    const order: string[] = [];
    let baked: Promise<unknown> | undefined;
    await retoucher.auto(photo(1), {
      onLatents: (latents) => {
        baked = retoucher.bakeLut(latents, { size: 5 }).then(() => order.push('baked'));
      },
      onText: ({ done }) => {
        if (done) order.push('text');
      },
    });
    order.push('answered');
    await baked;
    expect(order.indexOf('baked')).toBeGreaterThanOrEqual(0);
    expect(order.indexOf('baked')).toBeLessThan(order.indexOf('answered'));
    expect(order.filter((entry) => entry === 'text')).toHaveLength(7);
  });

  test('cancelled between the picture and the words: the picture was told, no word is written, it goes on working', async () => {
    const backend = watched(nodeBackend());
    const other = await open(FILES, backend);
    const whole = await other.auto(photo(1));
    const controller = new AbortController();
    const early: Float32Array[] = [];
    const texts: unknown[] = [];
    const error = await failureOf(
      other.auto(photo(1), {
        signal: controller.signal,
        onLatents: (latents) => {
          early.push(latents);
          backend.log.length = 0;
          controller.abort();
        },
        onText: (event) => texts.push(event),
      }),
    );
    expect(error).toBeInstanceOf(CancelledError);
    expect(early).toEqual([whole.latents]);
    expect(texts).toEqual([]);
    expect(backend.log).toEqual([]);
    expect(backend.alive()).toBe(0);
    expect((await other.auto(photo(1))).tokenIds).toEqual(whole.tokenIds);
    await other.dispose();
  });

  // The voices are those of veraretouch.export.runner for the same photos.
  test.each([
    [1, '', 4],
    [1, 'warm film', 13],
    [2, '', 3],
    [2, ' warm film\n', 12],
  ])('photo %i, style "%s": the voice is %i unless another one is asked for', async (seed, style, voice) => {
    const ask = (options?: CallOptions) =>
      style ? retoucher.style(photo(seed), style, options) : retoucher.auto(photo(seed), options);
    const own = await ask();
    expect((await ask({ voice })).tokenIds).toEqual(own.tokenIds);
    const other = await ask({ voice: (voice + 1) % 16 });
    expect(other.tokenIds).not.toEqual(own.tokenIds);
    expect(other.latents).not.toEqual(own.latents);
  });

  test.each([-1, 16, 1.5, Number.NaN])('there is no voice %d', async (voice) => {
    for (const [, ask] of MODES) expect((await failureOf(ask(retoucher, { voice }))).code).toBe('INPUT_VOICE');
  });

  test('a reference look has no words to leave out', async () => {
    const early: Float32Array[] = [];
    const onLatents = (latents: Float32Array): void => void early.push(latents);
    const { latents } = await retoucher.reference(photo(1), photo(2), { wordless: true, onLatents });
    expect(early).toEqual([latents]);
  });
});

describe('on other caches and devices', () => {
  /** The sizes of the decoder's runs, and what was fetched. */
  function noting(device: 'node' | 'wasm' | 'webgpu', runs: string[]): Backend {
    const node = nodeBackend();
    return {
      ...node,
      device,
      createSession: async (bytes, options) => {
        const session = await node.createSession(bytes, options);
        return {
          inputNames: session.inputNames,
          outputNames: session.outputNames,
          run: (feeds, outputs, into) => {
            const rows = (feeds['inputs_embeds'] as { dims?: readonly number[] } | undefined)?.dims?.[1];
            if (rows !== undefined) runs.push([rows, ...outputs.filter((name) => !/^present/.test(name))].join(' '));
            return session.run(feeds, outputs, into);
          },
          dispose: () => session.dispose(),
        };
      },
    };
  }

  test.each(['node', 'wasm'] as const)('version 2 with a static cache answers the same on %s', async (device) => {
    const files = withManifest(FILES, (m) => {
      m.formatVersion = 2;
      m.cache = { positions: 256 };
    });
    const [growing, fixed] = [await open(), await open(files, noting(device, []))];
    for (const [, ask] of MODES) {
      const [expected, result] = [await ask(growing), await ask(fixed)];
      expect(result.tokenIds).toEqual(expected.tokenIds);
      for (const [i, value] of result.latents.entries()) expect(value).toBeCloseTo(expected.latents[i], 4);
    }
    await growing.dispose();
    await fixed.dispose();
  });

  test('on WebGPU the states come from whatever parts of the prompt hold them', async () => {
    const runs: string[] = [];
    const [whole, parts] = [await open(), await open(FILES, noting('webgpu', runs))];
    const prompts = new Set<string>();
    for (let words = 18; words <= 23; words++) {
      const style = `a${' b'.repeat(words)}`;
      runs.length = 0;
      const expected = await whole.style(photo(1), style);
      const result = await parts.style(photo(1), style);
      expect(result.tokenIds).toEqual(expected.tokenIds);
      for (const [i, value] of result.latents.entries()) expect(value).toBeCloseTo(expected.latents[i], 4);
      const last = runs.findIndex((run) => run.includes('logits'));
      const prompt = runs.slice(0, last + 1);
      for (const run of runs) expect(Number.parseInt(run, 10)).toBeLessThanOrEqual(31);
      prompts.add(prompt.join(', '));
    }
    // At the end of the first part; over two parts; in the second one.
    expect([...prompts]).toEqual(
      expect.arrayContaining([
        '31 hidden, 1 logits',
        '31 hidden, 2 hidden logits',
        '31 hidden, 3 hidden logits',
        '31, 4 hidden logits',
        '31, 5 hidden logits',
      ]),
    );
    await whole.dispose();
    await parts.dispose();
  });
});

describe('a bundle with its words first', () => {
  test('tells its latents at the end, and has neither a fast answer nor voices', async () => {
    const retoucher = await open(readBundle(TINY));
    expect(retoucher.capabilities.pictureFirst).toBe(false);
    const order: string[] = [];
    const { latents, timingsMs } = await retoucher.auto(photo(1), {
      onLatents: (early) => order.push(`latents ${early.join()}`),
      onText: () => order.push('text'),
    });
    expect(order.indexOf(`latents ${latents.join()}`)).toBe(order.length - 1);
    expect(order.length).toBeGreaterThan(10);
    expect(timingsMs.picture).toBeGreaterThan(timingsMs.prefill);
    for (const [, ask] of MODES) {
      const error = await failureOf(ask(retoucher, { wordless: true }));
      expect(error.code).toBe('INPUT_WORDS_FIRST');
      expect(error.message).toContain('veraretouch-tiny');
      expect((await failureOf(ask(retoucher, { voice: 0 }))).code).toBe('INPUT_VOICE');
    }
    expect((await retoucher.reference(photo(1), photo(2), { wordless: true })).latents).toHaveLength(24);
    await retoucher.dispose();
  });
});

/** What these tests spoil of a bundle.json. */
interface Said {
  formatVersion: number;
  latentStates?: string;
  voices?: unknown;
  separators?: unknown;
  readonly prompts: Record<string, string>;
  readonly preprocess: { readonly image: { size: number } };
}

describe('bundle.json', () => {
  const read = (edit: (m: Said) => unknown, files: Files = FILES) =>
    parseManifest(jsonOf(withManifest(files, edit), 'bundle.json'));

  test('of formatVersion 1 and 2 may say it, or leave it', () => {
    for (const version of [1, 2]) {
      expect(read((m) => (m.formatVersion = version))).toMatchObject({ latentsFirst: true });
      expect(read((m) => (m.formatVersion = version), readBundle(TINY))).toMatchObject({
        latentsFirst: false,
        voices: [],
      });
    }
    // One without the other is a bundle too.
    expect(read((m) => (m.latentStates = 'predicting')).voices).toHaveLength(16);
    const mute = read((m) => {
      delete m.voices;
      for (const mode of ['auto', 'style', 'param']) m.prompts[mode] = m.prompts[mode].replace('{voice}', '');
    });
    expect(mute).toMatchObject({ latentsFirst: true, voices: [] });
  });

  test.each<[title: string, edit: (m: Said) => unknown, named: string]>([
    ['another place of the latents', (m) => (m.latentStates = 'last'), 'latentStates is "last"'],
    ['no place of the latents', (m) => delete m.latentStates, 'latentStates is missing'],
    ['separators', (m) => Object.assign(m, { formatVersion: 2, separators: {} }), 'separators is {}'],
    ['voices of no list', (m) => (m.voices = 'many'), 'voices is "many"'],
    ['no voice in the list', (m) => (m.voices = []), 'voices is []'],
    ['a voice twice', (m) => (m.voices = ['<voice_0>', '<voice_0>']), 'voices is ["<voice_0>","<voice_0>"'],
    ['a voice of no text', (m) => (m.voices = ['<voice_0>', '<voice_1>', 7]), 'voices[2] is 7'],
    ['places without voices', (m) => delete m.voices, 'no {voice}'],
    [
      'voices without a place',
      (m) => (m.prompts.style = m.prompts.style.replace('{voice}', '')),
      'exactly one {voice}',
    ],
    ['a voice at two places', (m) => (m.prompts.auto += '{voice}'), 'exactly one {voice}'],
    ['a photo too small for its voice', (m) => (m.preprocess.image.size = 7), 'preprocess.image.size is 7'],
  ])('%s: refused by name', async (_title, edit, named) => {
    const error = await failureOf(() => read(edit));
    expect(error.code).toBe('BUNDLE_MANIFEST');
    expect(error.message).toContain(named);
  });

  test('a voice that the tokenizer does not know is refused', async () => {
    const files = withManifest(FILES, (m: Said) => (m.voices = ['<voice_0>', '<voice_99>']));
    const error = await failureOf(open(files));
    expect(error.code).toBe('BUNDLE_TOKENIZER');
    expect(error.message).toContain('<voice_99>');
  });
});
