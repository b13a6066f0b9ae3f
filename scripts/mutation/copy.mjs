import { cpSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is changed or found by its place, as files of its own; all else is the tree's. */
const COPIED = ['src', 'test', 'scripts', 'plugin'];
const LEFT = ['.git', 'out', 'coverage'];

/**
 * A copy of the tree, in which files may be changed; nothing in it leads back to a source file of the tree itself.
 * @returns {{ folder: string, remove: () => void }}
 */
export function copyTree(root) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'veraretouch-mutation-')));
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (LEFT.includes(entry.name)) continue;
    const [from, to] = [join(root, entry.name), join(folder, entry.name)];
    if (COPIED.includes(entry.name) || entry.isFile()) cpSync(from, to, { recursive: true });
    else if (existsSync(from)) symlinkSync(realpathSync(from), to);
  }
  return {
    folder,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
