import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { throwIfCancelled } from '../cancel';
import { HostError } from '../errors';
import { readRegular } from './io/openRegular';
import { isPlainName } from './names';
import { quoted, reason } from './photoErrors';

/** The files of a model bundle in a folder: what `src/inference` asks of a bundle's source. */
export interface FolderBundle {
  read(name: string): Promise<Uint8Array>;
  list(): Promise<readonly string[]>;
  /** Bytes of a file. */
  size(name: string): Promise<number>;
}

/** No graph is longer: an ONNX file is one protocol buffer, and those end at 2 GiB; weights beside it are cut there too. */
const MOST_BYTES = 2 ** 31;
/** Lists, word lists and texts. */
const MOST_TEXT_BYTES = 256 * 1024 * 1024;

/**
 * Throws HostError BUNDLE_FOLDER when there is no such folder. What is read of it is a regular file directly in it, of
 * 2 GiB at most (256 MiB for text), or the read rejects; with the signal it rejects at once.
 */
export async function openFolderBundle(folder: string, signal?: AbortSignal): Promise<FolderBundle> {
  throwIfCancelled(signal);
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
  const place = (name: string): string => {
    if (isPlainName(name)) return path.join(folder, name);
    throw new Error(`${quoted(name)} is not the name of a file in the bundle`);
  };
  return {
    read: (name) => {
      const most = /\.(json|txt|md)$|^SHA256SUMS$/.test(name) ? MOST_TEXT_BYTES : MOST_BYTES;
      return readRegular(place(name), { most, signal });
    },
    list: () => Promise.resolve(names),
    size: async (name) => (await stat(place(name))).size,
  };
}
