import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';
import { run } from './run.mjs';

/** Installs the exact packages of package-lock.json where node_modules lacks one or has another version. */
export function ensureNodePackages() {
  const reason = staleness();
  if (!reason) return;
  console.log(`npm ci: ${reason}`);
  const windows = process.platform === 'win32';
  const status = run(windows ? 'npm.cmd' : 'npm', ['ci', '--ignore-scripts'], { shell: windows });
  if (status !== 0) {
    throw new Error('npm ci failed (see above). It needs a package registry; check the network and run again.');
  }
}

/** Compares the lockfile with the record npm keeps of what it installed; undefined when they agree. */
function staleness() {
  const record = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return 'node_modules is missing';
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const present = installed[path];
    // Optional packages are for other platforms; npm leaves those out.
    if (!present && (entry.optional || entry.devOptional)) continue;
    if (present?.version !== entry.version || !existsSync(join(ROOT, path))) {
      return `${path} should be ${entry.version}, is ${present?.version ?? 'missing'}`;
    }
  }
  return undefined;
}
