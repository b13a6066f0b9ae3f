import { RDF, type ScannedXmp, type XmpProperty } from './xmpScan';

/** Namespace of the project's own XMP properties. Never changes: files in the world carry it. */
const NAMESPACE = 'urn:veraretouch:xmp:1/';
const DC = 'http://purl.org/dc/elements/1.1/';
const TIFF = 'http://ns.adobe.com/tiff/1.0/';
const EXIF = 'http://ns.adobe.com/exif/1.0/';
const PHOTOSHOP = 'http://ns.adobe.com/photoshop/1.0/';
const PREFIXES: Readonly<Record<string, string>> = {
  [DC]: 'dc',
  [TIFF]: 'tiff',
  [EXIF]: 'exif',
  [PHOTOSHOP]: 'photoshop',
  [NAMESPACE]: 'veraretouch',
};

/** What is said about a retouch. */
export interface XmpContent {
  readonly title: string;
  /** Paragraphs for people. */
  readonly story: readonly string[];
  /** JSON-able. */
  readonly provenance: unknown;
}

/** What is true of the picture that the XMP of a photo is to describe from now on. */
export interface XmpFacts {
  readonly width: number;
  readonly height: number;
  readonly profileName: string;
  /** Media type of the file. */
  readonly format: string;
}

/**
 * An XMP packet (XMP specification part 1). The story is the document's description, where Photoshop's File Info shows
 * it, and `veraretouch:story`; what programs may want to know is JSON in `veraretouch:provenance`.
 *
 * With the XMP of a photo its properties are kept as they stand, word by word. Its own title and description stay,
 * unless the description is the story of an earlier retouch. What is no longer true (orientation, size, profile,
 * format) is put right where it is stated, and a thumbnail, which shows the unretouched photo, is left out.
 */
export function xmpPacket(content: XmpContent, photo?: { xmp: ScannedXmp; facts: XmpFacts }): string {
  const properties = photo ? [...propertiesOf(photo.xmp)] : [];
  const textOf = (uri: string, local: string): string | undefined =>
    properties.find((property) => property.uri === uri && property.local === local)?.text;
  const story = content.story.join('\n\n');

  const ours = new Map<string, { uri: string; local: string; value: string }>();
  const say = (uri: string, local: string, value: string): void => {
    ours.set(uri + local, { uri, local, value });
  };
  say(NAMESPACE, 'story', escapeXml(story));
  say(NAMESPACE, 'provenance', escapeXml(JSON.stringify(content.provenance)));
  if (!textOf(DC, 'title')) say(DC, 'title', alternative(content.title));
  const description = textOf(DC, 'description');
  if (!description || sameWords(description, textOf(NAMESPACE, 'story'))) say(DC, 'description', alternative(story));
  for (const [uri, local, value] of photo ? stated(photo.facts) : []) {
    if (textOf(uri, local) !== undefined) say(uri, local, escapeXml(value));
  }

  const goes = ({ uri, local }: Pick<XmpProperty, 'uri' | 'local'>): boolean =>
    ours.has(uri + local) || UNTRUE.has(uri + local);
  const inner = [...ours.values()]
    .map(({ uri, local, value }) => `   <${PREFIXES[uri]}:${local}>${value}</${PREFIXES[uri]}:${local}>\n`)
    .join('');
  const names = Object.entries(PREFIXES).filter(([uri]) => [...ours.values()].some((property) => property.uri === uri));
  const declared = names.map(([uri, prefix]) => ` xmlns:${prefix}="${uri}"`).join('');
  const about = escapeXml(photo?.xmp.about ?? '');
  const block = `  <rdf:Description xmlns:rdf="${RDF}" rdf:about="${about}"${declared}>\n${inner}  </rdf:Description>\n`;
  const body = photo
    ? merged(photo.xmp, goes, block)
    : `<x:xmpmeta xmlns:x="adobe:ns:meta/">\n <rdf:RDF xmlns:rdf="${RDF}">\n${block} </rdf:RDF>\n</x:xmpmeta>`;
  return `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>\n${body}\n<?xpacket end="w"?>`;
}

/** Properties that tell of a picture or of data that are not in the file any more. */
const UNTRUE: ReadonlySet<string> = new Set([
  'http://ns.adobe.com/xap/1.0/Thumbnails',
  'http://ns.adobe.com/xmp/note/HasExtendedXMP',
]);

function stated({ width, height, profileName, format }: XmpFacts): [string, string, string][] {
  return [
    [TIFF, 'Orientation', '1'],
    [TIFF, 'ImageWidth', String(width)],
    [TIFF, 'ImageLength', String(height)],
    [EXIF, 'PixelXDimension', String(width)],
    [EXIF, 'PixelYDimension', String(height)],
    [PHOTOSHOP, 'ICCProfile', profileName],
    // 3 is RGB.
    [PHOTOSHOP, 'ColorMode', '3'],
    [DC, 'format', format],
  ];
}

function* propertiesOf(xmp: ScannedXmp): Generator<XmpProperty> {
  yield* xmp.elements;
  for (const { attributes } of xmp.startTags) {
    for (const { uri, local, value } of attributes) yield { uri, local, text: value.trim() };
  }
}

/** The photo's XMP without the properties that go, and with `block` at the end of its rdf:RDF. */
function merged(
  { text, elements, startTags, rdf }: ScannedXmp,
  goes: (property: Pick<XmpProperty, 'uri' | 'local'>) => boolean,
  block: string,
): string {
  const edits: { start: number; end: number; by: string }[] = [];
  for (const element of elements) if (goes(element)) edits.push({ ...element, by: '' });
  for (const { start, end, name, selfClosing, attributes } of startTags) {
    const kept = attributes.filter((attribute) => !goes(attribute));
    if (kept.length === attributes.length) continue;
    const stay = kept.map((attribute) => ` ${attribute.name}="${escapeXml(attribute.value)}"`).join('');
    edits.push({ start, end, by: `<${name}${stay}${selfClosing ? '/' : ''}>` });
  }
  if (rdf.empty) {
    const opened = text.slice(rdf.start, rdf.end).replace(/\s*\/>$/, '>');
    edits.push({ start: rdf.start, end: rdf.end, by: `${opened}\n${block}</${rdf.name}>` });
  } else {
    edits.push({ start: rdf.start, end: rdf.start, by: block });
  }
  edits.sort((a, b) => a.start - b.start);
  let out = '';
  let at = 0;
  for (const { start, end, by } of edits) {
    out += text.slice(at, start) + by;
    at = end;
  }
  return out + text.slice(at);
}

function alternative(text: string): string {
  return `<rdf:Alt><rdf:li xml:lang="x-default">${escapeXml(text)}</rdf:li></rdf:Alt>`;
}

function sameWords(a: string, b: string | undefined): boolean {
  const words = (text: string): string => text.replace(/\s+/g, ' ');
  return b !== undefined && words(a) === words(b);
}

/** Text for XML, in elements and attributes: markup and line ends escaped, characters that XML 1.0 forbids dropped. */
function escapeXml(text: string): string {
  const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"\t\n\r]/g, (char) => escapes[char] ?? `&#${char.charCodeAt(0)};`);
}
