import { Channel } from '../../../src/bridge';
import { type PanelHost } from '../../../src/host/panelHost';
import { serveHost } from '../../../src/host/remote/serve';
import { RemoteHost } from '../../../src/host/remoteHost';
import { type Faults, joinedPorts } from '../../bridge/ports';
import { FakeFile } from '../../fakes/photoshop';
import { retouchFor, setUp, warm } from './support';

// A bridge with faults waits and sends again, on a machine that may be busy.
jest.setTimeout(120000);

const channels: { close(): void }[] = [];
afterEach(() => {
  for (const channel of channels.splice(0)) channel.close();
});

/** Page and host joined as in the webview, each message as JSON, with faults of the way between. */
async function joined(
  faults: { toPage?: Faults; toHost?: Faults } = {},
  change: (host: PanelHost) => PanelHost = (h) => h,
) {
  const world = setUp();
  const ports = joinedPorts(faults);
  const host = new Channel({ port: ports.host, session: 'host', handlers: serveHost(change(world.host)), retryMs: 10 });
  world.host.listen((event) => {
    host.event('host', event);
  });
  channels.push(host);
  const page = await RemoteHost.connect({ port: ports.page, session: 'page', retryMs: 10 });
  channels.push(page);
  return { ...world, channel: host, page, ports };
}

test('the page reads, applies, and finds its retouch again', async () => {
  const { ps, page } = await joined();
  expect(page.abilities).toEqual({ outputs: ['lookup', 'pixels', 'cube'], otherDocuments: true });
  expect(await page.describe()).toBeUndefined();
  expect(await page.readRetouch()).toBeUndefined();
  const document = ps.open({ bits: 16, width: 160, height: 120 });
  expect(await page.describe()).toMatchObject({ id: String(document.id), width: 160 });
  const original = document.print;
  const proxy = await page.readProxy({ longEdge: 80 });
  expect([proxy.width, proxy.height, proxy.data.length]).toEqual([80, 60, 80 * 60 * 3]);
  const retouch = retouchFor(proxy);
  const { output, layer, notes } = await page.apply(retouch);
  expect([output, notes]).toEqual(['lookup', []]);
  expect(await page.readRetouch()).toEqual({ layer, document: String(document.id), provenance: retouch.provenance });
  document.undo();
  expect(document.print).toBe(original);
});

test('the LUT arrives to the last bit, progress as it is made', async () => {
  let got: Float32Array | undefined;
  const spied = (host: PanelHost): PanelHost =>
    Object.assign(Object.create(host) as PanelHost, {
      apply: (retouch: Parameters<PanelHost['apply']>[0], options: Parameters<PanelHost['apply']>[1]) => {
        got = retouch.lut.data;
        return host.apply(retouch, options);
      },
    });
  const { ps, page } = await joined({}, spied);
  ps.open();
  const shares: number[] = [];
  const retouch = retouchFor(await page.readProxy({ longEdge: 64 }), { output: 'pixels' });
  await page.apply(retouch, { onProgress: (share) => shares.push(share) });
  expect(got).toEqual(warm().data);
  expect([shares.length, shares.at(-1)]).toEqual([12, 1]);
});

test('files and settings cross too', async () => {
  const { page, uxp } = await joined();
  const file = new FakeFile('Out.json');
  uxp.chosen.push(new FakeFile('Look.xmp', Uint8Array.of(9, 8)), null, file, null);
  expect(await page.pickFile('preset')).toEqual({ name: 'Look.xmp', bytes: Uint8Array.of(9, 8) });
  expect(await page.pickFile('preset')).toBeUndefined();
  expect(await page.saveFile('Out.json', Uint8Array.of(1))).toBe(true);
  expect(await page.saveFile('Out.json', Uint8Array.of(1))).toBe(false);
  expect(file.content).toEqual(Uint8Array.of(1));
  expect(await page.readSettings()).toBeUndefined();
  await page.writeSettings({ a: [1, 'é'] });
  expect(await page.readSettings()).toEqual({ a: [1, 'é'] });
});

test("files of the package cross where the page cannot load them, and only the page's own", async () => {
  const { page, uxp } = await joined();
  const model = Uint8Array.from({ length: 900_000 }, (_, i) => (i * 31) & 255);
  uxp.packaged.set('panel/model/vision.onnx', new FakeFile('vision.onnx', model));
  uxp.packaged.set('panel/../manifest.json', new FakeFile('manifest.json', 'x'));
  expect(await page.readAsset('model/vision.onnx')).toEqual(model);
  for (const name of ['../manifest.json', '/manifest.json', 'model/../../manifest.json', 'missing.bin', 'a\\b'])
    await expect(page.readAsset(name)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
});

test("the host's errors come with their code, sentence and hint", async () => {
  const { ps, page } = await joined();
  ps.open({ mode: 'CMYK' });
  const error = await page.readProxy({ longEdge: 64 }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    name: 'HostError',
    code: 'DOCUMENT_UNSUITED',
    message: expect.stringContaining('CMYK'),
  });
  expect((error as { hint: string }).hint).toContain('RGB Color');
});

test('cancelling on the page stops the host, and the document is as it was', async () => {
  const { ps, page, host } = await joined();
  const document = ps.open();
  const retouch = retouchFor(await page.readProxy({ longEdge: 64 }), { output: 'pixels' });
  const original = document.print;
  const controller = new AbortController();
  // From the host's first tile on, the page has time to say no.
  let tiles = 0;
  const slow = new Promise<void>((resolve) => {
    ps.modal.before = (call) => {
      if (call === 'putPixels' && ++tiles === 2) {
        controller.abort();
        resolve();
      }
    };
  });
  const applied = page.apply(retouch, { signal: controller.signal }).catch((thrown: unknown) => thrown);
  await slow;
  const outcome = await applied;
  ps.modal.before = undefined;
  // What the page is told is true: the word may have come after the last tile, then all of it is there, as one step.
  if (document.print === original) expect(outcome).toMatchObject({ code: 'ABORT_ERR' });
  else {
    expect(outcome).toMatchObject({ output: 'pixels' });
    expect(document.history).toHaveLength(2);
    document.undo();
  }
  // The next one finds the scope left.
  await host.readProxy({ longEdge: 64 });
  expect(document.print).toBe(original);
  expect(ps.imaging.alive.size).toBe(0);
});

/** Each third message lost, each fourth doubled, pairs in the wrong order, some cut short. */
const unreliable: () => Faults = () => {
  let held: unknown;
  return (message, number) => {
    if (number % 7 === 3) return [];
    if (number % 7 === 5) return [message, message];
    if (number % 11 === 4) return [{ ...(message as { text: string }), text: 'cut' }, message];
    if (number % 5 === 2) {
      held = message;
      return [];
    }
    const late = held;
    held = undefined;
    return late === undefined ? [message] : [message, late];
  };
};

test('over a bridge that loses, doubles, reorders and damages messages everything still arrives once', async () => {
  const { ps, page } = await joined({ toPage: unreliable(), toHost: unreliable() });
  const document = ps.open({ width: 160, height: 120 });
  const proxy = await page.readProxy({ longEdge: 160 });
  expect(proxy.data).toHaveLength(160 * 120 * 3);
  const { output } = await page.apply(retouchFor(proxy));
  expect(output).toBe('lookup');
  expect(document.history).toHaveLength(2);
});

test('a page that is killed in the middle of a run stops it; the page that comes next works', async () => {
  const { ps, page, channel, ports, host } = await joined();
  const document = ps.open();
  const retouch = retouchFor(await page.readProxy({ longEdge: 64 }), { output: 'pixels' });
  const original = document.print;
  let next: Promise<RemoteHost> | undefined;
  const greeted = new Promise<void>((resolve) => {
    ps.modal.before = (call) => {
      if (call !== 'putPixels' || next) return;
      // The old page is gone without a word.
      next = RemoteHost.connect({ port: ports.page, session: 'another page', retryMs: 10 });
      resolve();
    };
  });
  void page.apply(retouch).catch(() => undefined);
  await greeted;
  page.close();
  const again = await next!;
  channels.push(again);
  expect(channel.connected).toBe(true);
  ps.modal.before = undefined;
  await host.readProxy({ longEdge: 64 });
  if (document.print !== original) document.undo();
  expect(document.print).toBe(original);
  expect((await again.readProxy({ longEdge: 64 })).width).toBe(64);
});

describe('what is not as it should be', () => {
  const asked: [string, unknown, Uint8Array[]?][] = [
    ['readProxy', null],
    ['readProxy', { longEdge: 'all' }],
    ['readProxy', { longEdge: 1e9 }],
    ['readProxy', { longEdge: 64, id: 7 }],
    ['apply', { size: 17 }],
    ['apply', { size: 2, state: '', output: 'lookup', name: '', story: [], provenance: 1 }, [new Uint8Array(5)]],
    ['apply', { size: 2, state: '', output: 'magic', name: '', story: [], provenance: 1 }, [new Uint8Array(96)]],
    ['apply', { size: 2, state: '', output: 'cube', name: '', story: 'x', provenance: 1 }, [new Uint8Array(96)]],
    ['pickFile', { kind: 'everything' }],
    ['saveFile', { name: '' }],
    ['saveFile', 'a.txt'],
    ['deleteEverything', null],
  ];
  test.each(asked)('%s %j is refused by the host', async (method, value, bytes = []) => {
    const { ps, ports, page } = await joined();
    page.close();
    const document = ps.open();
    const rough = new Channel({ port: ports.page, session: 'rough', handlers: {}, retryMs: 10 });
    channels.push(rough);
    const error = await rough.request(method, { value, bytes }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'BRIDGE_REMOTE', remote: { code: 'BRIDGE_PROTOCOL' } });
    expect(document.history).toHaveLength(1);
  });

  test.each([
    ['describe', { id: 1 }],
    ['openDocuments', {}],
    ['readProxy', { width: 2, height: 2, state: 's', notes: [], document: {} }],
    ['apply', { output: 'magic' }],
    ['readRetouch', { layer: '1' }],
    ['pickFile', {}],
    ['saveFile', 'yes'],
  ] as const)('an answer to %s is refused by the page', async (method, value) => {
    const ports = joinedPorts();
    const greet = { kind: 'photoshop', abilities: { outputs: ['cube'], otherDocuments: false } };
    const answer = (what: unknown) => () => Promise.resolve({ value: what });
    const handlers = { greet: answer(greet), [method]: answer(value) };
    channels.push(new Channel({ port: ports.host, session: 'host', handlers, retryMs: 10 }));
    const page = await RemoteHost.connect({ port: ports.page, session: 'page', retryMs: 10 });
    channels.push(page);
    const calls = {
      describe: () => page.describe(),
      openDocuments: () => page.openDocuments(),
      readProxy: () => page.readProxy({ longEdge: 2 }),
      apply: () => page.apply(retouchFor({ state: '' })),
      readRetouch: () => page.readRetouch(),
      pickFile: () => page.pickFile('photo'),
      saveFile: () => page.saveFile('a', new Uint8Array(1)),
    };
    await expect(calls[method]()).rejects.toMatchObject({ code: 'BRIDGE_PROTOCOL' });
  });

  test('events that are not known are passed over', async () => {
    const { channel, page } = await joined();
    const heard: unknown[] = [];
    page.listen((event) => heard.push(event));
    channel.event('host', { kind: 'earthquake' });
    channel.event('weather', { kind: 'document' });
    channel.event('host', null);
    channel.event('host', { kind: 'theme', theme: 'pink' });
    channel.event('host', { kind: 'document' });
    await page.describe();
    expect(heard).toEqual([{ kind: 'document' }]);
  });
});
