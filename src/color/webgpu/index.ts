import { ColorError } from '../errors';
import { type Lut3D } from '../lut3d';
import { checkPixels, kindOf } from '../pixels';
import { type GpuBuffer, type GpuDevice, type GpuPipeline, MAP_READ, USAGE } from './device';
import { groupOf, lutShader, type PixelFormat, WORKGROUP } from './kernel';

export { type GpuDevice } from './device';
export { lutShader, type PixelFormat } from './kernel';

export type GpuPixels = Uint8Array | Uint8ClampedArray | Uint16Array;

/** Pixels on the device at a time: 32 MB of 16-bit RGBA, far below every device's limits. A whole number of groups. */
const BAND = 1 << 22;
/** Workgroups in a row; a dispatch may have 65,535 along each axis. */
const ROW = 4096;

/** A LUT on a WebGPU device. `destroy` frees its memory there. */
export class GpuLut {
  private readonly table: GpuBuffer;
  private readonly parameters: GpuBuffer;
  private readonly pipelines = new Map<string, GpuPipeline>();

  constructor(
    private readonly device: GpuDevice,
    private readonly lut: Lut3D,
  ) {
    const { data } = lut;
    const table = new Float32Array((data.length / 3) * 4);
    for (let from = 0, to = 0; from < data.length; from += 3, to += 4) table.set(data.subarray(from, from + 3), to);
    this.table = device.createBuffer({ size: table.byteLength, usage: USAGE.STORAGE | USAGE.COPY_DST });
    device.queue.writeBuffer(this.table, 0, table);
    this.parameters = device.createBuffer({ size: 16, usage: USAGE.UNIFORM | USAGE.COPY_DST });
  }

  /**
   * `Lut3D.apply` for 8 and 16 bits on the device, at most one level from it. One call at a time.
   *
   * Works in place unless `destination` (same type and length) is given; after a GPU_FAILED a part of it is written,
   * so give one where another way is to be tried then.
   *
   * @returns the array that was written
   * @throws ColorError BAD_ARGUMENT, or GPU_FAILED where the device refuses or is lost
   */
  async apply<T extends GpuPixels>(
    pixels: T,
    channels: 3 | 4,
    { destination = pixels, maximum }: { destination?: T; maximum?: 65535 | 32768 } = {},
  ): Promise<T> {
    const top = checkPixels(pixels, channels, maximum);
    const kind = kindOf(pixels);
    if (kind === 'Float32Array' || kindOf(destination) !== kind || destination.length !== pixels.length) {
      throw new ColorError(
        'BAD_ARGUMENT',
        'The GPU takes 8 or 16 bits, and a destination of the same type and length.',
      );
    }
    const format: PixelFormat = { channels, bits: kind === 'Uint16Array' ? 16 : 8 };
    const { device } = this;
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
    let failure: unknown;
    try {
      await this.run(format, top, bytesOf(pixels), bytesOf(destination));
    } catch (cause) {
      failure = cause;
    }
    for (const error of [await device.popErrorScope(), await device.popErrorScope()]) failure ??= error ?? undefined;
    if (failure !== undefined) {
      const reason = (failure as Partial<Error>).message ?? 'no reason was given';
      throw new ColorError('GPU_FAILED', `The GPU could not apply the LUT: ${reason}`, 'Apply it on the processor.');
    }
    return destination;
  }

  destroy(): void {
    this.table.destroy();
    this.parameters.destroy();
  }

  private async run(format: PixelFormat, maximum: number, from: Uint8Array, to: Uint8Array): Promise<void> {
    const { device } = this;
    const group = groupOf(format);
    const groupBytes = 4 * group.words;
    const bandBytes = (BAND / group.pixels) * groupBytes;
    const size = Math.min(bandBytes, Math.ceil(from.length / groupBytes) * groupBytes);
    if (size === 0) return;
    const pixels = device.createBuffer({ size, usage: USAGE.STORAGE | USAGE.COPY_SRC | USAGE.COPY_DST });
    const result = device.createBuffer({ size, usage: USAGE.MAP_READ | USAGE.COPY_DST });
    try {
      const pipeline = this.pipeline(format);
      const bindings = device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [this.table, pixels, this.parameters].map((buffer, binding) => ({ binding, resource: { buffer } })),
      });
      for (let at = 0; at < from.length; at += bandBytes) {
        const band = from.subarray(at, at + bandBytes);
        const groups = Math.ceil(band.length / groupBytes);
        device.queue.writeBuffer(pixels, 0, wholeGroups(band, groups * groupBytes));
        const numbers = Uint32Array.of(this.lut.size, maximum, groups, ROW * WORKGROUP);
        device.queue.writeBuffer(this.parameters, 0, numbers);
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindings);
        const workgroups = Math.ceil(groups / WORKGROUP);
        pass.dispatchWorkgroups(Math.min(workgroups, ROW), Math.ceil(workgroups / ROW));
        pass.end();
        encoder.copyBufferToBuffer(pixels, 0, result, 0, groups * groupBytes);
        device.queue.submit([encoder.finish()]);
        await result.mapAsync(MAP_READ);
        to.set(new Uint8Array(result.getMappedRange(), 0, band.length), at);
        result.unmap();
      }
    } finally {
      pixels.destroy();
      result.destroy();
    }
  }

  private pipeline(format: PixelFormat): GpuPipeline {
    const key = `${format.channels} ${format.bits}`;
    let pipeline = this.pipelines.get(key);
    if (!pipeline) {
      const module = this.device.createShaderModule({ code: lutShader(format) });
      pipeline = this.device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
      this.pipelines.set(key, pipeline);
    }
    return pipeline;
  }
}

/** WebGPU writes whole words only. */
function wholeGroups(band: Uint8Array, length: number): Uint8Array {
  if (band.length === length) return band;
  const padded = new Uint8Array(length);
  padded.set(band);
  return padded;
}

function bytesOf(pixels: GpuPixels): Uint8Array {
  return new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
}
