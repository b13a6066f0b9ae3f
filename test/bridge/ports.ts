import { type Port } from '../../src/bridge';

export interface Faults {
  /** Each message as it would travel (through JSON); what is returned travels instead, in that order. */
  (message: unknown, number: number): readonly unknown[];
}

const none: Faults = (message) => [message];

/** Two ports joined by a wire that copies by JSON, as the webview's does, with faults of each direction. */
export function joinedPorts(faults: { toPage?: Faults; toHost?: Faults } = {}) {
  const end = () => {
    const listeners = new Set<(message: unknown) => void>();
    return {
      listeners,
      deliver: (message: unknown) => {
        listeners.forEach((listener) => {
          listener(message);
        });
      },
    };
  };
  const [host, page] = [end(), end()];
  const port = (own: ReturnType<typeof end>, other: ReturnType<typeof end>, fault: Faults = none): Port => {
    let number = 0;
    return {
      post: (message) => {
        const copies = fault(JSON.parse(JSON.stringify(message)), number++);
        for (const copy of copies)
          setTimeout(() => {
            other.deliver(copy);
          }, 0);
      },
      listen: (listener) => {
        own.listeners.add(listener);
        return () => own.listeners.delete(listener);
      },
    };
  };
  return {
    host: port(host, page, faults.toPage),
    page: port(page, host, faults.toHost),
    /** Something on the page's port that is none of ours. */
    foreign: (message: unknown) => {
      page.deliver(message);
    },
  };
}
