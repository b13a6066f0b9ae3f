import { VeraRetouchError } from '../../../src/color/errors';

/** The error that `work` throws or rejects with; fails when it does neither, or when the class is not the project's. */
export async function failureOf(work: (() => unknown) | Promise<unknown>): Promise<VeraRetouchError> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (error instanceof VeraRetouchError) return error;
    throw new Error(`An error of another class came out: ${String(error)}`, { cause: error });
  }
  throw new Error('No error came out.');
}
