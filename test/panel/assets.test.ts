import { type AssetDoors, Assets, DOORS, readChunk } from '../../src/panel/worker/assets';
import { failureOf } from '../inference/support/errors';

/* The ways to the bytes of a file beside the page, each of which some web view shuts. */

const CONTENT = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 255);
const shut = (): Promise<never> => Promise.reject(new Error('shut'));

/** Doors that count who knocks; `open` names those that answer. The scripts bring three chunks. */
function doors(open: readonly string[]) {
  const knocks: string[] = [];
  const answer = (door: string) => (): Promise<Uint8Array> => {
    knocks.push(door);
    return open.includes(door) ? Promise.resolve(CONTENT.slice()) : shut();
  };
  const script = (url: string): Promise<void> => {
    knocks.push(url);
    if (!open.includes('script')) return shut();
    const index = Number(/\.(\d)\.js$/.exec(url)![1]);
    const part = CONTENT.subarray(index * 400, (index + 1) * 400);
    assets.receive('model/a.onnx', index, 3, Buffer.from(part).toString('base64'));
    return Promise.resolve();
  };
  const all: AssetDoors = { fetch: answer('fetch'), request: answer('request'), script, host: answer('host') };
  const assets: Assets = new Assets('./', all);
  return { assets, knocks };
}

test.each(DOORS)('where only %s is open, the bytes come by it', async (door) => {
  const { assets } = doors([door]);
  expect(await assets.read('model/a.onnx')).toEqual(CONTENT);
  expect(assets.door).toBe(door);
});

test('the ways are tried from the cheapest one on', async () => {
  const { assets, knocks } = doors(['host']);
  await assets.read('model/a.onnx');
  expect(knocks).toEqual(['fetch', 'request', './chunks/model/a.onnx.0.js', 'host']);
});

test('the way that was open is tried first the next time', async () => {
  const { assets, knocks } = doors(['script']);
  await assets.read('model/a.onnx');
  knocks.length = 0;
  await assets.read('model/a.onnx');
  expect(knocks).toEqual([0, 1, 2].map((index) => `./chunks/model/a.onnx.${index}.js`));
});

test('where the host has the chunk scripts only, their bytes are put together', async () => {
  const asked: string[] = [];
  const host = (name: string): Promise<Uint8Array> => {
    asked.push(name);
    const index = Number(/^chunks\/ort\.wasm\.(\d)\.js$/.exec(name)?.[1] ?? NaN);
    if (Number.isNaN(index)) return Promise.reject(new Error('no such file'));
    const part = Buffer.from(CONTENT.subarray(index * 400, (index + 1) * 400)).toString('base64');
    return Promise.resolve(Buffer.from(`veraAsset("ort.wasm",${index},3,"${part}")`));
  };
  expect(await new Assets('./', { host }).read('ort.wasm')).toEqual(CONTENT);
  expect(asked).toEqual(['ort.wasm', ...[0, 1, 2].map((index) => `chunks/ort.wasm.${index}.js`)]);
});

test.each(['', 'alert(1)', 'veraAsset("other",0,1,"AAAA")', 'veraAsset("a",1,1,"AAAA")', 'veraAsset("a",0,"1","AA")'])(
  'a chunk script that reads %j is not believed',
  (text) => {
    expect(() => readChunk('a.0', Buffer.from(text))).toThrow();
  },
);

test('what no way brings is refused with what each of them said', async () => {
  const { assets } = doors([]);
  const error = await failureOf(assets.read('ort.wasm'));
  expect(error.code).toBe('ASSET_MISSING');
  expect(error.message).toContain('ort.wasm');
  for (const door of DOORS) expect(error.message).toContain(`${door}: shut`);
  expect(error.hint).toBeTruthy();
});

test('a script that brings another file counts as shut', async () => {
  const assets: Assets = new Assets('./', {
    script: () => {
      assets.receive('other', 0, 1, 'AAAA');
      return Promise.resolve();
    },
  });
  expect((await failureOf(assets.read('worker.js'))).message).toContain('brought nothing');
});

test('cancelling between two chunks ends the reading', async () => {
  const controller = new AbortController();
  const loaded: string[] = [];
  const assets: Assets = new Assets('./', {
    script: (url) => {
      loaded.push(url);
      assets.receive('big', loaded.length - 1, 9, 'AAAA');
      if (loaded.length === 2) controller.abort();
      return Promise.resolve();
    },
  });
  expect((await failureOf(assets.read('big', controller.signal))).code).toBe('ABORT_ERR');
  expect(loaded).toHaveLength(2);
});
