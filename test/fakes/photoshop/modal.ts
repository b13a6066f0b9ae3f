import { AsyncLocalStorage } from 'node:async_hooks';
import { type FakeDocument } from './document';
import { checkOptions, strict, Undocumented } from './strict';

const POLL_MS = 5;

export interface ExecutionContext {
  readonly isCancelled: boolean;
  onCancel: (() => void) | undefined;
  reportProgress(progress: unknown): void;
  readonly hostControl: {
    suspendHistory(options: unknown): Promise<object>;
    resumeHistory(id: object, commit?: boolean): Promise<void>;
  };
}

/** `core.executeAsModal`: one owner at a time, nested scopes share the state, what is left suspended is ended. */
export class Modal {
  /** Another plugin that is modal; tests set and clear it. */
  foreign: string | undefined;
  readonly progress: number[] = [];
  /** Called before every call of Photoshop's API, with its name: to fail, cancel or edit at that very place. */
  before: ((call: string) => void) | undefined;
  private current: ExecutionContext | undefined;
  private cancelled = false;
  private readonly inside = new AsyncLocalStorage<boolean>();

  constructor(private readonly documentOf: (id: unknown) => FakeDocument) {}

  get active(): boolean {
    return this.current !== undefined;
  }

  /** The person presses Esc. */
  cancel(): void {
    if (!this.current || this.cancelled) return;
    this.cancelled = true;
    this.current.onCancel?.();
  }

  /** Every call of the API passes here. */
  enter(call: string): void {
    if (!this.inside.getStore()) throw new Error(`${call} may only be used within executeAsModal.`);
    this.before?.(call);
    if (this.cancelled) throw Object.assign(new Error('The operation was cancelled by the user.'), { number: -128 });
  }

  async executeAsModal<T>(
    work: (context: ExecutionContext, descriptor: unknown) => Promise<T>,
    options: unknown,
  ): Promise<T> {
    const allowed = ['commandName', 'descriptor', 'interactive', 'timeOut'];
    checkOptions('executeAsModal', options, allowed, ['commandName']);
    if (typeof work !== 'function') throw new Undocumented('executeAsModal: the first argument must be a function.');
    if (this.current && this.inside.getStore()) return work(this.current, options.descriptor);
    await this.acquire(typeof options.timeOut === 'number' ? options.timeOut : 1);
    const suspended = new Map<object, FakeDocument>();
    const context = this.makeContext(suspended);
    this.current = context;
    this.cancelled = false;
    let done = false;
    try {
      const result = await this.inside.run(true, () => work(context, options.descriptor));
      done = true;
      return result;
    } finally {
      for (const document of suspended.values()) document.resume(done);
      this.current = undefined;
      this.cancelled = false;
    }
  }

  private async acquire(seconds: number): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (this.foreign !== undefined || this.current) {
      if (Date.now() >= end) {
        const message = `Plugin: ${this.foreign ?? 'this plugin itself'} is running a modal command`;
        throw Object.assign(new Error(message), { number: 9 });
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  private makeContext(suspended: Map<object, FakeDocument>): ExecutionContext {
    const isCancelled = (): boolean => this.cancelled;
    const hostControl = {
      suspendHistory: async (options: unknown): Promise<object> => {
        this.enter('suspendHistory');
        checkOptions('suspendHistory', options, ['documentID', 'name'], ['documentID', 'name']);
        const document = this.documentOf(options.documentID);
        document.suspend(String(options.name));
        const id = {};
        suspended.set(id, document);
        return id;
      },
      resumeHistory: async (id: object, commit = true): Promise<void> => {
        // Rolling back must work after Esc too.
        if (commit) this.enter('resumeHistory');
        else this.before?.('resumeHistory');
        const document = suspended.get(id);
        if (!document) throw new Error('resumeHistory: nothing is suspended under this id.');
        suspended.delete(id);
        document.resume(commit);
      },
    };
    return strict('executionContext', {
      get isCancelled() {
        return isCancelled();
      },
      onCancel: undefined as (() => void) | undefined,
      reportProgress: (progress: unknown) => {
        checkOptions('reportProgress', progress, ['value', 'commandName']);
        const { value } = progress as { value: number };
        if (!(value >= 0 && value <= 1)) throw new Undocumented(`reportProgress: ${value} is not from 0 to 1.`);
        this.progress.push(value);
      },
      hostControl: strict('hostControl', hostControl),
    });
  }
}
