import { VeraRetouchError } from '../color/errors';

export type PanelErrorCode = 'ASSET_MISSING' | 'WORKER_LOST' | 'PICTURE' | 'ABORT_ERR' | (string & {});

/** What the page itself refuses, and what its worker reports: the texts are the thrower's own. */
export class PanelError extends VeraRetouchError {
  declare readonly code: PanelErrorCode;

  constructor(code: PanelErrorCode, message: string, hint?: string, cause?: unknown) {
    super(message, { code, cause, ...(hint === undefined ? {} : { hint }) });
  }
}

export function cancelled(): PanelError {
  return new PanelError('ABORT_ERR', 'The work was cancelled. Nothing was changed.', 'Start it again when you like.');
}

/** Whoever noticed the signal first: the page, the worker, the host or a bridge. */
export function isCancellation(thrown: unknown): boolean {
  return (thrown as { code?: unknown } | undefined)?.code === 'ABORT_ERR';
}

/** Of a file that is not where it was looked for. */
export function isMissing(thrown: unknown): boolean {
  return (thrown as { code?: unknown } | undefined)?.code === 'FILE_MISSING';
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

export function hintOf(thrown: unknown): string {
  const hint = (thrown as { hint?: unknown } | undefined)?.hint;
  return typeof hint === 'string' ? hint : '';
}
