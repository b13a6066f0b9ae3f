import { CancelledError, parametersFromSliders, Retoucher, type RgbImage } from '../../src/inference';
import { Bundle, type BundleSource } from '../../src/inference/bundle';
import { encodeInstruction } from '../../src/inference/prompt';
import {
  bytesOf,
  type Files,
  jsonOf,
  type Loose,
  memorySource,
  readBundle,
  rehashed,
  TINY,
  TINY_FIRST,
  withManifest,
} from './support/bundles';
import { failureOf } from './support/errors';
import { nodeBackend } from './support/nodeBackend';
import { edited, published, PUBLISHED } from './support/published';

const FILES = readBundle(TINY);
const PHOTO: RgbImage = { width: 8, height: 6, data: Uint8Array.from({ length: 144 }, (_, i) => (i * 37) & 255) };
const MEBIBYTE = 2 ** 20;

const load = (files: Files) => Retoucher.load(memorySource(files), nodeBackend(), { verify: 'used' });

describe('a number in bundle.json that is larger than any model of this kind is refused', () => {
  test.each<[string, (m: Loose) => void]>([
    ['dimensions.hidden', (m) => (m.dimensions.hidden = 65536)],
    ['dimensions.layers', (m) => (m.dimensions.layers = 1000)],
    ['dimensions.heads', (m) => (m.dimensions.heads = 1000)],
    ['dimensions.kvHeads', (m) => (m.dimensions.kvHeads = 1000)],
    ['dimensions.headDim', (m) => (m.dimensions.headDim = 4096)],
    ['dimensions.latent', (m) => (m.dimensions.latent = 65536)],
    ['dimensions.imageTokens', (m) => (m.dimensions.imageTokens = 65536)],
    ['dimensions.paramTokens', (m) => (m.dimensions.paramTokens = 4096)],
    ['dimensions.vocabulary', (m) => (m.dimensions.vocabulary = 4_000_000)],
    ['preprocess.image.size', (m) => (m.preprocess.image.size = 4096)],
    ['preprocess.reference.size', (m) => (m.preprocess.reference.size = 4096)],
    [
      'answer.auto',
      (m) => {
        for (const section of m.answer.auto) section.maxTokens = 4000;
      },
    ],
    ['voices', (m) => (m.voices = Array.from({ length: 1025 }, (_, i) => `<${i}>`))],
  ])('%s', async (name, edit) => {
    const error = await failureOf(load(withManifest(FILES, edit)));
    expect([error.name, error.code]).toEqual(['BundleError', 'BUNDLE_MANIFEST']);
    expect(error.message).toContain(`bundle.json: ${name} is`);
    expect(error.message.length).toBeLessThan(400);
  });

  test('cache.positions, in one layer and in all', async () => {
    const sized = (edit: (m: Loose) => void) => failureOf(load(edited(published, edit)));
    const wide = (m: Loose): void => {
      m.dimensions = { ...m.dimensions, heads: 256, kvHeads: 256, headDim: 512 };
      m.cache.positions = 16384;
    };
    const deep = (m: Loose): void => {
      m.dimensions = { ...m.dimensions, layers: 256, heads: 64, kvHeads: 64, headDim: 256 };
      m.cache.positions = 2048;
    };
    for (const edit of [wide, deep]) {
      const error = await sized(edit);
      expect([error.code, error.message]).toEqual([
        'BUNDLE_MANIFEST',
        expect.stringContaining('bundle.json: cache.positions is'),
      ]);
    }
  });
});

describe('a number in bundle.json that is not that of the graphs is an error of the bundle', () => {
  const double = (key: string) => (m: Loose) => void (m.dimensions[key] *= 2);
  test.each<[string, string, (m: Loose) => void, (r: Retoucher) => Promise<unknown>]>([
    ['hidden, vision', 'vision.onnx', double('hidden'), (r) => r.auto(PHOTO)],
    ['hidden, params', 'params.onnx', double('hidden'), (r) => r.sliders(parametersFromSliders({}))],
    ['hidden, embed', 'embed.onnx', double('hidden'), (r) => r.param(parametersFromSliders({}))],
    ['imageTokens', 'vision.onnx', double('imageTokens'), (r) => r.auto(PHOTO)],
    ['latent, renderer', 'renderer.onnx', double('latent'), (r) => r.bakeLut(new Float32Array(48), { size: 3 })],
    ['latent, encoder', 'encoder.onnx', double('latent'), (r) => r.reference(PHOTO, PHOTO)],
    ['headDim', 'decoder.onnx', double('headDim'), (r) => r.param(parametersFromSliders({}))],
    ['a photo', 'vision.onnx', (m) => (m.preprocess.image.size = 128), (r) => r.auto(PHOTO)],
    ['a reference', 'encoder.onnx', (m) => (m.preprocess.reference.size = 64), (r) => r.reference(PHOTO, PHOTO)],
  ])('%s', async (_name, file, edit, call) => {
    const retoucher = await load(withManifest(FILES, edit));
    const error = await failureOf(call(retoucher));
    expect([error.name, error.code]).toEqual(['BundleError', 'BUNDLE_GRAPH']);
    expect(error.message).toContain(file === 'embed.onnx' ? '' : file);
    expect(error.message).toContain('where bundle.json says');
    await retoucher.dispose();
  });

  test('every graph of each shipped form fits its bundle.json', async () => {
    for (const files of [FILES, PUBLISHED]) {
      const retoucher = await load(files);
      for (const mode of ['auto', 'style', 'param'] as const) await retoucher.prepare(mode);
      if (files === FILES) await retoucher.prepare('reference');
      await retoucher.dispose();
    }
  });

  test('a runtime that does not tell shapes is trusted', async () => {
    const backend = nodeBackend();
    const mute = {
      ...backend,
      createSession: async (...given: Parameters<typeof backend.createSession>) => {
        const session = await backend.createSession(...given);
        return {
          inputNames: session.inputNames,
          outputNames: session.outputNames,
          run: session.run.bind(session),
          dispose: () => session.dispose(),
        };
      },
    };
    const retoucher = await Retoucher.load(memorySource(FILES), mute, { verify: 'used' });
    await retoucher.prepare('param');
    await retoucher.dispose();
  });
});

describe('the texts of bundle.json', () => {
  /** All of its texts together, with a prompt as long as it takes. */
  const withTexts = (count: number): Files =>
    withManifest(FILES, (m) => {
      m.prompts.auto = `${m.prompts.auto}`;
      m.prompts.auto = `${m.prompts.auto}${' '.repeat(count - lengthOf(m))}`;
    });

  test('are 64 Ki characters at most, in all', async () => {
    const { manifest } = await Bundle.open(memorySource(withTexts(65536)));
    expect(manifest.prompts.auto.length).toBeGreaterThan(60_000);
    const error = await failureOf(Bundle.open(memorySource(withTexts(65537))));
    expect(error.code).toBe('BUNDLE_MANIFEST');
    expect(error.message).toContain('65537 characters');
  });

  test('a prompt of 3 MB is refused at once', async () => {
    const started = performance.now();
    const error = await failureOf(
      load(withManifest(FILES, (m) => (m.prompts.auto = `${m.prompts.auto}${'retouch '.repeat(400_000)}`))),
    );
    expect(error.name).toBe('BundleError');
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test.each<[string, (m: Loose) => void]>([
    ['name', (m) => (m.name = 'x'.repeat(1001))],
    ['retouchTokens[0]', (m) => (m.retouchTokens[0] = 'x'.repeat(1001))],
    ['answer.auto[0].start', (m) => (m.answer.auto[0].start = 'x'.repeat(1001))],
  ])('%s alone has at most 1,000', async (name, edit) => {
    const error = await failureOf(load(withManifest(FILES, edit)));
    expect(error.message).toContain(name);
    expect(error.message).toContain('1000 characters');
  });

  test('what a person wants has at most 64 Ki characters, whatever the bundle allows', async () => {
    const none = { encodeText: () => [1] } as never;
    expect(encodeInstruction('x'.repeat(65536), 4096, none)).toEqual([1]);
    expect((await failureOf(() => encodeInstruction('x'.repeat(65537), 4096, none))).code).toBe('INPUT_INSTRUCTION');
  });
});

describe('files of data', () => {
  const sized = (files: Files, told: boolean): BundleSource => {
    const source = memorySource(files);
    return told ? { ...source, size: async (name) => files.get(name)?.length } : source;
  };
  const padded = (name: string, bytes: number): Files => {
    const whole = new Uint8Array(bytes).fill(32);
    whole.set(FILES.get(name)!);
    return rehashed(new Map([...FILES, [name, whole]]));
  };

  test.each(['bundle.json', 'SHA256SUMS'])('%s of more than a mebibyte is refused, read or unread', async (name) => {
    for (const told of [true, false]) {
      const files = new Map(FILES).set(name, new Uint8Array(MEBIBYTE + 1).fill(32));
      const source = sized(name === 'bundle.json' ? rehashed(files) : files, told);
      const read: string[] = [];
      const error = await failureOf(
        Bundle.open({
          ...source,
          read: (file) => {
            read.push(file);
            return source.read(file);
          },
        }),
      );
      expect([error.code, read.includes(name)]).toEqual(['BUNDLE_FILE_SIZE', !told]);
      expect(error.message).toContain(name);
    }
    if (name === 'bundle.json') await Bundle.open(sized(padded(name, MEBIBYTE), true));
  });

  test('a tokenizer of more than 64 MiB is refused, read or unread', async () => {
    const files = padded('tokenizer.json', 64 * MEBIBYTE + 1);
    for (const told of [true, false]) {
      const error = await failureOf(Retoucher.load(sized(files, told), nodeBackend(), { verify: 'used' }));
      expect([error.code, error.message]).toEqual(['BUNDLE_FILE_SIZE', expect.stringContaining('tokenizer.json')]);
    }
  });

  test('a wording of more than 4 MiB is refused', async () => {
    const files = new Map(withManifest(readBundle(TINY_FIRST), (m) => (m.wording = 'wording.json')));
    const withWording = (bytes: number): Files => rehashed(files.set('wording.json', new Uint8Array(bytes).fill(32)));
    expect((await failureOf(load(withWording(4 * MEBIBYTE + 1)))).code).toBe('BUNDLE_FILE_SIZE');
    expect((await failureOf(load(withWording(4 * MEBIBYTE)))).code).toBe('BUNDLE_JSON');
  });

  test('added tokens are at most 16,384, of 1,000 characters', async () => {
    const tokenizer = jsonOf(FILES, 'tokenizer.json');
    const token = (id: number, content: string): unknown => ({ ...tokenizer.added_tokens[0], id, content });
    const many = Array.from({ length: 16384 }, (_, i) => token(1000 + i, `<many ${i}>`));
    for (const more of [many, [token(1000, 'x'.repeat(1001))]]) {
      const json = { ...tokenizer, added_tokens: (tokenizer.added_tokens as unknown[]).concat(more) };
      const files = rehashed(new Map([...FILES, ['tokenizer.json', bytesOf(JSON.stringify(json))]]));
      expect((await failureOf(load(files))).code).toBe('BUNDLE_TOKENIZER');
    }
  });
});

test('a signal that fires while texts are made tokens ends the loading', async () => {
  // The signal comes from outside, by a timer, as that of a process does: loading has to let it in.
  const files = withManifest(FILES, (m) => (m.prompts.auto = `${m.prompts.auto}${'retouch '.repeat(7000)}`));
  const source = memorySource(files);
  const controller = new AbortController();
  const read: string[] = [];
  const watched: BundleSource = {
    read: (name) => {
      read.push(name);
      return source.read(name);
    },
  };
  const digest = crypto.subtle.digest.bind(crypto.subtle);
  const spy = jest.spyOn(crypto.subtle, 'digest').mockImplementation(async (...given) => {
    const result = await digest(...given);
    // From here on nothing waits for anything outside, so that only a pause of the loading's own lets the timer run.
    if (read.at(-1) === 'section_tokens.json') {
      setTimeout(() => {
        controller.abort();
      }, 0);
    }
    return result;
  });
  try {
    const loading = Retoucher.load(watched, nodeBackend(), { verify: 'used', signal: controller.signal });
    await expect(loading).rejects.toBeInstanceOf(CancelledError);
  } finally {
    spy.mockRestore();
  }
});

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, item) => sum + lengthOf(item), 0);
}
