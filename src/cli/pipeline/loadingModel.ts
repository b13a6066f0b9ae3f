import { type Engine, type OpenedModel } from '../engine';
import { type RetouchJob } from '../options';
import { type ModelToCome } from './retouchPhoto';

/** The model, loaded once, beside the first photo; given up when nothing is left to do for it. */
export class LoadingModel implements ModelToCome {
  private readonly givenUp = new AbortController();
  private loading: Promise<Engine> | undefined;
  private share = 0;
  private tell: ((share: number) => void) | undefined;

  constructor(
    private readonly model: OpenedModel,
    private readonly job: RetouchJob,
    private readonly signal: AbortSignal,
  ) {}

  get manifest(): OpenedModel['manifest'] {
    return this.model.manifest;
  }

  start(): void {
    if (this.loading) return;
    this.loading = this.model.load({
      threads: this.job.threads,
      mode: this.job.task.kind,
      signal: AbortSignal.any([this.signal, this.givenUp.signal]),
      onProgress: (share) => {
        this.share = share;
        this.tell?.(share);
      },
    });
    // Whoever waits for it hears of it.
    this.loading.catch(() => undefined);
  }

  engine(): Promise<Engine> {
    this.start();
    return this.loading!;
  }

  async while<T>(work: Promise<T>, tell: (share: number) => void): Promise<T> {
    this.tell = tell;
    if (this.share > 0 && this.share < 1) tell(this.share);
    try {
      return await work;
    } finally {
      this.tell = undefined;
    }
  }

  /** On cancellation the process ends at once; waiting for the model to stop would only delay that. */
  async giveUp(): Promise<void> {
    this.givenUp.abort();
    if (!this.signal.aborted) await this.loading?.then((engine) => engine.dispose()).catch(() => undefined);
  }
}
