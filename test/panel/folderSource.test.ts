import { type Folders, fileMissing } from '../../src/host/folders';
import { folderSource } from '../../src/panel/folderSource';
import { devicesOf } from '../../src/panel/worker/machine';
import { failureOf } from '../inference/support/errors';

const CONTENT = Uint8Array.from({ length: 1003 }, (_, i) => (i * 13) & 255);

/** A folder with one file, whose pieces take a turn each; `fail` may throw for a piece. */
function folder(fail: (offset: number) => void = () => undefined) {
  const asked: [offset: number, length: number][] = [];
  let [under, most] = [0, 0];
  const folders = {
    size: (_id: string, name: string) =>
      name === 'a.onnx' ? Promise.resolve(CONTENT.length) : Promise.reject(fileMissing('Model', name)),
    read: async (_id: string, _name: string, offset: number, length: number) => {
      asked.push([offset, length]);
      most = Math.max(most, ++under);
      // The later ones are the faster ones.
      await new Promise((resolve) => setTimeout(resolve, 8 - (offset % 7)));
      under--;
      fail(offset);
      return CONTENT.slice(offset, offset + length);
    },
  } as Partial<Folders> as Folders;
  return { source: folderSource(folders, { id: 'folder-1', name: 'Model' }, 100), asked, most: () => most };
}

test('a file comes in pieces, several under way, each byte in its place, counted as they come', async () => {
  const { source, asked, most } = folder();
  const seen: number[] = [];
  expect(await source.read('a.onnx', (bytes) => seen.push(bytes))).toEqual(CONTENT);
  expect(asked).toHaveLength(11);
  expect(Math.max(...asked.map(([, length]) => length))).toBe(100);
  expect(most()).toBe(3);
  expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  expect(seen.at(-1)).toBe(1003);
  expect(await source.size!('a.onnx')).toBe(1003);
});

test('a file that is not there is known by its code', async () => {
  const { source } = folder();
  expect((await failureOf(source.read('b.onnx'))).code).toBe('FILE_MISSING');
});

test('the first piece that fails ends the reading', async () => {
  const { source, asked } = folder((offset) => {
    if (offset === 200) throw new Error('the disk is gone');
  });
  await expect(source.read('a.onnx')).rejects.toThrow('the disk is gone');
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(asked.length).toBeLessThan(7);
});

test('a signal ends the reading between two pieces', async () => {
  const { source, asked } = folder();
  const controller = new AbortController();
  const work = source.read(
    'a.onnx',
    (bytes) => {
      if (bytes >= 300) controller.abort();
    },
    controller.signal,
  );
  expect((await failureOf(work)).code).toBe('ABORT_ERR');
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(asked.length).toBeLessThan(8);
});

describe('what the machine tells of itself', () => {
  const adapter = (more: object = {}) => ({
    features: new Set(['shader-f16']),
    limits: { maxBufferSize: 2e9, maxStorageBufferBindingSize: 1e9 },
    info: { vendor: 'v', architecture: 'a', description: '' },
    ...more,
  });
  const scope = (found: object | null, deviceMemory?: number) => ({
    navigator: { deviceMemory, gpu: { requestAdapter: () => Promise.resolve(found as never) } },
  });

  test('the smaller of two limits of a buffer, half precision, and what wasm can address', async () => {
    expect(await devicesOf(scope(adapter(), 8), ['webgpu', 'wasm'], false)).toEqual([
      { device: 'webgpu', key: 'webgpu-f16', available: { page: 2 ** 32, largestBuffer: 1e9 }, software: false },
      { device: 'wasm', key: 'wasm', available: { page: 2 ** 32 }, software: false },
    ]);
  });

  test('a small machine has what it says; a program that plays a graphics card is left out', async () => {
    const program = adapter({ info: { vendor: 'google', architecture: 'swiftshader', description: '' } });
    expect(await devicesOf(scope(program, 2), ['webgpu', 'wasm'], false)).toEqual([
      { device: 'wasm', key: 'wasm', available: { page: 2 ** 31 }, software: false },
    ]);
    expect(await devicesOf(scope(program), ['webgpu'], true)).toMatchObject([{ software: true }]);
    expect(await devicesOf(scope(null), ['webgpu'], true)).toEqual([]);
  });
});
