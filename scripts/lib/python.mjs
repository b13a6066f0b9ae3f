import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';
import { run } from './run.mjs';

const VENV = join(ROOT, '.venv');
const STAMP = join(VENV, '.requirements.sha256');
const NODEPS = 'training/requirements-nodeps.txt';
const REQUIREMENTS = ['training/requirements.txt', 'training/requirements-dev.txt', NODEPS];
const MINIMUM = [3, 11];

/**
 * The Python that runs training and its tests. VERARETOUCH_PYTHON names one to use as it is; otherwise .venv is made
 * and brought up to the pinned requirements, which is skipped while their hash is unchanged.
 *
 * @returns {string} path of the interpreter
 */
export function ensurePython() {
  const given = process.env.VERARETOUCH_PYTHON;
  if (given) {
    if (versionOf(given) === undefined) throw new Error(`VERARETOUCH_PYTHON is set to ${given}, which does not run.`);
    return given;
  }
  const interpreter = process.platform === 'win32' ? join(VENV, 'Scripts', 'python.exe') : join(VENV, 'bin', 'python');
  const base = findPython();
  const wanted = requirementsHash(base.version);
  if (existsSync(interpreter) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return interpreter;
  console.log('Preparing .venv with the packages of training/requirements*.txt (the first time takes minutes)');
  rmSync(STAMP, { force: true });
  step(base.command, ['-m', 'venv', VENV], 'making .venv (on Debian and Ubuntu: apt install python3-venv)');
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--quiet'];
  const listed = REQUIREMENTS.filter((file) => file !== NODEPS).flatMap((file) => ['-r', file]);
  step(interpreter, [...pip, ...listed], 'installing Python packages');
  step(interpreter, [...pip, '--no-deps', '-r', NODEPS], 'installing Python packages');
  writeFileSync(STAMP, wanted);
  return interpreter;
}

function step(command, args, what) {
  if (run(command, args) !== 0)
    throw new Error(`${what} failed, see above; nothing else was changed. Run again after fixing it.`);
}

function findPython() {
  for (const command of ['python3', 'python']) {
    const version = versionOf(command);
    if (version && (version[0] > MINIMUM[0] || (version[0] === MINIMUM[0] && version[1] >= MINIMUM[1]))) {
      return { command, version: version.join('.') };
    }
  }
  throw new Error(
    `No Python ${MINIMUM.join('.')} or later was found. Install one, or set VERARETOUCH_PYTHON to an interpreter ` +
      'that has the packages of training/requirements*.txt.',
  );
}

/** @returns {[number, number] | undefined} major and minor version, undefined where it does not run */
function versionOf(command) {
  const result = spawnSync(command, ['-c', 'import sys; print(*sys.version_info[:2])'], { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim().split(' ').map(Number) : undefined;
}

function requirementsHash(pythonVersion) {
  const hash = createHash('sha256').update(pythonVersion);
  for (const file of REQUIREMENTS) hash.update('\0').update(readFileSync(join(ROOT, file)));
  return hash.digest('hex');
}
