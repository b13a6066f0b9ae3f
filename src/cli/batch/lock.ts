import { createHash, randomBytes } from 'node:crypto';
import { open, readdir, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfCancelled } from '../../host/cancel';
import { HostError } from '../../host/errors';
import { isTemporary } from '../../host/files/fileSet';
import { reason } from '../../host/files/photoErrors';
import { FolderBusyError } from '../errors';
import { isRunning, startOf } from './processes';

/**
 * A claim on a folder: `.veraretouch-run.PID-START-HOST-RANDOM.lock`. Its owner is in its name, so that a claim is whole
 * as soon as it is there, and no two claims are ever the same file: removing a dead one cannot hit a living one.
 */
const CLAIM = /^\.veraretouch-run\.(\d+)-([0-9a-f]*)-([0-9a-f]{8})-[0-9a-f]{8}\.lock$/;
/** How often a claim says that its owner lives, and after how long without that it counts as dead where nothing else tells. */
const BEAT = 10_000;
const DEAD_AFTER = 120_000;
/** Two runs that start at the same moment both see the other and step back; so often they try again. */
const TRIES = 8;

/** The right to work in a folder, as long as it is held. */
export interface Claim {
  release(): Promise<void>;
}

/**
 * Claims a folder for this run. Claims of dead processes are removed, after a kill as well as after a power cut.
 * Throws FolderBusyError where another run is at work in it, HostError OUTPUT_FOLDER where no claim can be made.
 */
export async function claimFolder(folder: string, signal?: AbortSignal): Promise<Claim> {
  for (let attempt = 1; ; attempt++) {
    throwIfCancelled(signal);
    const claim = await makeClaim(folder);
    const other = await livingClaim(folder, claim.name).catch((cause: unknown) => {
      void claim.release();
      throw unusable(folder, cause);
    });
    if (other === undefined) return claim;
    await claim.release();
    if (attempt === TRIES) throw busy(folder, other);
    await sleep(20 + Math.random() * 40 * attempt);
  }
}

async function makeClaim(folder: string): Promise<Claim & { name: string }> {
  const host = hostKey();
  const name = `.veraretouch-run.${process.pid}-${startOf(process.pid)}-${host}-${randomBytes(4).toString('hex')}.lock`;
  const file = path.join(folder, name);
  const gone = isTemporary(file);
  try {
    await (await open(file, 'wx')).close();
  } catch (cause) {
    gone();
    throw unusable(folder, cause);
  }
  const beat = setInterval(() => {
    const now = new Date();
    void utimes(file, now, now).catch(() => undefined);
  }, BEAT);
  beat.unref();
  return {
    name,
    release: async () => {
      clearInterval(beat);
      await rm(file, { force: true }).catch(() => undefined);
      gone();
    },
  };
}

/** The process number of another run's claim, if its owner lives. */
async function livingClaim(folder: string, own: string): Promise<string | undefined> {
  for (const name of await readdir(folder)) {
    const match = CLAIM.exec(name);
    if (!match || name === own) continue;
    const [, pid, start, host] = match;
    const file = path.join(folder, name);
    if (await lives(file, { pid: Number(pid), start, host })) return pid;
    await rm(file, { force: true }).catch(() => undefined);
  }
  return undefined;
}

async function lives(file: string, owner: { pid: number; start: string; host: string }): Promise<boolean> {
  const here = owner.host === hostKey();
  if (here && !isRunning(owner.pid)) return false;
  if (here && owner.start !== '') return startOf(owner.pid) === owner.start;
  // On another machine, or where a process's start is not told: by the time of the last beat.
  const info = await stat(file).catch(() => undefined);
  return info !== undefined && Date.now() - info.mtimeMs < DEAD_AFTER;
}

function hostKey(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
}

function busy(folder: string, pid: string): FolderBusyError {
  return new FolderBusyError(
    `Another run of veraretouch (process ${pid}) is at work in ${JSON.stringify(folder)}. This one did nothing.`,
    'Wait until it has finished, or choose another folder with --out.',
  );
}

function unusable(folder: string, cause: unknown): HostError {
  return new HostError(
    'OUTPUT_FOLDER',
    `The folder ${JSON.stringify(folder)} cannot be claimed for this run: ${reason(cause)}. No photo was read.`,
    'Choose another folder with --out, or change its permissions.',
    cause,
  );
}
