import { HostError } from '../errors';
import {
  type Folders,
  fileMissing,
  fileUnreadable,
  folderUnknown,
  type KeptFolder,
  type ModelFolder,
  plainName,
} from '../folders';
import { MOST_BYTES } from './files';
import { reasonOf } from './modalGate';
import { type Storage, type UxpFile, type UxpFolder, type UxpFs } from './ports';

/** In the plugin's data folder; the token in it is no use to anybody else. */
const KEPT = 'model-folder.json';

/**
 * Folders by UXP's entries. A file's pieces come by the module `fs` and the entry's path. Adobe documents that way for
 * plugins with access to the whole disk; whether a folder that a person chose is enough is not said. Where it is refused,
 * a file is read whole by its entry, which is only done up to MOST_BYTES.
 */
export class PhotoshopFolders implements Folders {
  private readonly known = new Map<string, UxpFolder>();
  /** Why paths are no way here; undefined as long as they are. */
  private refusal: unknown;
  /** The file that was read whole last, until all of it was asked for. */
  private whole: { readonly key: string; readonly bytes: Promise<Uint8Array>; left: number } | undefined;

  constructor(
    private readonly storage: Storage,
    /** Not before it is needed: a Photoshop without the module still has a panel. */
    private readonly fs: () => UxpFs,
  ) {}

  async choose(): Promise<ModelFolder | undefined> {
    const folder = await this.storage.localFileSystem.getFolder();
    return folder ? this.remember(folder) : undefined;
  }

  async kept(): Promise<KeptFolder | undefined> {
    const { name, token } = await this.readKept();
    if (typeof token !== 'string') return undefined;
    try {
      const folder = await this.storage.localFileSystem.getEntryForPersistentToken(token);
      return { ...this.remember(folder), asks: false };
    } catch (error) {
      throw new HostError(
        'FOLDER_GONE',
        `The folder "${typeof name === 'string' ? name : ''}" of the model that was used last cannot be reached any more ` +
          `(${reasonOf(error)}). Nothing was changed; the built-in model is used.`,
        'Connect its disk, or choose the folder again by “Use another model…”.',
        error,
      );
    }
  }

  permit(id: string): Promise<boolean> {
    return Promise.resolve(this.known.has(id));
  }

  async keep(id: string): Promise<boolean> {
    const folder = this.folder(id);
    try {
      const token = await this.storage.localFileSystem.createPersistentToken(folder);
      await this.writeKept({ name: folder.name, token });
      return true;
    } catch {
      return false;
    }
  }

  forget(): Promise<void> {
    return this.writeKept({});
  }

  async size(id: string, name: string): Promise<number> {
    const folder = this.folder(id);
    const file = await this.file(folder, name);
    try {
      return (await file.getMetadata()).size;
    } catch (error) {
      throw fileUnreadable(folder.name, name, reasonOf(error), error);
    }
  }

  async read(id: string, name: string, offset: number, length: number): Promise<Uint8Array> {
    const folder = this.folder(id);
    const file = await this.file(folder, name);
    const bytes = await this.piece(folder, file, `${id}/${name}`, offset, length).catch((error: unknown) => {
      throw error instanceof HostError ? error : fileUnreadable(folder.name, name, reasonOf(error), error);
    });
    if (bytes.length === length) return bytes;
    throw fileUnreadable(folder.name, name, 'it has become shorter');
  }

  private async piece(folder: UxpFolder, file: UxpFile, key: string, offset: number, length: number) {
    const fd = this.refusal === undefined ? await this.openPath(file) : undefined;
    if (fd === undefined) return this.pieceOfWhole(folder, file, key, offset, length);
    const fs = this.fs();
    try {
      const buffer = new ArrayBuffer(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await fs.read(fd, buffer, filled, length - filled, offset + filled);
        if (bytesRead <= 0) break;
        filled += bytesRead;
      }
      return new Uint8Array(buffer, 0, filled);
    } finally {
      await fs.close(fd);
    }
  }

  private async openPath(file: UxpFile): Promise<number | undefined> {
    try {
      return await this.fs().open(file.nativePath, 'r');
    } catch (error) {
      this.refusal = error;
      return undefined;
    }
  }

  private async pieceOfWhole(folder: UxpFolder, file: UxpFile, key: string, offset: number, length: number) {
    if (this.whole?.key !== key) {
      const { size } = await file.getMetadata();
      if (size > MOST_BYTES) throw this.tooLarge(folder, file, size);
      this.whole = { key, bytes: this.readWhole(file), left: size };
    }
    const { whole } = this;
    try {
      const bytes = (await whole.bytes).slice(offset, offset + length);
      whole.left -= bytes.length;
      if (whole.left <= 0 && this.whole === whole) this.whole = undefined;
      return bytes;
    } catch (error) {
      if (this.whole === whole) this.whole = undefined;
      throw error;
    }
  }

  private async readWhole(file: UxpFile): Promise<Uint8Array> {
    const content = await file.read({ format: this.storage.formats.binary });
    if (typeof content === 'string') throw new Error('it came as text');
    return new Uint8Array(content);
  }

  private tooLarge(folder: UxpFolder, file: UxpFile, size: number): HostError {
    return new HostError(
      'FILE_TOO_LARGE',
      `The file ${file.name} in the folder "${folder.name}" has ${Math.ceil(size / 1e6)} MB. This Photoshop lets the plugin ` +
        `read it only as a whole (${reasonOf(this.refusal)}), which is done up to ${Math.floor(MOST_BYTES / 1e6)} MB. ` +
        'Nothing was read.',
      'Use a model in smaller files, or the browser edition for this one.',
      this.refusal,
    );
  }

  private remember(folder: UxpFolder): ModelFolder {
    const id = `folder-${this.known.size + 1}`;
    this.known.set(id, folder);
    return { id, name: folder.name };
  }

  private folder(id: string): UxpFolder {
    const folder = this.known.get(id);
    if (folder) return folder;
    throw folderUnknown();
  }

  private async file(folder: UxpFolder, name: string): Promise<UxpFile> {
    plainName(name);
    try {
      return await folder.getEntry(name);
    } catch (error) {
      throw fileMissing(folder.name, name, error);
    }
  }

  private async readKept(): Promise<{ readonly name?: unknown; readonly token?: unknown }> {
    try {
      const data = await this.storage.localFileSystem.getDataFolder();
      const text = await (await data.getEntry(KEPT)).read({ format: this.storage.formats.utf8 });
      return typeof text === 'string' ? ((JSON.parse(text) as object | null) ?? {}) : {};
    } catch {
      return {};
    }
  }

  private async writeKept(content: object): Promise<void> {
    const data = await this.storage.localFileSystem.getDataFolder();
    const file = await data.createFile(KEPT, { overwrite: true });
    await file.write(JSON.stringify(content), { format: this.storage.formats.utf8 });
  }
}
