import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Reasoning } from '../../inference';
import { HostError } from '../../host/errors';
import { type RetouchRecord } from '../record';

/** The batch's memory, beside its results. One JSON object per line, only ever appended to. */
export const JOURNAL = 'veraretouch-batch.jsonl';

/** A photo as it was when it was taken up: another size or time of change makes it another photo. */
export interface PhotoState {
  readonly photo: string;
  readonly size: number;
  readonly modified: number;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** `job` tells batches with other settings in the same folder apart. */
type Entry = { readonly job: string } & (
  | ({ readonly kind: 'begin'; readonly name: string; readonly at: number } & PhotoState)
  | ({ readonly kind: 'done'; readonly name: string; readonly record: RetouchRecord } & PhotoState)
  | ({ readonly kind: 'failed'; readonly failure: Failure } & PhotoState)
  | ({ readonly kind: 'seen'; readonly latents: readonly number[]; readonly reasoning: Reasoning } & PhotoState)
);

export type Begun = Extract<Entry, { kind: 'begin' }>;
export type Finished = Extract<Entry, { kind: 'done' | 'failed' }>;
export type Seen = Extract<Entry, { kind: 'seen' }>;

/** A short name for everything that decides what becomes of a photo. */
export function jobKey(settings: unknown): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 16);
}

/**
 * What was done before and what is done now. Every line is on the disk before the step after it is taken, so whenever
 * the process ends, each photo is either finished, or known to have been begun under which name, or untouched.
 */
export class Journal {
  private readonly finished = new Map<string, Finished>();
  private readonly begun = new Map<string, Begun>();
  private readonly seen = new Map<string, Seen>();
  /** Names that batches in this folder have given out, with all their settings. */
  readonly names = new Set<string>();
  private writing: Promise<void> = Promise.resolve();
  private handle: FileHandle | undefined;

  private constructor(
    private readonly file: string,
    private readonly job: string,
    /** Did the process end in the middle of the last line? It must not swallow the next one. */
    private torn: boolean,
  ) {}

  /**
   * Reads the journal in `folder`; the file is made with the first entry. Throws HostError OUTPUT_FOLDER when it cannot
   * be read, as the methods that add entries do when it cannot be written.
   */
  static async open(folder: string, job: string): Promise<Journal> {
    const file = path.join(folder, JOURNAL);
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw unusable(file, cause);
    });
    const journal = new Journal(file, job, text !== '' && !text.endsWith('\n'));
    for (const line of text.split('\n')) journal.take(line);
    return journal;
  }

  /** How a photo ended in an earlier run with these settings; undefined when it has not, or is another file now. */
  finishedBefore(state: PhotoState): Finished | undefined {
    return same(this.finished.get(state.photo), state);
  }

  /** The name under which a photo was begun and not finished. */
  begunBefore(state: PhotoState): Begun | undefined {
    return same(this.begun.get(state.photo), state);
  }

  /** What the model said of a photo, for batches that look at all photos first. */
  seenBefore(state: PhotoState): Seen | undefined {
    return same(this.seen.get(state.photo), state);
  }

  async begin(state: PhotoState, name: string): Promise<void> {
    await this.append({ job: this.job, kind: 'begin', ...state, name, at: Date.now() });
  }

  async done(state: PhotoState, name: string, record: RetouchRecord): Promise<Finished> {
    const entry = { job: this.job, kind: 'done', ...state, name, record } as const;
    await this.append(entry);
    return entry;
  }

  async failed(state: PhotoState, failure: Failure): Promise<Finished> {
    const entry = { job: this.job, kind: 'failed', ...state, failure } as const;
    await this.append(entry);
    return entry;
  }

  async saw(state: PhotoState, latents: Float32Array, reasoning: Reasoning): Promise<void> {
    await this.append({ job: this.job, kind: 'seen', ...state, latents: [...latents], reasoning });
  }

  async close(): Promise<void> {
    await this.writing.catch(() => undefined);
    await this.handle?.close();
  }

  private async append(entry: Entry): Promise<void> {
    const line = `${JSON.stringify(entry)}\n`;
    const write = async (): Promise<void> => {
      try {
        this.handle ??= await open(this.file, 'a');
        await this.handle.appendFile(this.torn ? `\n${line}` : line);
        this.torn = false;
        await this.handle.datasync();
      } catch (cause) {
        throw unusable(this.file, cause);
      }
    };
    // One after another, whoever asks: a line is never torn by another one.
    this.writing = this.writing.then(write, write);
    await this.writing;
    this.take(line);
  }

  private take(line: string): void {
    let entry: Entry;
    try {
      entry = JSON.parse(line) as Entry;
    } catch {
      // The end of a line that was being written when the process ended, or the empty rest behind the last one.
      return;
    }
    // Anybody can write into this file; a line that is none of ours is no reason to refuse the rest.
    if (typeof (entry as Partial<Entry> | null)?.photo !== 'string') return;
    if ('name' in entry) this.names.add(entry.name);
    if (entry.job !== this.job) return;
    if (entry.kind === 'begin') this.begun.set(entry.photo, entry);
    else if (entry.kind === 'seen') this.seen.set(entry.photo, entry);
    else this.finished.set(entry.photo, entry);
  }
}

function unusable(file: string, cause: unknown): HostError {
  return new HostError(
    'OUTPUT_FOLDER',
    `The batch's journal ${JSON.stringify(file)} cannot be used: ${(cause as Error).message}. Photos that are not in it were not retouched.`,
    'Choose another folder with --out, or change its permissions.',
    cause,
  );
}

function same<T extends PhotoState>(entry: T | undefined, { size, modified }: PhotoState): T | undefined {
  return entry?.size === size && entry.modified === modified ? entry : undefined;
}

/** The photo as it is now; size and time 0 where there is none. */
export async function stateOf(photo: string): Promise<PhotoState> {
  const key = path.resolve(photo);
  return stat(photo).then(
    ({ size, mtimeMs }) => ({ photo: key, size, modified: Math.round(mtimeMs) }),
    () => ({ photo: key, size: 0, modified: 0 }),
  );
}
