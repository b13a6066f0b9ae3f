import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type FromWorker, type ToWorker } from './messages';
import { asOwnError, RemoteError } from './ownErrors';
import {
  type AppliedPhoto,
  type ApplyRequest,
  type OpenedPhoto,
  type OpenRequest,
  type PhotoWorker,
} from './photoHandler';

/** Name of the worker's program beside that of the command line; webpack makes both. */
const PROGRAM = 'photoWorker.cjs';

/** A PhotoWorker on a thread of its own. A thread that dies (of memory, as a rule) takes one photo with it, no more. */
export class ThreadWorker implements PhotoWorker {
  private thread: Worker | undefined;
  private waiting: { resolve: (reply: FromWorker) => void; reject: (error: Error) => void } | undefined;
  private photo = '';

  constructor(private readonly folder: string = __dirname) {}

  async open(request: OpenRequest, signal: AbortSignal): Promise<OpenedPhoto> {
    this.photo = request.file;
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
    await this.thread?.terminate();
    this.thread = undefined;
  }

  private async ask(message: ToWorker, signal: AbortSignal): Promise<FromWorker> {
    const thread = (this.thread ??= this.start());
    const cancel = (): void => {
      thread.postMessage({ kind: 'cancel' } satisfies ToWorker);
    };
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const answered = new Promise<FromWorker>((resolve, reject) => (this.waiting = { resolve, reject }));
      thread.postMessage(message);
      if (signal.aborted) cancel();
      const reply = await answered.catch((thrown: unknown) => {
        throw asOwnError(thrown, this.photo, signal);
      });
      if (reply.kind !== 'failed') return reply;
      if (reply.failure) throw new RemoteError(reply.failure);
      throw new Error(reply.stack);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  private start(): Worker {
    const thread = new Worker(path.join(this.folder, PROGRAM));
    const fail = (error: Error): void => {
      if (this.thread !== thread) return;
      this.thread = undefined;
      this.waiting?.reject(error);
      this.waiting = undefined;
    };
    thread.on('message', (reply: FromWorker) => {
      const { waiting } = this;
      this.waiting = undefined;
      waiting?.resolve(reply);
    });
    thread.on('error', fail);
    thread.on('exit', (code) => {
      fail(new Error(`its thread ended with code ${code}`));
    });
    return thread;
  }
}
