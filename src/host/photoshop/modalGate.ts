import { VeraRetouchError } from '../../color/errors';
import { throwIfCancelled } from '../cancel';
import { HostCancelledError, HostError } from '../errors';
import { UNTOUCHED } from './documents';
import { type Core, type ModalContext } from './ports';

/** Photoshop's number for "another plugin is modal". */
const BUSY = 9;
const CANCELLED_BY_USER = -128;

/** Modal scopes, one after the other: Photoshop has one, and a second call of this plugin would find it taken. */
export class ModalGate {
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly core: Core,
    private readonly waitSeconds: number,
  ) {}

  /**
   * Runs `work` in a modal scope. Throws HostError HOST_BUSY when another plugin does not give Photoshop free in time,
   * HostCancelledError after Esc or when `signal` has fired, and HOST_FAILED for whatever Photoshop throws.
   */
  run<T>(name: string, signal: AbortSignal | undefined, work: (context: ModalContext) => Promise<T>): Promise<T> {
    const turn = this.last.then(() => this.enter(name, signal, work));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private async enter<T>(
    commandName: string,
    signal: AbortSignal | undefined,
    work: (context: ModalContext) => Promise<T>,
  ): Promise<T> {
    throwIfCancelled(signal);
    let failure: { error: unknown } | undefined;
    try {
      return await this.core.executeAsModal(
        async (context) => {
          try {
            throwIfCancelled(signal);
            return await work(context);
          } catch (error) {
            // What a scope throws may come out of Photoshop as something else, and the context says nothing later.
            failure = { error: isCancellation(error, context) ? new HostCancelledError() : error };
            throw failure.error;
          }
        },
        { commandName, timeOut: this.waitSeconds },
      );
    } catch (thrown) {
      const error: unknown = failure ? failure.error : thrown;
      if (error instanceof VeraRetouchError) throw error;
      if (!failure && numberOf(error) === BUSY) throw busy(error);
      throw failed(error);
    }
  }
}

export function isCancellation(error: unknown, context: ModalContext): boolean {
  return context.isCancelled || error instanceof HostCancelledError || numberOf(error) === CANCELLED_BY_USER;
}

/** The first line of what was thrown. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0].trim() || 'no reason was given').replace(/[.\s]+$/, '').slice(0, 200);
}

export function failed(error: unknown): HostError {
  return new HostError(
    'HOST_FAILED',
    `Photoshop did not do what it was asked for (${reasonOf(error)}). ${UNTOUCHED}`,
    'Try again; if it stays, restart Photoshop.',
    error,
  );
}

function busy(error: unknown): HostError {
  return new HostError(
    'HOST_BUSY',
    `Photoshop is busy with something else (${reasonOf(error)}). ${UNTOUCHED}`,
    'Finish or close what is open in Photoshop (a dialog, a transformation, another plugin), and try again.',
    error,
  );
}

function numberOf(error: unknown): unknown {
  return (error as { number?: unknown } | null | undefined)?.number;
}
