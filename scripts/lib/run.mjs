import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
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

/**
 * Starts a command in the repository root beside what goes on; what it prints is kept in a file.
 *
 * @param {string} log where its output goes
 * @returns {() => Promise<{ status: number, output: string, seconds: number }>} waits for its end
 */
export function runAside(command, args, log, options = {}) {
  const start = performance.now();
  const file = openSync(log, 'w');
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', file, file], ...options });
  closeSync(file);
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve({ status: 127, note: `${command} could not be started: ${error.message}\n` }));
    child.on('exit', (code) => resolve({ status: code ?? 1, note: '' }));
  });
  return async () => {
    const { status, note } = await ended;
    return { status, output: readFileSync(log, 'utf8') + note, seconds: (performance.now() - start) / 1000 };
  };
}
