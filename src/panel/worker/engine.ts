import { type Device } from '../../inference';
import { PanelError, cancelled, isCancellation } from '../errors';
import {
  type CallName,
  type Calls,
  type FromWorker,
  type OpenedModel,
  type Port,
  type RefusedDevice,
  type ToWorker,
} from './protocol';
import { type CallOptions, type ModelSource, WorkerSession } from './session';

/** A running worker. */
export interface StartedWorker {
  readonly port: Port<ToWorker, FromWorker>;
  /** Told once when the worker dies by itself. */
  onDeath(listener: (reason: string) => void): void;
  terminate(): void;
}

/** What the engine is made of; the page gives real ones, tests may run the worker's code beside themselves. */
export interface EngineParts {
  startWorker(): Promise<StartedWorker>;
  readWasm(): Promise<ArrayBuffer | undefined>;
  /** The built-in model. */
  readonly model: ModelSource;
}

export type EngineEvent =
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready'; readonly model: OpenedModel }
  /** The worker and its memory are gone, until the next call. */
  | { readonly kind: 'asleep' }
  | { readonly kind: 'lost'; readonly device: RefusedDevice };

export interface EngineOptions {
  readonly devices?: readonly Device[];
  /** Is a GPU that is only a program taken too? */
  readonly software?: boolean;
  /** After as long without a call the worker is ended: memory that wasm has taken is given back in no other way. */
  readonly idleMs?: number;
  readonly onEvent?: ((event: EngineEvent) => void) | undefined;
}

export interface EngineCallOptions extends CallOptions {
  /** The call begins anew on another device: what came of it so far does not count. */
  readonly onRestart?: (() => void) | undefined;
}

interface Open {
  readonly worker: StartedWorker;
  readonly session: WorkerSession;
  readonly model: OpenedModel;
}

const FIVE_MINUTES = 5 * 60_000;

/** The model in its worker: started when first needed, kept warm, ended when idle, started anew when it died. */
export class Engine {
  private devices: readonly Device[];
  private model: ModelSource;
  private opening: Promise<Open> | undefined;
  private current: { worker: StartedWorker; session: WorkerSession } | undefined;
  private idle: ReturnType<typeof setTimeout> | undefined;
  private calls = 0;
  private given: readonly RefusedDevice[] = [];
  /** Counts what was ended: a start that was overtaken ends itself. */
  private epoch = 0;

  constructor(
    private readonly parts: EngineParts,
    private readonly options: EngineOptions = {},
  ) {
    this.devices = this.wishes.devices;
    this.model = parts.model;
  }

  /** The devices that are tried, and whether a GPU that is only a program counts. */
  get wishes(): { readonly devices: readonly Device[]; readonly software: boolean } {
    const { devices = ['webgpu', 'wasm'], software = false } = this.options;
    return { devices, software };
  }

  /**
   * Ends the model that is in use and starts another one, the built-in one unless told: the two are never in memory
   * together. Where that fails or is cancelled, the one before is in use again and is started anew.
   */
  async use(model: ModelSource = this.parts.model, options: CallOptions = {}): Promise<OpenedModel> {
    if (options.signal?.aborted) throw cancelled();
    const { model: before, devices, given } = this;
    this.become(model, this.wishes.devices, []);
    try {
      return await this.open(options);
    } catch (thrown) {
      this.become(before, devices, given);
      // Whoever needs it next is told where that fails too.
      this.open().catch(() => undefined);
      throw thrown;
    }
  }

  /** Starts the worker and the model now; the next call then does not wait for it. */
  async open(options: CallOptions = {}): Promise<OpenedModel> {
    return this.counted(async () => (await this.ready(options)).model);
  }

  /** One call of the worker. A device that fails in it is given up, and the call made again on the next one. */
  async call<K extends CallName>(
    name: K,
    input: Calls[K]['in'],
    options: EngineCallOptions = {},
  ): Promise<Calls[K]['out']> {
    return this.counted(async () => {
      for (;;) {
        const open = await this.ready(options);
        try {
          return await open.session.call(name, input, options);
        } catch (thrown) {
          if (!this.giveUp(open, thrown)) throw thrown;
          options.onRestart?.();
        }
      }
    });
  }

  /** Ends the worker. The next call starts it again. */
  close(): void {
    clearTimeout(this.idle);
    this.end(new PanelError('WORKER_LOST', 'The model was closed. Nothing was changed.', 'Start it again.'));
  }

  private become(model: ModelSource, devices: readonly Device[], given: readonly RefusedDevice[]): void {
    this.end(new PanelError('WORKER_LOST', 'Another model was chosen. Nothing was changed.', 'Try again with it.'));
    Object.assign(this, { model, devices, given });
  }

  private async counted<T>(work: () => Promise<T>): Promise<T> {
    clearTimeout(this.idle);
    this.calls++;
    try {
      return await work();
    } finally {
      this.calls--;
      // Where nothing is open, nothing is to be put to sleep.
      if (this.calls === 0 && this.opening) this.idle = setTimeout(this.sleep, this.options.idleMs ?? FIVE_MINUTES);
    }
  }

  private readonly sleep = (): void => {
    if (!this.opening) return;
    this.close();
    this.options.onEvent?.({ kind: 'asleep' });
  };

  /** A cancelled caller stops waiting; the model goes on starting, for the next one. */
  private ready({ signal, onProgress }: CallOptions): Promise<Open> {
    if (signal?.aborted) return Promise.reject(cancelled());
    this.opening ??= this.start(onProgress);
    const opening = this.opening;
    if (!signal) return opening;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        reject(cancelled());
      };
      signal.addEventListener('abort', stop, { once: true });
      opening.then(resolve, reject).finally(() => {
        signal.removeEventListener('abort', stop);
      });
    });
  }

  private async start(onProgress: CallOptions['onProgress']): Promise<Open> {
    this.options.onEvent?.({ kind: 'starting' });
    const { parts, epoch, model: source } = this;
    let mine: { worker: StartedWorker; session: WorkerSession } | undefined;
    try {
      const wasm = await parts.readWasm();
      if (epoch !== this.epoch) throw overtaken();
      const worker = await parts.startWorker();
      const session = new WorkerSession(worker.port, source, (detail) => {
        // A call that is under way notices by itself; between calls nobody would.
        if (!session.busy) this.giveUp(undefined, new PanelError('INFERENCE', detail));
      });
      mine = { worker, session };
      if (epoch !== this.epoch) throw overtaken();
      this.current = mine;
      worker.onDeath((reason) => {
        const ended = new PanelError(
          'WORKER_LOST',
          `The model’s worker stopped (${reason}). Nothing was changed.`,
          'Try again; close other programs if memory is short.',
        );
        if (this.current === mine) this.end(ended);
      });
      const whole = source !== parts.model;
      const input = { devices: this.devices, software: this.wishes.software, wasm, whole };
      const opened = await session.call('open', input, { onProgress }, wasm ? [wasm] : []);
      const model = { ...opened, refused: [...this.given, ...opened.refused] };
      this.options.onEvent?.({ kind: 'ready', model });
      return { worker, session, model };
    } catch (thrown) {
      mine?.session.end(overtaken());
      mine?.worker.terminate();
      if (epoch === this.epoch) {
        this.opening = undefined;
        this.current = undefined;
      }
      throw thrown;
    }
  }

  /** Gives the GPU up where it is to blame and something is left to try. */
  private giveUp(open: Open | undefined, thrown: unknown): boolean {
    if (isCancellation(thrown) || !(thrown instanceof PanelError)) return false;
    if (!['INFERENCE', 'BUNDLE_GRAPH'].includes(thrown.code)) return false;
    // Another call has given it up meanwhile: this one only has to be made again.
    if (open && this.current?.session !== open.session) return this.devices.length > 0;
    if (open && open.model.device !== 'webgpu') return false;
    if (!this.devices.includes('webgpu') || this.devices.length < 2) return false;
    this.devices = this.devices.filter((device) => device !== 'webgpu');
    const lost: RefusedDevice = { device: 'webgpu', why: 'lost', detail: thrown.message };
    this.given = [...this.given, lost];
    this.end(new PanelError('INFERENCE', thrown.message, thrown.hint));
    this.options.onEvent?.({ kind: 'lost', device: lost });
    return true;
  }

  private end(reason: PanelError): void {
    const { current } = this;
    this.epoch++;
    this.current = undefined;
    this.opening = undefined;
    current?.session.end(reason);
    current?.worker.terminate();
  }
}

function overtaken(): PanelError {
  return new PanelError(
    'WORKER_LOST',
    'The model was closed while it started. Nothing was changed.',
    'Start it again.',
  );
}
