import { checksum } from './checksum';

/** One end of what carries messages: `webview.postMessage` on one side, `uxpHost.postMessage` on the other. */
export interface Port {
  post(message: unknown): void;
  /** Returns what ends the listening. */
  listen(listener: (message: unknown) => void): () => void;
}

export interface LinkOptions {
  readonly port: Port;
  /** A name for this life of this side: another one after every reload. */
  readonly session: string;
  /** The text of the other side, each once and in its order. */
  readonly onText: (text: string) => void;
  /** The other side is there, or is there anew: what was sent to its earlier life is lost. */
  readonly onPeer?: (again: boolean) => void;
  /** Milliseconds after which what was not confirmed is sent again. */
  readonly retryMs?: number;
}

/** Counts of what came and was not used, for diagnostics. */
export interface LinkCounts {
  foreign: number;
  damaged: number;
  doubled: number;
  resent: number;
}

const MARK = 'veraretouch-bridge';
const VERSION = 1;
/** Frames that may be under way unconfirmed: with parts of half a megabyte, four megabytes of memory. */
const WINDOW = 8;
const RETRY_MS = 250;
const LONGEST_WAIT = 16;
/** Characters of a session's name, of which ours have 36. */
const LONGEST_NAME = 200;
/** How many earlier lives of the other side are told from a new one: whoever reloads oftener leaves no late messages. */
const PAST = 1000;

interface Frame {
  readonly mark: typeof MARK;
  readonly version: number;
  readonly from: string;
  /** The session that is spoken to; empty while it is not known. */
  readonly to: string;
  /** Counts the texts of this session from 1; 0 in a frame without one. */
  readonly seq: number;
  /** All texts of the other side up to this one have come. */
  readonly ack: number;
  readonly text: string;
  readonly crc: number;
}

/**
 * Texts between two sides over a port that may lose, double, reorder or damage messages: each text arrives once, whole
 * and in order, or the other side has gone. Frames are numbered, checked and confirmed; what is not confirmed is sent
 * again. A side that was loaded anew is noticed by its session. Messages of others on the same port are ignored and
 * counted.
 */
export class Link {
  readonly counts: LinkCounts = { foreign: 0, damaged: 0, doubled: 0, resent: 0 };
  private peer = '';
  private sent = 0;
  private received = 0;
  private readonly waiting: string[] = [];
  private unconfirmed: { seq: number; text: string }[] = [];
  private readonly early = new Map<number, string>();
  private readonly stopListening: () => void;
  /** Earlier lives of the other side, whose late messages mean nothing any more. */
  private readonly past = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private delay: number;
  /** How often what was not confirmed was sent again. */
  private rounds = 0;
  private closed = false;

  constructor(private readonly options: LinkOptions) {
    this.delay = options.retryMs ?? RETRY_MS;
    this.stopListening = options.port.listen((message) => {
      this.take(message);
    });
    this.post(0, '');
    this.tick();
  }

  /** Is the other side there? */
  get connected(): boolean {
    return this.peer !== '';
  }

  /** Queues a text; it is sent when the other side is there and has room. */
  send(text: string): void {
    if (this.closed) return;
    this.waiting.push(text);
    this.flush();
  }

  close(): void {
    this.closed = true;
    this.stopListening();
    clearTimeout(this.timer);
    this.waiting.length = 0;
    this.unconfirmed = [];
  }

  private flush(): void {
    while (this.connected && this.unconfirmed.length < WINDOW && this.waiting.length > 0) {
      const frame = { seq: ++this.sent, text: this.waiting.shift()! };
      this.unconfirmed.push(frame);
      this.post(frame.seq, frame.text);
    }
    this.tick();
  }

  /** A timer runs only while something is unconfirmed, or nobody has answered yet. */
  private tick(): void {
    const busy = !this.closed && (!this.connected || this.unconfirmed.length > 0);
    if (busy)
      this.timer ??= setTimeout(() => {
        this.again();
      }, this.delay);
    else {
      clearTimeout(this.timer);
      this.timer = undefined;
    }
  }

  private again(): void {
    this.timer = undefined;
    // A side that is busy gets more time, not more messages.
    this.delay = Math.min(2 * this.delay, LONGEST_WAIT * (this.options.retryMs ?? RETRY_MS));
    if (!this.connected) this.post(0, '');
    // Another one goes first each time: a fault at regular intervals would else hit the same one for ever.
    const first = this.rounds++ % Math.max(1, this.unconfirmed.length);
    for (const { seq, text } of [...this.unconfirmed.slice(first), ...this.unconfirmed.slice(0, first)]) {
      this.counts.resent++;
      this.post(seq, text);
    }
    this.tick();
  }

  private post(seq: number, text: string): void {
    const { session } = this.options;
    const head = { mark: MARK, version: VERSION, from: session, to: this.peer, seq, ack: this.received } as const;
    this.options.port.post({ ...head, text, crc: sumOf({ ...head, text }) } satisfies Frame);
  }

  private take(message: unknown): void {
    if (this.closed) return;
    const frame = this.asFrame(message);
    if (!frame) return;
    if (frame.from !== this.peer) this.meet(frame.from);
    // Spoken to an earlier life of this side, or before it was known: only the greeting counts.
    if (frame.to !== this.options.session) {
      this.post(0, '');
      this.flush();
      return;
    }
    const left = this.unconfirmed.filter(({ seq }) => seq > frame.ack);
    if (left.length < this.unconfirmed.length) this.delay = this.options.retryMs ?? RETRY_MS;
    this.unconfirmed = left;
    if (frame.seq > 0) this.takeText(frame);
    this.flush();
  }

  private takeText({ seq, text }: Frame): void {
    if (seq <= this.received || this.early.has(seq)) this.counts.doubled++;
    else if (seq <= this.received + WINDOW) this.early.set(seq, text);
    const ready: string[] = [];
    for (let next = this.early.get(this.received + 1); next !== undefined; next = this.early.get(this.received + 1)) {
      this.early.delete(++this.received);
      ready.push(next);
    }
    this.post(0, '');
    for (const one of ready) this.options.onText(one);
  }

  private meet(peer: string): void {
    const again = this.connected;
    if (again) this.past.add(this.peer);
    for (const oldest of this.past) {
      if (this.past.size <= PAST) break;
      this.past.delete(oldest);
    }
    this.peer = peer;
    if (again) {
      this.sent = this.received = 0;
      this.unconfirmed = [];
      this.waiting.length = 0;
      this.early.clear();
    }
    this.options.onPeer?.(again);
  }

  private asFrame(message: unknown): Frame | undefined {
    const frame = message as Partial<Frame> | null;
    if (typeof frame !== 'object' || frame?.mark !== MARK || this.past.has(frame.from ?? '')) {
      this.counts.foreign++;
      return undefined;
    }
    const { version, from, to, seq, ack, text, crc } = frame;
    const good =
      version === VERSION &&
      typeof from === 'string' &&
      from !== '' &&
      from.length <= LONGEST_NAME &&
      from !== this.options.session &&
      typeof to === 'string' &&
      isCount(seq) &&
      isCount(ack) &&
      typeof text === 'string' &&
      crc === sumOf(frame as Frame);
    if (good) return frame as Frame;
    this.counts.damaged++;
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function sumOf({ from, to, seq, ack, text }: Omit<Frame, 'crc' | 'mark' | 'version'>): number {
  return checksum(`${from} ${to} ${seq} ${ack} ${text}`);
}
