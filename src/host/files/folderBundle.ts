import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { HostError } from '../errors';
import { quoted, reason } from './photoErrors';

/** The files of a model bundle in a folder: what `src/inference` asks of a bundle's source. */
export interface FolderBundle {
  read(name: string): Promise<Uint8Array>;
  list(): Promise<readonly string[]>;
  /** Bytes of a file. */
  size(name: string): Promise<number>;
}

/** Throws HostError BUNDLE_FOLDER when there is no such folder. Names are plain: the bundle code checks them first. */
export async function openFolderBundle(folder: string): Promise<FolderBundle> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    throw new HostError(
      'BUNDLE_FOLDER',
      `The model bundle cannot be read from ${quoted(folder)}: ${reason(cause)}. Nothing was written.`,
      'Give the folder that holds bundle.json with --bundle.',
      cause,
    );
  }
  return {
    read: (name) => readFile(path.join(folder, name)),
    list: () => Promise.resolve(names),
    size: async (name) => (await stat(path.join(folder, name))).size,
  };
}
