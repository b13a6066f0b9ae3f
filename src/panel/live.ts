import { Lut3D } from '../color/lut3d';
import { type Strength } from '../inference';
import { isCancellation } from './errors';
import { type Sliders } from './worker/protocol';
import { type Engine } from './worker/engine';

/** What is to be seen: latents, or sliders that are to become some, at strengths. */
export interface Wanted<Of = unknown> {
  /** What it is for: it comes back with the result. */
  readonly of?: Of;
  readonly latents?: Float32Array | undefined;
  readonly sliders?: Sliders | undefined;
  readonly strength: Strength;
  /** Is it black and white? */
  readonly monochrome?: boolean | undefined;
}

export interface LiveResult<Of = unknown> {
  readonly lut: Lut3D;
  readonly latents: Float32Array;
  readonly wanted: Wanted<Of>;
  /** Milliseconds from the wish to the LUT. */
  readonly milliseconds: number;
}

/** Grid points while a slider moves, coarse to fine, and when it rests. */
const MOVING = [9, 13, 17, 25] as const;
const RESTING = 33;
/** What a repaint may take before it feels like waiting, and below which a finer grid is tried. */
const SLOW_MS = 90;
const FAST_MS = 30;
const REST_MS = 180;

/**
 * Keeps a LUT up to date with what is wanted: at most one bake under way, the newest wish next, those between passed over.
 * The grid is as fine as this device bakes without being felt, and the full one when the wishes rest.
 */
export class LiveLut<Of = unknown> {
  private wanted: Wanted<Of> | undefined;
  private since = 0;
  private working = false;
  private level = 2;
  private rest: ReturnType<typeof setTimeout> | undefined;
  private epoch = 0;
  private wishes = 0;

  constructor(
    private readonly engine: Pick<Engine, 'call'>,
    private readonly onResult: (result: LiveResult<Of>) => void,
    private readonly onError: (thrown: unknown) => void,
  ) {}

  /** Is something newer wished for than what is under way? */
  get waits(): boolean {
    return this.wanted !== undefined;
  }

  update(wanted: Wanted<Of>): void {
    clearTimeout(this.rest);
    this.wishes++;
    if (!this.wanted) this.since = performance.now();
    this.wanted = wanted;
    if (!this.working) void this.work();
  }

  /** Drops what is wanted; what is under way will not be heard of. */
  stop(): void {
    clearTimeout(this.rest);
    this.wanted = undefined;
    this.epoch++;
  }

  private async work(): Promise<void> {
    this.working = true;
    let { epoch } = this;
    try {
      for (let wanted = this.take(); wanted; wanted = this.take()) {
        const { since } = this;
        ({ epoch } = this);
        const started = performance.now();
        const result = await this.bake(wanted, MOVING[this.level]);
        const took = performance.now() - started;
        if (took > SLOW_MS) this.level = Math.max(0, this.level - 1);
        else if (took < FAST_MS) this.level = Math.min(MOVING.length - 1, this.level + 1);
        if (epoch !== this.epoch) continue;
        this.onResult({ ...result, wanted, milliseconds: performance.now() - since });
        if (!this.wanted) this.whenAtRest({ ...wanted, latents: result.latents }, epoch);
      }
    } catch (thrown) {
      // Of what was dropped nobody wants to hear, not even that it failed.
      if (!isCancellation(thrown) && epoch === this.epoch) this.onError(thrown);
    } finally {
      this.working = false;
      // What was wished for while the one before failed.
      if (this.wanted) void this.work();
    }
  }

  private take(): Wanted<Of> | undefined {
    const { wanted } = this;
    this.wanted = undefined;
    return wanted;
  }

  private async bake({ latents, sliders, strength, monochrome }: Wanted<Of>, size: number) {
    const made = latents ?? (await this.engine.call('sliders', { sliders: sliders ?? {} }));
    const { data } = await this.engine.call('bake', { latents: made, strength, monochrome, size });
    return { lut: new Lut3D(size, data), latents: made };
  }

  private whenAtRest(wanted: Wanted<Of>, epoch: number): void {
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      const started = performance.now();
      const { wishes } = this;
      this.bake(wanted, RESTING).then(
        (result) => {
          // Something was moved meanwhile: that is coarser, but true.
          if (epoch !== this.epoch || wishes !== this.wishes) return;
          this.onResult({ ...result, wanted, milliseconds: performance.now() - started });
        },
        (thrown: unknown) => {
          if (!isCancellation(thrown) && epoch === this.epoch) this.onError(thrown);
        },
      );
    }, REST_MS);
  }
}
