import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type FromWorker, RemoteError, type ToWorker } from './messages';
import {
  type AppliedPhoto,
  type ApplyRequest,
  type OpenedPhoto,
  type OpenRequest,
  type PhotoWorker,
} from './photoHandler';

/** Name of the worker's program beside that of the command line; webpack makes both. */
const PROGRAM = 'photoWorker.cjs';

/** A PhotoWorker on a thread of its own. */
export class ThreadWorker implements PhotoWorker {
  private readonly thread: Worker;
  private waiting: { resolve: (reply: FromWorker) => void; reject: (error: Error) => void } | undefined;
  private broken: Error | undefined;

  constructor(folder: string = __dirname) {
    this.thread = new Worker(path.join(folder, PROGRAM));
    this.thread.on('message', (reply: FromWorker) => {
      const { waiting } = this;
      this.waiting = undefined;
      waiting?.resolve(reply);
    });
    this.thread.on('error', (error) => {
      this.fail(error);
    });
    this.thread.on('exit', (code) => {
      this.fail(new Error(`A worker thread ended with code ${code}.`));
    });
  }

  async open(request: OpenRequest, signal: AbortSignal): Promise<OpenedPhoto> {
    const reply = await this.ask({ kind: 'open', request }, signal);
    if (reply.kind !== 'opened') throw new Error(`A worker thread answered "${reply.kind}".`);
    return reply.photo;
  }

  async apply(request: ApplyRequest, signal: AbortSignal): Promise<AppliedPhoto> {
    const reply = await this.ask({ kind: 'apply', request }, signal);
    if (reply.kind !== 'applied') throw new Error(`A worker thread answered "${reply.kind}".`);
    return reply.photo;
  }

  async close(): Promise<void> {
    await this.thread.terminate();
  }

  private async ask(message: ToWorker, signal: AbortSignal): Promise<FromWorker> {
    if (this.broken) throw this.broken;
    const cancel = (): void => {
      this.thread.postMessage({ kind: 'cancel' } satisfies ToWorker);
    };
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const answered = new Promise<FromWorker>((resolve, reject) => (this.waiting = { resolve, reject }));
      this.thread.postMessage(message);
      if (signal.aborted) cancel();
      const reply = await answered;
      if (reply.kind !== 'failed') return reply;
      if (reply.failure) throw new RemoteError(reply.failure);
      throw new Error(reply.stack);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  private fail(error: Error): void {
    this.broken ??= error;
    this.waiting?.reject(error);
    this.waiting = undefined;
  }
}
