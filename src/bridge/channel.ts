import { fromBase64, toBase64 } from './base64';
import { BridgeCancelled, BridgeError, type WireError } from './errors';
import { Link, type LinkCounts, type Port } from './link';
import {
  busy,
  type Head,
  lost,
  type Message,
  MOST_BYTES,
  MOST_OPEN,
  parse,
  refused,
  remote,
  tooMuch,
  unreadable,
  wire,
} from './messages';

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
const TIMEOUT_MS = 30000;

/** A message whose bytes are still coming. */
interface Arriving {
  readonly head: Head;
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
   * Asks the other side. Throws BridgeError BRIDGE_REMOTE with its error, BRIDGE_TIMEOUT, BRIDGE_LOST, BRIDGE_BUSY where
   * 64 requests are open already, BRIDGE_PROTOCOL where the parcel is too large to travel, and BridgeCancelled when
   * `signal` fires: the other side is then told, and its answer waited for only where `awaitOutcome` says so.
   */
  request(method: string, parcel: Parcel, options: RequestOptions = {}): Promise<Parcel> {
    if (this.closed) return Promise.reject(lost('The connection was closed.'));
    if (options.signal?.aborted) return Promise.reject(new BridgeCancelled());
    if (this.asked.size >= MOST_OPEN) return Promise.reject(refused(busy(`${MOST_OPEN} requests are open`)));
    const id = this.next++;
    const head = { kind: 'request', id, method, value: parcel.value, bytes: lengthsOf(parcel) } as const;
    const text = JSON.stringify(head);
    const excess = tooMuch(head, text);
    if (excess) return Promise.reject(refused(unreadable(excess)));
    return new Promise((resolve, reject) => {
      const cancel = (): void => {
        this.send({ kind: 'cancel', id });
        if (!options.awaitOutcome) this.settle(id)?.reject(new BridgeCancelled());
      };
      options.signal?.addEventListener('abort', cancel, { once: true });
      const stop = (): void => options.signal?.removeEventListener('abort', cancel);
      this.asked.set(id, { resolve, reject, options, timer: undefined, stop });
      this.wait(id);
      this.sendParcel(head, text, parcel.bytes);
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

  private sendParcel(head: Pick<Head, 'kind' | 'id'>, text: string, bytes: readonly Uint8Array[] = []): void {
    this.link.send(text);
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
        this.cancel(message.id);
        return;
      case 'event':
        return this.options.onEvent?.(message.name, message.value);
    }
  }

  private takeHead(head: Head): void {
    const { kind, id } = head;
    // An answer that nobody waits for any more is not worth its memory.
    if (kind === 'result' && !this.asked.has(id)) return;
    const key = `${kind} ${id}`;
    if (this.arriving.has(key) || (kind === 'request' && this.answering.has(id))) {
      // The first of that number goes on: an error would end it on the other side.
      this.protocolErrors++;
      return;
    }
    const total = head.bytes.reduce((sum, length) => sum + length, 0);
    const excess = tooMuch(head);
    if (excess) {
      this.refuse(head, unreadable(excess));
      return;
    }
    const full = this.full(kind, total);
    if (full) {
      this.refuse(head, busy(full));
      return;
    }
    const arriving = { head, buffers: head.bytes.map((length) => new Uint8Array(length)), filled: 0, total };
    if (total === 0) this.complete(arriving);
    else this.arriving.set(key, arriving);
  }

  /** What there is no room for beside what the other side holds open here; undefined where there is. */
  private full(kind: Head['kind'], bytes: number): string | undefined {
    const coming = [...this.arriving.values()];
    const requests = this.answering.size + coming.filter(({ head }) => head.kind === 'request').length;
    if (kind === 'request' && requests >= MOST_OPEN) return `${MOST_OPEN} requests are open`;
    const held = coming.reduce((sum, { total }) => sum + total, 0);
    return held + bytes > MOST_BYTES ? `${MOST_BYTES / 2 ** 20} MiB are still on their way` : undefined;
  }

  /** A request whose bytes are still coming is dropped; one that is worked on is told. */
  private cancel(id: number): void {
    this.answering.get(id)?.abort();
    if (this.arriving.delete(`request ${id}`)) this.send({ kind: 'error', id, error: wire(new BridgeCancelled()) });
  }

  private takePart(of: 'request' | 'result', id: number, data: string): void {
    const key = `${of} ${id}`;
    const arriving = this.arriving.get(key);
    // The rest of a message that was refused or given up.
    if (!arriving) return;
    const bytes = fromBase64(data);
    if (!bytes || !fill(arriving, bytes)) {
      this.arriving.delete(key);
      this.refuse(arriving.head, unreadable('its bytes are not those that were announced'));
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
    // After a reload the other side counts from 1 again: what it asked for before then has nobody to answer to.
    const isWanted = (): boolean => this.answering.get(id) === controller;
    try {
      const progress = (value: unknown): void => {
        if (isWanted()) this.send({ kind: 'progress', id, value });
      };
      const result = await handler(parcel, { signal: controller.signal, progress });
      if (isWanted()) this.sendResult(id, result);
    } catch (thrown) {
      if (isWanted()) this.send({ kind: 'error', id, error: wire(thrown) });
    } finally {
      if (isWanted()) this.answering.delete(id);
    }
  }

  private sendResult(id: number, result: Parcel): void {
    const head = { kind: 'result', id, value: result.value, bytes: lengthsOf(result) } as const;
    const text = JSON.stringify(head);
    const excess = tooMuch(head, text);
    if (excess) this.send({ kind: 'error', id, error: unreadable(excess) });
    else this.sendParcel(head, text, result.bytes);
  }

  private refuse({ kind, id }: Head, error: WireError): void {
    this.protocolErrors++;
    if (kind === 'request') this.send({ kind: 'error', id, error });
    else this.settle(id)?.reject(refused(error));
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

function lengthsOf({ bytes = [] }: Parcel): number[] {
  return bytes.map(({ length }) => length);
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
