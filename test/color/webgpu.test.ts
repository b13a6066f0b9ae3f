import { ColorError, type GpuDevice, GpuLut, Lut3D, lutShader, type PixelFormat } from '../../src/color';
import { groupOf } from '../../src/color/webgpu/kernel';

const FORMATS: (PixelFormat & { words: number; pixels: number })[] = [
  { channels: 3, bits: 8, words: 3, pixels: 4 },
  { channels: 4, bits: 8, words: 4, pixels: 4 },
  { channels: 3, bits: 16, words: 3, pixels: 2 },
  { channels: 4, bits: 16, words: 4, pixels: 2 },
];
const lut = Lut3D.identity(3);

describe('the WGSL program', () => {
  test.each(FORMATS)('of $bits bits and $channels channels reads and writes each word once', (format) => {
    expect(groupOf(format)).toEqual({ pixels: format.pixels, words: format.words });
    const code = lutShader(format);
    for (let word = 0; word < format.words; word++) {
      expect(code.split(`let word${word} = pixels[first + ${word}u];`)).toHaveLength(2);
      expect(code.split(`pixels[first + ${word}u] = `)).toHaveLength(2);
    }
    expect(code).not.toContain(`word${format.words}`);
    expect(code.match(/retouched\(vec3/g)).toHaveLength(format.pixels);
    expect(code.split('(')).toHaveLength(code.split(')').length);
  });

  test('takes RGB of 8 bits apart and puts it together in the order of the bytes', () => {
    const code = lutShader({ channels: 3, bits: 8 });
    expect(code).toContain(
      'let pixel0 = retouched(vec3<u32>(word0 & 0xffu, (word0 >> 8u) & 0xffu, (word0 >> 16u) & 0xffu));',
    );
    expect(code).toContain(
      'let pixel1 = retouched(vec3<u32>((word0 >> 24u) & 0xffu, word1 & 0xffu, (word1 >> 8u) & 0xffu));',
    );
    expect(code).toContain(
      'pixels[first + 0u] = (pixel0[0] << 0u) | (pixel0[1] << 8u) | (pixel0[2] << 16u) | (pixel1[0] << 24u);',
    );
  });

  test('leaves alpha as it is', () => {
    expect(lutShader({ channels: 4, bits: 8 })).toContain('(word2 & (0xffu << 24u));');
    expect(lutShader({ channels: 4, bits: 16 })).toContain('(pixel1[2] << 0u) | (word3 & (0xffffu << 16u));');
  });
});

/** A device whose program adds nothing: what is written to the pixels' buffer is what comes back. */
function fakeDevice(calls: string[], failure?: { where: 'scope' | 'map'; message: string }): GpuDevice {
  const buffers = new Map<object, Uint8Array>();
  const made = (size: number): object => {
    const memory = new Uint8Array(size);
    const buffer = {
      mapAsync: () => (failure?.where === 'map' ? Promise.reject(new Error(failure.message)) : Promise.resolve()),
      getMappedRange: () => memory.buffer,
      unmap: () => undefined,
      destroy: () => calls.push('destroy'),
    };
    buffers.set(buffer, memory);
    return buffer;
  };
  let scopes = 0;
  return {
    queue: {
      writeBuffer: (buffer: object, offset: number, data: ArrayBufferView) => {
        buffers.get(buffer)!.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
      },
      submit: () => undefined,
    },
    createBuffer: ({ size }: { size: number }) => made(size),
    createShaderModule: () => calls.push('shader'),
    createComputePipeline: () => ({ getBindGroupLayout: () => ({}) }),
    createBindGroup: () => ({}),
    createCommandEncoder: () => ({
      beginComputePass: () => ({
        setPipeline: () => undefined,
        setBindGroup: () => undefined,
        dispatchWorkgroups: (x: number, y: number) => calls.push(`dispatch ${x} ${y}`),
        end: () => undefined,
      }),
      copyBufferToBuffer: (from: object, _a: number, to: object, _b: number, size: number) => {
        buffers.get(to)!.set(buffers.get(from)!.subarray(0, size));
      },
      finish: () => ({}),
    }),
    pushErrorScope: () => scopes++,
    popErrorScope: () => {
      const failed = --scopes === 0 && failure?.where === 'scope';
      return Promise.resolve(failed ? { message: failure.message } : null);
    },
  } as unknown as GpuDevice;
}

describe('GpuLut', () => {
  test.each([1, 2, 5, 4096])('brings %p pixels there and back, whole groups or not', async (count) => {
    for (const pixels of [new Uint8Array(3 * count), new Uint16Array(3 * count)]) {
      const source = pixels.map((_, i) => i * 7);
      const destination = pixels.map(() => 0);
      expect(await new GpuLut(fakeDevice([]), lut).apply(source, 3, { destination })).toBe(destination);
      expect(destination).toEqual(source);
    }
  });

  test('takes large images in bands, and compiles once', async () => {
    const calls: string[] = [];
    const pixels = new Uint8Array(4 * ((1 << 22) + 8)).map((_, i) => i);
    const destination = new Uint8Array(pixels.length);
    await new GpuLut(fakeDevice(calls), lut).apply(pixels, 4, { destination });
    expect(calls).toEqual(['shader', 'dispatch 4096 4', 'dispatch 1 1', 'destroy', 'destroy']);
    expect(Buffer.compare(pixels, destination)).toBe(0);
  });

  test.each(['scope', 'map'] as const)('says that the device failed (%s)', async (where) => {
    const device = fakeDevice([], { where, message: 'out of memory' });
    const work = new GpuLut(device, lut).apply(new Uint8Array(12), 3);
    await expect(work).rejects.toMatchObject({ code: 'GPU_FAILED', message: expect.stringContaining('out of memory') });
  });

  test('refuses floats and a wrong destination', async () => {
    const gpu = new GpuLut(fakeDevice([]), lut);
    await expect(gpu.apply(new Float32Array(3) as unknown as Uint8Array, 3)).rejects.toThrow(ColorError);
    await expect(gpu.apply(new Uint8Array(3), 3, { destination: new Uint8Array(6) })).rejects.toThrow(ColorError);
  });
});
