import { readFileSync } from 'node:fs';
import {
  checkMemory,
  createOrtBackend,
  parametersFromSliders,
  Retoucher,
  type LoadProgress,
  type RetouchResult,
  type RgbImage,
} from '../../src/inference';
import { Bundle } from '../../src/inference/bundle';
import { parseManifest } from '../../src/inference/manifest';
import {
  bytesOf,
  type Files,
  jsonOf,
  type Loose,
  memorySource,
  nodeBackend,
  PLAIN_ADAPTOR,
  readBundle,
  rehashed,
  TINY,
  withManifest,
} from './support/bundles';
import { failureOf } from './support/errors';
import { watched } from './support/watched';

const TINY_FILES = readBundle(TINY);
const PARAMETERS = parametersFromSliders({ Exposure2012: 40, Vibrance: -20, HueAdjustmentBlue: 60 });
const PHOTO: RgbImage = { width: 30, height: 17, data: Uint8Array.from({ length: 1530 }, (_, i) => (i * 37) & 255) };

/** The tiny bundle said in version 2, without what a published model lacks: parameter head, encoder. */
function published(m: Loose): void {
  m.formatVersion = 2;
  delete m.graphs.params;
  delete m.dimensions.paramTokens;
  delete m.graphs.encoder;
  delete m.preprocess.reference;
  delete m.focus;
  delete m.sectionTokens;
  m.parameterText = 'python-dict';
  // The tiny decoder knows 1,024 positions, of which its tokenizer needs 981 for the printed parameters.
  m.prompts.param = '<|im_start|>{parameters}';
  for (const section of m.answer.param) section.maxTokens = 4;
  m.preprocess.image = { kind: 'letterbox', shortEdge: 32, size: 64 };
  m.separators = { param: ['', '\n', ' ', 'so: '] };
  m.cache = { positions: 2048, float16: ['webgpu-f16'] };
  m.terms = { summary: 'For research only.', file: 'LICENSE-MODEL.txt' };
  m.memory = { node: { page: 2e9 }, webgpu: { page: 1e9, gpu: 1.2e9, largestBuffer: 3e8 } };
  m.research = true;
}

const withTerms = (files: Files): Files => new Map([...files, ['LICENSE-MODEL.txt', bytesOf('For research only.')]]);
const edited = (...edits: ((m: Loose) => unknown)[]): Files =>
  withManifest(withTerms(TINY_FILES), (m) => {
    for (const edit of edits) edit(m);
  });
/** The same with the adaptor that takes the states alone. */
const PUBLISHED = ((): Files => {
  const files = edited(published);
  const plain = new Uint8Array(readFileSync(PLAIN_ADAPTOR));
  return rehashed(new Map([...files, ['adaptor.onnx', plain]]));
})();

describe('bundle.json of version 2', () => {
  test('is read entry by entry', () => {
    const manifest = parseManifest(jsonOf(PUBLISHED, 'bundle.json'));
    expect(manifest).toMatchObject({
      formatVersion: 2,
      photoInput: { kind: 'letterbox', shortEdge: 32, size: 64 },
      referenceInput: undefined,
      parameterText: 'python-dict',
      research: true,
      terms: { summary: 'For research only.', file: 'LICENSE-MODEL.txt' },
    });
    expect(manifest.dimensions.paramTokens).toBe(0);
    expect(manifest.cache).toEqual({ positions: 2048, float16: new Set(['webgpu-f16']) });
    expect(manifest.memory.get('webgpu')).toEqual({ page: 1e9, gpu: 1.2e9, largestBuffer: 3e8 });
    expect(manifest.separators.param).toEqual(['', '\n', ' ', 'so: ']);
    expect(manifest.separators.auto).toEqual(new Array(manifest.answer.auto.length + 1).fill(''));
  });

  test('may hold all that version 1 holds, and lack what it lacks', () => {
    const manifest = parseManifest(
      jsonOf(
        edited((m) => (m.formatVersion = 2)),
        'bundle.json',
      ),
    );
    expect(manifest).toMatchObject({ research: false, photoInput: { kind: 'squash', size: 64 } });
    expect(manifest.memory.size).toBe(0);
    const all = edited(published, (m) => delete m.outputTokens);
    expect(parseManifest(jsonOf(all, 'bundle.json')).outputTokensFile).toBeUndefined();
  });

  const wrong: [title: string, edit: (m: Loose) => unknown, named: string][] = [
    ['another kind of photo', (m) => (m.preprocess.image.kind = 'crop'), 'preprocess.image.kind is "crop"'],
    ['no short edge', (m) => delete m.preprocess.image.shortEdge, 'preprocess.image.shortEdge is missing'],
    ['a reference of no kind', (m) => (m.preprocess.reference = { kind: 'x', size: 8 }), 'preprocess.reference.kind'],
    [
      'a reference without channels',
      (m) => (m.preprocess.reference = { kind: 'resize', size: 8 }),
      'preprocess.reference.channels is missing',
    ],
    ['an encoder without its photos', (m) => (m.graphs.encoder = { default: 'encoder.onnx' }), 'preprocess.reference'],
    ['no text of parameters', (m) => delete m.parameterText, 'parameterText is missing'],
    ['another text of parameters', (m) => (m.parameterText = 'json'), 'parameterText is "json"'],
    ['rows of parameters', (m) => (m.prompts.param = '{params}'), 'prompts.param'],
    ['parameters twice', (m) => (m.prompts.param = '{parameters}{parameters}'), 'exactly one {parameters}'],
    ['tokens of parameters without their graph', (m) => (m.dimensions.paramTokens = 3), 'dimensions.paramTokens is 3'],
    ['a graph of no file', (m) => (m.graphs.encoder = {}), 'graphs.encoder is {}'],
    ['an unknown device', (m) => (m.graphs.decoder['webgpu-f8'] = 'decoder.onnx'), 'graphs.decoder.webgpu-f8'],
    ['too few separators', (m) => (m.separators.param = ['', '']), 'separators.param'],
    ['a separator of no text', (m) => (m.separators.param = ['', '', '', 4]), 'separators.param[3] is 4'],
    ['separators of no mode', (m) => (m.separators.reference = ['']), 'separators.reference'],
    ['a cache of nothing', (m) => (m.cache.positions = 0), 'cache.positions is 0'],
    ['a cache of no device', (m) => (m.cache.float16 = ['cuda']), 'cache.float16[0] is "cuda"'],
    ['terms without a sentence', (m) => (m.terms.summary = ''), 'terms.summary'],
    ['memory of no device', (m) => (m.memory.default = { page: 1 }), 'memory.default'],
    ['memory without a page', (m) => delete m.memory.webgpu.page, 'memory.webgpu.page is missing'],
    ['memory as text', (m) => (m.memory.webgpu.gpu = '1 GB'), 'memory.webgpu.gpu is "1 GB"'],
    ['research as text', (m) => (m.research = 'yes'), 'research is "yes"'],
  ];
  test.each(wrong)('%s is refused by name', async (_title, edit, named) => {
    const error = await failureOf(() => parseManifest(jsonOf(edited(published, edit), 'bundle.json')));
    expect(error.code).toBe('BUNDLE_MANIFEST');
    expect(error.message).toContain(named);
  });

  test('other graphs may not be missing', async () => {
    const error = await failureOf(() =>
      parseManifest(
        jsonOf(
          edited(published, (m) => delete m.graphs.embed),
          'bundle.json',
        ),
      ),
    );
    expect(error.code).toBe('BUNDLE_GRAPH_MISSING');
    expect(error.message).toContain('"embed"');
    expect(error.message).not.toContain('encoder');
  });

  test('the file of the terms must be there and must not lie elsewhere', async () => {
    const gone = edited(published, (m) => (m.terms.file = 'TERMS.txt'));
    expect((await failureOf(Bundle.open(memorySource(gone)))).code).toBe('BUNDLE_FILE_NOT_LISTED');
    const away = edited(published, (m) => (m.terms.file = '../TERMS.txt'));
    expect((await failureOf(Bundle.open(memorySource(away)))).code).toBe('BUNDLE_FILE_NAME');
  });

  test.each<[string, (m: Loose) => unknown]>([
    ['preprocess.image.kind', (m) => (m.preprocess.image = { kind: 'letterbox', shortEdge: 32, size: 64 })],
    ['preprocess.reference.kind', (m) => (m.preprocess.reference = { kind: 'resize', size: 64, channels: 'bgr' })],
    ['graphs.decoder.webgpu-f16', (m) => (m.graphs.decoder['webgpu-f16'] = 'decoder.onnx')],
    ['parameterText', (m) => (m.parameterText = 'python-dict')],
    ['separators', (m) => (m.separators = {})],
    ['cache', (m) => (m.cache = { positions: 2048 })],
    ['terms', (m) => (m.terms = { summary: 'x', file: 'LICENSE-MODEL.txt' })],
    ['memory', (m) => (m.memory = {})],
    ['research', (m) => (m.research = false)],
    ['prompts.param', (m) => (m.prompts.param = '{parameters}')],
    ['outputTokens', (m) => delete m.outputTokens],
  ])('version 1 knows no %s', async (named, edit) => {
    const error = await failureOf(() => parseManifest(jsonOf(edited(edit), 'bundle.json')));
    expect(error.code).toBe('BUNDLE_MANIFEST');
    expect(error.message).toContain(named);
  });

  test.each(['params', 'encoder'])('version 1 needs the graph %s', async (graph) => {
    const files = edited((m) => delete m.graphs[graph]);
    expect((await failureOf(() => parseManifest(jsonOf(files, 'bundle.json')))).code).toBe('BUNDLE_GRAPH_MISSING');
  });
});

describe('files of devices', () => {
  test('half precision comes before WebGPU, that before the default', async () => {
    const files = edited(published, (m) => {
      m.graphs.embed = { default: 'embed.onnx', webgpu: 'vision.onnx', 'webgpu-f16': 'renderer.onnx' };
      m.graphs.vision = { default: 'vision.onnx', webgpu: 'embed.onnx' };
      m.graphs.decoder = { 'webgpu-f16': 'decoder.onnx' };
    });
    const bundle = await Bundle.open(memorySource(files));
    expect(bundle.graphFile('embed', 'webgpu', true)).toBe('renderer.onnx');
    expect(bundle.graphFile('embed', 'webgpu')).toBe('vision.onnx');
    expect(bundle.graphFile('embed', 'wasm', true)).toBe('embed.onnx');
    expect(bundle.graphFile('vision', 'webgpu', true)).toBe('embed.onnx');
    expect(bundle.graphFile('adaptor', 'webgpu', true)).toBe('adaptor.onnx');
    expect(bundle.graphKey('decoder', { device: 'webgpu', halfFloat: true })).toBe('webgpu-f16');
    expect((await failureOf(() => bundle.graphFile('decoder', 'webgpu'))).code).toBe('BUNDLE_GRAPH_MISSING');
  });

  test('a backend has half precision on WebGPU only', async () => {
    const ort = await import('onnxruntime-node');
    expect(createOrtBackend(ort, { device: 'webgpu', halfFloat: true }).halfFloat).toBe(true);
    expect(createOrtBackend(ort, { device: 'webgpu' }).halfFloat).toBe(false);
    expect(createOrtBackend(ort, { device: 'node', halfFloat: true }).halfFloat).toBe(false);
    expect((await failureOf(nodeBackend().zeros('float16', [1, 2, 3, 4]).floats())).message).toContain('float16');
    expect(await nodeBackend().zeros('float32', [2, 3]).floats()).toEqual(new Float32Array(6));
  });
});

describe('memory', () => {
  const manifest = parseManifest(jsonOf(PUBLISHED, 'bundle.json'));

  test.each([
    ['node', { page: 1.9e9 }, ['2000 MB', '1900 MB', '"node"']],
    ['webgpu', { page: 2e9, gpu: 1e9, largestBuffer: 134217728 }, ['1200 MB', '1000 MB', '300 MB', '134 MB']],
    ['webgpu-f16', { gpu: 1e9 }, ['1200 MB', '"webgpu-f16"']],
  ] as const)('%s with less than it needs is refused with the figures', async (device, available, parts) => {
    const error = await failureOf(() => {
      checkMemory(manifest, device, available);
    });
    expect(error.code).toBe('MEMORY');
    expect(error.name).toBe('InferenceError');
    for (const part of parts) expect(error.message).toContain(part);
    expect(error.hint).toBeTruthy();
  });

  test('what is enough, unknown or not asked for is no reason', () => {
    checkMemory(manifest, 'node', { page: 2e9 });
    checkMemory(manifest, 'webgpu', {});
    checkMemory(manifest, 'wasm', { page: 1 });
  });

  test('refuses before any graph is read, let alone run', async () => {
    const source = memorySource(PUBLISHED);
    const error = await failureOf(Retoucher.load(source, nodeBackend(), { available: { page: 1e9 } }));
    expect(error.code).toBe('MEMORY');
    expect(source.reads).toEqual(['SHA256SUMS', 'bundle.json']);
  });
});

describe('a model like the published one', () => {
  test('sliders and references are refused, and it says so beforehand', async () => {
    const retoucher = await Retoucher.load(memorySource(PUBLISHED), nodeBackend());
    expect(retoucher.capabilities).toEqual({ sliders: false, reference: false });
    expect((await failureOf(retoucher.sliders(PARAMETERS))).code).toBe('INPUT_NO_SLIDERS');
    expect((await failureOf(retoucher.reference(PHOTO, PHOTO))).code).toBe('INPUT_NO_REFERENCE');
    expect((await failureOf(retoucher.prepare('reference'))).code).toBe('INPUT_NO_REFERENCE');
    await retoucher.dispose();
    const whole = await Retoucher.load(memorySource(TINY_FILES), nodeBackend(), { verify: 'used' });
    expect(whole.capabilities).toEqual({ sliders: true, reference: true });
    await whole.dispose();
  });

  test('param reads the parameters as text, and neither it nor its preparation touches the vision graph', async () => {
    const source = memorySource(PUBLISHED);
    const retoucher = await Retoucher.load(source, nodeBackend(), { verify: 'used' });
    await retoucher.prepare('param');
    const some = await retoucher.param(PARAMETERS);
    const other = await retoucher.param(parametersFromSliders({ Exposure2012: -90, HueAdjustmentBlue: 0.04 }));
    expect(source.reads).not.toContain('vision.onnx');
    expect(source.reads).not.toContain('params.onnx');
    expect(some.timingsMs.vision).toBe(0);
    expect(some.latents.slice(0, 8)).not.toEqual(other.latents.slice(0, 8));
    // 0.04 of 100 is read as 0.0, so what it is about must not change either.
    expect(other.latents.subarray(0, 8).some((value) => value !== 0)).toBe(true);
    expect(other.latents.subarray(8).every((value) => value === 0)).toBe(true);
    await retoucher.dispose();
  });

  test('separators stand before the sections and before the retouch tokens', async () => {
    const retoucher = await Retoucher.load(memorySource(PUBLISHED), nodeBackend(), { verify: 'used' });
    const { tokenIds } = await retoucher.param(PARAMETERS);
    const tokens = (jsonOf(PUBLISHED, 'tokenizer.json') as Loose).added_tokens as { id: number; content: string }[];
    const id = (content: string): number => tokens.find((token) => token.content === content)!.id;
    const answer = retoucher.manifest.answer.param;
    const between = answer.map(({ end }, k) => {
      const next = answer[k + 1]?.start ?? '<retouch_light>';
      return tokenIds.slice(tokenIds.indexOf(id(end)) + 1, tokenIds.indexOf(id(next)));
    });
    expect(tokenIds[0]).toBe(id(answer[0].start));
    expect(between.map(({ length }) => length > 0)).toEqual([true, true, true]);
    expect(between[0]).not.toEqual(between[1]);
    await retoucher.dispose();
  });

  test('a static cache gives the same answers as a growing one', async () => {
    const growing = rehashed(
      new Map([
        ...edited(published, (m) => delete m.cache),
        ['adaptor.onnx', PUBLISHED.get('adaptor.onnx')!] as [string, Uint8Array],
      ]),
    );
    const results: RetouchResult[][] = [];
    for (const files of [PUBLISHED, growing]) {
      const backend = watched(nodeBackend());
      const retoucher = await Retoucher.load(memorySource(files), backend, { verify: 'used' });
      results.push([
        await retoucher.auto(PHOTO),
        await retoucher.style(PHOTO, 'warm'),
        await retoucher.param(PARAMETERS),
      ]);
      expect(backend.alive()).toBe(0);
      await retoucher.dispose();
    }
    for (const [i, { tokenIds, latents }] of results[0].entries()) {
      expect(tokenIds).toEqual(results[1][i].tokenIds);
      latents.forEach((value, k) => {
        expect(value).toBeCloseTo(results[1][i].latents[k]!, 4);
      });
    }
  });

  test('more than the cache holds is an error that says how much', async () => {
    const files = withManifest(PUBLISHED, (m) => (m.cache.positions = 100));
    const backend = watched(nodeBackend());
    const retoucher = await Retoucher.load(memorySource(files), backend, { verify: 'used' });
    const error = await failureOf(retoucher.param(PARAMETERS));
    expect(error.code).toBe('INFERENCE');
    expect(error.message).toMatch(/need \d{3,} positions .* has 100\./);
    expect(backend.alive()).toBe(0);
    expect((await retoucher.auto(PHOTO)).tokens).toBeGreaterThan(0);
    await retoucher.dispose();
  });

  test('the decoder is fed zeros of the type that its file takes', async () => {
    const asked: string[] = [];
    const files = withManifest(PUBLISHED, (m) => (m.cache.float16 = ['default']));
    const backend = nodeBackend();
    const spied = {
      ...backend,
      zeros: (type: 'float32' | 'float16', dims: readonly number[]) => {
        asked.push(`${type} ${dims.join()}`);
        return backend.zeros(type, dims);
      },
    };
    const retoucher = await Retoucher.load(memorySource(files), spied, { verify: 'used' });
    // This decoder takes float32: what the runtime says of the other type shows that it was given.
    const error = await failureOf(retoucher.auto(PHOTO));
    expect(error.message).toContain('float16');
    expect(asked).toEqual(['float16 1,1,2048,32']);
    await retoucher.dispose();
  });
});

describe('a photo that is known', () => {
  test.each([
    ['version 1', TINY_FILES],
    ['version 2', PUBLISHED],
  ])('%s: a second prompt does without the vision graph, and answers the same', async (_name, files) => {
    const backend = watched(nodeBackend());
    const retoucher = await Retoucher.load(memorySource(files), backend, { verify: 'used' });
    const seen = (): number => backend.log.filter((entry) => entry === 'run:image_tokens').length;
    const first = await retoucher.auto(PHOTO);
    const second = await retoucher.auto({ ...PHOTO, data: PHOTO.data.slice() });
    expect(seen()).toBe(1);
    expect(first.timingsMs.vision).toBeGreaterThan(0);
    expect(second.timingsMs.vision).toBe(0);
    expect(second.latents).toEqual(first.latents);
    const styled = await retoucher.style(PHOTO, 'warm');
    expect(seen()).toBe(1);

    const drawn = { ...PHOTO, data: PHOTO.data.slice() };
    drawn.data[700] ^= 255;
    await retoucher.style(drawn, 'warm');
    expect(seen()).toBe(2);
    // One photo is kept: the one before is seen anew, and as the first time. So is one of the same bytes in another shape.
    expect((await retoucher.style(PHOTO, 'warm')).latents).toEqual(styled.latents);
    expect(seen()).toBe(3);
    await retoucher.auto({ ...PHOTO, width: PHOTO.height, height: PHOTO.width });
    expect(seen()).toBe(4);
    await retoucher.dispose();
  });
});

describe('loading at size', () => {
  const sized = (files: Files) => ({
    ...memorySource(files),
    size: async (name: string) => files.get(name)?.length,
  });

  test('tells bytes where the source can tell sizes, and goes on where it cannot', async () => {
    const seen: LoadProgress[] = [];
    const onProgress = (progress: LoadProgress): number => seen.push(progress);
    const retoucher = await Retoucher.load(sized(PUBLISHED), nodeBackend(), { onProgress });
    const all = [...PUBLISHED]
      .filter(([name]) => name !== 'SHA256SUMS')
      .reduce((sum, [, { length }]) => sum + length, 0);
    const verified = seen.filter(({ stage }) => stage === 'verify');
    expect(new Set(verified.map(({ totalBytes }) => totalBytes))).toEqual(new Set([all]));
    const last = verified.at(-1)!;
    expect(last.bytes! + PUBLISHED.get(last.file)!.length).toBe(all);
    seen.length = 0;
    await retoucher.prepare('param');
    const files = ['embed.onnx', 'decoder.onnx', 'adaptor.onnx', 'renderer.onnx'];
    const lengths = files.map((name) => PUBLISHED.get(name)!.length);
    const total = lengths.reduce((a, b) => a + b);
    expect(seen).toEqual(
      files.map((file, done) => ({
        stage: 'load',
        file,
        done,
        total: 4,
        bytes: lengths.slice(0, done).reduce((a, b) => a + b, 0),
        totalBytes: total,
      })),
    );
    await retoucher.dispose();
    const unsure = { ...memorySource(PUBLISHED), size: () => Promise.reject(new Error('who knows')) };
    seen.length = 0;
    await (await Retoucher.load(unsure, nodeBackend(), { onProgress })).dispose();
    expect(seen.some((progress) => 'bytes' in progress)).toBe(false);
  });

  test('a source that reads in pieces is heard inside a file too', async () => {
    const source = sized(PUBLISHED);
    const read = (name: string, onBytes?: (bytes: number) => void): Promise<Uint8Array> => {
      onBytes?.(1000);
      return source.read(name);
    };
    const seen: LoadProgress[] = [];
    const retoucher = await Retoucher.load({ ...source, read }, nodeBackend(), {
      verify: 'used',
      onProgress: (progress) => seen.push(progress),
    });
    await retoucher.prepare('param');
    const embed = PUBLISHED.get('embed.onnx')!.length;
    expect(seen.filter(({ file }) => file === 'decoder.onnx').map(({ bytes }) => bytes)).toEqual([embed, embed + 1000]);
    await retoucher.dispose();
  });

  test('with "used" every graph is read once; a cancel between two files leaves the rest unread', async () => {
    const source = memorySource(PUBLISHED);
    const controller = new AbortController();
    const retoucher = await Retoucher.load(source, nodeBackend(), {
      verify: 'used',
      onProgress: ({ file }) => {
        if (file === 'decoder.onnx') controller.abort();
      },
    });
    expect((await failureOf(retoucher.prepare('auto', { signal: controller.signal }))).code).toBe('ABORT_ERR');
    expect(source.reads).not.toContain('decoder.onnx');
    expect(source.reads).not.toContain('adaptor.onnx');
    await retoucher.prepare('auto');
    for (const file of ['vision.onnx', 'decoder.onnx', 'adaptor.onnx']) {
      expect(source.reads.filter((name) => name === file)).toHaveLength(1);
    }
    await retoucher.dispose();
  });
});
