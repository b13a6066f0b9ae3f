import { checkMemory, createOrtBackend, Retoucher } from '../../src/inference';
import { Bundle } from '../../src/inference/bundle';
import { parseManifest } from '../../src/inference/manifest';
import { jsonOf, type Loose, memorySource } from './support/bundles';
import { nodeBackend } from './support/nodeBackend';
import { failureOf } from './support/errors';
import { edited, published, PUBLISHED } from './support/published';

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
    expect(manifest.weights.size + manifest.releaseVision.size).toBe(0);
    const apart = edited(published, (m) => {
      m.graphs.decoder.wasm = 'decoder-wasm.onnx';
      m.weights = { 'decoder-wasm.onnx': 'decoder-wasm.weights' };
      m.release = { wasm: ['vision'] };
    });
    const { weights, releaseVision } = parseManifest(jsonOf(apart, 'bundle.json'));
    expect([[...weights], [...releaseVision]]).toEqual([[['decoder-wasm.onnx', 'decoder-wasm.weights']], ['wasm']]);
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
    ['weights of no graph', (m) => (m.weights = { 'other.onnx': 'a.weights' }), 'weights.other.onnx'],
    ['weights apart on Node', (m) => (m.weights = { 'decoder.onnx': 'a.weights' }), 'weights.decoder.onnx'],
    [
      'weights in no file',
      (m) => {
        m.graphs.decoder.wasm = 'decoder-wasm.onnx';
        m.weights = { 'decoder-wasm.onnx': 7 };
      },
      'weights.decoder-wasm.onnx is 7',
    ],
    ['another graph released', (m) => (m.release = { wasm: ['decoder'] }), 'release.wasm'],
    ['release on no device', (m) => (m.release = { default: ['vision'] }), 'release.default'],
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
    const files = edited((m) => Reflect.deleteProperty(m.graphs as object, graph));
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
