import { VeraRetouchError } from '../../color';
import { throwIfCancelled } from '../../host/cancel';
import { reason } from '../../host/files/photoErrors';
import { type Failure } from '../batch/entries';
import { PhotoError } from '../errors';

/** What engines and image libraries say when memory is short. */
const NO_MEMORY = /out of memory|allocation failed|cannot allocate|ERR_WORKER_OUT_OF_MEMORY|ERR_MEMORY_ALLOCATION/i;

/**
 * What went wrong with one photo as an error of our own, whoever threw it: an image library's bare Error is no reason
 * to end a batch. Throws HostCancelledError where the signal has fired, whatever broke after it.
 */
export function asOwnError(thrown: unknown, photo: string, signal: AbortSignal): VeraRetouchError {
  if (!(thrown instanceof VeraRetouchError)) throwIfCancelled(signal);
  if (thrown instanceof VeraRetouchError) return thrown;
  const { code } = thrown as NodeJS.ErrnoException;
  const about = JSON.stringify(photo);
  if (NO_MEMORY.test(`${code ?? ''} ${String(thrown)}`)) {
    return new PhotoError(
      'PHOTO_MEMORY',
      `There was too little memory for ${about}. Nothing was written for it.`,
      'Close other programs, or give --threads 1, and run the same command again.',
      thrown,
    );
  }
  return new PhotoError(
    'PHOTO_FAILED',
    `${about} could not be retouched: ${reason(thrown)}. Nothing was written for it.`,
    'Run the same command again. If it fails again, open the photo in an editor, save a copy and try that.',
    thrown,
  );
}

/** The same as plain values, for the journal and for other threads. */
export function failureOf(thrown: VeraRetouchError): Failure {
  const system = thrown instanceof RemoteError ? thrown.system : systemCode(thrown.cause);
  return { code: thrown.code, message: thrown.message, hint: thrown.hint, system };
}

/** An error of our own that happened on another thread. */
export class RemoteError extends VeraRetouchError {
  readonly system: string | undefined;

  constructor({ code, message, hint, system }: Failure) {
    super(message, hint === undefined ? { code } : { code, hint });
    this.system = system;
  }
}

function systemCode(cause: unknown): string | undefined {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** What the system says when not this file but the folder or its disk is the matter. */
const OF_ALL = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'ENOENT', 'ENOTDIR', 'ENODEV', 'ENXIO']);

/** Does this failure concern one photo only, so that the others can still be done? */
export function concernsOnePhoto(thrown: unknown): thrown is VeraRetouchError {
  if (!(thrown instanceof VeraRetouchError)) return false;
  if (thrown.code === 'OUTPUT_WRITE') return !OF_ALL.has(failureOf(thrown).system ?? '');
  return /^(PHOTO_|OUTPUT_EXISTS|INPUT_IMAGE|INFERENCE)/.test(thrown.code);
}
