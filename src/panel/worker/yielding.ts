import { type Backend } from '../../inference';
import { type Session } from '../../inference/backend';

/**
 * The same backend, with a turn of the event loop before each run. Runs on wasm never leave the worker's thread: without
 * this a whole answer would be one task, and the message that cancels it would be read when it is done.
 */
export function yielding(backend: Backend): Backend {
  return {
    device: backend.device,
    halfFloat: backend.halfFloat,
    zeros: (type, dims) => backend.zeros(type, dims),
    floats: (data, dims) => backend.floats(data, dims),
    integers: (data, dims) => backend.integers(data, dims),
    createSession: async (bytes, options): Promise<Session> => {
      await turn();
      const session = await backend.createSession(bytes, options);
      return {
        inputNames: session.inputNames,
        outputNames: session.outputNames,
        run: async (feeds, outputs) => {
          await turn();
          return session.run(feeds, outputs);
        },
        dispose: () => session.dispose(),
      };
    },
  };
}

/** A message to oneself: timers wait four milliseconds once they are nested. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
