import { VeraRetouchError } from '../../color/errors';
import { type Backend, type Device, InferenceError, Retoucher, parametersFromSliders } from '../../inference';
import {
  type CallName,
  type Calls,
  type FromWorker,
  type OpenRequest,
  type OpenedModel,
  type Port,
  type RefusedDevice,
  type ToWorker,
  type WireError,
} from './protocol';
import { compareWithGolden, isRight, readGolden } from './selfCheck';
import { yielding } from './yielding';

export interface OpenedBackend {
  readonly backend: Backend;
  readonly adapter: string;
  /** Is it a program that stands in for a graphics card? */
  readonly software?: boolean;
  /** Resolves with the reason when the device goes away. Known when a graph was loaded, not before. */
  lost?(): Promise<string>;
}

/** Throws where this device is not there. */
export type OpenBackend = (device: Device, wasm: ArrayBuffer | undefined) => Promise<OpenedBackend>;

/** Answers the page's calls on this side of `port`. Files of the bundle are asked of the page. */
export function serveInference(port: Port<FromWorker, ToWorker>, openBackend: OpenBackend): void {
  const running = new Map<number, AbortController>();
  const files = new PageFiles(port);
  let model: Retoucher | undefined;

  port.listen((message) => {
    switch (message.kind) {
      case 'call':
        void answer(message.id, message.name, message.input);
        break;
      case 'cancel':
        running.get(message.id)?.abort();
        break;
      case 'file':
        files.settle(message.request, message.bytes);
        break;
      case 'nofile':
        files.fail(message.request, message.error);
        break;
    }
  });

  async function answer(id: number, name: CallName, input: unknown): Promise<void> {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const value = await run(id, name, input, controller.signal);
      port.send({ kind: 'result', id, value });
    } catch (thrown) {
      port.send({ kind: 'error', id, error: toWire(thrown) });
    } finally {
      running.delete(id);
    }
  }

  async function run(id: number, name: CallName, input: unknown, signal: AbortSignal): Promise<unknown> {
    if (name === 'open') return open(id, input as OpenRequest, signal);
    if (!model) throw new InferenceError('The model is not open. Nothing was run.', 'Open it first.');
    const options = {
      signal,
      onText: (event: Extract<FromWorker, { kind: 'text' }>['event']) => {
        port.send({ kind: 'text', id, event });
      },
    };
    const call = { name, input } as { [K in CallName]: { name: K; input: Calls[K]['in'] } }[CallName];
    switch (call.name) {
      case 'prepare':
        return model.prepare(call.input.mode, { signal });
      case 'auto':
        return model.auto(call.input.photo, options);
      case 'style':
        return model.style(call.input.photo, call.input.instruction, options);
      case 'param':
        return model.param(parametersFromSliders(call.input.sliders), options);
      case 'reference':
        return model.reference(call.input.before, call.input.after, options);
      case 'sliders':
        return model.sliders(parametersFromSliders(call.input.sliders), { signal });
      case 'bake': {
        const { latents, strength, size, photo } = call.input;
        if (size !== undefined) {
          const lut = await model.bakeLut(latents, { strength, size, signal });
          return { size: lut.size, data: lut.data };
        }
        const { lut, error } = await model.bakeMeasuredLut(latents, { strength, photo, signal });
        return { size: lut.size, data: lut.data, error };
      }
      default:
        throw new InferenceError(`There is no call "${call.name}". Nothing was run.`, 'Load the page again.');
    }
  }

  /** Goes down the devices to the first one that is there, runs the model and gives the right numbers. */
  async function open(id: number, input: OpenRequest, signal: AbortSignal): Promise<OpenedModel> {
    const source = { read: (name: string) => files.read(name) };
    const golden = await readGolden(source.read);
    const refused: RefusedDevice[] = [];
    for (const device of input.devices) {
      let opened: OpenedBackend;
      try {
        opened = await openBackend(device, input.wasm);
      } catch (thrown) {
        refused.push({ device, why: 'missing', detail: messageOf(thrown) });
        continue;
      }
      if (opened.software && !input.software) {
        refused.push({ device, why: 'missing', detail: `${opened.adapter} is no graphics card` });
        continue;
      }
      const retoucher = await Retoucher.load(source, yielding(opened.backend), {
        verify: 'used',
        signal,
        onProgress: (progress) => {
          port.send({ kind: 'progress', id, progress });
        },
      });
      try {
        const check = golden ? await compareWithGolden(retoucher, golden, signal) : ({ kind: 'none' } as const);
        if (isRight(check)) {
          model = retoucher;
          watch(opened);
          const { name, version, dimensions } = retoucher.manifest;
          const { adapter } = opened;
          const { latent } = dimensions;
          return { device, adapter, model: `${name} ${version}`, latentSize: latent, check, refused };
        }
        refused.push({ device, why: 'wrong', detail: describe(check) });
      } catch (thrown) {
        if (!concernsDevice(thrown)) throw thrown;
        refused.push({ device, why: 'failed', detail: messageOf(thrown) });
      }
      await retoucher.dispose().catch(() => undefined);
    }
    const reasons = refused.map(({ device, detail }) => `${device}: ${detail}`).join('; ');
    throw new InferenceError(
      `No device of this computer runs the model as it must (${reasons}). Nothing was retouched.`,
      'Update the graphics driver or the system’s web view, or get the model again.',
    );
  }

  function watch(opened: OpenedBackend): void {
    void opened.lost?.().then((detail) => {
      port.send({ kind: 'lost', detail });
    });
  }
}

/** Is another device worth trying? A damaged bundle is damaged on each. */
function concernsDevice(thrown: unknown): boolean {
  return thrown instanceof VeraRetouchError ? ['INFERENCE', 'BUNDLE_GRAPH'].includes(thrown.code) : true;
}

function describe(check: Awaited<ReturnType<typeof compareWithGolden>>): string {
  if (check.kind === 'none') return '';
  return `latents agree by ${check.cosine.toFixed(3)}, colours differ by ${check.colours.toFixed(3)}`;
}

function toWire(thrown: unknown): WireError {
  if (thrown instanceof VeraRetouchError) {
    return { code: thrown.code, message: thrown.message, hint: thrown.hint };
  }
  return {
    code: 'INFERENCE',
    message: `The model stopped: ${messageOf(thrown)}. No result was produced.`,
    hint: 'Try again.',
  };
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The bundle's files, which the page has or can get. */
class PageFiles {
  private readonly waiting = new Map<number, { resolve(bytes: Uint8Array): void; reject(error: Error): void }>();
  private next = 1;

  constructor(private readonly port: Port<FromWorker, ToWorker>) {}

  read(name: string): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const request = this.next++;
      this.waiting.set(request, { resolve, reject });
      this.port.send({ kind: 'read', request, name });
    });
  }

  settle(request: number, bytes: Uint8Array): void {
    this.waiting.get(request)?.resolve(bytes);
    this.waiting.delete(request);
  }

  fail(request: number, error: string): void {
    this.waiting.get(request)?.reject(new Error(error));
    this.waiting.delete(request);
  }
}
