import { isSilent } from './effects';
import { unreadable } from './errors';
import { isSettings, type RawPreset, type SettingValue, textOf, tidyName } from './values';
import { readXml, type XmlElement } from './xml';

export const CRS = 'http://ns.adobe.com/camera-raw-settings/1.0/';
export const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
const XML_LANG = 'http://www.w3.org/XML/1998/namespace';

/**
 * Reads Camera Raw's settings out of XMP (ISO 16684-1: RDF/XML): written as attributes or as child elements of the
 * topmost rdf:Description elements. Where a setting is written twice the element counts, and of two elements the
 * later. Settings inside others (crs:Look) stay inside them.
 *
 * @throws PresetError for XML that is refused (see readXml), PRESET_FORMAT without rdf:RDF, PRESET_EMPTY without settings
 */
export function readXmp(text: string): RawPreset {
  const rdf = findRdf(readXml(text));
  if (!rdf) throw unreadable('PRESET_FORMAT', 'It is XML but not XMP: there is no rdf:RDF in it.');
  const settings = new Map<string, SettingValue>();
  const notes: string[] = [];
  const set = (name: string, value: SettingValue) => {
    if (!isSilent(name) && notes.length < 20 && differ(settings.get(name), value)) {
      notes.push(`${tidyName(name)} is written twice with different values; the later one counts.`);
    }
    settings.set(name, value);
  };
  for (const description of rdf.children) {
    if (!is(description, RDF, 'Description')) continue;
    for (const { namespace, name, value } of description.attributes) {
      if (namespace === CRS) set(name, value);
    }
    for (const child of description.children) {
      if (child.namespace !== CRS) continue;
      const value = valueOf(child);
      if (value !== '') set(child.name, value);
    }
  }
  if (settings.size === 0) {
    throw unreadable('PRESET_EMPTY', 'It is XMP, but holds no settings of Camera Raw or Lightroom.');
  }
  return { name: textOf(settings.get('Name')), group: textOf(settings.get('Group')), settings, notes };
}

function differ(before: SettingValue | undefined, value: SettingValue): boolean {
  return typeof before === 'string' && typeof value === 'string' && before.trim() !== value.trim();
}

function findRdf(root: XmlElement): XmlElement | undefined {
  const left = [root];
  for (let element = left.pop(); element; element = left.pop()) {
    if (is(element, RDF, 'RDF')) return element;
    for (const child of element.children) left.push(child);
  }
  return undefined;
}

/** Recursion is as deep as the elements, which readXml limits. */
function valueOf(element: XmlElement): SettingValue {
  const container = element.children.at(0);
  if (container?.namespace === RDF) {
    const items = container.children.filter((item) => is(item, RDF, 'li'));
    if (container.name === 'Seq' || container.name === 'Bag') return items.map(valueOf);
    if (container.name === 'Alt') return alternativeOf(items);
    if (container.name === 'Description') return partsOf(container);
  }
  const hasParts = element.children.length > 0 || element.attributes.some(({ namespace }) => namespace === CRS);
  return hasParts ? partsOf(element) : element.text.trim();
}

/** The alternative for everyone where there is one, else the first. */
function alternativeOf(items: readonly XmlElement[]): string {
  const forEveryone = items.find((item) =>
    item.attributes.some(
      ({ namespace, name, value }) => namespace === XML_LANG && name === 'lang' && value === 'x-default',
    ),
  );
  return (forEveryone ?? items.at(0))?.text.trim() ?? '';
}

function partsOf(element: XmlElement): SettingValue {
  const parts = new Map<string, SettingValue>();
  for (const { namespace, name, value } of element.attributes) {
    if (namespace !== RDF && namespace !== XML_LANG) parts.set(name, value);
  }
  for (const child of element.children) {
    const value = valueOf(child);
    // As at the top: an empty element takes nothing away from an attribute.
    if (value !== '' && !(isSettings(value) && value.size === 0)) parts.set(child.name, value);
  }
  return parts;
}

function is(element: XmlElement, namespace: string, name: string): boolean {
  return element.namespace === namespace && element.name === name;
}
