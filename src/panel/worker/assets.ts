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

/** What a chunk script calls: part `index` of `total` of the file `name`, as base64. */
export type AssetCallback = (name: string, index: number, total: number, text: string) => void;

/**
 * Files beside the page, by the first way that is open; which one it was is remembered, for they are all in the same
 * place. The chunk scripts of a file NAME are `chunks/NAME.0.js`, `chunks/NAME.1.js` and so on.
 */
export class Assets {
  /** The way that the last file came. */
  door: Door | undefined;
  private readonly chunks = new Map<string, { total: number; text: string }>();

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
        return this.byScripts(name, signal);
      case 'host':
        return this.doors.host!(name);
    }
  }

  private async byScripts(name: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let index = 0, total = 1; index < total; index++) {
      if (signal?.aborted) throw cancelled();
      const key = `${name}.${index}`;
      await this.doors.script!(`${this.base}chunks/${key}.js`);
      const chunk = this.chunks.get(key);
      // Decoded and let go at once: text and bytes of a whole model would not be in memory together.
      this.chunks.delete(key);
      if (!chunk) throw new Error(`the script ${key}.js brought nothing`);
      total = chunk.total;
      parts.push(bytesOfBase64(chunk.text));
    }
    return parts.length === 1 ? parts[0] : joined(parts);
  }
}

/** Throws where the text is no base64. */
export function bytesOfBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
