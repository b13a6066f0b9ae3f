import type { Backend, Session, SessionOptions } from './backend';
import { readAll, type Bundle, type VerifyProgress } from './bundle';
import { BundleError, InferenceError, messageOf, throwIfCancelled } from './errors';
import { cacheNames, shapeFault } from './graphShapes';
import { FOCUS_GRAPHS, type GraphName, type Manifest, type Mode } from './manifest';
import { Serial } from './serial';

interface Signature {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** A file to be read: a graph's, or weights that are apart, which have no graph here. */
interface WantedFile {
  readonly graph?: GraphName;
  readonly file: string;
  /** The file of the graph's weights, which was read just before. */
  readonly apart?: string;
}

function signature(graph: GraphName, { dimensions: { layers }, focus }: Manifest): Signature {
  switch (graph) {
    case 'vision':
      return { inputs: ['image'], outputs: ['image_tokens'] };
    case 'params':
      return { inputs: ['params'], outputs: ['param_tokens', 'latents'] };
    case 'embed':
      return { inputs: ['input_ids'], outputs: ['embeds'] };
    case 'decoder':
      return {
        inputs: ['inputs_embeds', 'attention_mask', ...cacheNames('past', layers)],
        outputs: ['hidden', 'logits', ...cacheNames('present', layers)],
      };
    case 'style':
      return { inputs: ['embeds', 'image_tokens'], outputs: ['style_tokens'] };
    case 'effect':
      return { inputs: ['image', 'plan'], outputs: ['effect_tokens'] };
    case 'adaptor':
      return { inputs: focus ? ['states', 'plan'] : ['states'], outputs: ['latents'] };
    case 'renderer':
      return { inputs: ['rgb', 'latents'], outputs: ['out'] };
    case 'encoder':
      return { inputs: ['before', 'after'], outputs: ['latents'] };
  }
}

/** In the order in which they are used. */
const GRAPHS_OF: Readonly<Record<Mode, readonly GraphName[]>> = {
  auto: ['vision', 'effect', 'embed', 'decoder', 'adaptor', 'renderer'],
  style: ['vision', 'style', 'effect', 'embed', 'decoder', 'adaptor', 'renderer'],
  param: ['params', 'embed', 'decoder', 'adaptor', 'renderer'],
  reference: ['encoder', 'renderer'],
};

/** The graphs that a mode needs of this bundle. */
export function graphsOf(mode: Mode, { focus, graphs }: Pick<Manifest, 'focus' | 'graphs'>): readonly GraphName[] {
  return GRAPHS_OF[mode].filter((graph) => {
    if (graph === 'params') return graphs.params.size > 0;
    return focus || !FOCUS_GRAPHS.some((name) => name === graph);
  });
}

/**
 * The graphs of a bundle, each loaded when it is first asked for: param mode never reads the vision graph, and a
 * reference look needs the encoder and the renderer only.
 */
export class Graphs {
  private readonly sessions = new Map<GraphName, Session>();
  private readonly serial = new Serial();
  private spentMs = 0;
  private disposed = false;

  constructor(
    private readonly bundle: Bundle,
    private readonly backend: Backend,
    private readonly onLoad?: (progress: VerifyProgress) => void,
  ) {}

  /** Milliseconds spent reading, verifying and loading graphs so far. */
  get loadMs(): number {
    return this.spentMs;
  }

  /**
   * The session of a graph. Calls that overlap load one after the other. Throws BundleError when the file is
   * missing, changed, or no such graph; CancelledError when the signal fires before it is loaded.
   */
  async get(graph: GraphName, signal?: AbortSignal): Promise<Session> {
    await this.serial.run(() => this.loadMissing([graph], signal));
    return this.sessions.get(graph)!;
  }

  /** Loads those of the graphs that are not loaded yet, but for those that are only loaded to be used. Throws as `get`. */
  async prepare(graphs: readonly GraphName[], signal?: AbortSignal): Promise<void> {
    const kept = graphs.filter((graph) => !this.releases(graph));
    await this.serial.run(() => this.loadMissing(kept, signal));
  }

  private async loadMissing(graphs: readonly GraphName[], signal?: AbortSignal): Promise<void> {
    if (this.disposed) {
      throw new InferenceError('The retoucher was disposed of. Nothing was run.', 'Load it again.');
    }
    const missing = graphs.filter((graph) => !this.sessions.has(graph));
    if (missing.length === 0) return;
    const { device, halfFloat } = this.backend;
    const { weights } = this.bundle.manifest;
    // Weights that are apart come before their graph.
    const wanted = missing.flatMap((graph): WantedFile[] => {
      const file = this.bundle.graphFile(graph, device, halfFloat);
      const apart = weights.get(file);
      return apart === undefined ? [{ graph, file }] : [{ file: apart }, { graph, file, apart }];
    });
    const files = wanted.map(({ file }) => file);
    const started = performance.now();
    let next = 0;
    let held: Uint8Array | undefined;
    try {
      await readAll(this.bundle, files, { signal, onProgress: this.onLoad }, async (file, onBytes) => {
        const { graph, apart } = wanted[next++];
        const bytes = await this.bundle.read(file, signal, onBytes);
        if (graph === undefined) held = bytes;
        else {
          const weightsOfGraph = held && apart !== undefined ? { name: apart, bytes: held } : undefined;
          held = undefined;
          this.sessions.set(graph, await this.load(graph, file, bytes, weightsOfGraph));
        }
        throwIfCancelled(signal);
      });
    } finally {
      this.spentMs += performance.now() - started;
    }
  }

  /** Gives the memory of the vision graph back where the bundle says that this device needs it for what comes next. */
  async visionIsDone(): Promise<void> {
    const session = this.sessions.get('vision');
    if (!session || !this.releases('vision')) return;
    this.sessions.delete('vision');
    await session.dispose();
  }

  private releases(graph: GraphName): boolean {
    const { device, halfFloat } = this.backend;
    const { releaseVision } = this.bundle.manifest;
    return graph === 'vision' && releaseVision.has(halfFloat ? 'webgpu-f16' : device);
  }

  /** Releases every session; no other call may follow. */
  async dispose(): Promise<void> {
    this.disposed = true;
    const sessions = [...this.sessions.values()];
    this.sessions.clear();
    for (const session of sessions) await session.dispose();
  }

  private async load(
    graph: GraphName,
    file: string,
    bytes: Uint8Array,
    weights: SessionOptions['weights'],
  ): Promise<Session> {
    const { dimensions } = this.bundle.manifest;
    const keepOnDevice = graph === 'decoder' ? cacheNames('present', dimensions.layers) : [];
    const session = await this.createSession(file, bytes, { keepOnDevice, weights });
    const { inputs, outputs } = signature(graph, this.bundle.manifest);
    const missing = [
      ...inputs.filter((name) => !session.inputNames.includes(name)).map((name) => `input ${name}`),
      ...outputs.filter((name) => !session.outputNames.includes(name)).map((name) => `output ${name}`),
    ];
    const fault =
      missing.length > 0
        ? `it lacks the ${missing.join(', ')} that bundle.json's dimensions ask for`
        : shapeFault(graph, this.bundle.manifest, session);
    if (fault === undefined) return session;
    await session.dispose();
    throw badGraph(file, fault);
  }

  private async createSession(file: string, bytes: Uint8Array, options: SessionOptions): Promise<Session> {
    try {
      return await this.backend.createSession(bytes, options);
    } catch (cause) {
      throw badGraph(file, messageOf(cause), cause);
    }
  }
}

function badGraph(file: string, what: string, cause?: unknown): BundleError {
  return new BundleError(
    'BUNDLE_GRAPH',
    `The graph ${file} of the bundle cannot be used: ${what}. Nothing was run with it.`,
    'Choose another device, or get a bundle made for this version.',
    cause,
  );
}
