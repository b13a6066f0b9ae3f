import { Bundle, parseChecksums, sha256 } from '../../src/inference/bundle';
import { Retoucher } from '../../src/inference';
import {
  bytesOf,
  jsonOf,
  type Loose,
  memorySource,
  readBundle,
  rehashed,
  TINY,
  withManifest,
  type Files,
} from './support/bundles';
import { nodeBackend } from './support/nodeBackend';
import { failureOf } from './support/errors';

const TINY_FILES = readBundle(TINY);

function without(files: Files, name: string): Files {
  const copy = new Map(files);
  copy.delete(name);
  return copy;
}

function flipped(files: Files, name: string, at: number, mask = 1): Files {
  const bytes = files.get(name)!.slice();
  bytes[at] ^= mask;
  return new Map([...files, [name, bytes]]);
}

const load = (files: Files, list = false) => Retoucher.load(memorySource(files, { list }), nodeBackend());

test('sha256 gives the digests of the standard', async () => {
  expect(await sha256(bytesOf('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(await sha256(new Uint8Array(0))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

describe('an intact bundle', () => {
  test('opens, and every file verifies', async () => {
    const bundle = await Bundle.open(memorySource(TINY_FILES, { list: true }));
    const seen: string[] = [];
    await bundle.verifyAll({ onProgress: ({ file }) => seen.push(file) });
    expect(new Set([...seen, 'SHA256SUMS'])).toEqual(new Set(TINY_FILES.keys()));
  });

  test('may lie beside other files, which are not used', async () => {
    const files = new Map([...TINY_FILES, ['.DS_Store', bytesOf('x')]]);
    const source = memorySource(files, { list: true });
    await (await Bundle.open(source)).verifyAll();
    expect(source.reads).not.toContain('.DS_Store');
  });

  test('a graph of a device is taken before the default one', async () => {
    const files = withManifest(new Map([...TINY_FILES, ['embed.wasm.onnx', bytesOf('w')]]), (manifest) => {
      manifest.graphs.embed.wasm = 'embed.wasm.onnx';
      manifest.graphs.vision = { webgpu: 'vision.onnx' };
    });
    const bundle = await Bundle.open(memorySource(files));
    expect(bundle.graphFile('embed', 'wasm')).toBe('embed.wasm.onnx');
    expect(bundle.graphFile('embed', 'node')).toBe('embed.onnx');
    expect(bundle.graphFile('vision', 'webgpu')).toBe('vision.onnx');
    const error = await failureOf(() => bundle.graphFile('vision', 'node'));
    expect(error.code).toBe('BUNDLE_GRAPH_MISSING');
    expect(error.hint).toContain('webgpu');
  });
});

describe('a damaged bundle is refused', () => {
  test.each([...TINY_FILES.keys()])('one flipped bit in %s', async (name) => {
    const { length } = TINY_FILES.get(name)!;
    for (const at of [0, Math.floor(length / 2), length - 1]) {
      const error = await failureOf(load(flipped(TINY_FILES, name, at)));
      expect(error.name).toBe('BundleError');
      if (name !== 'SHA256SUMS') {
        expect(error.code).toBe('BUNDLE_HASH');
        expect(error.message).toContain(name);
        expect(error.hint).toContain('again');
      }
    }
  });

  test('one flipped bit at any place of the first and the last line of SHA256SUMS', async () => {
    const { length } = TINY_FILES.get('SHA256SUMS')!;
    for (let at = 0; at < length; at = at === 79 ? length - 78 : at + 1) {
      const source = memorySource(flipped(TINY_FILES, 'SHA256SUMS', at));
      const error = await failureOf(async () => {
        await (await Bundle.open(source)).verifyAll();
      });
      expect(error.name).toBe('BundleError');
    }
  });

  test.each([...TINY_FILES.keys()])('%s missing', async (name) => {
    for (const list of [false, true]) {
      const error = await failureOf(load(without(TINY_FILES, name), list));
      expect(error.code).toBe('BUNDLE_FILE_MISSING');
      expect(error.message).toContain(name);
    }
  });

  test.each([...TINY_FILES.keys()])('%s cut short or empty', async (name) => {
    const bytes = TINY_FILES.get(name)!;
    for (const length of [0, bytes.length - 1]) {
      // The lines of SHA256SUMS end where they end: without its last newline the list still says the same.
      if (name === 'SHA256SUMS' && length > 0) continue;
      expect((await failureOf(load(new Map([...TINY_FILES, [name, bytes.slice(0, length)]])))).name).toBe(
        'BundleError',
      );
    }
  });

  test.each(['vision.onnx', 'tokenizer.json', 'output_tokens.json', 'bundle.json'])('%s not listed', async (name) => {
    const lines = new TextDecoder().decode(TINY_FILES.get('SHA256SUMS')).split('\n');
    const sums = lines.filter((line) => !line.endsWith(`  ${name}`)).join('\n');
    const error = await failureOf(load(new Map([...TINY_FILES, ['SHA256SUMS', bytesOf(sums)]])));
    expect(error.code).toBe('BUNDLE_FILE_NOT_LISTED');
    expect(error.message).toContain(name);
  });

  test('a file that cannot be read', async () => {
    const source = memorySource(TINY_FILES);
    const broken = {
      read: (name: string) => (name === 'embed.onnx' ? Promise.reject(new Error('disk on fire')) : source.read(name)),
    };
    const error = await failureOf(Retoucher.load(broken, nodeBackend()));
    expect(error.code).toBe('BUNDLE_FILE_UNREADABLE');
    expect(error.message).toContain('disk on fire');
    const unlistable = { ...source, list: () => Promise.reject(new Error('no permission')) };
    expect((await failureOf(Retoucher.load(unlistable, nodeBackend()))).code).toBe('BUNDLE_FILE_UNREADABLE');
  });

  test('a changed file is found when it is used, where not everything was verified at first', async () => {
    const files = flipped(TINY_FILES, 'params.onnx', 1000);
    const retoucher = await Retoucher.load(memorySource(files), nodeBackend(), { verify: 'used' });
    const error = await failureOf(retoucher.sliders({ values: new Float32Array(38), active: [true, true, true] }));
    expect(error.code).toBe('BUNDLE_HASH');
    await retoucher.dispose();
  });
});

describe('SHA256SUMS', () => {
  const digest = 'a'.repeat(64);

  test('is read as sha256sum writes it', () => {
    expect([...parseChecksums(`${digest}  a.onnx\r\n${digest.toUpperCase()} *b-1_2.json\n`)]).toEqual([
      ['a.onnx', digest],
      ['b-1_2.json', digest],
    ]);
  });

  test.each([
    ['', 'BUNDLE_CHECKSUMS'],
    ['\n', 'BUNDLE_CHECKSUMS'],
    [`${digest} a`, 'BUNDLE_CHECKSUMS'],
    [`${digest.slice(1)}  a`, 'BUNDLE_CHECKSUMS'],
    [`${digest}  a\n\n${digest}  b`, 'BUNDLE_CHECKSUMS'],
    [`${digest}  a\n${digest}  a\n`, 'BUNDLE_CHECKSUMS'],
    [`${digest}  ../a`, 'BUNDLE_FILE_NAME'],
    [`${digest}  /etc/passwd`, 'BUNDLE_FILE_NAME'],
    [`${digest}  sub/a`, 'BUNDLE_FILE_NAME'],
    [`${digest}  sub\\a`, 'BUNDLE_FILE_NAME'],
    [`${digest}  ..`, 'BUNDLE_FILE_NAME'],
    [`${digest}  C:a`, 'BUNDLE_FILE_NAME'],
    [`${digest}  .hidden`, 'BUNDLE_FILE_NAME'],
    [`${digest}  a\0b`, 'BUNDLE_FILE_NAME'],
  ])('%j is refused', async (text, code) => {
    expect((await failureOf(() => parseChecksums(text))).code).toBe(code);
  });

  test('that is no text is refused', async () => {
    const files = new Map([...TINY_FILES, ['SHA256SUMS', Uint8Array.of(0xff, 0xfe, 0)]]);
    expect((await failureOf(load(files))).name).toBe('BundleError');
  });
});

describe('bundle.json that fits its hash but not the format', () => {
  const edits: [string, (manifest: Loose) => void, code: string, message: string][] = [
    ['another version', (m) => (m.formatVersion = 3), 'BUNDLE_VERSION', 'formatVersion 3'],
    ['no version', (m) => delete m.formatVersion, 'BUNDLE_VERSION', 'missing'],
    ['version as text', (m) => (m.formatVersion = '1'), 'BUNDLE_VERSION', '"1"'],
    ['a graph missing', (m) => delete m.graphs.encoder, 'BUNDLE_GRAPH_MISSING', '"encoder"'],
    ['rows of factors without their graph', (m) => delete m.graphs.style, 'BUNDLE_GRAPH_MISSING', '"style"'],
    ['rows of factors beyond the photo', (m) => (m.focus.imageRow = 2), 'BUNDLE_MANIFEST', 'focus.imageRow'],
    ['a graph as text', (m) => (m.graphs.encoder = 'encoder.onnx'), 'BUNDLE_MANIFEST', 'graphs.encoder'],
    ['an unknown device', (m) => (m.graphs.encoder.cuda = 'encoder.onnx'), 'BUNDLE_MANIFEST', 'graphs.encoder.cuda'],
    ['a path', (m) => (m.graphs.encoder.default = '../encoder.onnx'), 'BUNDLE_FILE_NAME', '../encoder.onnx'],
    ['a folder', (m) => (m.tokenizer.tokenizer = 'a/tokenizer.json'), 'BUNDLE_FILE_NAME', 'a/tokenizer.json'],
    ['an absolute path', (m) => (m.outputTokens = '/etc/passwd'), 'BUNDLE_FILE_NAME', '/etc/passwd'],
    ['a file that is not there', (m) => (m.outputTokens = 'o.json'), 'BUNDLE_FILE_NOT_LISTED', 'o.json'],
    ['a path to the tokens of fields', (m) => (m.sectionTokens = '../s.json'), 'BUNDLE_FILE_NAME', '../s.json'],
    ['tokens of fields that are not there', (m) => (m.sectionTokens = 's.json'), 'BUNDLE_FILE_NOT_LISTED', 's.json'],
    ['a dimension as text', (m) => (m.dimensions.hidden = '96'), 'BUNDLE_MANIFEST', 'dimensions.hidden is "96"'],
    ['a dimension of 0', (m) => (m.dimensions.layers = 0), 'BUNDLE_MANIFEST', 'dimensions.layers is 0'],
    ['half a dimension', (m) => (m.dimensions.latent = 8.5), 'BUNDLE_MANIFEST', 'dimensions.latent is 8.5'],
    ['a dimension missing', (m) => delete m.dimensions.headDim, 'BUNDLE_MANIFEST', 'dimensions.headDim is missing'],
    ['heads that do not divide', (m) => (m.dimensions.kvHeads = 2), 'BUNDLE_MANIFEST', 'kvHeads is 2'],
    ['no dimensions', (m) => (m.dimensions = []), 'BUNDLE_MANIFEST', 'dimensions is []'],
    ['a huge input', (m) => (m.preprocess.image.size = 1e9), 'BUNDLE_MANIFEST', 'preprocess.image.size'],
    [
      'parameters in another order',
      (m) => (m.parameters = [...(m.parameters as string[])].reverse()),
      'BUNDLE_MANIFEST',
      'parameters[0]',
    ],
    [
      'a parameter too many',
      (m) => (m.parameters = [...(m.parameters as string[]), 'Clarity']),
      'BUNDLE_MANIFEST',
      'parameters is',
    ],
    ['a prompt without its photo', (m) => (m.prompts.auto = 'Hello'), 'BUNDLE_MANIFEST', 'exactly one {image}'],
    [
      'a prompt with a place too many',
      (m) => (m.prompts.auto = `${m.prompts.auto}{instruction}`),
      'BUNDLE_MANIFEST',
      'no {instruction}',
    ],
    ['no prompt', (m) => delete m.prompts.style, 'BUNDLE_MANIFEST', 'prompts.style is missing'],
    ['an unknown field', (m) => (m.answer.auto[0].field = 'mood'), 'BUNDLE_MANIFEST', 'answer.auto[0].field is "mood"'],
    ['a field twice', (m) => (m.answer.auto[1].field = 'elements'), 'BUNDLE_MANIFEST', 'answer.auto'],
    ['an answer of nothing', (m) => (m.answer.param = []), 'BUNDLE_MANIFEST', 'answer.param'],
    [
      'sections without room',
      (m) => (m.answer.param[0].maxTokens = 0),
      'BUNDLE_MANIFEST',
      'answer.param[0].maxTokens is 0',
    ],
    [
      'two retouch tokens',
      (m) => (m.retouchTokens = ['<retouch_light>', '<retouch_colormixer>']),
      'BUNDLE_MANIFEST',
      'retouchTokens',
    ],
    ['other states', (m) => (m.latentStates = 'reading'), 'BUNDLE_MANIFEST', 'latentStates is "reading"'],
    ['a huge LUT', (m) => (m.lutSize = 1000), 'BUNDLE_MANIFEST', 'lutSize is 1000'],
    ['an unknown token', (m) => (m.answer.param[0].end = '<end>'), 'BUNDLE_TOKENIZER', '<end>'],
    ['an unknown retouch token', (m) => (m.retouchTokens[2] = 'light'), 'BUNDLE_TOKENIZER', '"light"'],
    [
      'fewer tokens than written',
      (m) => (m.dimensions.vocabulary = 300),
      'BUNDLE_MANIFEST',
      'output_tokens.json holds',
    ],
  ];

  test.each(edits)('%s', async (_title, edit, code, message) => {
    const error = await failureOf(load(withManifest(TINY_FILES, edit)));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.hint).toBeTruthy();
  });

  test.each(['null', '[]', '"bundle"', '{', ''])('%j instead of it', async (text) => {
    const error = await failureOf(load(rehashed(new Map([...TINY_FILES, ['bundle.json', bytesOf(text)]]))));
    expect(error.name).toBe('BundleError');
    expect(error.message).toContain('bundle.json');
  });
});

describe('files that fit their hash but not the format', () => {
  const replaced = (name: string, text: string) => rehashed(new Map([...TINY_FILES, [name, bytesOf(text)]]));
  const outputs = jsonOf(TINY_FILES, 'output_tokens.json') as number[];

  test.each([
    ['output_tokens.json', '{}'],
    ['output_tokens.json', '[]'],
    ['output_tokens.json', '[1, 2, "3"]'],
    ['output_tokens.json', '[1, 2, -3]'],
    ['output_tokens.json', '[1, 2, 99999999]'],
    ['output_tokens.json', JSON.stringify([...outputs, outputs[0]])],
    ['output_tokens.json', JSON.stringify(outputs.slice(0, 20))],
    ['tokenizer.json', 'null'],
    ['tokenizer.json', '{}'],
    ['tokenizer.json', '{"added_tokens": []}'],
    ['tokenizer.json', '{"added_tokens": [{"id": "1", "content": "<a>"}]}'],
    ['tokenizer.json', '{"added_tokens": [{"id": 1, "content": "<a>", "lstrip": true}]}'],
    ['tokenizer_config.json', '7'],
    ['tokenizer.json', 'not JSON'],
  ])('%s as %s', async (name, text) => {
    const error = await failureOf(load(replaced(name, text)));
    expect(error.name).toBe('BundleError');
    expect(error.message).toContain('tokenizer' === name.slice(0, 9) ? 'tokenizer.json' : name);
  });

  test.each([
    ['no graph at all', (files: Files) => files.set('renderer.onnx', bytesOf('not a graph'))],
    ['an empty graph', (files: Files) => files.set('renderer.onnx', new Uint8Array(0))],
    ['another graph', (files: Files) => files.set('renderer.onnx', files.get('embed.onnx')!)],
  ])('%s', async (_title, edit) => {
    const files = new Map(TINY_FILES);
    edit(files);
    const retoucher = await load(rehashed(files));
    const error = await failureOf(retoucher.bakeLut(new Float32Array(24), { size: 3 }));
    expect(error.code).toBe('BUNDLE_GRAPH');
    expect(error.message).toContain('renderer.onnx');
    await retoucher.dispose();
  });
});
