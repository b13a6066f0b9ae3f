import { FakeFolder, fsOf } from './folder';
import { checkOptions, strict, Undocumented } from './strict';

/** A file in memory. */
export class FakeFile {
  writable = true;
  failure: Error | undefined;
  /** Where it lies; empty for a file of which nobody asks that. */
  path = '';

  constructor(
    readonly name: string,
    public content: string | Uint8Array = '',
  ) {}

  readonly entry = strict('File', {
    name: '',
    nativePath: '',
    read: async (options: unknown = {}): Promise<string | ArrayBuffer> => {
      checkOptions('read', options, ['format']);
      if (this.failure) throw this.failure;
      const { content } = this;
      if (options.format !== FORMATS.binary) return typeof content === 'string' ? content : '';
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      return bytes.slice().buffer;
    },
    write: async (data: unknown, options: unknown = {}): Promise<number> => {
      checkOptions('write', options, ['format', 'append']);
      if (this.failure) throw this.failure;
      if (!this.writable) throw new Error('The file is read-only.');
      if (options.format === FORMATS.binary) {
        if (!(data instanceof ArrayBuffer)) throw new Undocumented('write: binary data come as an ArrayBuffer.');
        this.content = new Uint8Array(data.slice(0));
        return data.byteLength;
      }
      if (typeof data !== 'string') throw new Undocumented('write: text is a string.');
      this.content = data;
      return data.length;
    },
    getMetadata: async () => ({ size: this.content.length, name: this.name }),
  });

  get dom(): object {
    this.entry.name = this.name;
    this.entry.nativePath = this.path;
    return this.entry;
  }
}

const FORMATS = { utf8: Symbol('utf8'), binary: Symbol('binary') };
const SLOW_MS = 300;

/** The module `uxp`: pickers that tests answer, a data folder, and entry points that must not be slow. */
export class FakeUxp {
  /** What the person chooses in the next dialogs. */
  readonly chosen: (FakeFile | null)[] = [];
  /** The same for dialogs that ask for a folder. */
  readonly chosenFolders: (FakeFolder | null)[] = [];
  /** Folders by the tokens that were made of them. */
  readonly tokens = new Map<string, FakeFolder>();
  /** Adobe documents paths outside of the plugin for "fullAccess"; what a chosen folder allows is not said. */
  paths: 'open' | 'refused' = 'open';
  readonly openFiles = new Set<number>();
  /** All that were chosen since the stand-in was made. */
  readonly folders = new Set<FakeFolder>();
  readonly fs = fsOf(this);
  readonly asked: { kind: 'open' | 'save'; name?: string; types: string[] }[] = [];
  readonly data = new Map<string, FakeFile>();
  /** Files of the package, by their paths. */
  readonly packaged = new Map<string, FakeFile>();
  entries: Record<string, never> | undefined;

  private async pick(kind: 'open' | 'save', options: unknown, name?: string): Promise<object | null> {
    checkOptions('picker', options, ['types', 'allowMultiple', 'initialDomain', 'initialLocation'], ['types']);
    const types = options.types as string[];
    if (types.some((type) => type.startsWith('.'))) throw new Undocumented('File types have no point.');
    this.asked.push({ kind, types, ...(name === undefined ? {} : { name }) });
    const file = this.chosen.shift();
    if (file === undefined) throw new Error('The test has not said what is chosen.');
    return file?.dom ?? null;
  }

  readonly module = strict('uxp', {
    versions: { uxp: 'uxp-8.0.1-local', plugin: '0.1.0' },
    host: { name: 'Photoshop', version: '26.0.0', uiLocale: 'en_US' },
    storage: strict('storage', {
      formats: FORMATS,
      localFileSystem: strict('localFileSystem', {
        getFileForOpening: (options: unknown) => this.pick('open', options),
        getFileForSaving: (name: string, options: unknown) => this.pick('save', options, name),
        getFolder: async (options: unknown = {}) => {
          checkOptions('getFolder', options, ['initialDomain']);
          const folder = this.chosenFolders.shift();
          if (folder === undefined) throw new Error('The test has not said what folder is chosen.');
          if (folder) {
            folder.open = true;
            this.folders.add(folder);
          }
          return folder?.dom ?? null;
        },
        createPersistentToken: async (entry: unknown) => {
          const folder = FakeFolder.of(entry);
          const token = `token ${this.tokens.size + 1}`;
          this.tokens.set(token, folder);
          return token;
        },
        getEntryForPersistentToken: async (token: string) => {
          const folder = this.tokens.get(token);
          if (!folder || folder.gone) throw new Error('Could not find an entry for the token.');
          folder.open = true;
          return folder.dom;
        },
        getPluginFolder: async () =>
          strict('Folder', {
            getEntry: async (name: string) => {
              const file = this.packaged.get(name);
              if (!file) throw new Error(`Could not find an entry of the name "${name}"`);
              return file.dom;
            },
          }),
        getDataFolder: async () =>
          strict('Folder', {
            getEntry: async (name: string) => {
              const file = this.data.get(name);
              if (!file) throw new Error(`Could not find an entry of the name "${name}"`);
              return file.dom;
            },
            createFile: async (name: string, options: unknown) => {
              checkOptions('createFile', options, ['overwrite']);
              if (this.data.has(name) && options.overwrite !== true) throw new Error('The file exists.');
              const file = this.data.get(name) ?? new FakeFile(name);
              this.data.set(name, file);
              return file.dom;
            },
          }),
      }),
    }),
    entrypoints: strict('entrypoints', {
      setup: (entries: unknown) => {
        if (this.entries) throw new Error('setup can only be called once.');
        checkOptions('setup', entries, ['plugin', 'panels', 'commands']);
        const { panels = {} } = entries as { panels?: Record<string, object> };
        for (const panel of Object.values(panels)) {
          checkOptions('panel', panel, ['create', 'show', 'hide', 'destroy', 'menuItems', 'invokeMenu']);
        }
        this.entries = entries as Record<string, never>;
      },
    }),
  });

  /** Calls a handler as UXP does: what takes longer than 300 ms has failed. */
  async within<T>(call: () => T | Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`The entry point took more than ${SLOW_MS} ms.`));
      }, SLOW_MS);
    });
    const started = Date.now();
    try {
      const result = await Promise.race([Promise.resolve().then(call), late]);
      if (Date.now() - started > SLOW_MS) throw new Error(`The entry point took more than ${SLOW_MS} ms.`);
      return result;
    } finally {
      clearTimeout(timer);
    }
  }
}
