export { PresetError, type PresetErrorCode } from './errors';
export { parsePreset, type Preset, readPresetBytes } from './parse';
export { type UnsupportedSetting } from './unsupported';
export { MAX_PRESET_BYTES, MAX_PRESET_FILE_BYTES } from './values';
export { formatPresetXmp, type PresetNames } from './xmp-write';
