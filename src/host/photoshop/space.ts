import { KNOWN_SPACES, type KnownSpace, type RgbSpace } from '../../color/icc';

export const SRGB_PROFILE = 'sRGB IEC61966-2.1';
export const PROPHOTO_PROFILE = 'ProPhoto RGB';

/**
 * Photoshop tells a plugin a profile's name, not its contents. Only names that Adobe, Apple and the makers of common
 * cameras and programs give to these very spaces are taken; by any other name a space stays unknown.
 */
const NAMES: Readonly<Record<KnownSpace, readonly string[]>> = {
  srgb: [SRGB_PROFILE, 'sRGB', 'sRGB built-in', 'sRGB IEC61966-2-1 black scaled'],
  'adobe-rgb': ['Adobe RGB (1998)', 'Compatible with Adobe RGB (1998)'],
  'display-p3': ['Display P3'],
  'prophoto-rgb': [PROPHOTO_PROFILE, 'ROMM RGB: ISO 22028-2:2013'],
};

/** The space of a profile by its name. Without a profile (an empty name) numbers count as sRGB. */
export function spaceOf(profile: string): RgbSpace | undefined {
  if (profile === '') return KNOWN_SPACES.srgb;
  const known = (Object.keys(NAMES) as KnownSpace[]).find((space) => NAMES[space].includes(profile));
  return known && KNOWN_SPACES[known];
}
