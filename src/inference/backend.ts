import type {
  Env,
  InferenceSession,
  InferenceSessionFactory,
  Tensor as OrtTensor,
  TensorConstructor,
} from 'onnxruntime-common';
import { InferenceError, messageOf } from './errors';
import { Serial } from './serial';

/** Where graphs run. The bundle may hold another file of a graph for each. */
export type Device = 'node' | 'wasm' | 'webgpu';

/** An array with a shape, on whatever memory the device uses. Usable until disposed. */
export interface Tensor {
  readonly dims: readonly number[];
  /** The values in row-major order, fetched from the device if they are there. Throws InferenceError unless float32. */
  floats(): Promise<Float32Array>;
  dispose(): void;
}

/** Number types of a key/value cache. */
export type CacheType = 'float32' | 'float16';

export interface SessionOptions {
  /** Outputs that are only fed back into the same session: they may stay in the device's memory. */
  readonly keepOnDevice?: readonly string[];
  /** The file that the graph names for its weights; on `wasm` and `webgpu` only. */
  readonly weights?: { readonly name: string; readonly bytes: Uint8Array } | undefined;
}

/** Lengths of the axes of an input or output; a name, or a number below 0, for one that the graph leaves open. */
export type Shape = readonly (number | string)[];

/** One graph, ready to run. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Shapes of inputs and outputs by their names, as far as the runtime tells them. */
  readonly shapes?: ReadonlyMap<string, Shape>;
  /**
   * Runs the graph and returns the outputs named in `outputs`. The caller owns (and disposes) feeds and results.
   * Runs of one backend never overlap. Throws InferenceError when the runtime fails.
   *
   * `into` names tensors that outputs may be written into, even while they are fed: those come back as they are. Only
   * the device `node` does so; elsewhere every output is a new tensor.
   */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    outputs: readonly string[],
    into?: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}

/** Everything that the product needs from an inference runtime. */
export interface Backend {
  readonly device: Device;
  /** May graphs be taken that compute in half precision on the GPU (WebGPU's shader-f16)? */
  readonly halfFloat: boolean;
  /** A tensor of zeros, whose dispose() may be called once only. */
  zeros(type: CacheType, dims: readonly number[]): Tensor;
  /** float32 tensor over `data` (not copied), whose length is the product of `dims`. */
  floats(data: Float32Array, dims: readonly number[]): Tensor;
  /** int64 tensor over `data` (not copied), whose length is the product of `dims`. */
  integers(data: BigInt64Array, dims: readonly number[]): Tensor;
  /** A session over the bytes of an ONNX file. Throws InferenceError when the runtime refuses them. */
  createSession(bytes: Uint8Array, options?: SessionOptions): Promise<Session>;
}

/** What onnxruntime-node, onnxruntime-web and onnxruntime-web/webgpu have in common. */
export interface OrtModule {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
  readonly env: Env;
}

export interface OrtBackendOptions {
  readonly device: Device;
  /** On `webgpu`: has the adapter the feature "shader-f16"? Ignored elsewhere. */
  readonly halfFloat?: boolean;
  /** CPU threads of one run, for `node` and `wasm`; the runtime chooses when absent. */
  readonly threads?: number;
  /** Execution providers to use instead of the device's own (cpu, wasm, webgpu), in onnxruntime's form. */
  readonly executionProviders?: readonly InferenceSession.ExecutionProviderConfig[];
}

const PROVIDER: Record<Device, string> = { node: 'cpu', wasm: 'wasm', webgpu: 'webgpu' };

/**
 * A backend over an onnxruntime module that the caller has imported: onnxruntime-node, onnxruntime-web or
 * onnxruntime-web/webgpu. This part imports none of them, so a page never carries the native module.
 */
export function createOrtBackend(ort: OrtModule, options: OrtBackendOptions): Backend {
  if (options.threads !== undefined && options.device !== 'node') ort.env.wasm.numThreads = options.threads;
  // One queue for all sessions: the web builds share one wasm instance between them.
  const serial = new Serial();
  return {
    device: options.device,
    halfFloat: options.device === 'webgpu' && options.halfFloat === true,
    zeros: (type, dims) => {
      const count = dims.reduce((product, length) => product * length, 1);
      // Half floats travel as 16-bit words; a zero is a zero in either.
      const data = type === 'float16' ? new Uint16Array(count) : new Float32Array(count);
      return new WrappedTensor(new ort.Tensor(type, data, dims));
    },
    floats: (data, dims) => new WrappedTensor(new ort.Tensor('float32', data, dims)),
    integers: (data, dims) => new WrappedTensor(new ort.Tensor('int64', data, dims)),
    createSession: (bytes, sessionOptions) =>
      serial.run(async () => {
        try {
          const session = await ort.InferenceSession.create(bytes, ortSessionOptions(options, sessionOptions));
          return new OrtSession(session, serial, options.device === 'node');
        } catch (cause) {
          throw new InferenceError(
            `onnxruntime could not load a graph on device "${options.device}": ${messageOf(cause)}. Nothing was run.`,
            'Choose another device, or check that the bundle is meant for this version of onnxruntime.',
            cause,
          );
        }
      }),
  };
}

function ortSessionOptions(options: OrtBackendOptions, session?: SessionOptions): InferenceSession.SessionOptions {
  const keep = options.device === 'webgpu' ? (session?.keepOnDevice ?? []) : [];
  const weights = session?.weights;
  return {
    executionProviders: options.executionProviders ?? [PROVIDER[options.device]],
    graphOptimizationLevel: 'all',
    // Errors only: onnxruntime's warnings about its own optimiser mean nothing to a person who retouches.
    logSeverityLevel: 3,
    ...(options.threads !== undefined && options.device === 'node' ? { intraOpNumThreads: options.threads } : {}),
    // Weights that a graph dequantises itself are widened when it is loaded: multiplied as they are stored, as on other
    // devices, they are many times slower here.
    ...(options.device === 'wasm' ? { extra: { session: { disable_quant_qdq: '1' } } } : {}),
    ...(weights ? { externalData: [{ path: weights.name, data: weights.bytes }] } : {}),
    ...(keep.length > 0
      ? { preferredOutputLocation: Object.fromEntries(keep.map((name) => [name, 'gpu-buffer' as const])) }
      : {}),
  };
}

class WrappedTensor implements Tensor {
  constructor(readonly value: OrtTensor) {}

  get dims(): readonly number[] {
    return this.value.dims;
  }

  async floats(): Promise<Float32Array> {
    if (this.value.type !== 'float32') {
      throw new InferenceError(
        `The model gave values of type ${this.value.type} where float32 is expected. No result was produced.`,
        'Export the graphs of the bundle with float32 inputs and outputs.',
      );
    }
    return (await this.value.getData()) as Float32Array;
  }

  dispose(): void {
    this.value.dispose();
  }
}

class OrtSession implements Session {
  readonly shapes: ReadonlyMap<string, Shape>;

  constructor(
    private readonly session: InferenceSession,
    private readonly serial: Serial,
    private readonly writesInto: boolean,
  ) {
    const values = [...session.inputMetadata, ...session.outputMetadata];
    this.shapes = new Map(values.flatMap((value) => (value.isTensor ? [[value.name, value.shape]] : [])));
  }

  get inputNames(): readonly string[] {
    return this.session.inputNames;
  }

  get outputNames(): readonly string[] {
    return this.session.outputNames;
  }

  run(
    feeds: Readonly<Record<string, Tensor>>,
    outputs: readonly string[],
    into: Readonly<Record<string, Tensor>> = {},
  ): Promise<Record<string, Tensor>> {
    const given: Readonly<Record<string, Tensor | undefined>> = this.writesInto ? into : {};
    return this.serial.run(async () => {
      const values = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, unwrap(tensor)]));
      try {
        const fetches = outputs.map((name) => [name, given[name] ? unwrap(given[name]) : null] as const);
        const results = await this.session.run(values, Object.fromEntries(fetches));
        return Object.fromEntries(outputs.map((name) => [name, given[name] ?? new WrappedTensor(results[name])]));
      } catch (cause) {
        throw new InferenceError(
          `onnxruntime failed while running the model: ${messageOf(cause)}. No result was produced.`,
          'Close other programs if memory is short, or choose another device.',
          cause,
        );
      }
    });
  }

  dispose(): Promise<void> {
    return this.serial.run(() => this.session.release());
  }
}

function unwrap(tensor: Tensor): OrtTensor {
  if (tensor instanceof WrappedTensor) return tensor.value;
  throw new InferenceError(
    'A tensor of another backend was handed to this one. Nothing was run.',
    'Make every tensor with the backend that runs it.',
  );
}
