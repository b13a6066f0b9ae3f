import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  parametersFromSliders,
  Retoucher,
  type LoadProgress,
  type RetouchResult,
  type RgbImage,
} from '../../src/inference';
import { type Backend, type CacheType } from '../../src/inference/backend';
import {
  type Files,
  jsonOf,
  type Loose,
  memorySource,
  readBundle,
  rehashed,
  TINY,
  withManifest,
} from './support/bundles';
import { nodeBackend } from './support/nodeBackend';
import { failureOf } from './support/errors';
import { edited, published, PUBLISHED } from './support/published';
import { watched } from './support/watched';

const TINY_FILES = readBundle(TINY);
const release = (m: Loose): unknown => (m.release = { wasm: ['vision'] });
const PARAMETERS = parametersFromSliders({ Exposure2012: 40, Vibrance: -20, HueAdjustmentBlue: 60 });
const PHOTO: RgbImage = { width: 30, height: 17, data: Uint8Array.from({ length: 1530 }, (_, i) => (i * 37) & 255) };

describe('a model like the published one', () => {
  test('sliders and references are refused, and it says so beforehand', async () => {
    const retoucher = await Retoucher.load(memorySource(PUBLISHED), nodeBackend());
    expect(retoucher.capabilities).toEqual({ sliders: false, reference: false, pictureFirst: false });
    expect((await failureOf(retoucher.sliders(PARAMETERS))).code).toBe('INPUT_NO_SLIDERS');
    expect((await failureOf(retoucher.reference(PHOTO, PHOTO))).code).toBe('INPUT_NO_REFERENCE');
    expect((await failureOf(retoucher.prepare('reference'))).code).toBe('INPUT_NO_REFERENCE');
    await retoucher.dispose();
    const whole = await Retoucher.load(memorySource(TINY_FILES), nodeBackend(), { verify: 'used' });
    expect(whole.capabilities).toEqual({ sliders: true, reference: true, pictureFirst: false });
    await whole.dispose();
  });

  test.each([
    ['wasm', ['load image_tokens', 'gone image_tokens', 'load hidden', 'load image_tokens', 'gone image_tokens']],
    ['node', ['load image_tokens', 'load hidden']],
  ] as const)(
    'on %s the vision graph is released as the bundle says, and a known photo does without it',
    async (device, wanted) => {
      const order: string[] = [];
      const plain = nodeBackend();
      const backend: Backend = {
        ...plain,
        device,
        createSession: async (bytes, options) => {
          const session = await plain.createSession(bytes, options);
          const output = session.outputNames[0];
          order.push(`load ${output}`);
          return {
            inputNames: session.inputNames,
            outputNames: session.outputNames,
            run: (...given) => session.run(...given),
            dispose: () => {
              order.push(`gone ${output}`);
              return session.dispose();
            },
          };
        },
      };
      const files = rehashed(
        new Map([...edited(published, release), ['adaptor.onnx', PUBLISHED.get('adaptor.onnx')!]]),
      );
      const retoucher = await Retoucher.load(memorySource(files), backend, { verify: 'used' });
      await retoucher.prepare('auto');
      const first = await retoucher.auto(PHOTO);
      expect((await retoucher.style(PHOTO, 'warm')).timingsMs.vision).toBe(0);
      expect((await retoucher.auto(PHOTO)).latents).toEqual(first.latents);
      await retoucher.auto({ ...PHOTO, data: PHOTO.data.map((value) => 255 - value) });
      const large = order.filter((entry) => /image_tokens|hidden/.test(entry));
      expect(new Set(large)).toEqual(new Set(wanted));
      expect(large.filter((entry) => entry.endsWith('image_tokens'))).toEqual(
        wanted.filter((entry) => entry.endsWith('image_tokens')),
      );
      await retoucher.dispose();
    },
  );

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
    const tokens = jsonOf(PUBLISHED, 'tokenizer.json').added_tokens as { id: number; content: string }[];
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
    const node = nodeBackend();
    for (const [files, device, tensors] of [
      [growing, 'node', 1],
      // Written in place, tensor by tensor; then, as in a browser, from one tensor of zeros for all.
      [PUBLISHED, 'node', 4],
      [PUBLISHED, 'wasm', 1],
    ] as const) {
      let zeros = 0;
      const counted = {
        ...node,
        device,
        zeros: (type: CacheType, dims: readonly number[]) => {
          zeros++;
          return node.zeros(type, dims);
        },
      };
      const backend = watched(counted);
      const retoucher = await Retoucher.load(memorySource(files), backend, { verify: 'used' });
      results.push([
        await retoucher.auto(PHOTO),
        await retoucher.style(PHOTO, 'warm'),
        await retoucher.param(PARAMETERS),
      ]);
      expect(backend.alive()).toBe(0);
      expect(zeros).toBe(3 * tensors);
      await retoucher.dispose();
    }
    const [grown, ...others] = results;
    for (const answers of others) {
      for (const [i, { tokenIds, latents }] of answers.entries()) {
        expect(tokenIds).toEqual(grown[i].tokenIds);
        latents.forEach((value, k) => {
          expect(value).toBeCloseTo(grown[i].latents[k], 4);
        });
      }
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
    expect(new Set(asked)).toEqual(new Set(['float16 1,1,2048,32']));
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

test('the bytes of a file are let go once its session exists', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const given: WeakRef<Uint8Array>[] = [];
  const read = async (name: string): Promise<Uint8Array> => {
    const bytes = PUBLISHED.get(name)!.slice();
    if (name.endsWith('.onnx')) given.push(new WeakRef(bytes));
    return bytes;
  };
  const retoucher = await Retoucher.load({ read }, nodeBackend(), { verify: 'used' });
  await retoucher.prepare('auto');
  expect(given.length).toBe(5);
  // A reference lives until the end of the turn in which it was made.
  await new Promise((resolve) => setTimeout(resolve, 1));
  collect();
  expect(given.filter((reference) => reference.deref()).length).toBe(0);
  await retoucher.dispose();
});
