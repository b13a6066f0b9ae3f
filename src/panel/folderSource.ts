import { type Folders, fileUnreadable, type ModelFolder } from '../host/folders';
import { cancelled } from './errors';
import { type ModelSource } from './worker/session';

/** Half of what a host gives at once: the bar moves, and a cancelled reading soon ends. */
const PIECE = 8 * 1024 * 1024;
/** Pieces under way: the next is read while one crosses and one is put in its place. */
const AT_ONCE = 3;

/** A model's files in a chosen folder, read where they lie. */
export function folderSource(folders: Folders, { id, name: folder }: ModelFolder, piece = PIECE): ModelSource {
  return {
    size: (name) => folders.size(id, name),
    read: async (name, onBytes, signal) => {
      const size = await folders.size(id, name);
      const bytes = room(folder, name, size);
      let [next, done] = [0, 0];
      // Each takes the next piece until none is left; the first failure stops all.
      let failed = false;
      const work = async (): Promise<void> => {
        while (next < size && !failed) {
          if (signal?.aborted) throw cancelled();
          const at = next;
          const length = Math.min(piece, size - at);
          next += length;
          const part = await folders.read(id, name, at, length);
          bytes.set(part, at);
          done += part.length;
          onBytes?.(done);
        }
      };
      await Promise.all(
        Array.from({ length: AT_ONCE }, () =>
          work().catch((thrown: unknown) => {
            failed = true;
            throw thrown;
          }),
        ),
      );
      if (signal?.aborted) throw cancelled();
      return bytes;
    },
  };
}

function room(folder: string, name: string, size: number): Uint8Array {
  try {
    return new Uint8Array(size);
  } catch (error) {
    throw fileUnreadable(folder, name, `there is no memory for its ${Math.ceil(size / 1e6)} MB`, error);
  }
}
