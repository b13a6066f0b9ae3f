/*
 * The little of WebGPU that is used, so that this folder needs no types of a package: a browser's GPUDevice, or that
 * of an implementation for Node, is a GpuDevice.
 */

export interface GpuBuffer {
  mapAsync(mode: number): Promise<unknown>;
  getMappedRange(offset?: number, size?: number): ArrayBuffer;
  unmap(): unknown;
  destroy(): unknown;
}

export interface GpuPipeline {
  getBindGroupLayout(index: number): unknown;
}

export interface GpuPass {
  setPipeline(pipeline: GpuPipeline): unknown;
  setBindGroup(index: number, group: unknown): unknown;
  dispatchWorkgroups(x: number, y?: number): unknown;
  end(): unknown;
}

export interface GpuEncoder {
  beginComputePass(): GpuPass;
  copyBufferToBuffer(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, size: number): unknown;
  finish(): unknown;
}

export interface GpuDevice {
  readonly queue: {
    writeBuffer(buffer: GpuBuffer, offset: number, data: ArrayBufferView): unknown;
    submit(commands: unknown[]): unknown;
  };
  createBuffer(description: { size: number; usage: number }): GpuBuffer;
  createShaderModule(description: { code: string }): unknown;
  createComputePipeline(description: { layout: 'auto'; compute: { module: unknown; entryPoint: string } }): GpuPipeline;
  createBindGroup(description: {
    layout: unknown;
    entries: { binding: number; resource: { buffer: GpuBuffer } }[];
  }): unknown;
  createCommandEncoder(): GpuEncoder;
  pushErrorScope(filter: 'validation' | 'out-of-memory'): unknown;
  popErrorScope(): Promise<{ readonly message: string } | null>;
}

/** GPUBufferUsage and GPUMapMode: numbers that the specification fixes. */
export const USAGE = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128 } as const;
export const MAP_READ = 1;
