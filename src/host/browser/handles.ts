import { type DirectoryHandle } from './folders';

/* One folder's handle in IndexedDB, the one storage that takes handles. Private windows and some local pages have none. */

const DATABASE = 'veraretouch';
const STORE = 'folders';
const KEY = 'model';

/** Undefined where none is kept or nothing can be. */
export async function readHandle(): Promise<DirectoryHandle | undefined> {
  try {
    const found = await inStore('readonly', (store) => store.get(KEY));
    return isHandle(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined keeps nothing. Tells whether that was written. */
export async function writeHandle(handle: DirectoryHandle | undefined): Promise<boolean> {
  try {
    await inStore('readwrite', (store) => (handle ? store.put(handle, KEY) : store.delete(KEY)));
    return true;
  } catch {
    return false;
  }
}

async function inStore(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore(STORE);
  };
  const database = (await settled(opening)) as IDBDatabase;
  try {
    return await settled(work(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function settled(request: IDBRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error('the storage gave no reason'));
    };
  });
}

function isHandle(found: unknown): found is DirectoryHandle {
  return typeof (found as Partial<DirectoryHandle> | undefined)?.getFileHandle === 'function';
}
