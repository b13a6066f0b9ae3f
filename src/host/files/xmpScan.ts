import { SaxesParser, type SaxesAttributeNS, type SaxesTagNS } from 'saxes';

export const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';

/** Longer packets are not looked at: the longest of editors, with every brush stroke, are about 1 MB. */
const MAX_CHARACTERS = 2 << 20;
/** XMP nests some ten deep. The parser's time grows with the square of the depth. */
const MAX_DEPTH = 64;

/** A property of the photo, as an element or as an attribute of a description. Places count in the text. */
export interface XmpProperty {
  readonly uri: string;
  readonly local: string;
  /** Its words, without markup, trimmed. */
  readonly text: string;
}

export interface XmpElement extends XmpProperty {
  readonly start: number;
  readonly end: number;
}

/** A start tag of a description, whose attributes are properties too. */
export interface XmpStartTag {
  readonly start: number;
  readonly end: number;
  readonly name: string;
  readonly selfClosing: boolean;
  readonly attributes: readonly SaxesAttributeNS[];
}

/** XMP that was found to be well-formed, and where in it things are. */
export interface ScannedXmp {
  /** The outermost element, without the packet around it. */
  readonly text: string;
  readonly elements: readonly XmpElement[];
  readonly startTags: readonly XmpStartTag[];
  /** What rdf:about of the descriptions says; "" as a rule. */
  readonly about: string;
  /** Where the end tag of rdf:RDF is; or, where it is empty (`<rdf:RDF/>`), its tag. */
  readonly rdf: { readonly name: string; readonly start: number; readonly end: number; readonly empty: boolean };
}

/**
 * Reads XMP that comes with a photo, which anybody may have made. Throws an Error with the reason for what is not
 * well-formed, has a document type (and with it entities), is too long or too deep, or holds no rdf:RDF.
 */
export function scanXmp(bytes: Uint8Array): ScannedXmp {
  if (bytes.length > 4 * MAX_CHARACTERS) throw new Error('it is too long');
  const source = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\0+$/, '');
  if (source.length > MAX_CHARACTERS) throw new Error('it is too long');
  return new Scanner(source).scan();
}

class Scanner {
  private readonly path: SaxesTagNS[] = [];
  private readonly elements: XmpElement[] = [];
  private readonly startTags: XmpStartTag[] = [];
  private rdf: ScannedXmp['rdf'] | undefined;
  private about: string | undefined;
  /** Places in the source; all others count from `root`. */
  private root = 0;
  private rootEnd = 0;
  /** The depth of rdf:RDF, counted from 1. */
  private rdfDepth = 0;
  private property: { start: number; text: string } | undefined;

  constructor(private readonly source: string) {}

  scan(): ScannedXmp {
    const parser = new SaxesParser({ xmlns: true, position: true });
    parser.on('error', (error) => {
      throw error;
    });
    parser.on('doctype', () => {
      throw new Error('it has a document type');
    });
    let depth = 0;
    parser.on('opentagstart', () => {
      if (++depth > MAX_DEPTH) throw new Error('it is nested too deep');
    });
    parser.on('opentag', (tag) => {
      this.open(tag, parser.position);
    });
    const text = (piece: string): void => {
      if (this.property) this.property.text += piece;
    };
    parser.on('text', text);
    parser.on('cdata', text);
    parser.on('closetag', (tag) => {
      depth--;
      this.close(tag, parser.position);
    });
    parser.write(this.source).close();
    if (!this.rdf) throw new Error('it holds no rdf:RDF');
    return {
      text: this.source.slice(this.root, this.rootEnd),
      elements: this.elements,
      startTags: this.startTags,
      about: this.about ?? '',
      rdf: this.rdf,
    };
  }

  private open(tag: SaxesTagNS, end: number): void {
    // Attribute values hold no "<": the last one begins the tag.
    const start = this.source.lastIndexOf('<', end - 1);
    if (this.path.length === 0) this.root = start;
    this.path.push(tag);
    const depth = this.path.length;
    if (this.rdfDepth === 0) {
      if (is(tag, 'RDF') && depth <= 2) this.rdfDepth = depth;
    } else if (depth === this.rdfDepth + 1 && is(tag, 'Description')) {
      const attributes = Object.values(tag.attributes);
      this.about ??= attributes.find(({ uri, local }) => (uri === RDF || uri === '') && local === 'about')?.value;
      this.startTags.push({
        start: start - this.root,
        end: end - this.root,
        name: tag.name,
        selfClosing: tag.isSelfClosing,
        attributes,
      });
    } else if (depth === this.rdfDepth + 2 && is(this.path[depth - 2], 'Description')) {
      this.property = { start, text: '' };
    }
  }

  private close(tag: SaxesTagNS, end: number): void {
    const depth = this.path.length;
    this.path.pop();
    if (depth === 1) this.rootEnd = end;
    if (this.rdfDepth > 0 && depth === this.rdfDepth && is(tag, 'RDF')) {
      if (this.rdf) throw new Error('it holds rdf:RDF twice');
      const start = this.source.lastIndexOf('<', end - 1) - this.root;
      this.rdf = { name: tag.name, start, end: end - this.root, empty: tag.isSelfClosing };
    }
    if (this.property && depth === this.rdfDepth + 2) {
      const { start, text } = this.property;
      this.elements.push({
        uri: tag.uri,
        local: tag.local,
        text: text.trim(),
        start: start - this.root,
        end: end - this.root,
      });
      this.property = undefined;
    }
  }
}

function is(tag: SaxesTagNS, local: string): boolean {
  return tag.uri === RDF && tag.local === local;
}
