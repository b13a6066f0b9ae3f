import { HostCancelledError } from '../errors';
import { play } from './play';
import { type Photoshop } from './ports';

/** Namespace and names are those of the files that the command line writes (host/files/xmp.ts). */
const NAMESPACE = 'urn:veraretouch:xmp:1/';
const PROVENANCE = 'veraretouch:provenance';

/** What is kept with a layer: words for people, and all that is needed to edit the retouch again. */
export interface Kept {
  readonly title: string;
  readonly story: readonly string[];
  readonly provenance: unknown;
}

/** Keeps it in the layer's own XMP, which goes along into other documents and files. Tells whether it was kept. */
export async function keepWithLayer(ps: Photoshop, document: number, layer: number, kept: Kept): Promise<boolean> {
  try {
    await play(ps, {
      _obj: 'set',
      _target: [{ _ref: 'property', _property: 'metadata' }, ...target(document, layer)],
      to: { _obj: 'metadata', layerXMP: packet(kept) },
    });
  } catch (error) {
    // The commands are not documented: the retouch itself does not depend on them. After Esc the next call throws too.
    if (error instanceof HostCancelledError) throw error;
    return false;
  }
  return (await keptWithLayer(ps, document, layer)) !== undefined;
}

/** What `keepWithLayer` has kept; undefined for layers of others. */
export async function keptWithLayer(
  ps: Photoshop,
  document: number,
  layer: number,
): Promise<{ readonly provenance: unknown } | undefined> {
  let metadata: unknown;
  try {
    ({ metadata } = await play(ps, {
      _obj: 'get',
      _target: [{ _property: 'metadata' }, ...target(document, layer)],
    }));
  } catch (error) {
    // What Photoshop answers for a layer that has none, nobody says.
    if (error instanceof HostCancelledError) throw error;
    return undefined;
  }
  const xmp = (metadata as { layerXMP?: unknown } | undefined)?.layerXMP;
  if (typeof xmp !== 'string' || !xmp.includes(NAMESPACE)) return undefined;
  // Photoshop rewrites XMP: what was an element may come back as an attribute.
  const found =
    new RegExp(`<${PROVENANCE}>([^<]*)</${PROVENANCE}>`).exec(xmp) ??
    new RegExp(`\\s${PROVENANCE}\\s*=\\s*"([^"]*)"`).exec(xmp) ??
    new RegExp(`\\s${PROVENANCE}\\s*=\\s*'([^']*)'`).exec(xmp);
  if (!found) return undefined;
  try {
    return { provenance: JSON.parse(unescapeXml(found[1])) as unknown };
  } catch {
    return undefined;
  }
}

function target(document: number, layer: number) {
  return [
    { _ref: 'layer', _id: layer },
    { _ref: 'document', _id: document },
  ];
}

function packet({ title, story, provenance }: Kept): string {
  const words = story.join('\n\n');
  const alternative = (text: string): string =>
    `<rdf:Alt><rdf:li xml:lang="x-default">${escapeXml(text)}</rdf:li></rdf:Alt>`;
  return [
    '<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
    ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    `  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:veraretouch="${NAMESPACE}">`,
    `   <dc:title>${alternative(title)}</dc:title>`,
    `   <dc:description>${alternative(words)}</dc:description>`,
    `   <veraretouch:story>${escapeXml(words)}</veraretouch:story>`,
    `   <${PROVENANCE}>${escapeXml(JSON.stringify(provenance ?? null))}</${PROVENANCE}>`,
    '  </rdf:Description>',
    ' </rdf:RDF>',
    '</x:xmpmeta>',
    '<?xpacket end="w"?>',
  ].join('\n');
}

/** Text for XML, in elements and attributes: markup and line ends escaped, characters that XML 1.0 forbids dropped. */
function escapeXml(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"'\t\n\r]/g, (char) => escapes[char] ?? `&#${char.charCodeAt(0)};`);
}

function unescapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(
    /&(?:#x([0-9a-f]+)|#([0-9]+)|([a-z]+));/gi,
    (whole, hex: string, decimal: string, name: string) => {
      if (name) return names[name] ?? whole;
      const code = hex ? parseInt(hex, 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
