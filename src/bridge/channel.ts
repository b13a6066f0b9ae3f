import { fromBase64, toBase64 } from './base64';
import { BridgeCancelled, BridgeError, type WireError } from './errors';
import { Link, type LinkCounts, type Port } from './link';

/** A value that JSON can carry, and bytes beside it, which JSON cannot. */
export interface Parcel {
  readonly value: unknown;
  readonly bytes?: readonly Uint8Array[] | undefined;
}

export interface RequestContext {
  readonly signal: AbortSignal;
  readonly progress: (value: unknown) => void;
}

/** Answers a request, or throws: a WireError's texts travel to the other side. */
export type Handler = (request: Parcel, context: RequestContext) => Promise<Parcel>;

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((value: unknown) => void) | undefined;
  /** Milliseconds without any word of this request, progress included, after which it is given up. */
  readonly timeoutMs?: number | undefined;
  /**
   * Wait for the other side's answer after a cancel too: for work of which one must know whether it was done, because the
   * cancel may come too late.
   */
  readonly awaitOutcome?: boolean | undefined;
}

export interface ChannelOptions {
  readonly port: Port;
  readonly session: string;
  readonly handlers: Readonly<Record<string, Handler>>;
  readonly onEvent?: (name: string, value: unknown) => void;
  readonly onPeer?: (again: boolean) => void;
  readonly retryMs?: number;
}

/** Bytes in one message: half a megabyte of text, far below the megabyte at which plugins report trouble. */
const PART_BYTES = 384 * 1024;
/** No more is taken from the other side for one request: 110 megapixels of 16-bit RGBA would never travel. */
const MOST_BYTES = 256 * 1024 * 1024;
const TIMEOUT_MS = 30000;

type Message =
  | { kind: 'request'; id: number; method: string; value: unknown; bytes: number[] }
  | { kind: 'result'; id: number; value: unknown; bytes: number[] }
  | { kind: 'part'; id: number; of: 'request' | 'result'; data: string }
  | { kind: 'error'; id: number; error: WireError }
  | { kind: 'progress'; id: number; value: unknown }
  | { kind: 'cancel'; id: number }
  | { kind: 'event'; name: string; value: unknown };

/** A message whose bytes are still coming. */
interface Arriving {
  readonly head: Extract<Message, { kind: 'request' | 'result' }>;
  readonly buffers: Uint8Array[];
  filled: number;
  readonly total: number;
}

interface Asked {
  readonly resolve: (parcel: Parcel) => void;
  readonly reject: (error: Error) => void;
  readonly options: RequestOptions;
  timer: ReturnType<typeof setTimeout> | undefined;
  readonly stop: () => void;
}

/** Requests with answers, progress and cancellation, and events, in both directions over one Link. */
export class Channel {
  private readonly link: Link;
  private next = 1;
  private readonly asked = new Map<number, Asked>();
  private readonly answering = new Map<number, AbortController>();
  private readonly arriving = new Map<string, Arriving>();
  private protocolErrors = 0;
  private closed = false;

  constructor(private readonly options: ChannelOptions) {
    this.link = new Link({
      port: options.port,
      session: options.session,
      onText: (text) => {
        this.take(text);
      },
      onPeer: (again) => {
        if (again) this.lose('The other side was loaded anew.');
        options.onPeer?.(again);
      },
      ...(options.retryMs === undefined ? {} : { retryMs: options.retryMs }),
    });
  }

  get connected(): boolean {
    return this.link.connected;
  }

  /** For diagnostics. */
  get counts(): LinkCounts & { readonly protocol: number } {
    return { ...this.link.counts, protocol: this.protocolErrors };
  }

  /**
   * Asks the other side. Throws BridgeError BRIDGE_REMOTE with its error, BRIDGE_TIMEOUT, BRIDGE_LOST, and
   * BridgeCancelled when `signal` fires: the other side is then told, and its answer waited for only where `awaitOutcome` says so.
   */
  request(method: string, parcel: Parcel, options: RequestOptions = {}): Promise<Parcel> {
    if (this.closed) return Promise.reject(lost('The connection was closed.'));
    if (options.signal?.aborted) return Promise.reject(new BridgeCancelled());
    const id = this.next++;
    return new Promise((resolve, reject) => {
      const cancel = (): void => {
        this.send({ kind: 'cancel', id });
        if (!options.awaitOutcome) this.settle(id)?.reject(new BridgeCancelled());
      };
      options.signal?.addEventListener('abort', cancel, { once: true });
      const stop = (): void => options.signal?.removeEventListener('abort', cancel);
      this.asked.set(id, { resolve, reject, options, timer: undefined, stop });
      this.wait(id);
      this.sendParcel({ kind: 'request', id, method, value: parcel.value, bytes: [] }, parcel.bytes);
    });
  }

  /** Tells the other side something that it does not answer. */
  event(name: string, value: unknown): void {
    this.send({ kind: 'event', name, value });
  }

  /** Ends all requests with BRIDGE_LOST, and stops those of the other side. */
  close(): void {
    this.closed = true;
    this.lose('The connection was closed.');
    this.link.close();
  }

  private send(message: Message): void {
    this.link.send(JSON.stringify(message));
  }

  private sendParcel(head: Extract<Message, { kind: 'request' | 'result' }>, bytes: readonly Uint8Array[] = []): void {
    this.send({ ...head, bytes: bytes.map(({ length }) => length) });
    for (const one of bytes) {
      for (let at = 0; at < one.length; at += PART_BYTES) {
        const data = toBase64(one.subarray(at, at + PART_BYTES));
        this.send({ kind: 'part', id: head.id, of: head.kind, data });
      }
    }
  }

  private take(text: string): void {
    const message = parse(text);
    if (!message) {
      this.protocolErrors++;
      return;
    }
    switch (message.kind) {
      case 'request':
      case 'result': {
        this.takeHead(message);
        return;
      }
      case 'part': {
        this.takePart(message.of, message.id, message.data);
        return;
      }
      case 'error':
        return this.settle(message.id)?.reject(remote(message.error));
      case 'progress':
        this.wait(message.id);
        return this.asked.get(message.id)?.options.onProgress?.(message.value);
      case 'cancel':
        return this.answering.get(message.id)?.abort();
      case 'event':
        return this.options.onEvent?.(message.name, message.value);
    }
  }

  private takeHead(head: Arriving['head']): void {
    const total = head.bytes.reduce((sum, length) => sum + length, 0);
    if (total > MOST_BYTES) {
      this.refuse(head, `${total} bytes were announced, at most ${MOST_BYTES} are taken`);
      return;
    }
    const buffers = head.bytes.map((length) => new Uint8Array(length));
    const arriving = { head, buffers, filled: 0, total };
    if (total === 0) this.complete(arriving);
    else this.arriving.set(`${head.kind} ${head.id}`, arriving);
  }

  private takePart(of: 'request' | 'result', id: number, data: string): void {
    const key = `${of} ${id}`;
    const arriving = this.arriving.get(key);
    // The rest of a message that was refused or given up.
    if (!arriving) return;
    const bytes = fromBase64(data);
    if (!bytes || !fill(arriving, bytes)) {
      this.arriving.delete(key);
      this.refuse(arriving.head, 'its bytes are not those that were announced');
      return;
    }
    if (of === 'result') this.wait(id);
    if (arriving.filled < arriving.total) return;
    this.arriving.delete(key);
    this.complete(arriving);
  }

  private complete({ head, buffers }: Arriving): void {
    const parcel = { value: head.value, bytes: buffers };
    if (head.kind === 'result') this.settle(head.id)?.resolve(parcel);
    else void this.answer(head.id, head.method, parcel);
  }

  private async answer(id: number, method: string, parcel: Parcel): Promise<void> {
    const handler = Object.hasOwn(this.options.handlers, method) ? this.options.handlers[method] : undefined;
    if (!handler) {
      const error = { code: 'BRIDGE_PROTOCOL', message: `Nothing here answers to ${JSON.stringify(method)}.` };
      this.send({ kind: 'error', id, error });
      return;
    }
    const controller = new AbortController();
    this.answering.set(id, controller);
    try {
      const progress = (value: unknown): void => {
        this.send({ kind: 'progress', id, value });
      };
      const result = await handler(parcel, { signal: controller.signal, progress });
      if (this.answering.has(id)) this.sendParcel({ kind: 'result', id, value: result.value, bytes: [] }, result.bytes);
    } catch (thrown) {
      if (this.answering.has(id)) this.send({ kind: 'error', id, error: wire(thrown) });
    } finally {
      this.answering.delete(id);
    }
  }

  private refuse({ kind, id }: Arriving['head'], why: string): void {
    this.protocolErrors++;
    const error = { code: 'BRIDGE_PROTOCOL', message: `A message was refused: ${why}. Nothing was done.` };
    if (kind === 'request') this.send({ kind: 'error', id, error });
    else
      this.settle(id)?.reject(
        new BridgeError('BRIDGE_PROTOCOL', error.message, 'Try again; reload the panel if it stays.'),
      );
  }

  private wait(id: number): void {
    const asked = this.asked.get(id);
    if (!asked) return;
    clearTimeout(asked.timer);
    const limit = asked.options.timeoutMs ?? TIMEOUT_MS;
    asked.timer = setTimeout(() => {
      this.send({ kind: 'cancel', id });
      this.settle(id)?.reject(
        new BridgeError(
          'BRIDGE_TIMEOUT',
          `There was no answer for ${limit / 1000} seconds. What was asked for was cancelled.`,
          'Try again; reload the panel if it stays.',
        ),
      );
    }, limit);
  }

  private settle(id: number): Asked | undefined {
    const asked = this.asked.get(id);
    if (!asked) return undefined;
    clearTimeout(asked.timer);
    asked.stop();
    this.asked.delete(id);
    this.arriving.delete(`result ${id}`);
    return asked;
  }

  private lose(what: string): void {
    for (const id of [...this.asked.keys()]) this.settle(id)?.reject(lost(what));
    for (const controller of this.answering.values()) controller.abort();
    this.answering.clear();
    this.arriving.clear();
  }
}

function fill(arriving: Arriving, bytes: Uint8Array): boolean {
  if (bytes.length === 0 || arriving.filled + bytes.length > arriving.total) return false;
  let start = 0;
  for (const buffer of arriving.buffers) {
    const at = arriving.filled - start;
    if (at < buffer.length) {
      // A part never reaches into the next array.
      if (at + bytes.length > buffer.length) return false;
      buffer.set(bytes, at);
      arriving.filled += bytes.length;
      return true;
    }
    start += buffer.length;
  }
  return false;
}

function lost(what: string): BridgeError {
  return new BridgeError('BRIDGE_LOST', `${what} What was under way was given up.`, 'Try again.');
}

function remote(error: WireError): Error {
  if (error.code === 'ABORT_ERR') return new BridgeCancelled();
  return new BridgeError('BRIDGE_REMOTE', error.message, error.hint ?? 'Try again.', error);
}

function wire(thrown: unknown): WireError {
  const { code, message, hint } = (thrown ?? {}) as Partial<Record<keyof WireError, unknown>>;
  return {
    code: typeof code === 'string' ? code : 'UNEXPECTED',
    message: typeof message === 'string' ? message : String(thrown),
    ...(typeof hint === 'string' ? { hint } : {}),
  };
}

/** Undefined for what is no message of this protocol. */
function parse(text: string): Message | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const message = json as Partial<Record<string, unknown>> | null;
  if (typeof message !== 'object' || message === null) return undefined;
  const { kind, id, method, bytes, of, data, name, error } = message;
  const numbered = Number.isSafeInteger(id) && (id as number) > 0;
  const lengths = Array.isArray(bytes) && bytes.every((length) => Number.isSafeInteger(length) && length >= 0);
  const { code, message: words } = (error ?? {}) as Partial<Record<keyof WireError, unknown>>;
  const good =
    (kind === 'request' && numbered && typeof method === 'string' && lengths) ||
    (kind === 'result' && numbered && lengths) ||
    (kind === 'part' && numbered && (of === 'request' || of === 'result') && typeof data === 'string') ||
    (kind === 'error' && numbered && typeof code === 'string' && typeof words === 'string') ||
    ((kind === 'progress' || kind === 'cancel') && numbered) ||
    (kind === 'event' && typeof name === 'string');
  return good ? (message as Message) : undefined;
}
