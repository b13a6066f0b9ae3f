import { type LoadProgress, type TextEvent } from '../../inference';
import { PanelError, cancelled, isMissing, messageOf } from '../errors';
import { type CallName, type Calls, type FromWorker, type Port, type ToWorker } from './protocol';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onText?: ((event: TextEvent) => void) | undefined;
  readonly onLatents?: ((latents: Float32Array) => void) | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

/** Where a model's files come from. */
export interface ModelSource {
  /** Rejects with a code FILE_MISSING where there is no such file; with the cancellation when the signal fires. */
  read(name: string, onBytes?: (bytes: number) => void, signal?: AbortSignal): Promise<Uint8Array>;
  /** Bytes of a file, where that can be told without reading it. */
  size?(name: string): Promise<number | undefined>;
}

interface Pending extends CallOptions {
  settle(value: unknown): void;
  fail(error: PanelError): void;
}

/** One worker as the page sees it: calls with answers, streams and cancellation over messages. */
export class WorkerSession {
  private readonly pending = new Map<number, Pending>();
  private next = 1;
  private ended: PanelError | undefined;
  private readonly reading = new AbortController();

  /** `onLost` hears that the device went away. */
  constructor(
    private readonly port: Port<ToWorker, FromWorker>,
    private readonly model: ModelSource,
    onLost: (detail: string) => void,
  ) {
    port.listen((message) => {
      switch (message.kind) {
        case 'read':
          void this.handFile(message.request, message.name);
          break;
        case 'size':
          void this.tellSize(message.request, message.name);
          break;
        case 'lost':
          onLost(message.detail);
          break;
        case 'text':
          this.pending.get(message.id)?.onText?.(message.event);
          break;
        case 'latents':
          this.pending.get(message.id)?.onLatents?.(message.latents);
          break;
        case 'progress':
          this.pending.get(message.id)?.onProgress?.(message.progress);
          break;
        case 'result':
          this.pending.get(message.id)?.settle(message.value);
          break;
        case 'error': {
          const { code, message: text, hint } = message.error;
          this.pending.get(message.id)?.fail(new PanelError(code, text, hint));
          break;
        }
      }
    });
  }

  get busy(): boolean {
    return this.pending.size > 0;
  }

  /**
   * Rejects at once when the signal fires; the worker stops between two runs of a graph, and what it still sends is
   * dropped. Rejects with PanelError, which carries the worker's own code and texts.
   */
  call<K extends CallName>(
    name: K,
    input: Calls[K]['in'],
    options: CallOptions = {},
    transfer: Transferable[] = [],
  ): Promise<Calls[K]['out']> {
    const { signal } = options;
    if (this.ended) return Promise.reject(this.ended);
    if (signal?.aborted) return Promise.reject(cancelled());
    const id = this.next++;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.pending.delete(id);
        signal?.removeEventListener('abort', stop);
      };
      const stop = (): void => {
        done();
        this.port.send({ kind: 'cancel', id });
        reject(cancelled());
      };
      signal?.addEventListener('abort', stop, { once: true });
      this.pending.set(id, {
        ...options,
        settle: (value) => {
          done();
          resolve(value as Calls[K]['out']);
        },
        fail: (error) => {
          done();
          reject(error);
        },
      });
      this.port.send({ kind: 'call', id, name, input }, transfer);
    });
  }

  /** Fails all calls under way and all later ones, and stops reading files. */
  end(reason: PanelError): void {
    this.ended ??= reason;
    this.reading.abort();
    for (const pending of [...this.pending.values()]) pending.fail(reason);
  }

  private async handFile(request: number, name: string): Promise<void> {
    const tell = (bytes: number): void => {
      this.port.send({ kind: 'bytes', request, bytes });
    };
    try {
      const bytes = await this.model.read(name, tell, this.reading.signal);
      this.port.send({ kind: 'file', request, bytes }, [bytes.buffer as ArrayBuffer]);
    } catch (thrown) {
      this.port.send({ kind: 'nofile', request, error: messageOf(thrown), missing: isMissing(thrown) });
    }
  }

  private async tellSize(request: number, name: string): Promise<void> {
    // A size is for a bar: why a file cannot be had is said where it is read.
    const bytes = await this.model.size?.(name).catch(() => undefined);
    this.port.send({ kind: 'size', request, bytes });
  }
}
