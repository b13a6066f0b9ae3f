import { VeraRetouchError } from '../color';
import { type Field, type TextEvent } from '../inference';

/** One of the two output streams of the program. */
export interface TextSink {
  write(text: string): void;
  readonly isTTY: boolean;
}

/** What the program needs from the process that it runs in. */
export interface Terminal {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Style = 'bold' | 'dim' | 'red' | 'cyan';
const CODES: Record<Style, [number, number]> = { bold: [1, 22], dim: [2, 22], red: [31, 39], cyan: [36, 39] };

const GROUPS: Readonly<Record<string, string | undefined>> = {
  elements: 'Key elements',
  problems: 'Problems',
  plan: 'Plan',
};
const FACTOR_TITLES: Readonly<Record<string, string | undefined>> = {
  light: 'Light',
  globalColor: 'Global colour',
  specificColor: 'Specific colours',
};

/** Heading of a field: its group ("Plan") and, where it has one, its factor ("Light"). */
export function titlesOf(field: Field): { group: string; factor: string | undefined } {
  const [group = '', factor] = field.split('.') as [string?, string?];
  return {
    group: GROUPS[group] ?? field,
    factor: factor === undefined ? undefined : (FACTOR_TITLES[factor] ?? factor),
  };
}

/** Control characters made visible, so that no file name and no model can play with the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) =>
    char === '\n' ? ' ' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** What a person reads on stderr: stages, the reasoning as it is written, notes and errors. */
export class Narrator {
  private readonly colour: boolean;
  private group: string | undefined;
  private field: Field | undefined;
  private atLineStart = true;
  private percent: string | undefined;

  constructor(private readonly terminal: Terminal) {
    const { env, stderr } = terminal;
    // https://no-color.org: present and not empty, whatever its value.
    this.colour = stderr.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  }

  /** A photo begins. */
  photo(text: string): void {
    this.group = undefined;
    this.line(this.styled('bold', printable(text)));
  }

  /** A stage of the work begins. */
  stage(text: string): void {
    this.line(`  ${this.styled('dim', `${printable(text)} ...`)}`);
  }

  /** How far a stage is, from 0 to 1: on a terminal only, over the line of before. */
  progress(share: number): void {
    const percent = `${Math.floor(100 * share)} %`;
    if (!this.terminal.stderr.isTTY || percent === this.percent) return;
    if (this.percent === undefined) this.newLine();
    this.percent = percent;
    this.terminal.stderr.write(`\r    ${this.styled('dim', percent)}`);
    this.atLineStart = false;
  }

  note(text: string): void {
    this.line(`  ${this.styled('dim', printable(text))}`);
  }

  /** A piece of reasoning, as it comes. */
  text({ field, text, done }: TextEvent): void {
    if (this.field !== field && (text.trim() !== '' || done)) this.heading(field);
    if (text !== '' && this.field === field) {
      this.raw(printable(this.atLineStart ? text.trimStart() : text));
    }
    if (done) {
      this.field = undefined;
      this.newLine();
    }
  }

  error(thrown: unknown, photo?: string): void {
    const about = photo === undefined ? '' : `${printable(photo)}: `;
    if (thrown instanceof VeraRetouchError) {
      this.line(`${this.styled('red', 'error')} ${about}${printable(thrown.message)}`);
      if (thrown.hint !== undefined) this.line(`  ${printable(thrown.hint)}`);
      return;
    }
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    this.line(`${this.styled('red', 'error')} ${about}This should not have happened; please report it:\n${text}`);
  }

  private heading(field: Field): void {
    const { group, factor } = titlesOf(field);
    this.field = field;
    if (group !== this.group) {
      this.group = group;
      this.line(`  ${this.styled('cyan', group)}`);
    }
    this.newLine();
    this.raw(`    ${factor === undefined ? '' : `${this.styled('bold', factor)}: `}`);
  }

  private line(text: string): void {
    this.newLine();
    this.terminal.stderr.write(`${text}\n`);
  }

  private raw(text: string): void {
    if (text === '') return;
    this.terminal.stderr.write(text);
    this.atLineStart = false;
  }

  private newLine(): void {
    this.percent = undefined;
    if (!this.atLineStart) this.terminal.stderr.write('\n');
    this.atLineStart = true;
  }

  private styled(style: Style, text: string): string {
    const [on, off] = CODES[style];
    return this.colour ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  }
}
