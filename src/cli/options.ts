import { Command, CommanderError, Option } from 'commander';
import { FACTORS, MAX_STRENGTH, type Factor, type Strength } from '../inference';
import { type Match } from './pipeline/answers';
import { UsageError } from './errors';

export type Task =
  | { readonly kind: 'auto' }
  | { readonly kind: 'style'; readonly text: string }
  | { readonly kind: 'param'; readonly file: string }
  | { readonly kind: 'reference'; readonly before: string; readonly after: string };

/** What one call of `veraretouch retouch` is to do. */
export interface RetouchJob {
  readonly photos: readonly string[];
  readonly task: Task;
  readonly strength: Strength;
  readonly out: string;
  /** Folder of the model bundle; the one that comes with the program when absent. */
  readonly bundle: string | undefined;
  readonly threads: number | undefined;
  /** Were the terms of the model accepted, where it has some? */
  readonly acceptTerms?: true | undefined;
  readonly json: boolean;
  /** Only the picture: no reasoning is written. */
  readonly fast?: true | undefined;
  /** One look for all photos: that of the first, or the mean. Makes a batch of any list of photos. */
  readonly match?: Match | undefined;
}

export type Parsed =
  { readonly kind: 'retouch'; readonly job: RetouchJob } | { readonly kind: 'print'; readonly text: string };

const DEFAULT_OUT = 'retouched';
/** Between the two paths of --reference on their way through the option parser; no path can hold it. */
const SEPARATOR = '\0';

const AFTER_HELP = `
For each photo four files appear in the output folder, all or none: NAME.psd (the photo, a Color Lookup
layer, and hidden the retouched pixels), NAME.png, NAME.cube and NAME.json. Nothing is ever overwritten:
where a name is taken, -2, -3, ... is added. Photos never leave this machine.

The reasoning is written to stderr while the model thinks; stdout lists the files, or with --json one
JSON object per photo and line (null for a photo that failed).

A folder is a batch: several photos at once, progress with the time left, report.json and index.html (before,
after and why, on one page) beside the results. Stopped or killed, the same command goes on where it was; a
photo that is done is not done again.

Exit codes: 0 all photos done, 1 some photo or the model failed, 2 wrong command line, 130 cancelled (Ctrl-C).

Examples:
  veraretouch retouch photo.jpg --auto
  veraretouch retouch *.jpg --style "warm, faded film" --out film
  veraretouch retouch holiday --auto --out holiday-retouched
  veraretouch retouch wedding --style "soft and bright" --match mean
  veraretouch retouch holiday --auto --fast
  veraretouch retouch photo.jpg --params settings.json --strength light=0.5
  veraretouch retouch photo.jpg --reference before.jpg after.jpg --json
`;

/** Reads the command line (without node and script). Throws UsageError. */
export function parseCommandLine(argv: readonly string[], version: string): Parsed {
  let printed = '';
  let job: RetouchJob | undefined;
  const program = new Command('veraretouch')
    .description('Retouches photos: a model on this machine says what is wrong, what it will do, and does it as a LUT.')
    .version(version, '--version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .addHelpText('after', '\nveraretouch retouch --help shows the options.')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => (printed += text),
      writeErr: (text) => (printed += text),
      getOutHelpWidth: () => 110,
      getErrHelpWidth: () => 110,
    });
  retouchCommand(program).action((photos: string[], options: RawOptions) => {
    job = readJob(photos, options);
  });
  try {
    program.parse(joinReference(argv), { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return { kind: 'print', text: printed };
    const text = thrown.code === 'commander.help' ? 'Say what to do.' : thrown.message.replace(/^error: /, '');
    const [message = '', ...suggestion] = text.split('\n');
    throw new UsageError(sentence(message), [...suggestion, 'See veraretouch retouch --help.'].join(' '));
  }
  if (!job) throw new UsageError('Say what to do.', 'See veraretouch --help.');
  return { kind: 'retouch', job };
}

interface RawOptions {
  auto?: boolean;
  style?: string;
  params?: string;
  reference?: string;
  strength?: Strength;
  out: string;
  bundle?: string;
  threads?: number;
  json?: boolean;
  fast?: true;
  acceptModelTerms?: true;
  match?: string;
}

function retouchCommand(program: Command): Command {
  return program
    .command('retouch')
    .description(
      'Retouches photos (JPEG, PNG, TIFF, WebP, AVIF, HEIC, GIF, BMP, PSD, PSB, camera raw) or folders of them in one of four ways.',
    )
    .argument('<photo...>', 'photos to retouch, or folders: all photos directly in them')
    .option('--auto', 'look at each photo and decide what it needs')
    .option('--style <text>', 'retouch as this text says')
    .option(
      '--params <file>',
      'retouch by parameters: JSON of {"Exposure2012": {"value": -100..100}, ...}, or a Lightroom or Camera Raw preset (.xmp, .lrtemplate)',
    )
    .addOption(new Option('--reference <before> <after>', 'take over the look of an edited photo'))
    .addOption(
      new Option(
        '--strength <list>',
        `how much of each factor, 0..${MAX_STRENGTH}, and of the whole, 0..1: ${FACTORS.map((f) => `${f}=1`).join(',')},overall=1`,
      ).argParser(parseStrength),
    )
    .option('--out <dir>', 'folder for the results', DEFAULT_OUT)
    .option('--bundle <dir>', 'folder of the model bundle (default: the one that comes with the program)')
    .option('--accept-model-terms', 'accept the terms of a model that has its own (shown without this option)')
    .addOption(new Option('--threads <n>', 'processor threads to use (default: all)').argParser(parseThreads))
    .addOption(
      new Option('--match <how>', 'keep one look over all photos: that of the first one, or the mean').choices([
        'first',
        'mean',
      ]),
    )
    .option('--fast', 'only the picture, without the reasoning (with a model that gives the picture first)')
    .option('--json', 'print the results as JSON, one object per photo and line')
    .addHelpText('after', AFTER_HELP)
    .showSuggestionAfterError();
}

function readJob(photos: readonly string[], options: RawOptions): RetouchJob {
  const task = readTask(options);
  if (options.match !== undefined && task.kind !== 'auto' && task.kind !== 'style') {
    throw new UsageError(
      `--match is for --auto and --style; ${task.kind === 'param' ? 'parameters' : 'a reference look'} are the same for every photo anyway.`,
      'Leave --match out.',
    );
  }
  if (options.fast && task.kind === 'reference') {
    throw new UsageError(
      '--fast is for --auto, --style and --params; a reference look comes without reasoning anyway.',
      'Leave --fast out.',
    );
  }
  return {
    photos,
    task,
    match: options.match as Match | undefined,
    strength: options.strength ?? {},
    out: options.out,
    bundle: options.bundle,
    threads: options.threads,
    acceptTerms: options.acceptModelTerms,
    json: options.json ?? false,
    fast: options.fast,
  };
}

function readTask({ auto, style, params, reference }: RawOptions): Task {
  const tasks: Task[] = [];
  if (auto) tasks.push({ kind: 'auto' });
  if (style !== undefined) tasks.push({ kind: 'style', text: style });
  if (params !== undefined) tasks.push({ kind: 'param', file: params });
  if (reference !== undefined) {
    const [before = '', after = ''] = reference.split(SEPARATOR);
    tasks.push({ kind: 'reference', before, after });
  }
  const task = tasks.at(0);
  if (!task || tasks.length > 1) {
    throw new UsageError(
      tasks.length > 1 ? 'More than one way of retouching was given.' : 'No way of retouching was given.',
      'Give exactly one of --auto, --style TEXT, --params FILE, --reference BEFORE AFTER.',
    );
  }
  if (task.kind === 'style' && task.text.trim() === '') {
    throw new UsageError('The style is empty.', 'Describe the look, for example --style "warm, faded film".');
  }
  return task;
}

/** The option parser knows options of one value or of any number; --reference has exactly two. */
function joinReference(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const at = argv.findIndex((argument) => argument === '--reference' || argument.startsWith('--reference='));
  if (at < 0 || (end >= 0 && at > end)) return [...argv];
  const [before, after] = [argv[at + 1], argv[at + 2]];
  const isPath = (argument: string | undefined): argument is string =>
    argument !== undefined && argument !== '' && !argument.startsWith('--');
  if (argv[at] !== '--reference' || !isPath(before) || !isPath(after)) {
    throw new UsageError(
      '--reference needs two photos: the one before and the one after editing.',
      'Write --reference BEFORE AFTER.',
    );
  }
  return [...argv.slice(0, at + 1), `${before}${SEPARATOR}${after}`, ...argv.slice(at + 3)];
}

function parseStrength(text: string): Strength {
  const strength: Partial<Record<Factor | 'overall', number>> = {};
  const names = [...FACTORS, 'overall'] as const;
  const hint = `Write for example --strength ${names.map((name) => `${name}=1`).join(',')}; factors go from 0 to ${MAX_STRENGTH}, overall from 0 to 1.`;
  for (const part of text.split(',')) {
    const [given = '', value = '', ...rest] = part.split('=').map((piece) => piece.trim());
    const name = names.find((known) => known === given);
    if (!name) throw new UsageError(`--strength: there is no factor ${JSON.stringify(given)}.`, hint);
    const most = name === 'overall' ? 1 : MAX_STRENGTH;
    const number = value === '' || rest.length > 0 ? Number.NaN : Number(value);
    if (!(number >= 0 && number <= most)) {
      throw new UsageError(`--strength: ${JSON.stringify(part.trim())} is not a strength from 0 to ${most}.`, hint);
    }
    if (name in strength) throw new UsageError(`--strength: ${name} is given twice.`, hint);
    strength[name] = number;
  }
  return strength;
}

function parseThreads(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 256) return number;
  throw new UsageError(
    `--threads: ${JSON.stringify(text)} is not a number of threads.`,
    'Give a number from 1 to 256.',
  );
}

function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(upper) ? upper : `${upper}.`;
}
