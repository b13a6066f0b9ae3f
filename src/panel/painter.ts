import { type GpuDevice, GpuLut } from '../color';
import { Lut3D, gridPoints } from '../color/lut3d';
import { paintRgba, toRgba } from './pictures';

interface Gpu {
  requestAdapter(): Promise<
    | { info?: { isFallbackAdapter?: boolean; architecture: string }; requestDevice(): Promise<GpuDevice> }
    | null
    | undefined
  >;
}

/** What paints: the graphics card, or the processor. */
export type Brush = 'gpu' | 'cpu';

/** The picture after the retouch on a canvas: the proxy through a LUT. The newest LUT wins. */
export class Painter {
  brush: Brush = 'cpu';
  private before: Uint8ClampedArray | undefined;
  private size = { width: 1, height: 1 };
  private device: GpuDevice | undefined;
  private next: { lut: Lut3D; overall: number; done: (painted: boolean) => void } | undefined;
  private painting = false;
  /** Counts how often the picture as it was took the place of what was being painted. */
  private shows = 0;

  constructor(private readonly canvas: HTMLCanvasElement) {}

  /** Takes the graphics card where there is a real one; a program that stands in for one is slower than the processor. */
  async useGpu(): Promise<void> {
    try {
      const adapter = await (navigator as { gpu?: Gpu }).gpu?.requestAdapter();
      const { isFallbackAdapter = false, architecture = '' } = adapter?.info ?? {};
      if (!adapter || isFallbackAdapter || architecture === 'swiftshader') return;
      this.device = await adapter.requestDevice();
      this.brush = 'gpu';
    } catch {
      this.device = undefined;
    }
  }

  /** The picture as it is, before and after alike, until something is painted. */
  show(proxy: { width: number; height: number; data: ArrayLike<number> }, beforeCanvas: HTMLCanvasElement): void {
    const { width, height } = proxy;
    this.size = { width, height };
    this.before = toRgba(proxy);
    this.next?.done(false);
    this.next = undefined;
    paintRgba(beforeCanvas, this.before.slice(), width, height);
    paintRgba(this.canvas, this.before.slice(), width, height);
  }

  showBefore(): void {
    this.next?.done(false);
    this.next = undefined;
    this.shows++;
    if (this.before) paintRgba(this.canvas, this.before.slice(), this.size.width, this.size.height);
  }

  /** Resolves with true when this LUT is on the canvas; with false when something newer takes its place. */
  paint(lut: Lut3D, overall: number): Promise<boolean> {
    return new Promise((resolve) => {
      this.next?.done(false);
      this.next = { lut, overall, done: resolve };
      if (!this.painting) void this.work();
    });
  }

  private async work(): Promise<void> {
    this.painting = true;
    while (this.next) {
      const { lut, overall, done } = this.next;
      this.next = undefined;
      const { before, shows } = this;
      let painted = false;
      if (before) {
        const after = await this.apply(blended(lut, overall), before);
        // Another photo may have come meanwhile, or the picture as it was.
        painted = before === this.before && shows === this.shows;
        if (painted) paintRgba(this.canvas, after, this.size.width, this.size.height);
      }
      done(painted);
    }
    this.painting = false;
  }

  private async apply(lut: Lut3D, before: Uint8ClampedArray): Promise<Uint8ClampedArray> {
    if (this.device) {
      const gpu = new GpuLut(this.device, lut);
      try {
        return await gpu.apply(before, 4, { destination: new Uint8ClampedArray(before.length) });
      } catch {
        // Lost, or it refused: the processor is always there.
        this.device = undefined;
        this.brush = 'cpu';
      } finally {
        gpu.destroy();
      }
    }
    return lut.apply(before, 4, { destination: new Uint8ClampedArray(before.length) });
  }
}

/** The LUT mixed with "as it was": what the overall amount means, without asking the model. */
export function blended(lut: Lut3D, overall: number): Lut3D {
  if (overall >= 1) return lut;
  const data = gridPoints(lut.size);
  for (let i = 0; i < data.length; i++) data[i] += overall * (lut.data[i] - data[i]);
  return new Lut3D(lut.size, data);
}
