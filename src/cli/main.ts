import { Narrator, type Terminal } from './console';
import { openModel, packageVersion, requireFast } from './engine';
import { EXIT, UsageError, isCancellation } from './errors';
import { parseCommandLine } from './options';
import { Output } from './output';
import { removeTemporaryFiles } from '../host/files/fileSet';
import { requireAcceptance } from './terms';
import { runJob } from './pipeline/runJob';

/** Signals that end the work in good order, with the exit code a shell expects. */
const SIGNALS = { SIGINT: EXIT.cancelled, SIGTERM: 143, SIGHUP: 129 } as const;

async function main(): Promise<void> {
  const cancel = new AbortController();
  const stdout = new Output(process.stdout, () => {
    cancel.abort();
  });
  // Where nothing more can be said, the work still goes on.
  const stderr = new Output(process.stderr, () => undefined);
  const terminal: Terminal = { stdout, stderr, env: process.env };
  const narrator = new Narrator(terminal);
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
    process.exitCode = await run(terminal, stdout, cancel.signal);
  } catch (thrown) {
    if (stdout.broken) {
      narrator.error(stdout.broken);
      endNow(EXIT.failed);
    }
    if (cancel.signal.aborted || isCancellation(thrown)) {
      narrator.note('Cancelled. Nothing was left half-written.');
      endNow(cancelCode);
    }
    narrator.error(thrown);
    process.exitCode = thrown instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

async function run(terminal: Terminal, stdout: Output, signal: AbortSignal): Promise<number> {
  const parsed = parseCommandLine(process.argv.slice(2), packageVersion());
  if (parsed.kind === 'print') {
    // A reader that takes the first lines of the help only (`| head`) has what it wanted.
    stdout.write(parsed.text);
    return EXIT.ok;
  }
  const { job } = parsed;
  const model = await openModel(job.bundle, signal);
  if (job.fast) requireFast(model.manifest);
  if (model.terms) requireAcceptance(model.terms, job.acceptTerms ?? false, terminal.stderr);
  const code = await runJob(job, model, terminal, signal);
  await stdout.flushed();
  return code;
}

/** Ends the process although encoders and the model may still be at work on other threads. */
function endNow(code: number): never {
  removeTemporaryFiles();
  process.exit(code);
}

void main();
