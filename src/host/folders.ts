import { HostError } from './errors';

/** A folder that a person has chosen; its id is good as long as the page is loaded. */
export interface ModelFolder {
  readonly id: string;
  /** The folder's own name, without where it lies. */
  readonly name: string;
}

export interface KeptFolder extends ModelFolder {
  /** Must `permit` be called, out of a click, before anything of it can be read? */
  readonly asks: boolean;
}

/**
 * Folders with a model, read where they lie: nothing of them is copied, and nothing is listed. Names are of files directly
 * in the folder. Everything throws HostError: FILE_NAME for a name with folders, FILE_MISSING, FILE_UNREADABLE, FILE_TOO_LARGE.
 */
export interface Folders {
  /** Asks for a folder; undefined when that was called off. Out of a click. */
  choose(): Promise<ModelFolder | undefined>;
  /** The folder of `keep`; undefined where none is. Throws HostError FOLDER_GONE where it is out of reach for good. */
  kept(): Promise<KeptFolder | undefined>;
  /** Asks for the right to read a kept folder again, where the host wants that; false when it was refused. */
  permit(id: string): Promise<boolean>;
  /** Remembers this folder, by reference, in place of the one before; false where this host cannot. */
  keep(id: string): Promise<boolean>;
  /** Nothing is kept any more. The files stay where they are. */
  forget(): Promise<void>;
  /** Bytes of a file. */
  size(id: string, name: string): Promise<number>;
  /** `length` bytes of a file from `offset` on, all of them; at most MOST_PIECE. */
  read(id: string, name: string, offset: number, length: number): Promise<Uint8Array>;
}

/** No more is read at once: it crosses a bridge as text, and is held several times on the way. */
export const MOST_PIECE = 16 * 1024 * 1024;

/** The name, when it is one of a file directly in a folder. Throws HostError FILE_NAME. */
export function plainName(name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/.test(name) && !name.includes('..')) return name;
  throw new HostError(
    'FILE_NAME',
    `${JSON.stringify(name.slice(0, 80))} is no name of a file in the chosen folder. Nothing was read.`,
    'Names are letters, digits, ".", "-" and "_", without folders. Get the model again.',
  );
}

export function folderUnknown(): HostError {
  return new HostError(
    'FOLDER_GONE',
    'The folder that was to be read is not open any more. Nothing was read.',
    'Choose it again.',
  );
}

export function fileMissing(folder: string, name: string, cause?: unknown): HostError {
  return new HostError(
    'FILE_MISSING',
    `There is no file ${name} in the folder "${folder}". Nothing was changed.`,
    'Check that this is the folder of the model, and that it is still where it was; choose it again.',
    cause,
  );
}

export function fileUnreadable(folder: string, name: string, why: string, cause?: unknown): HostError {
  return new HostError(
    'FILE_UNREADABLE',
    `The file ${name} in the folder "${folder}" cannot be read (${why}). Nothing was changed.`,
    'Check that the disk is there and that the file is not locked, and try again.',
    cause,
  );
}
