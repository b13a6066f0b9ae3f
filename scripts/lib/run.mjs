import { spawnSync } from 'node:child_process';
import { ROOT } from './paths.mjs';

/**
 * Runs a command in the repository root with its output shown.
 *
 * @returns {number} its exit status; 127 where it could not be started
 */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (result.error) console.error(`${command} could not be started: ${result.error.message}`);
  return result.status ?? (result.error ? 127 : 1);
}

/** Runs a tool installed in node_modules by the path of its script, so that no shell or PATH is involved. */
export function runNode(script, args, options = {}) {
  return run(process.execPath, [script, ...args], options);
}
