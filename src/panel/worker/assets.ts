import { PanelError, cancelled, messageOf } from '../errors';

/** The ways to the bytes of a file beside the page. Each rejects where it is shut. */
export interface AssetDoors {
  fetch?(url: string): Promise<Uint8Array>;
  /** XMLHttpRequest, which counts the status 0 of local files as success. */
  request?(url: string): Promise<Uint8Array>;
  /** Loads a classic script, which calls `veraAsset`. The one thing that every local page may do. */
  script?(url: string): Promise<void>;
  host?(name: string): Promise<Uint8Array>;
}

export const DOORS = ['fetch', 'request', 'script', 'host'] as const;
export type Door = (typeof DOORS)[number];

interface Chunk {
  readonly total: number;
  readonly text: string;
}

/** What a chunk script calls: part `index` of `total` of the file `name`, as base64. */
export type AssetCallback = (name: string, index: number, total: number, text: string) => void;

/**
 * Files beside the page, by the first way that is open; which one it was is remembered, for they are all in the same
 * place. The chunk scripts of a file NAME are `chunks/NAME.0.js`, `chunks/NAME.1.js` and so on.
 */
export class Assets {
  /** The way that the last file came. */
  door: Door | undefined;
  private readonly chunks = new Map<string, Chunk>();

  constructor(
    private readonly base: string,
    private readonly doors: AssetDoors,
  ) {}

  /** To be put where the chunk scripts find it: `window.veraAsset`. */
  readonly receive: AssetCallback = (name, index, total, text) => {
    this.chunks.set(`${name}.${index}`, { total, text });
  };

  /** Throws PanelError ASSET_MISSING with what each way said, or the cancellation. */
  async read(name: string, signal?: AbortSignal): Promise<Uint8Array> {
    const remembered = this.door === undefined ? [] : [this.door];
    const reasons: string[] = [];
    for (const door of new Set<Door>([...remembered, ...DOORS])) {
      if (!this.doors[door]) continue;
      if (signal?.aborted) throw cancelled();
      try {
        const bytes = await this.through(door, name, signal);
        this.door = door;
        return bytes;
      } catch (thrown) {
        if (signal?.aborted) throw cancelled();
        reasons.push(`${door}: ${messageOf(thrown)}`);
      }
    }
    throw new PanelError(
      'ASSET_MISSING',
      `The file ${name} of the panel could not be loaded (${reasons.join('; ')}). Nothing was retouched.`,
      'Install the panel again: a part of it is missing.',
    );
  }

  private through(door: Door, name: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    switch (door) {
      case 'fetch':
        return this.doors.fetch!(this.base + name);
      case 'request':
        return this.doors.request!(this.base + name);
      case 'script':
        return this.byChunks(name, signal, (key) => this.byScript(key));
      case 'host':
        return this.byHost(name, signal);
    }
  }

  private async byChunks(
    name: string,
    signal: AbortSignal | undefined,
    bring: (key: string) => Promise<Chunk>,
  ): Promise<Uint8Array> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let index = 0, total = 1; index < total; index++) {
      if (signal?.aborted) throw cancelled();
      // Decoded and let go at once: text and bytes of a whole model would not be in memory together.
      const chunk = await bring(`${name}.${index}`);
      total = chunk.total;
      parts.push(bytesOfBase64(chunk.text));
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  }

  private async byScript(key: string): Promise<Chunk> {
    await this.doors.script!(`${this.base}chunks/${key}.js`);
    const chunk = this.chunks.get(key);
    this.chunks.delete(key);
    if (!chunk) throw new Error(`the script ${key}.js brought nothing`);
    return chunk;
  }

  /** The plugin's package has the scripts only: the host can read them where the web view will not run them. */
  private async byHost(name: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const host = (file: string): Promise<Uint8Array> => this.doors.host!(file);
    try {
      return await host(name);
    } catch (thrown) {
      try {
        return await this.byChunks(name, signal, async (key) => readChunk(key, await host(`chunks/${key}.js`)));
      } catch {
        throw thrown;
      }
    }
  }
}

/** A chunk script read as text instead of being run. Throws where it is none, or another one. */
export function readChunk(key: string, script: Uint8Array): Chunk {
  const text = new TextDecoder().decode(script);
  const call = /^veraAsset\((.*)\)$/s.exec(text)?.[1];
  const [name, index, total, base64] = JSON.parse(`[${call ?? ''}]`) as [unknown, unknown, unknown, unknown];
  if (`${String(name)}.${String(index)}` !== key || typeof total !== 'number' || typeof base64 !== 'string')
    throw new Error(`the script ${key}.js is not what it should be`);
  return { total, text: base64 };
}

/** Throws where the text is no base64. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
