import { type TextSink } from './console';
import { StdoutError } from './errors';

/**
 * stdout or stderr. A stream that takes no more, because its disk is full or its reader has gone, is told once and never
 * thrown: an error of a stream has no caller.
 */
export class Output implements TextSink {
  private failure: StdoutError | undefined;
  private waiting = 0;
  private idle: (() => void) | undefined;

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly onBroken: () => void,
  ) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.fail(error);
    });
  }

  get isTTY(): boolean {
    return this.stream.isTTY;
  }

  /** Why nothing more can be written, if so. */
  get broken(): StdoutError | undefined {
    return this.failure;
  }

  write(text: string): void {
    if (this.failure) return;
    this.waiting++;
    try {
      this.stream.write(text, (error) => {
        if (error) this.fail(error);
        this.waiting--;
        if (this.waiting === 0) this.idle?.();
      });
    } catch (thrown) {
      this.waiting--;
      this.fail(thrown as Error);
    }
  }

  /** Waits until what was written has left. Throws StdoutError where it could not. */
  async flushed(): Promise<void> {
    if (this.waiting > 0 && !this.failure) await new Promise<void>((resolve) => (this.idle = resolve));
    if (this.failure) throw this.failure;
  }

  private fail(cause: NodeJS.ErrnoException): void {
    if (this.failure) return;
    const why = cause.code === 'EPIPE' ? 'its reader has gone' : cause.message.replace(/,? write$/, '');
    this.failure = new StdoutError(
      `The list of results could not be written to stdout: ${why}. Photos whose results are in the output folder are done.`,
      'Send stdout to a file on a disk with room, or to a program that reads all of it, and run the same command again.',
      cause,
    );
    this.idle?.();
    this.onBroken();
  }
}
