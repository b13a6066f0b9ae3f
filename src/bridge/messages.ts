import { BridgeCancelled, BridgeError, type WireError } from './errors';

/** What channels say to each other, as JSON. `bytes` are the lengths of the arrays that follow in parts. */
export type Message =
  | { kind: 'request'; id: number; method: string; value: unknown; bytes: readonly number[] }
  | { kind: 'result'; id: number; value: unknown; bytes: readonly number[] }
  | { kind: 'part'; id: number; of: 'request' | 'result'; data: string }
  | { kind: 'error'; id: number; error: WireError }
  | { kind: 'progress'; id: number; value: unknown }
  | { kind: 'cancel'; id: number }
  | { kind: 'event'; name: string; value: unknown };

/** A message that bytes follow. */
export type Head = Extract<Message, { kind: 'request' | 'result' }>;

/** Requests of one side that may be open at once: a page has a handful, so that one more is a fault. */
export const MOST_OPEN = 64;
/** In one message, and in all whose bytes are still coming: 110 megapixels of 16-bit RGBA would never travel. */
export const MOST_BYTES = 256 * 1024 * 1024;
const MOST_ARRAYS = 1024;
/** Characters of one message. Its value is names, numbers and a few texts, a part of its bytes half a million. */
const MOST_TEXT = 8 * 1024 * 1024;

const AGAIN = 'Try again; reload the panel if it stays.';

/** Undefined for what is no message of this protocol; a text that is too long is not even looked at. */
export function parse(text: string): Message | undefined {
  if (text.length > MOST_TEXT) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const message = json as Partial<Record<string, unknown>> | null;
  if (typeof message !== 'object' || message === null) return undefined;
  const { kind, id, method, bytes, of, data, name, error } = message;
  const numbered = Number.isSafeInteger(id) && (id as number) > 0;
  const lengths = Array.isArray(bytes) && bytes.every((length) => Number.isSafeInteger(length) && length >= 0);
  const { code, message: words } = (error ?? {}) as Partial<Record<keyof WireError, unknown>>;
  const good =
    (kind === 'request' && numbered && typeof method === 'string' && lengths) ||
    (kind === 'result' && numbered && lengths) ||
    (kind === 'part' && numbered && (of === 'request' || of === 'result') && typeof data === 'string') ||
    (kind === 'error' && numbered && typeof code === 'string' && typeof words === 'string') ||
    ((kind === 'progress' || kind === 'cancel') && numbered) ||
    (kind === 'event' && typeof name === 'string');
  return good ? (message as Message) : undefined;
}

/** What of a message is too much ever to travel, in words; `text` is all of it as it would be sent. */
export function tooMuch({ bytes }: Pick<Head, 'bytes'>, text = ''): string | undefined {
  if (bytes.length > MOST_ARRAYS) return `it has ${bytes.length} arrays, at most ${MOST_ARRAYS} are taken`;
  const total = bytes.reduce((sum, length) => sum + length, 0);
  if (total > MOST_BYTES) return `${total} bytes were announced, at most ${MOST_BYTES} are taken`;
  return text.length > MOST_TEXT ? `it has ${text.length} characters, at most ${MOST_TEXT} are taken` : undefined;
}

export function unreadable(why: string): WireError {
  return { code: 'BRIDGE_PROTOCOL', message: `A message was refused: ${why}. Nothing was done.`, hint: AGAIN };
}

export function busy(why: string): WireError {
  const message = `A request was refused because ${why}. Nothing was done for it; what is under way goes on.`;
  return { code: 'BRIDGE_BUSY', message, hint: 'Wait until what is under way is done, then try again.' };
}

/** What this side refuses itself, as the asker's error. */
export function refused({ code, message, hint = AGAIN }: WireError): BridgeError {
  return new BridgeError(code === 'BRIDGE_BUSY' ? 'BRIDGE_BUSY' : 'BRIDGE_PROTOCOL', message, hint);
}

export function lost(what: string): BridgeError {
  return new BridgeError('BRIDGE_LOST', `${what} What was under way was given up.`, 'Try again.');
}

/** An error that the other side sent. */
export function remote(error: WireError): Error {
  if (error.code === 'ABORT_ERR') return new BridgeCancelled();
  return new BridgeError('BRIDGE_REMOTE', error.message, error.hint ?? 'Try again.', error);
}

/** Anything that was thrown, as the other side gets it. */
export function wire(thrown: unknown): WireError {
  const { code, message, hint } = (thrown ?? {}) as Partial<Record<keyof WireError, unknown>>;
  return {
    code: typeof code === 'string' ? code : 'UNEXPECTED',
    message: typeof message === 'string' ? message : String(thrown),
    ...(typeof hint === 'string' ? { hint } : {}),
  };
}
