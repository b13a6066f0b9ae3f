import { VeraRetouchError } from '../../color/errors';
import {
  type AvailableMemory,
  type Backend,
  type BundleSource,
  type Device,
  InferenceError,
  Retoucher,
  parametersFromSliders,
} from '../../inference';
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
  /** What a model may take here; what is not known is not compared. */
  readonly available?: AvailableMemory;
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
        files.fail(message.request, message.error, message.missing);
        break;
      case 'bytes':
        files.tell(message.request, message.bytes);
        break;
      case 'size':
        files.sized(message.request, message.bytes);
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
      onLatents: (latents: Float32Array) => {
        port.send({ kind: 'latents', id, latents });
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
        return model.param(parametersFromSliders(call.input.sliders), { ...options, photo: call.input.photo });
      case 'reference':
        return model.reference(call.input.before, call.input.after, options);
      case 'sliders':
        return model.sliders(parametersFromSliders(call.input.sliders), { signal });
      case 'bake': {
        const { latents, strength, monochrome, size, photo } = call.input;
        if (size !== undefined) {
          const lut = await model.bakeLut(latents, { strength, monochrome, size, signal });
          return { size: lut.size, data: lut.data };
        }
        const { lut, error } = await model.bakeMeasuredLut(latents, { strength, monochrome, photo, signal });
        return { size: lut.size, data: lut.data, error };
      }
      default:
        throw new InferenceError(`There is no call "${call.name}". Nothing was run.`, 'Load the page again.');
    }
  }

  /** Goes down the devices to the first one that is there, runs the model and gives the right numbers. */
  async function open(id: number, input: OpenRequest, signal: AbortSignal): Promise<OpenedModel> {
    const golden = await readGolden((name) => files.read(name));
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
      let retoucher: Retoucher | undefined;
      try {
        retoucher = await load(id, opened, signal);
        if (input.whole) await retoucher.prepare('auto', { signal });
        const check = golden ? await compareWithGolden(retoucher, golden, signal) : ({ kind: 'none' } as const);
        if (isRight(check)) {
          model = retoucher;
          watch(opened);
          const { capabilities, manifest } = retoucher;
          const { name, version, dimensions, research } = manifest;
          const { adapter } = opened;
          const { latent: latentSize } = dimensions;
          return { device, adapter, model: `${name} ${version}`, latentSize, capabilities, research, check, refused };
        }
        refused.push({ device, why: 'wrong', detail: describe(check) });
      } catch (thrown) {
        if (!concernsDevice(thrown)) throw thrown;
        refused.push(refusalOf(device, thrown));
      }
      await retoucher?.dispose().catch(() => undefined);
    }
    throw noDevice(refused);
  }

  function load(id: number, { backend, available }: OpenedBackend, signal: AbortSignal): Promise<Retoucher> {
    return Retoucher.load(files, yielding(backend), {
      verify: 'used',
      signal,
      ...(available ? { available } : {}),
      onProgress: (progress) => {
        port.send({ kind: 'progress', id, progress });
      },
    });
  }

  function watch(opened: OpenedBackend): void {
    void opened.lost?.().then((detail) => {
      port.send({ kind: 'lost', detail });
    });
  }
}

/** Is another device worth trying? A damaged bundle is damaged on each. */
function concernsDevice(thrown: unknown): boolean {
  return thrown instanceof VeraRetouchError ? ['INFERENCE', 'BUNDLE_GRAPH', 'MEMORY'].includes(thrown.code) : true;
}

function refusalOf(device: Device, thrown: unknown): RefusedDevice {
  const memory = thrown instanceof InferenceError && thrown.code === 'MEMORY';
  // What follows here says what became of it.
  const detail = messageOf(thrown).replace(/\.? Nothing was loaded\.$/, '');
  return { device, why: memory ? 'memory' : 'failed', detail };
}

/** Why none was taken; where all that are there are too small, that is another thing to mend. */
function noDevice(refused: readonly RefusedDevice[]): InferenceError {
  const small = refused.filter(({ why }) => why === 'memory');
  if (small.length > 0 && refused.every(({ why }) => why === 'memory' || why === 'missing')) {
    return new InferenceError(
      `${small.map(({ detail }) => detail).join('. ')}. Nothing was loaded.`,
      'Close other programs, or use a smaller model.',
      undefined,
      'MEMORY',
    );
  }
  const reasons = refused.map(({ device, detail }) => `${device}: ${detail}`).join('; ');
  return new InferenceError(
    `No device of this computer runs the model as it must (${reasons}). Nothing was retouched.`,
    'Update the graphics driver or the system’s web view, or get the model again.',
  );
}

function describe(check: Awaited<ReturnType<typeof compareWithGolden>>): string {
  if (check.kind === 'none') return '';
  const words = check.words === undefined ? '' : `, ${Math.round(100 * check.words)} % of the words agree`;
  return `latents agree by ${check.cosine.toFixed(3)}, colours differ by ${check.colours.toFixed(3)}${words}`;
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

interface Wanted {
  resolve(bytes: Uint8Array): void;
  reject(error: Error): void;
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** The bundle's files, which the page has or can get. */
class PageFiles implements BundleSource {
  private readonly waiting = new Map<number, Wanted>();
  private readonly asked = new Map<number, (bytes: number | undefined) => void>();
  private next = 1;

  constructor(private readonly port: Port<FromWorker, ToWorker>) {}

  read(name: string, onBytes?: (bytes: number) => void): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const request = this.next++;
      this.waiting.set(request, { resolve, reject, onBytes });
      this.port.send({ kind: 'read', request, name });
    });
  }

  size(name: string): Promise<number | undefined> {
    return new Promise((resolve) => {
      const request = this.next++;
      this.asked.set(request, resolve);
      this.port.send({ kind: 'size', request, name });
    });
  }

  tell(request: number, bytes: number): void {
    this.waiting.get(request)?.onBytes?.(bytes);
  }

  settle(request: number, bytes: Uint8Array): void {
    this.waiting.get(request)?.resolve(bytes);
    this.waiting.delete(request);
  }

  fail(request: number, error: string, missing: boolean): void {
    // The code by which the bundle knows a file that is not there from one that cannot be read.
    this.waiting.get(request)?.reject(Object.assign(new Error(error), missing ? { code: 'ENOENT' } : {}));
    this.waiting.delete(request);
  }

  sized(request: number, bytes: number | undefined): void {
    this.asked.get(request)?.(bytes);
    this.asked.delete(request);
  }
}
