/** A person may think about a dialog for as long as it takes: the longest that a timer can wait, 24 days. */
export const NO_LIMIT_MS = 2 ** 31 - 1;
/** Before reading, Photoshop may wait for another plugin, and a large document takes its time to be shown small. */
export const READ_MS = 120_000;
