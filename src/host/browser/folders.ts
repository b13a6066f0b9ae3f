import {
  type Folders,
  fileMissing,
  fileUnreadable,
  folderUnknown,
  type KeptFolder,
  type ModelFolder,
  plainName,
} from '../folders';
import { readHandle, writeHandle } from './handles';

/** What newer browsers have and the types of the DOM do not know yet. */
export interface DirectoryHandle {
  readonly name: string;
  getFileHandle(name: string): Promise<{ getFile(): Promise<File> }>;
  queryPermission(options: { mode: 'read' }): Promise<PermissionState>;
  requestPermission(options: { mode: 'read' }): Promise<PermissionState>;
}
type Picker = (options: { id: string; mode: 'read' }) => Promise<DirectoryHandle>;

/** A folder that was opened: by its handle, or the files that an input gave. */
type Opened =
  | { readonly name: string; readonly handle: DirectoryHandle }
  | { readonly name: string; readonly files: ReadonlyMap<string, File> };

/** Folders by the browser's own picker, whose choice can be kept; else by an input, whose choice cannot. */
export class BrowserFolders implements Folders {
  private readonly known = new Map<string, Opened>();

  async choose(): Promise<ModelFolder | undefined> {
    const { showDirectoryPicker } = window as { showDirectoryPicker?: Picker };
    if (!showDirectoryPicker) return this.chooseByInput();
    try {
      const handle = await showDirectoryPicker.call(window, { id: 'veraretouch-model', mode: 'read' });
      return this.remember({ name: handle.name, handle });
    } catch (error) {
      const { name } = error as { name?: unknown };
      if (name === 'AbortError') return undefined;
      // Frames of other sites and some policies have the function but may not call it.
      return this.chooseByInput();
    }
  }

  async kept(): Promise<KeptFolder | undefined> {
    const handle = await readHandle();
    if (!handle) return undefined;
    const state = await handle.queryPermission({ mode: 'read' });
    return { ...this.remember({ name: handle.name, handle }), asks: state !== 'granted' };
  }

  async permit(id: string): Promise<boolean> {
    const opened = this.opened(id);
    if (!('handle' in opened)) return true;
    return (await opened.handle.requestPermission({ mode: 'read' })) === 'granted';
  }

  keep(id: string): Promise<boolean> {
    const opened = this.opened(id);
    // The files of an input end with the page: what was kept before is not what is used now.
    return 'handle' in opened ? writeHandle(opened.handle) : writeHandle(undefined).then(() => false);
  }

  async forget(): Promise<void> {
    await writeHandle(undefined);
  }

  async size(id: string, name: string): Promise<number> {
    return (await this.file(id, name)).size;
  }

  async read(id: string, name: string, offset: number, length: number): Promise<Uint8Array> {
    const file = await this.file(id, name);
    const folder = this.opened(id).name;
    let bytes: Uint8Array;
    try {
      bytes = new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
    } catch (error) {
      throw fileUnreadable(folder, name, reasonOf(error), error);
    }
    if (bytes.length === length) return bytes;
    throw fileUnreadable(folder, name, 'it has become shorter');
  }

  private async chooseByInput(): Promise<ModelFolder | undefined> {
    const input = document.createElement('input');
    input.type = 'file';
    input.webkitdirectory = true;
    const list = await new Promise<readonly File[]>((resolve) => {
      input.addEventListener('change', () => {
        resolve([...(input.files ?? [])]);
      });
      input.addEventListener('cancel', () => {
        resolve([]);
      });
      input.click();
    });
    if (list.length === 0) return undefined;
    // "folder/name"; what lies deeper is none of this.
    const direct = list.filter(({ webkitRelativePath: path }) => path.split('/').length === 2);
    const name = list[0].webkitRelativePath.split('/')[0];
    return this.remember({ name, files: new Map(direct.map((file) => [file.name, file])) });
  }

  private async file(id: string, name: string): Promise<File> {
    const opened = this.opened(id);
    plainName(name);
    if ('files' in opened) {
      const file = opened.files.get(name);
      if (file) return file;
      throw fileMissing(opened.name, name);
    }
    try {
      return await (await opened.handle.getFileHandle(name)).getFile();
    } catch (error) {
      if ((error as { name?: unknown }).name === 'NotFoundError') throw fileMissing(opened.name, name, error);
      throw fileUnreadable(opened.name, name, reasonOf(error), error);
    }
  }

  private opened(id: string): Opened {
    const opened = this.known.get(id);
    if (opened) return opened;
    throw folderUnknown();
  }

  private remember(opened: Opened): ModelFolder {
    const id = `folder-${this.known.size + 1}`;
    this.known.set(id, opened);
    return { id, name: opened.name };
  }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/[.\s]+$/, '');
}
