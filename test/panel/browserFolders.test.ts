import { type DirectoryHandle, BrowserFolders } from '../../src/host/browser/folders';
import { failureOf } from '../inference/support/errors';

/* The browser's folders with a picker and without, with a storage for handles and without. */

const CONTENT = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);

interface Scope {
  window?: object;
  document?: object;
  indexedDB?: object;
}
const scope = globalThis as unknown as Scope;
const { window, document, indexedDB } = scope;
afterEach(() => {
  Object.assign(scope, { window, document, indexedDB });
});

function handleOf(name = 'My model', permission: { now: PermissionState; asked: PermissionState }) {
  const handle: DirectoryHandle = {
    name,
    getFileHandle: (file) =>
      file === 'a.onnx'
        ? Promise.resolve({ getFile: () => Promise.resolve(new File([CONTENT], file)) })
        : Promise.reject(Object.assign(new Error('not there'), { name: 'NotFoundError' })),
    queryPermission: () => Promise.resolve(permission.now),
    requestPermission: () => {
      permission.now = permission.asked;
      return Promise.resolve(permission.now);
    },
  };
  return handle;
}

function picker(pick: () => Promise<DirectoryHandle>): void {
  scope.window = { showDirectoryPicker: pick };
}

/** An input that gives these files at its click; none is a dialog that was called off. */
function input(files: readonly (readonly [path: string, bytes: Uint8Array])[]): void {
  scope.document = {
    createElement: () => {
      const listeners: Record<string, () => void> = {};
      const list = files.map(([path, bytes]) => {
        const file = new File([bytes as Uint8Array<ArrayBuffer>], path.split('/').at(-1)!);
        return Object.defineProperty(file, 'webkitRelativePath', { value: path });
      });
      return {
        files: list,
        addEventListener: (name: string, listener: () => void) => (listeners[name] = listener),
        click: () => {
          listeners[list.length === 0 ? 'cancel' : 'change']();
        },
      };
    },
  };
}

/** One store of IndexedDB, which keeps whatever it is given. */
function storage(): void {
  const kept = new Map<unknown, unknown>();
  const settle = (result: unknown) => {
    const request = { result } as { result: unknown; onsuccess?: () => void; onupgradeneeded?: () => void };
    setImmediate(() => {
      request.onupgradeneeded?.();
      request.onsuccess?.();
    });
    return request;
  };
  const store = {
    get: (key: unknown) => settle(kept.get(key)),
    put: (value: unknown, key: unknown) => settle(kept.set(key, value)),
    delete: (key: unknown) => settle(kept.delete(key)),
  };
  const database = {
    createObjectStore: () => store,
    transaction: () => ({ objectStore: () => store }),
    close: () => undefined,
  };
  scope.indexedDB = { open: () => settle(database) };
}

const granted = () => ({ now: 'granted', asked: 'granted' }) as const;

test('a folder is picked and read in pieces', async () => {
  picker(() => Promise.resolve(handleOf('My model', granted())));
  const folders = new BrowserFolders();
  const { id, name } = (await folders.choose())!;
  expect([name, await folders.size(id, 'a.onnx')]).toEqual(['My model', 1000]);
  expect(await folders.read(id, 'a.onnx', 900, 100)).toEqual(CONTENT.slice(900));
  expect((await failureOf(folders.read(id, 'a.onnx', 950, 100))).code).toBe('FILE_UNREADABLE');
  expect((await failureOf(folders.size(id, 'b.onnx'))).code).toBe('FILE_MISSING');
  expect((await failureOf(folders.size(id, '../a.onnx'))).code).toBe('FILE_NAME');
});

test('called off is none; a picker that may not be used makes way for the input', async () => {
  picker(() => Promise.reject(Object.assign(new Error('no'), { name: 'AbortError' })));
  expect(await new BrowserFolders().choose()).toBeUndefined();
  picker(() => Promise.reject(Object.assign(new Error('no'), { name: 'SecurityError' })));
  input([['Model/a.onnx', CONTENT]]);
  expect((await new BrowserFolders().choose())?.name).toBe('Model');
});

test('by the input, files directly in the folder are read, and the folder is not kept', async () => {
  scope.window = {};
  storage();
  input([
    ['Model/a.onnx', CONTENT],
    ['Model/old/b.onnx', CONTENT],
  ]);
  const folders = new BrowserFolders();
  const { id } = (await folders.choose())!;
  expect(await folders.read(id, 'a.onnx', 10, 5)).toEqual(CONTENT.slice(10, 15));
  expect((await failureOf(folders.size(id, 'b.onnx'))).code).toBe('FILE_MISSING');
  expect(await folders.keep(id)).toBe(false);
  expect(await new BrowserFolders().kept()).toBeUndefined();
  input([]);
  expect(await folders.choose()).toBeUndefined();
});

test('a kept folder is found again by the next page, which asks where the browser forgot the permission', async () => {
  storage();
  const permission: { now: PermissionState; asked: PermissionState } = { now: 'granted', asked: 'granted' };
  picker(() => Promise.resolve(handleOf('My model', permission)));
  const folders = new BrowserFolders();
  expect(await folders.keep((await folders.choose())!.id)).toBe(true);
  permission.now = 'prompt';
  const next = new BrowserFolders();
  const kept = (await next.kept())!;
  expect(kept).toMatchObject({ name: 'My model', asks: true });
  permission.asked = 'denied';
  expect(await next.permit(kept.id)).toBe(false);
  permission.asked = 'granted';
  expect(await next.permit(kept.id)).toBe(true);
  expect((await new BrowserFolders().kept())?.asks).toBe(false);
  await next.forget();
  expect(await new BrowserFolders().kept()).toBeUndefined();
});

test('without a storage nothing is kept, and that is no failure', async () => {
  scope.indexedDB = {
    open: () => {
      throw new Error('The operation is insecure.');
    },
  };
  picker(() => Promise.resolve(handleOf('My model', granted())));
  const folders = new BrowserFolders();
  expect(await folders.keep((await folders.choose())!.id)).toBe(false);
  expect(await folders.kept()).toBeUndefined();
  await folders.forget();
});
