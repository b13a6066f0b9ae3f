import { HostCancelledError } from '../errors';
import { type Descriptor, type Photoshop } from './ports';

const CANCELLED_BY_USER = -128;

/** One action command; throws what Photoshop answers with as an error, which batchPlay itself does not. */
export async function play(ps: Photoshop, command: Descriptor): Promise<Descriptor> {
  const results = await ps.action.batchPlay([command], {});
  const result = results[0] ?? {};
  if (typeof result._obj === 'string' && result._obj.toLowerCase() === 'error') {
    if (result.result === CANCELLED_BY_USER) throw new HostCancelledError();
    throw new Error(typeof result.message === 'string' ? result.message : 'a command failed');
  }
  return result;
}
