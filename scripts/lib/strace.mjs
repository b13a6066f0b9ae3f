import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, closeSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { run } from './run.mjs';

/*
 * What a program asks the system for, by strace, and which of it reaches beyond a folder. One file of calls per thread
 * (-ff), so that no line is cut in two; strings in hexadecimal (-xx), so that no name can look like the syntax around it.
 */

/** How many of a call's strings are paths that it changes. A symbolic link's first string is only its text. */
const CHANGES = {
  ...{ creat: 1, mkdir: 1, mkdirat: 1, mknod: 1, mknodat: 1, rmdir: 1, unlink: 1, unlinkat: 1, truncate: 1 },
  ...{ rename: 2, renameat: 2, renameat2: 2, link: 2, linkat: 2, symlink: 2, symlinkat: 2 },
  ...{ chmod: 1, fchmodat: 1, fchmodat2: 1, chown: 1, lchown: 1, fchownat: 1 },
  ...{ utime: 1, utimes: 1, futimesat: 1, utimensat: 1 },
  ...{ setxattr: 1, lsetxattr: 1, removexattr: 1, lremovexattr: 1 },
};
/** Calls that change the file behind a descriptor, which may be open for reading only. */
const DESCRIPTORS = ['fchmod', 'fchown', 'ftruncate', 'fallocate', 'fsetxattr', 'fremovexattr'];
const OPENS = ['open', 'openat', 'openat2'];
/** What a retouch has no use for, and what would hide its doings from strace. */
const STRANGE = {
  io_uring_setup: 'asked for io_uring, whose reading and writing strace does not see',
  mq_open: 'opened a message queue',
  chdir: 'changed its folder, so that its paths cannot be told',
  fchdir: 'changed its folder, so that its paths cannot be told',
  chroot: 'changed its root folder',
  ptrace: 'reached into another program',
  process_vm_writev: 'reached into another program',
};
// The question mark: not every processor has every call.
const CALLS = ['execve', 'execveat', ...OPENS, ...Object.keys(CHANGES), ...DESCRIPTORS, ...Object.keys(STRANGE)]
  .map((name) => `?${name}`)
  .join(',');
const WRITES = /\bO_(?:WRONLY|RDWR|CREAT|TRUNC|TMPFILE)\b/;
/** Opened for writing, it takes everything and keeps nothing. */
const NOWHERE = '/dev/null';

/**
 * Makes sure that there is strace, which is installed where apt and the right to use it are there. Throws an Error that
 * says what to do otherwise.
 */
export function ensureStrace() {
  const advice = 'see docs/privacy.md for what to look at by hand';
  if (process.platform !== 'linux')
    throw new Error(`This check watches system calls with strace, which only Linux has; ${advice}.`);
  const there = () => spawnSync('strace', ['-V']).status === 0;
  if (there()) return;
  if (process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0) {
    console.log('Installing strace by apt (the first time)');
    const quiet = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    run('apt-get', ['update', '-qq'], quiet);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'strace'], quiet);
    if (there()) return;
  }
  throw new Error(`No strace was found. Install it (Debian and Ubuntu: apt install strace), or ${advice}.`);
}

/**
 * @typedef {object} Call
 * @property {string} name of the system call
 * @property {string} text its arguments, strings in hexadecimal
 * @property {string} result what came back
 */

/**
 * Runs a program under strace to its end. Its output goes into files: a pipe to it would be a socket of ours.
 *
 * @param {string[]} command
 * @param {{cwd: string, env: Record<string, string>, folder: string}} options `env` is all of its environment; `folder`
 *   takes the trace
 * @returns {Promise<{status: number | null, output: string, calls: Call[]}>} `output`: stdout and stderr. Throws an Error
 *   where strace is not allowed to watch
 */
export async function traced(command, { cwd, env, folder }) {
  const own = mkdtempSync(join(folder, 'trace-'));
  const log = openSync(join(own, 'output'), 'w');
  const options = ['-f', '-ff', '--seccomp-bpf', '-y', '-xx', '-s', '4096', '-e', `trace=%network,${CALLS}`];
  const child = spawn('strace', [...options, '-o', join(own, 'calls'), '--', ...command], {
    ...{ cwd, env, stdio: ['ignore', log, log] },
  });
  const status = await new Promise((done, failed) => child.once('error', failed).once('exit', done));
  closeSync(log);
  const output = readFileSync(join(own, 'output'), 'utf8');
  const files = readdirSync(own).filter((name) => name.startsWith('calls.'));
  const calls = files.flatMap((name) => parse(readFileSync(join(own, name), 'latin1')));
  if (!calls.some(({ name }) => name === 'execve'))
    throw new Error(`strace was not allowed to watch the program, so nothing was checked:\n${output.slice(0, 2000)}`);
  return { status, output, calls };
}

/** The calls in one file of strace's. Lines about signals and ends are passed over. */
function parse(text) {
  return text.split('\n').flatMap((line) => {
    const [, name, rest] = /^(\w+)\((.*)$/.exec(line) ?? [];
    if (name === undefined) return [];
    // A call that never came back has no result; it was made all the same.
    const at = rest.lastIndexOf(') ');
    const equals = /\)\s+= (.*)$/.exec(rest);
    return [{ name, text: at < 0 ? rest : rest.slice(0, at), result: equals?.[1] ?? '' }];
  });
}

/**
 * What a program's calls reach beyond one folder, a sentence each, and how many files were opened in it for writing.
 * Attempts count as much as what came of them.
 *
 * @param {Call[]} calls
 * @param {{inside: string, cwd: string}} options absolute paths without symbolic links
 */
export function judge(calls, { inside, cwd }) {
  const problems = new Set();
  let [written, programs] = [0, 0];
  const allowed = (path) => path === NOWHERE || path === inside || path.startsWith(inside + sep);
  for (const call of calls) {
    if (call.name === 'execve' || call.name === 'execveat') {
      if (programs++ > 0) problems.add(`started another program: ${pathsOf(call, cwd)[0]}`);
    } else if (OPENS.includes(call.name) || call.name in CHANGES || DESCRIPTORS.includes(call.name)) {
      const changed = changedBy(call, cwd);
      for (const path of changed) if (!allowed(path)) problems.add(`${call.name} outside the output folder: ${path}`);
      if (call.name.startsWith('symlink')) problems.add(`made a symbolic link: ${changed[0]}`);
      if (OPENS.includes(call.name) && changed.length > 0 && !call.result.startsWith('-')) written++;
    } else {
      problems.add(STRANGE[call.name] ?? shown(`${call.name}(${decoded(call.text)}) = ${decoded(call.result)}`));
    }
  }
  return { problems: [...problems], written };
}

/** Paths that a call changes, or tries to. */
function changedBy({ name, text, result }, cwd) {
  const behind = (annotated) => /^\w*<((?:\\x[0-9a-f]{2})+)>/.exec(annotated)?.[1];
  if (DESCRIPTORS.includes(name)) return [decoded(behind(text) ?? text)];
  const paths = pathsOf({ text }, cwd);
  if (OPENS.includes(name)) {
    if (!WRITES.test(text)) return [];
    // Where it was opened the system tells its true place, behind all symbolic links.
    const real = behind(result);
    return real === undefined ? paths.slice(0, 1) : [...new Set([decoded(real), ...paths.slice(0, 1)])];
  }
  if (name.startsWith('symlink')) return paths.slice(1, 2);
  // utimensat(7</a>, NULL, ...): the file behind the descriptor.
  return paths.length > 0 ? paths.slice(0, CHANGES[name]) : [decoded(behind(text) ?? text)];
}

/** The strings of a call as absolute paths: from the folder that stands before them, else from the program's. */
function pathsOf({ text }, cwd) {
  const found = text.matchAll(/(?:(?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})+)>, )?"((?:\\x[0-9a-f]{2})*)"/g);
  return [...found].map(([, folder, path]) => resolve(folder === undefined ? cwd : decoded(folder), decoded(path)));
}

/** Without what a terminal would obey. */
function shown(text) {
  return text.replace(/[^\x20-\x7e]+/g, '.');
}

function decoded(text) {
  return text.replace(/(?:\\x[0-9a-f]{2})+/g, (hex) => Buffer.from(hex.replaceAll('\\x', ''), 'hex').toString());
}
