import { Channel } from '../../../src/bridge';
import { MOST_PIECE } from '../../../src/host/folders';
import { PhotoshopFolders } from '../../../src/host/photoshop/folders';
import { type Storage, type UxpFs } from '../../../src/host/photoshop/ports';
import { serveHost } from '../../../src/host/remote/serve';
import { RemoteHost } from '../../../src/host/remoteHost';
import { joinedPorts } from '../../bridge/ports';
import { FakeFile, FakeFolder, FakeUxp } from '../../fakes/photoshop';
import { setUp } from './support';

/* A chosen folder: read where it lies and in pieces, found again after a restart, or a sentence that says why not. */

const LARGE = Uint8Array.from({ length: 10_000_000 }, (_, i) => (i * 7 + (i >> 12)) & 255);
const model = (): FakeFolder => new FakeFolder('My model', { 'bundle.json': '{}', 'decoder.onnx': LARGE });

/** The folders of a Photoshop that is started over the same disk and settings. */
function started(uxp = new FakeUxp()) {
  const { storage } = uxp.module as unknown as { storage: Storage };
  return { uxp, folders: new PhotoshopFolders(storage, () => uxp.fs as unknown as UxpFs) };
}

async function chosen(folder = model()) {
  const world = started();
  world.uxp.chosenFolders.push(folder);
  const { id, name } = (await world.folders.choose())!;
  return { ...world, folder, id, name };
}

async function inPieces(folders: Pick<PhotoshopFolders, 'size' | 'read'>, id: string, name: string, piece: number) {
  const size = await folders.size(id, name);
  const parts: Promise<Uint8Array>[] = [];
  for (let at = 0; at < size; at += piece) parts.push(folders.read(id, name, at, Math.min(piece, size - at)));
  return Buffer.concat(await Promise.all(parts));
}

test('a folder is chosen and named; called off, it is none', async () => {
  const { name, folders, uxp, folder } = await chosen();
  expect(name).toBe('My model');
  uxp.chosenFolders.push(null);
  expect(await folders.choose()).toBeUndefined();
  // Nothing is looked at that nobody asked for.
  expect(folder.asked).toEqual([]);
});

test.each(['open', 'refused'] as const)('a file larger than a piece comes whole where paths are %s', async (paths) => {
  const { folders, uxp, id, folder } = await chosen();
  uxp.paths = paths;
  expect((await inPieces(folders, id, 'decoder.onnx', 4_000_000)).equals(LARGE)).toBe(true);
  expect(uxp.openFiles.size).toBe(0);
  expect(new Set(folder.asked)).toEqual(new Set(['decoder.onnx']));
});

test('where paths are refused a file that is too large to be read whole is refused, with the reason', async () => {
  const { folders, uxp, id, folder } = await chosen();
  uxp.paths = 'refused';
  folder.put('decoder.onnx', { length: 6e8 } as Uint8Array);
  await expect(folders.read(id, 'decoder.onnx', 0, 100)).rejects.toMatchObject({
    code: 'FILE_TOO_LARGE',
    message: expect.stringMatching(/600 MB.*Permission denied.*up to 268 MB/) as string,
  });
});

test.each(['../secret', 'a/b', '', '.hidden', '/etc/passwd', 'C:\\x', 'a..b', 'x'.repeat(300)])(
  'the name %j is not looked for',
  async (name) => {
    const { folders, id, folder } = await chosen();
    await expect(folders.size(id, name)).rejects.toMatchObject({ code: 'FILE_NAME' });
    await expect(folders.read(id, name, 0, 1)).rejects.toMatchObject({ code: 'FILE_NAME' });
    expect(folder.asked).toEqual([]);
  },
);

test('a file that is not there, not readable, or has become shorter is said, and nothing stays open', async () => {
  const { folders, uxp, id, folder } = await chosen();
  await expect(folders.size(id, 'adaptor.onnx')).rejects.toMatchObject({ code: 'FILE_MISSING' });
  await expect(folders.read(id, 'bundle.json', 0, 3)).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: expect.stringContaining('shorter') as string,
  });
  folder.files.get('decoder.onnx')!.failure = new Error('Input/output error.');
  await expect(folders.read(id, 'decoder.onnx', 0, 3)).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: expect.stringContaining('Input/output error') as string,
  });
  uxp.paths = 'refused';
  await expect(folders.read(id, 'decoder.onnx', 0, 3)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  expect(uxp.openFiles.size).toBe(0);
  await expect(folders.read('folder-99', 'bundle.json', 0, 2)).rejects.toMatchObject({ code: 'FOLDER_GONE' });
});

describe('after a restart', () => {
  test('a kept folder is there again; one that was only chosen is not', async () => {
    const { folders, uxp, id, folder } = await chosen();
    expect(await started(uxp).folders.kept()).toBeUndefined();
    expect(await folders.keep(id)).toBe(true);
    folder.open = false;
    const again = started(uxp).folders;
    const kept = (await again.kept())!;
    expect(kept).toMatchObject({ name: 'My model', asks: false });
    expect(await again.permit(kept.id)).toBe(true);
    expect((await inPieces(again, kept.id, 'decoder.onnx', MOST_PIECE)).equals(LARGE)).toBe(true);
    await again.forget();
    expect(await started(uxp).folders.kept()).toBeUndefined();
  });

  test('a token that is no use any more is said, with what to do, every time until it is forgotten', async () => {
    const { folders, uxp, id, folder } = await chosen();
    await folders.keep(id);
    folder.gone = true;
    const again = started(uxp).folders;
    for (let i = 0; i < 2; i++) {
      await expect(again.kept()).rejects.toMatchObject({
        code: 'FOLDER_GONE',
        message: expect.stringContaining('"My model"') as string,
        hint: expect.stringContaining('choose the folder again') as string,
      });
    }
    await again.forget();
    expect(await again.kept()).toBeUndefined();
  });

  test.each(['', '{"token":', 'null', '{"token":7}'])('what is kept as %j is none', async (text) => {
    const { uxp } = await chosen();
    uxp.data.set('model-folder.json', new FakeFile('model-folder.json', text));
    expect(await started(uxp).folders.kept()).toBeUndefined();
  });

  test('a disk that takes no settings keeps nothing, and says so', async () => {
    const { folders, uxp, id } = await chosen();
    const full = new FakeFile('model-folder.json');
    full.failure = new Error('No space left.');
    uxp.data.set('model-folder.json', full);
    expect(await folders.keep(id)).toBe(false);
  });
});

describe('over the bridge', () => {
  const channels: { close(): void }[] = [];
  afterEach(() => {
    for (const channel of channels.splice(0)) channel.close();
  });

  async function joined() {
    const world = setUp();
    const ports = joinedPorts();
    channels.push(new Channel({ port: ports.host, session: 'host', handlers: serveHost(world.host), retryMs: 200 }));
    const page = await RemoteHost.connect({ port: ports.page, session: 'page', retryMs: 200 });
    channels.push(page);
    return { ...world, ports, page };
  }

  test('a folder is chosen, read, kept, found again and forgotten', async () => {
    const { uxp, page } = await joined();
    expect(await page.folders.kept()).toBeUndefined();
    uxp.chosenFolders.push(null, model());
    expect(await page.folders.choose()).toBeUndefined();
    const { id, name } = (await page.folders.choose())!;
    expect(name).toBe('My model');
    expect((await inPieces(page.folders, id, 'decoder.onnx', 4_000_000)).equals(LARGE)).toBe(true);
    expect(await page.folders.keep(id)).toBe(true);
    const kept = (await page.folders.kept())!;
    expect(await page.folders.permit(kept.id)).toBe(true);
    expect(await page.folders.size(kept.id, 'bundle.json')).toBe(2);
    await page.folders.forget();
    expect(await page.folders.kept()).toBeUndefined();
  });

  test('errors keep their codes and texts', async () => {
    const { uxp, page } = await joined();
    uxp.chosenFolders.push(model());
    const { id } = (await page.folders.choose())!;
    await expect(page.folders.size(id, '../x')).rejects.toMatchObject({ code: 'FILE_NAME' });
    await expect(page.folders.size(id, 'x')).rejects.toMatchObject({ code: 'FILE_MISSING', hint: expect.any(String) });
  });

  test.each([
    ['permitFolder', null],
    ['keepFolder', { id: 7 }],
    ['fileSize', { id: 'folder-1' }],
    ['fileSize', { name: 'x' }],
    ['readPiece', { id: 'folder-1', name: 'x', offset: -1, length: 1 }],
    ['readPiece', { id: 'folder-1', name: 'x', offset: 0.5, length: 1 }],
    ['readPiece', { id: 'folder-1', name: 'x', offset: 0, length: 0 }],
    ['readPiece', { id: 'folder-1', name: 'x', offset: 0, length: MOST_PIECE + 1 }],
    ['readPiece', { id: 'folder-1', name: '', offset: 0, length: 1 }],
  ])('%s %j is refused by the host', async (method, value) => {
    const { ports, page } = await joined();
    page.close();
    const rough = new Channel({ port: ports.page, session: 'rough', handlers: {}, retryMs: 10 });
    channels.push(rough);
    await expect(rough.request(method, { value })).rejects.toMatchObject({ remote: { code: 'BRIDGE_PROTOCOL' } });
  });

  test.each([
    ['chooseFolder', { id: 1, name: 'x' }, undefined],
    ['keptFolder', { id: '1', name: 'x' }, undefined],
    ['permitFolder', 'yes', undefined],
    ['keepFolder', null, undefined],
    ['fileSize', -1, undefined],
    ['readPiece', null, undefined],
    ['readPiece', null, [new Uint8Array(3)]],
  ])('an answer to %s that is %j is refused by the page', async (method, value, bytes) => {
    const ports = joinedPorts();
    const greet = { kind: 'photoshop', abilities: { outputs: ['cube'], otherDocuments: false } };
    const handlers = {
      greet: () => Promise.resolve({ value: greet }),
      [method]: () => Promise.resolve({ value, ...(bytes ? { bytes } : {}) }),
    };
    channels.push(new Channel({ port: ports.host, session: 'host', handlers, retryMs: 10 }));
    const page = await RemoteHost.connect({ port: ports.page, session: 'page', retryMs: 10 });
    channels.push(page);
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      chooseFolder: () => page.folders.choose(),
      keptFolder: () => page.folders.kept(),
      permitFolder: () => page.folders.permit('1'),
      keepFolder: () => page.folders.keep('1'),
      fileSize: () => page.folders.size('1', 'x'),
      readPiece: () => page.folders.read('1', 'x', 0, 4),
    };
    await expect(calls[method]()).rejects.toMatchObject({ code: 'BRIDGE_PROTOCOL' });
  });
});
