import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import path from 'node:path';

export const ROOT = path.resolve(__dirname, '../../..');
/** The program under test. VERARETOUCH_PROGRAM names another build, to see what it does with the same faults. */
export const PROGRAM = process.env['VERARETOUCH_PROGRAM'] ?? path.join(ROOT, 'dist/cli.cjs');
export const TINY = path.join(ROOT, 'test/fixtures/tiny-bundle');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly stdio?: StdioOptions;
  /** A program that has not ended by then is killed; its `signal` says so. */
  readonly within?: number;
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs the program with these words. */
export function runProgram(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { cwd, stdio = 'pipe', within = 60_000, onStart } = options;
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio, ...(cwd === undefined ? {} : { cwd }) });
  const text = { stdout: '', stderr: '' };
  child.stdout?.on('data', (data: Buffer) => (text.stdout += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (text.stderr += data.toString()));
  onStart?.(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), within);
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...text });
    });
  });
}
