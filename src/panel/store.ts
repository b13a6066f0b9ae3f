/** The one place of the page's state. It is replaced, never changed; whoever listens hears of it once in a task. */
export class Store<State extends object> {
  private readonly listeners = new Set<(state: State) => void>();
  private told = true;

  constructor(private state: State) {}

  get(): State {
    return this.state;
  }

  /** Replaces what differs. Nobody is told of a change that is none. */
  set(patch: Partial<State>): void {
    const keys = Object.keys(patch) as (keyof State)[];
    if (keys.every((key) => Object.is(this.state[key], patch[key]))) return;
    this.state = { ...this.state, ...patch };
    if (!this.told) return;
    this.told = false;
    // A handler that sets three things makes one repaint.
    queueMicrotask(() => {
      this.told = true;
      for (const listener of [...this.listeners]) listener(this.state);
    });
  }

  /** Tells the state now and whenever it changes; returns what ends that. */
  listen(listener: (state: State) => void): () => void {
    this.listeners.add(listener);
    listener(this.state);
    return () => {
      this.listeners.delete(listener);
    };
  }
}
