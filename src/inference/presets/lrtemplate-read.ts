import { quoted, unreadable } from './errors';
import { readLua } from './lua';
import { isSettings, type RawPreset, type SettingValue, textOf } from './values';

/**
 * Reads a preset of Lightroom 1 to 7.2 (.lrtemplate): Lua source `s = { title = ..., type = "Develop",
 * value = { settings = { ... } } }`. The format has no group: Lightroom takes the folder's name.
 *
 * @throws PresetError for Lua that is refused (see readLua), PRESET_KIND for templates that are not of the Develop
 *   module, PRESET_EMPTY without settings
 */
export function readLrtemplate(text: string): RawPreset {
  const template = [...readLua(text).values()].find(isSettings);
  const kind = textOf(template?.get('type'));
  if (kind !== undefined && kind !== 'Develop') {
    throw unreadable(
      'PRESET_KIND',
      `It is a Lightroom template of the kind ${quoted(kind)}, which holds no settings for developing.`,
      'Choose a preset of the Develop module.',
    );
  }
  const value = template?.get('value');
  const settings = isSettings(value) ? value.get('settings') : undefined;
  if (!template || !isSettings(settings)) {
    throw unreadable('PRESET_EMPTY', 'It holds no settings of Lightroom ("value" and in it "settings").');
  }
  return {
    name: titleOf(template.get('title')) ?? titleOf(template.get('internalName')),
    group: undefined,
    settings,
    notes: [],
  };
}

/** Lightroom's own presets name themselves by a key of its translations: "$$$/Presets/Warm=Warm". */
function titleOf(value: SettingValue | undefined): string | undefined {
  const title = textOf(value);
  return title?.startsWith('$$$/') ? textOf(title.slice(title.indexOf('=') + 1)) : title;
}
