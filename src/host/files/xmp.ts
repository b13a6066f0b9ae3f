/** Namespace of the project's own XMP property. Never changes: files in the world carry it. */
const NAMESPACE = 'urn:veraretouch:xmp:1/';

/**
 * An XMP packet (XMP specification part 1): the story as the document's description, where Photoshop's File Info
 * shows it, and what programs may want to know as JSON in `veraretouch:provenance`.
 */
export function xmpPacket(title: string, story: readonly string[], provenance: unknown): string {
  const description = story.map(escapeXml).join('&#10;&#10;');
  return `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:veraretouch="${NAMESPACE}">
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">${escapeXml(title)}</rdf:li></rdf:Alt></dc:title>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">${description}</rdf:li></rdf:Alt></dc:description>
   <veraretouch:provenance>${escapeXml(JSON.stringify(provenance))}</veraretouch:provenance>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`;
}

/** Text for XML: markup escaped, characters that XML 1.0 forbids dropped. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char] ?? char);
}
