import { type Asked, IDLE, type JobState, type PanelState, type Work, isBusy } from '../state';
import { type Store } from '../store';
import { type Sheet } from './sheets';

/** One work under way. What it tells after it was left behind is heard by nobody. */
export interface Job {
  readonly signal: AbortSignal;
  tell(patch: Partial<JobState>): void;
}

export interface JobOptions {
  /** The document that the work is for. Work for a document ends when another one comes to the front. */
  readonly sheet?: Sheet;
  /** It goes on all the same: what is being applied or saved is wanted, and goes where it was meant to go. */
  readonly goesOn?: boolean;
  readonly asked: Asked;
}

interface Running {
  readonly job: Job;
  readonly controller: AbortController;
}

/** One work at a time, which can be cancelled. */
export class Jobs {
  private running: Running | undefined;
  private ended: Promise<void> = Promise.resolve();

  constructor(private readonly store: Store<PanelState>) {}

  /** False, and nothing is done, where another one is under way or the document is not in front. Throws what `task` throws. */
  async run(work: Work, options: JobOptions, task: (job: Job) => Promise<void>): Promise<boolean> {
    const { sheet, goesOn = false, asked } = options;
    if (isBusy(this.store.get()) || sheet?.inFront === false) return false;
    const running = this.begin({ ...IDLE, work, asked });
    let end = (): void => undefined;
    this.ended = new Promise((resolve) => (end = resolve));
    const done = (): void => {
      if (this.running === running) {
        this.running = undefined;
        this.store.set(IDLE);
      }
      end();
    };
    const left = goesOn ? undefined : sheet?.left;
    const leave = (): void => {
      // It may not stop at once, as Photoshop in the middle of reading: nobody waits for that.
      done();
      running.controller.abort();
    };
    left?.addEventListener('abort', leave, { once: true });
    try {
      await task(running.job);
    } catch (thrown) {
      // Of a document that was left nobody wants to hear, not even that something failed.
      if (!left?.aborted) throw thrown;
    } finally {
      left?.removeEventListener('abort', leave);
      done();
    }
    return true;
  }

  cancel(): void {
    this.running?.controller.abort();
  }

  /** Resolves when what is under way has ended. */
  async settled(): Promise<void> {
    await this.ended;
  }

  private begin(state: JobState): Running {
    const controller = new AbortController();
    const running: Running = {
      controller,
      job: {
        signal: controller.signal,
        tell: (patch) => {
          if (this.running === running) this.store.set(patch);
        },
      },
    };
    this.running = running;
    this.store.set(state);
    return running;
  }
}
