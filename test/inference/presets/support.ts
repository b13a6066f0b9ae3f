import { parsePreset, type Preset, PresetError } from '../../../src/inference/presets';

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const parse = (text: string, fileName?: string): Preset => parsePreset(bytesOf(text), fileName);

/** An .xmp preset in the form that Lightroom writes: settings as attributes, texts and lists as elements. */
export function xmp(attributes: Readonly<Record<string, string>>, elements = ''): string {
  const written = Object.entries(attributes).map(([name, value]) => `   crs:${name}="${value}"`);
  return `<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000 1.000000, 0000/00/00-00:00:00        ">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   crs:PresetType="Normal"
   crs:UUID="00112233445566778899AABBCCDDEEFF"
   crs:SupportsAmount="True"
   crs:Version="15.0"
   crs:ProcessVersion="11.0"
${written.join('\n')}
   crs:HasSettings="True">
${elements}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
`;
}

export function alternative(name: string, text: string): string {
  return `<crs:${name}><rdf:Alt><rdf:li xml:lang="x-default">${text}</rdf:li></rdf:Alt></crs:${name}>`;
}

export function sequence(name: string, items: readonly string[]): string {
  return `<crs:${name}><rdf:Seq>${items.map((item) => `<rdf:li>${item}</rdf:li>`).join('')}</rdf:Seq></crs:${name}>`;
}

/** An .lrtemplate preset in the form that Lightroom 6 wrote. */
export function lrtemplate(settings: string, head = 'title = "Harbour",'): string {
  return `s = {
	id = "0A1B2C3D-0000-4000-8000-000000000001",
	internalName = "Harbour inside",
	${head}
	type = "Develop",
	value = {
		settings = {
${settings}
		},
		uuid = "0A1B2C3D-0000-4000-8000-000000000002",
	},
	version = 0,
}
`;
}

/** "CODE message hint" of the PresetError that reading must throw; any other error goes through. */
export function refusal(file: string | Uint8Array): string {
  try {
    parsePreset(typeof file === 'string' ? bytesOf(file) : file);
  } catch (error) {
    if (error instanceof PresetError) return `${error.code} ${error.message} ${error.hint ?? ''}`;
    throw error;
  }
  throw new Error('was accepted');
}

/** Setting -> words, of everything that was found to be unsupported. */
export function unsupportedOf(text: string): Record<string, string> {
  return Object.fromEntries(parse(text).unsupported.map(({ setting, what }) => [setting, what]));
}

/** Whole numbers below `limit`, the same at every run: xorshift with 32 bits (Marsaglia 2003). */
export function seeded(seed: number): (limit: number) => number {
  let state = seed | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}
