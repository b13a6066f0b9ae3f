import type { Backend, Session } from '../../../src/inference/backend';

export interface Watched extends Backend {
  /** What was asked of the runtime, in order: "load" and "run:" with the outputs wanted, without the cache. */
  readonly log: string[];
  /** Tensors made and not yet disposed of. */
  readonly alive: () => number;
}

/** A backend that notes what it is asked for and calls `before` ahead of each request. */
export function watched(backend: Backend, before: (entry: string, count: number) => void = () => undefined): Watched {
  const log: string[] = [];
  let made = 0;
  let gone = 0;
  const note = (entry: string): void => {
    before(entry, log.length);
    log.push(entry);
  };
  return {
    device: backend.device,
    halfFloat: backend.halfFloat,
    zeros: (type, dims) => backend.zeros(type, dims),
    log,
    alive: () => made - gone,
    floats: (data, dims) => backend.floats(data, dims),
    integers: (data, dims) => backend.integers(data, dims),
    createSession: async (bytes, options): Promise<Session> => {
      note('load');
      const session = await backend.createSession(bytes, options);
      return {
        inputNames: session.inputNames,
        outputNames: session.outputNames,
        run: async (feeds, outputs, into) => {
          note(`run:${outputs.filter((name) => !name.startsWith('present.')).join(',')}`);
          const results = await session.run(feeds, outputs, into);
          for (const tensor of Object.values(results)) {
            made++;
            const dispose = tensor.dispose.bind(tensor);
            tensor.dispose = () => {
              gone++;
              dispose();
            };
          }
          return results;
        },
        dispose: () => session.dispose(),
      };
    },
  };
}
