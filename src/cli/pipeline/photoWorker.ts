import { parentPort } from 'node:worker_threads';
import { VeraRetouchError } from '../../color';
import { useThreads } from '../../host/files/photo';
import { type FromWorker, type ToWorker } from './messages';
import { failureOf } from './ownErrors';
import { PhotoHandler } from './photoHandler';

/* A worker thread of a batch: reads photos and writes results while another photo is with the model. */

if (!parentPort) throw new Error('This is a worker thread of veraretouch and no program of its own.');
const port = parentPort;
const handler = new PhotoHandler();
let cancel = new AbortController();

// There is one worker for each core; an encoder with threads of its own would only take turns with the others.
useThreads(1);

port.on('message', (message: ToWorker) => {
  if (message.kind === 'cancel') {
    cancel.abort();
    return;
  }
  cancel = new AbortController();
  void answer(message).then((reply) => {
    port.postMessage(reply);
  });
});

async function answer(message: Exclude<ToWorker, { kind: 'cancel' }>): Promise<FromWorker> {
  try {
    return message.kind === 'open'
      ? { kind: 'opened', photo: await handler.open(message.request, cancel.signal) }
      : { kind: 'applied', photo: await handler.apply(message.request, cancel.signal) };
  } catch (thrown) {
    if (thrown instanceof VeraRetouchError) return { kind: 'failed', failure: failureOf(thrown) };
    return { kind: 'failed', stack: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) };
  }
}
