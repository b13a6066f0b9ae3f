import { lineAt, type PresetErrorCode, quoted, unreadable } from './errors';
import { MAX_DEPTH, MAX_NODES } from './values';

export interface XmlAttribute {
  /** Address of the namespace; empty where the attribute has no prefix. */
  readonly namespace: string;
  readonly name: string;
  readonly value: string;
}

export interface XmlElement {
  readonly namespace: string;
  /** Without prefix. */
  readonly name: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: XmlElement[];
  /** The character data directly inside the element, joined. */
  text: string;
}

const NAME = String.raw`[\p{L}_][\p{L}\p{N}_.\u00B7-]*(?::[\p{L}_][\p{L}\p{N}_.\u00B7-]*)?`;
const TAG_NAME = new RegExp(NAME, 'uy');
const ATTRIBUTE = new RegExp(String.raw`[ \t\r\n]+(${NAME})[ \t\r\n]*=[ \t\r\n]*("[^"<]*"|'[^'<]*')`, 'uy');
const TAG_END = /[ \t\r\n]*(\/?)>/y;
const CLOSING_TAG = new RegExp(String.raw`</(${NAME})[ \t\r\n]*>`, 'uy');

const REFERENCE = /^&([^;&]+);/;
const LONGEST_REFERENCE = 12;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';

/**
 * Reads the part of XML 1.0 with namespaces that XMP needs, strictly: one root, tags that match, declared prefixes,
 * the five predefined entities and character references. Document type declarations are refused, so that there is
 * nothing to expand and nothing to fetch. Takes time in proportion to the text and does not recurse.
 *
 * @throws PresetError PRESET_FORBIDDEN (a declaration), PRESET_TOO_COMPLEX (nesting or number of nodes over the
 *   limit), PRESET_DAMAGED (anything else that is not well formed), each with the line
 */
export function readXml(text: string): XmlElement {
  return new XmlReader(text).read();
}

class XmlReader {
  private at = 0;
  private nodes = 0;
  private root: XmlElement | undefined;
  private readonly open: { readonly tag: string; readonly element: XmlElement; readonly declared: string[] }[] = [];
  /** Per prefix the addresses in force, innermost last: entering and leaving an element costs only what it declares. */
  private readonly prefixes = new Map<string, string[]>([['xml', [XML_NAMESPACE]]]);

  constructor(private readonly text: string) {}

  read(): XmlElement {
    while (this.at < this.text.length) {
      const tag = this.text.indexOf('<', this.at);
      const end = tag < 0 ? this.text.length : tag;
      if (end > this.at) this.characters(this.text.slice(this.at, end));
      this.at = end;
      if (tag >= 0) this.markup();
    }
    const unclosed = this.open.at(-1);
    if (unclosed) throw this.fail(`The file ends inside ${quoted(unclosed.tag)}; it seems to be cut off.`);
    if (!this.root) throw this.fail('There is no element in it.');
    return this.root;
  }

  private markup(): void {
    const starts = (mark: string) => this.text.startsWith(mark, this.at);
    if (starts('<!--')) this.skipPast('-->', 4);
    else if (starts('<![CDATA[')) {
      const from = this.at + 9;
      this.skipPast(']]>', 9);
      this.addText(this.text.slice(from, this.at - 3));
    } else if (starts('<?')) this.skipPast('?>', 2);
    else if (starts('<!')) {
      throw this.fail(
        'It declares a document type (DOCTYPE) or entities, which presets never do and which can do harm; a saved web page starts like this too.',
        'PRESET_FORBIDDEN',
      );
    } else if (starts('</')) this.closeTag();
    else this.openTag();
  }

  private openTag(): void {
    if (this.root && this.open.length === 0) throw this.fail('Something follows after the end of the document.');
    if (this.open.length >= MAX_DEPTH) {
      throw this.fail(`Its elements are nested more than ${MAX_DEPTH} deep.`, 'PRESET_TOO_COMPLEX');
    }
    this.at++;
    const tag = this.match(TAG_NAME)?.[0];
    if (tag === undefined) throw this.fail('A "<" begins no tag.');
    const written = new Map<string, string>();
    for (let pair = this.match(ATTRIBUTE); pair; pair = this.match(ATTRIBUTE)) {
      this.count();
      if (written.has(pair[1])) throw this.fail(`${quoted(pair[1])} is written twice in one tag.`);
      written.set(pair[1], this.resolve(pair[2].slice(1, -1)));
    }
    const end = this.match(TAG_END);
    if (!end) throw this.fail(`The tag ${quoted(tag)} is damaged or cut off.`);
    this.count();
    const declared = this.declare(written);
    const { namespace, name } = this.qualify(tag, true);
    const attributes: XmlAttribute[] = [];
    for (const [attribute, value] of written) {
      if (!isDeclaration(attribute)) attributes.push({ ...this.qualify(attribute, false), value });
    }
    const element: XmlElement = { namespace, name, attributes, children: [], text: '' };
    const parent = this.open.at(-1)?.element;
    if (parent) parent.children.push(element);
    else this.root = element;
    if (end[1] === '/') this.undeclare(declared);
    else this.open.push({ tag, element, declared });
  }

  private closeTag(): void {
    const tag = this.match(CLOSING_TAG)?.[1];
    const last = this.open.pop();
    if (tag === undefined || !last || last.tag !== tag) {
      throw this.fail(last ? `The closing tag of ${quoted(last.tag)} is missing.` : 'A closing tag closes nothing.');
    }
    this.undeclare(last.declared);
  }

  private declare(written: ReadonlyMap<string, string>): string[] {
    const declared: string[] = [];
    for (const [attribute, address] of written) {
      if (!isDeclaration(attribute)) continue;
      const prefix = attribute.slice(6);
      const inForce = this.prefixes.get(prefix);
      if (inForce) inForce.push(address);
      else this.prefixes.set(prefix, [address]);
      declared.push(prefix);
    }
    return declared;
  }

  private undeclare(prefixes: readonly string[]): void {
    for (const prefix of prefixes) this.prefixes.get(prefix)?.pop();
  }

  /** Elements without prefix have the default namespace, attributes without prefix none. */
  private qualify(written: string, isElement: boolean): { namespace: string; name: string } {
    const colon = written.indexOf(':');
    if (colon < 0 && !isElement) return { namespace: '', name: written };
    const prefix = written.slice(0, Math.max(colon, 0));
    const namespace = this.prefixes.get(prefix)?.at(-1) ?? '';
    if (prefix !== '' && namespace === '') throw this.fail(`The prefix of ${quoted(written)} is not declared.`);
    return { namespace, name: written.slice(colon + 1) };
  }

  private characters(text: string): void {
    if (this.open.length > 0) this.addText(this.resolve(text));
    else if (text.trim() !== '') throw this.fail(`There is text outside the elements: ${quoted(text.trim())}.`);
  }

  private addText(text: string): void {
    const inside = this.open.at(-1)?.element;
    if (!inside) throw this.fail('There is text outside the elements.');
    inside.text += text;
  }

  /** The text with its references replaced. In one pass, so that of millions of bad ones only the first is looked at. */
  private resolve(text: string): string {
    let at = text.indexOf('&');
    if (at < 0) return text;
    const parts: string[] = [];
    let copied = 0;
    for (; at >= 0; at = text.indexOf('&', copied)) {
      const name = REFERENCE.exec(text.slice(at, at + LONGEST_REFERENCE))?.[1] ?? '';
      const character = ENTITIES.get(name) ?? characterOf(name);
      if (character === undefined) throw this.fail(`${quoted(`&${name}`)} stands for no character.`);
      parts.push(text.slice(copied, at), character);
      copied = at + name.length + 2;
    }
    parts.push(text.slice(copied));
    return parts.join('');
  }

  private skipPast(mark: string, opening: number): void {
    const end = this.text.indexOf(mark, this.at + opening);
    if (end < 0) throw this.fail(`Nothing closes ${quoted(this.text.slice(this.at, this.at + opening))}.`);
    this.at = end + mark.length;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  private count(): void {
    if (++this.nodes > MAX_NODES) {
      throw this.fail(`It has more than ${MAX_NODES} elements and attributes.`, 'PRESET_TOO_COMPLEX');
    }
  }

  private fail(detail: string, code: PresetErrorCode = 'PRESET_DAMAGED') {
    return unreadable(code, `${lineAt(this.text, this.at)}: ${detail}`);
  }
}

function isDeclaration(attribute: string): boolean {
  return attribute === 'xmlns' || attribute.startsWith('xmlns:');
}

function characterOf(reference: string): string | undefined {
  const digits = /^#(?:x([0-9a-f]+)|([0-9]+))$/i.exec(reference);
  if (!digits) return undefined;
  const code = digits[1] ? Number.parseInt(digits[1], 16) : Number(digits[2]);
  const allowed =
    code === 9 ||
    code === 10 ||
    code === 13 ||
    (code >= 0x20 && code < 0xd800) ||
    (code >= 0xe000 && code < 0xfffe) ||
    (code >= 0x10000 && code <= 0x10ffff);
  return allowed ? String.fromCodePoint(code) : undefined;
}
