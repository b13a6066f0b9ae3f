import { type Folders, fileUnreadable, type ModelFolder } from '../host/folders';
import { PanelError, cancelled, hintOf, isCancellation, messageOf } from './errors';
import { type ModelSource } from './worker/session';

/** Half of what a host gives at once: the bar moves, and a cancelled reading soon ends. */
const PIECE = 8 * 1024 * 1024;
/** Pieces under way: the next is read while one crosses and one is put in its place. */
const AT_ONCE = 3;

/** A model's files in a chosen folder, read where they lie. */
export function folderSource(folders: Folders, { id, name: folder }: ModelFolder, piece = PIECE): ModelSource {
  return {
    size: (name) => folders.size(id, name),
    read: (name, onBytes, signal) => readWhole(name, onBytes, signal).catch(asPartOfASentence),
  };

  async function readWhole(
    name: string,
    onBytes: ((bytes: number) => void) | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
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
  }
}

/** Whoever reads a bundle says what was not loaded, after the reason that stands here. */
function asPartOfASentence(thrown: unknown): never {
  if (isCancellation(thrown)) throw thrown;
  const { code } = (thrown ?? {}) as { code?: unknown };
  const reason = messageOf(thrown).replace(/\.( Nothing was (changed|read)\.)?$/, '');
  throw new PanelError(typeof code === 'string' ? code : 'FILE_UNREADABLE', reason, hintOf(thrown), thrown);
}

function room(folder: string, name: string, size: number): Uint8Array {
  try {
    return new Uint8Array(size);
  } catch (error) {
    throw fileUnreadable(folder, name, `there is no memory for its ${Math.ceil(size / 1e6)} MB`, error);
  }
}
