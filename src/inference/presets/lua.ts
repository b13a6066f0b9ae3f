import { lineAt, type PresetErrorCode, quoted, unreadable } from './errors';
import { MAX_DEPTH, MAX_NODES, type SettingValue } from './values';

const KEY = /([A-Za-z_][A-Za-z0-9_]*)\s*=(?!=)/y;
const RETURN = /return(?=\s*\{)/y;
const COLON = /([A-Za-z_][A-Za-z0-9_]*)\s*:/y;
const NUMBER = /[+-]?\s*(?:0x[0-9a-f]+|(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)(#\w+)?(?![\w.])/iy;
const WORD = /-?[A-Za-z_][A-Za-z0-9_.]*/y;
const SPACE = /\s+/y;
// A longer run of "=" is no preset, and would make looking for its end slow.
const LONG_BRACKET = /\[(={0,20})\[/y;

/** Lightroom marks text that it translates; what counts is the text. */
const TEXT_MARKS = new Set(['LOC', 'ZSTR']);
/** What a printed number looks like that is none. Kept as text, so that it is refused with the name of its setting. */
const NO_NUMBER = /^-?(nan|inf|infinity|math\.huge)$/i;

const ESCAPES: ReadonlyMap<string, string> = new Map(
  Object.entries({ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\n': '\n', '\r': '\n' }),
);

/** Stands for nil: the entry is as if it were not there. */
const NIL: readonly SettingValue[] = [];

interface Table {
  readonly list: SettingValue[];
  readonly fields: Map<string, SettingValue>;
  /** Name of the value that is being read; undefined for the next of the list. */
  key: string | undefined;
}

/**
 * Reads the part of Lua's syntax (Lua 5.1 reference manual, sections 2.1 and 2.5.7) that data files use: assignments
 * of constants and tables of constants to names, or one table after `return`. Nothing is run: calls and operators are refused. Text stays as it
 * is, numbers stay as written, true and false become "True" and "False". Tables with names become maps, others lists.
 * Takes time in proportion to the text and does not recurse.
 *
 * @returns the assigned values by name
 * @throws PresetError PRESET_TOO_COMPLEX (nesting or number of values over the limit), PRESET_DAMAGED, with the line
 */
export function readLua(text: string): ReadonlyMap<string, SettingValue> {
  return new LuaReader(text).read();
}

class LuaReader {
  private at = 0;
  private nodes = 0;

  constructor(private readonly text: string) {}

  read(): ReadonlyMap<string, SettingValue> {
    const assigned = new Map<string, SettingValue>();
    this.passBlanks();
    while (this.at < this.text.length) {
      // A file of data may also hand its one table back.
      const name = this.match(RETURN) ? 'return' : this.match(KEY)?.[1];
      if (name === undefined) throw this.fail('A name and "=" were expected.');
      assigned.set(name, this.value());
      this.passBlanks();
      if (this.take(';')) this.passBlanks();
    }
    return assigned;
  }

  /** One value with everything inside it; the tables that are open are kept in a list, not on the call stack. */
  private value(): SettingValue {
    const open: Table[] = [];
    for (;;) {
      this.passBlanks();
      let done: SettingValue | undefined;
      if (this.take('{')) {
        if (open.length >= MAX_DEPTH) {
          throw this.fail(`Its tables are nested more than ${MAX_DEPTH} deep.`, 'PRESET_TOO_COMPLEX');
        }
        open.push({ list: [], fields: new Map(), key: undefined });
      } else {
        done = this.constant();
      }
      for (;;) {
        const table = open.at(-1);
        if (done !== undefined) {
          if (!table) return done;
          this.store(table, done);
          this.passBlanks();
          if (!this.take(',') && !this.take(';') && this.text[this.at] !== '}') {
            throw this.fail(`"," or "}" was expected${this.at < this.text.length ? '' : '; it seems to be cut off'}.`);
          }
        }
        if (!table) throw this.fail('A value was expected.');
        this.passBlanks();
        if (!this.take('}')) {
          table.key = this.key(table);
          break;
        }
        open.pop();
        done = closed(table);
      }
    }
  }

  private store(table: Table, value: SettingValue): void {
    if (++this.nodes > MAX_NODES) {
      throw this.fail(`It has more than ${MAX_NODES} values.`, 'PRESET_TOO_COMPLEX');
    }
    if (value === NIL) return;
    if (table.key === undefined) table.list.push(value);
    else table.fields.set(table.key, value);
  }

  /** `name =` or `["name"] =`; undefined where the next of the list follows, also for `[1] =` in its turn. */
  private key(table: Table): string | undefined {
    const next = this.text[this.at + 1];
    if (this.text[this.at] === '[' && next !== '[' && next !== '=') {
      this.at++;
      this.passBlanks();
      const key = this.constant();
      this.passBlanks();
      if (typeof key !== 'string' || !this.take(']')) throw this.fail('A key in brackets is damaged.');
      this.passBlanks();
      if (!this.take('=')) throw this.fail('"=" was expected after a key.');
      return key === String(table.list.length + 1) ? undefined : key;
    }
    const key = this.match(KEY)?.[1];
    const other = key === undefined ? this.match(COLON)?.[1] : undefined;
    if (other !== undefined) throw this.fail(`After ${quoted(other)} comes ":" where "=" belongs.`);
    return key;
  }

  private constant(): SettingValue {
    const next = this.text[this.at];
    if (next === '"' || next === "'") return this.shortText(next);
    const long = this.match(LONG_BRACKET);
    if (long) return this.longText(long[1]);
    const number = this.match(NUMBER);
    if (number) return /0x/i.test(number[0]) ? hexadecimal(number[0]) : number[0].replace(/\s+/g, '');
    const word = this.match(WORD)?.[0];
    if (word === 'nil') return NIL;
    if (word === 'true') return 'True';
    if (word === 'false') return 'False';
    if (word !== undefined && NO_NUMBER.test(word)) return word;
    if (word !== undefined && TEXT_MARKS.has(word)) {
      this.passBlanks();
      const quote = this.text[this.at];
      if (quote === '"' || quote === "'") return this.shortText(quote);
    }
    throw this.fail(
      this.at >= this.text.length
        ? 'The file ends where a value was expected; it seems to be cut off.'
        : `${quoted(word ?? this.text.slice(this.at, this.at + 20))} is not a value that a preset holds.`,
    );
  }

  private shortText(quote: string): string {
    const plain = quote === '"' ? /[^"\\\r\n]+/y : /[^'\\\r\n]+/y;
    const parts: string[] = [];
    let bytes: number[] = [];
    const flush = () => {
      // Lua's strings are bytes: a letter may be written as the numbers of its UTF-8.
      if (bytes.length > 0) parts.push(new TextDecoder().decode(Uint8Array.from(bytes)));
      bytes = [];
    };
    this.at++;
    for (;;) {
      const piece = this.match(plain)?.[0];
      if (piece !== undefined) {
        flush();
        parts.push(piece);
      }
      if (this.take(quote)) {
        flush();
        return parts.join('');
      }
      if (!this.take('\\')) throw this.fail('A text is not closed.');
      const escaped = this.escape();
      if (typeof escaped === 'number') bytes.push(escaped);
      else {
        flush();
        parts.push(escaped);
      }
    }
  }

  /** What follows a backslash: text, or the number of one byte. */
  private escape(): string | number {
    const decimal = this.match(/\d{1,3}/y)?.[0];
    if (decimal !== undefined) {
      if (Number(decimal) > 255) throw this.fail(`There is no byte ${decimal}.`);
      return Number(decimal);
    }
    const hex = this.match(/x([0-9a-f]{2})/iy)?.[1];
    if (hex !== undefined) return Number.parseInt(hex, 16);
    if (this.at >= this.text.length) throw this.fail('A text is not closed; the file seems to be cut off.');
    const next = this.text[this.at];
    this.at++;
    if (next === '\r' && this.text[this.at] === '\n') this.at++;
    // Lua 5.1 lets every other character stand for itself: the quotes, the backslash.
    return ESCAPES.get(next) ?? next;
  }

  private longText(level: string): string {
    const end = this.text.indexOf(`]${level}]`, this.at);
    if (end < 0) throw this.fail('A text in long brackets is not closed.');
    const inside = this.text.slice(this.at, end).replace(/^\r?\n/, '');
    this.at = end + level.length + 2;
    return inside;
  }

  /** Past white space and comments. */
  private passBlanks(): void {
    for (;;) {
      this.match(SPACE);
      if (!this.text.startsWith('--', this.at)) return;
      this.at += 2;
      const long = this.match(LONG_BRACKET);
      if (long) this.longText(long[1]);
      else {
        const end = this.text.indexOf('\n', this.at);
        this.at = end < 0 ? this.text.length : end + 1;
      }
    }
  }

  private take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  private fail(detail: string, code: PresetErrorCode = 'PRESET_DAMAGED') {
    return unreadable(code, `${lineAt(this.text, this.at)}: ${detail}`);
  }
}

function closed({ list, fields }: Table): SettingValue {
  if (fields.size === 0) return list;
  // Tables with both are rare; the list's values keep their numbers as names.
  list.forEach((value, index) => fields.set(String(index + 1), value));
  return fields;
}

function hexadecimal(written: string): string {
  const digits = written.replace(/[\s+-]/g, '');
  return String(written.startsWith('-') ? -Number(digits) : Number(digits));
}
