import * as ort from 'onnxruntime-node';
import { createOrtBackend, type OrtModule } from '../../src/inference/backend';
import { Serial } from '../../src/inference/serial';
import { readBundle, TINY } from './support/bundles';
import { nodeBackend } from './support/nodeBackend';
import { failureOf } from './support/errors';

const FILES = readBundle(TINY);
const EMBED = FILES.get('embed.onnx')!;

describe('Serial', () => {
  test('runs tasks one after the other, in order, also after a failure', async () => {
    const serial = new Serial();
    const log: string[] = [];
    const task = (name: string, fails = false) =>
      serial.run(async () => {
        log.push(`${name} starts`);
        await new Promise((resolve) => setTimeout(resolve, 2));
        log.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      });
    const results = await Promise.allSettled([task('a'), task('b', true), task('c')]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(log).toEqual(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
  });
});

describe('the onnxruntime backend', () => {
  test('runs a graph and gives its values back', async () => {
    const backend = nodeBackend();
    const session = await backend.createSession(EMBED);
    expect(session.inputNames).toEqual(['input_ids']);
    const { embeds } = await session.run({ input_ids: backend.integers(BigInt64Array.of(3n, 5n), [1, 2]) }, ['embeds']);
    expect(embeds.dims).toEqual([1, 2, 96]);
    const values = await embeds.floats();
    expect(values).toHaveLength(192);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(values.subarray(0, 96)).not.toEqual(values.subarray(96));
    await session.dispose();
  });

  test.each([
    ['wasm', { session: { disable_quant_qdq: '1' } }],
    ['webgpu', undefined],
    ['node', undefined],
  ] as const)('weights that a graph dequantises itself are widened at once on wasm only: %s', async (device, extra) => {
    const asked: unknown[] = [];
    const recording: OrtModule = {
      Tensor: ort.Tensor,
      env: ort.env,
      InferenceSession: {
        create: (...args: [Uint8Array, ort.InferenceSession.SessionOptions]) => {
          asked.push(args[1].extra);
          return ort.InferenceSession.create(args[0], { ...args[1], executionProviders: ['cpu'] });
        },
      } as unknown as OrtModule['InferenceSession'],
    };
    const session = await createOrtBackend(recording, { device }).createSession(EMBED);
    expect(asked).toEqual([extra]);
    await session.dispose();
  });

  test('never runs two inferences at once, of whatever session', async () => {
    let running = 0;
    let most = 0;
    const counted: OrtModule = {
      Tensor: ort.Tensor,
      env: ort.env,
      InferenceSession: {
        create: async (...args: [Uint8Array, ort.InferenceSession.SessionOptions]) => {
          const session = await ort.InferenceSession.create(...args);
          const run = session.run.bind(session);
          const busy = async (...inputs: Parameters<typeof run>) => {
            most = Math.max(most, ++running);
            await new Promise((resolve) => setTimeout(resolve, 1));
            const results = await run(...inputs);
            running--;
            return results;
          };
          return Object.assign(session, { run: busy });
        },
      } as unknown as OrtModule['InferenceSession'],
    };
    const backend = createOrtBackend(counted, { device: 'node', threads: 1 });
    const sessions = await Promise.all([backend.createSession(EMBED), backend.createSession(EMBED)]);
    await Promise.all(
      [0, 1, 0, 1, 0].map((i) =>
        sessions[i].run({ input_ids: backend.integers(BigInt64Array.of(1n), [1, 1]) }, ['embeds']),
      ),
    );
    expect(most).toBe(1);
  });

  test.each([
    ['node', 'cpu', 3, undefined],
    ['wasm', 'wasm', undefined, undefined],
    ['webgpu', 'webgpu', undefined, { 'present.0.key': 'gpu-buffer' }],
  ] as const)('asks for the provider of device %s', async (device, provider, threads, location) => {
    const asked: ort.InferenceSession.SessionOptions[] = [];
    const env = { wasm: {} } as OrtModule['env'];
    const module: OrtModule = {
      Tensor: ort.Tensor,
      env,
      InferenceSession: {
        create: async (_bytes: Uint8Array, options: ort.InferenceSession.SessionOptions) => {
          asked.push(options);
          return ort.InferenceSession.create(EMBED);
        },
      } as unknown as OrtModule['InferenceSession'],
    };
    const backend = createOrtBackend(module, { device, threads: 3 });
    await (await backend.createSession(EMBED, { keepOnDevice: ['present.0.key'] })).dispose();
    expect(backend.device).toBe(device);
    expect(asked[0].executionProviders).toEqual([provider]);
    expect(asked[0].intraOpNumThreads).toBe(threads);
    expect(asked[0].preferredOutputLocation).toEqual(location);
    expect(env.wasm.numThreads).toBe(device === 'node' ? undefined : 3);
  });

  test("the runtime's failures become errors of our own", async () => {
    const backend = nodeBackend();
    const bytes = new TextEncoder().encode('this is no graph');
    expect((await failureOf(backend.createSession(bytes))).code).toBe('INFERENCE');
    const session = await backend.createSession(EMBED);
    const wrongType = { input_ids: backend.floats(new Float32Array(2), [1, 2]) };
    expect((await failureOf(session.run(wrongType, ['embeds']))).code).toBe('INFERENCE');
    const outOfRange = { input_ids: backend.integers(BigInt64Array.of(1_000_000n), [1, 1]) };
    expect((await failureOf(session.run(outOfRange, ['embeds']))).code).toBe('INFERENCE');
    const foreign = { dims: [1], floats: async () => new Float32Array(1), dispose: () => undefined };
    expect((await failureOf(session.run({ input_ids: foreign }, ['embeds']))).code).toBe('INFERENCE');
    expect((await failureOf(backend.integers(BigInt64Array.of(1n), [1]).floats())).code).toBe('INFERENCE');
    await session.dispose();
  });
});
