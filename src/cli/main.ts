import { Narrator, type TextSink, type Terminal } from './console';
import { bundleFolder, loadEngine, packageVersion, requireFast } from './engine';
import { EXIT, UsageError, isCancellation } from './errors';
import { namesFolder } from './batch/inputs';
import { runBatch } from './batch/runBatch';
import { parseCommandLine } from './options';
import { removeTemporaryFiles } from '../host/files/fileSet';
import { openFolderBundle } from '../host/files/folderBundle';
import { Bundle, readTerms } from '../inference';
import { requireAcceptance } from './terms';
import { runRetouch } from './retouch';

/** Signals that end the work in good order, with the exit code a shell expects. */
const SIGNALS = { SIGINT: EXIT.cancelled, SIGTERM: 143, SIGHUP: 129 } as const;

async function main(): Promise<void> {
  const terminal: Terminal = { stdout: sink(process.stdout), stderr: sink(process.stderr), env: process.env };
  const narrator = new Narrator(terminal);
  const cancel = new AbortController();
  let cancelCode: number = EXIT.cancelled;
  for (const [name, code] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      cancelCode = code;
      // A second signal does not wait for anything.
      if (cancel.signal.aborted) endNow(code);
      cancel.abort();
    });
  }
  try {
    process.exitCode = await run(terminal, cancel.signal);
  } catch (thrown) {
    if (cancel.signal.aborted || isCancellation(thrown)) {
      narrator.note('Cancelled. Nothing was left half-written.');
      endNow(cancelCode);
    }
    narrator.error(thrown);
    process.exitCode = thrown instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

async function run(terminal: Terminal, signal: AbortSignal): Promise<number> {
  const parsed = parseCommandLine(process.argv.slice(2), packageVersion());
  if (parsed.kind === 'print') {
    terminal.stdout.write(parsed.text);
    return EXIT.ok;
  }
  const { job } = parsed;
  const bundle = await Bundle.open(await openFolderBundle(bundleFolder(job.bundle)));
  if (job.fast) requireFast(bundle.manifest);
  const terms = await readTerms(bundle);
  if (terms) requireAcceptance(terms, job.acceptTerms ?? false, terminal.stderr);
  const isBatch = job.match !== undefined || (await namesFolder(job.photos));
  return isBatch ? runBatch(job, terminal, signal, loadEngine) : runRetouch(job, terminal, signal, loadEngine);
}

/** Ends the process although encoders and the model may still be at work on other threads. */
function endNow(code: number): never {
  removeTemporaryFiles();
  process.exit(code);
}

/** A stream whose reader may go away early (`| head`): the rest of the text is then dropped. */
function sink(stream: NodeJS.WriteStream): TextSink {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  return { write: (text) => stream.write(text), isTTY: stream.isTTY };
}

void main();
