/**
 * Runs tasks one after the other, in the order in which they arrive. A task that fails does not stop the next.
 *
 * onnxruntime's web builds refuse a second run while one is under way, and on a CPU two inferences at once only
 * slow each other down; so whatever holds a session puts its calls through one of these.
 */
export class Serial {
  private tail: Promise<unknown> = Promise.resolve();

  /** Starts the task when every earlier one has ended; settles as the task does. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.tail.then(task);
    this.tail = result.catch(() => undefined);
    return result;
  }
}
