import { strict, Undocumented } from './strict';
import { FakeFile, type FakeUxp } from './uxp';

/** A folder on the disk, outside of the plugin. */
export class FakeFolder {
  /** Moved, deleted, or its disk taken away: tokens of it are no use any more. */
  gone = false;
  /** Has a person chosen it, or was its token taken? Before, nothing in it can be reached. */
  open = false;
  readonly files = new Map<string, FakeFile>();
  /** Names that were asked for, in order. */
  readonly asked: string[] = [];
  private readonly path: string;

  constructor(
    readonly name: string,
    contents: Readonly<Record<string, string | Uint8Array>> | ReadonlyMap<string, Uint8Array> = {},
  ) {
    this.path = `/Users/anna/${name}`;
    const entries = contents instanceof Map ? [...contents] : Object.entries(contents);
    for (const [file, content] of entries) this.put(file, content as string | Uint8Array);
    this.dom.name = name;
  }

  put(name: string, content: string | Uint8Array): FakeFile {
    const file = new FakeFile(name, content);
    file.path = `${this.path}/${name}`;
    this.files.set(name, file);
    return file;
  }

  readonly dom = strict('Folder', {
    name: '',
    /** For the stand-in itself. */
    folder: this,
    getEntry: async (name: string) => {
      this.asked.push(name);
      const file = this.gone ? undefined : this.files.get(name);
      if (!file) throw new Error(`Could not find an entry of the name "${name}"`);
      return file.dom;
    },
  });

  static of(entry: unknown): FakeFolder {
    const { folder } = (entry ?? {}) as { folder?: unknown };
    if (folder instanceof FakeFolder) return folder;
    throw new Undocumented('A token is made of an entry.');
  }
}

/** At most so many bytes come of one call: less than was asked for is what `bytesRead` is for. */
const MOST_AT_ONCE = 3_000_000;

/** The module `fs`, as far as it is used: files of folders that were opened, by their paths. */
export function fsOf(uxp: FakeUxp): object {
  const open = new Map<number, FakeFile>();
  let next = 3;
  return strict('fs', {
    open: async (path: unknown, flag: unknown = 'r') => {
      if (typeof path !== 'string' || flag !== 'r') throw new Undocumented('open: a path, and "r" to read.');
      if (uxp.paths === 'refused') throw new Error(`Permission denied: the manifest asks for no access to ${path}`);
      const file = [...uxp.folders]
        .filter((folder) => folder.open && !folder.gone)
        .flatMap(({ files }) => [...files.values()])
        .find((one) => one.path === path);
      if (!file) throw new Error(`no such file or directory: ${path}`);
      open.set(++next, file);
      uxp.openFiles.add(next);
      return next;
    },
    read: async (fd: number, buffer: unknown, offset: number, length: number, position: number) => {
      const file = open.get(fd);
      if (!file) throw new Error('invalid file descriptor');
      if (!(buffer instanceof ArrayBuffer)) throw new Undocumented('read: the buffer is an ArrayBuffer.');
      if (![offset, length, position].every(Number.isSafeInteger)) throw new Undocumented('read: whole numbers.');
      if (offset + length > buffer.byteLength) throw new Undocumented('read: it would be past the end of the buffer.');
      if (file.failure) throw file.failure;
      const content = typeof file.content === 'string' ? new TextEncoder().encode(file.content) : file.content;
      const part = content.subarray(position, position + Math.min(length, MOST_AT_ONCE));
      new Uint8Array(buffer).set(part, offset);
      return { bytesRead: part.length, buffer };
    },
    close: async (fd: number) => {
      if (!open.delete(fd)) throw new Error('invalid file descriptor');
      uxp.openFiles.delete(fd);
      return 0;
    },
  });
}
