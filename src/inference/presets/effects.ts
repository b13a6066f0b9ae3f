// What Camera Raw's settings do, in the words of its panels, for everything that the 38 sliders cannot express.
// Names as Camera Raw and Lightroom write them (Adobe, XMP Specification Part 2, Camera Raw namespace; later ones as
// found in presets).

const PRIMARIES = ['Red', 'Green', 'Blue'];
const WHEELS = {
  Shadow: 'the shadows',
  Midtone: 'the midtones',
  Highlight: 'the highlights',
  Global: 'the whole picture',
};

const OLD = 'of an old process version (before 2012)';
const MASKS = 'local adjustments (masks, gradients, brushes)';
const AUTO = 'automatic tone, worked out for each photo';

/** Name of a setting -> the effect. A setting of these counts as unsupported unless its value is neutral. */
export const EFFECTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    Texture: 'texture',
    Clarity2012: 'clarity',
    Dehaze: 'dehaze',
    GrainAmount: 'film grain',
    PostCropVignetteAmount: 'vignette',
    Sharpness: 'sharpening',
    LuminanceSmoothing: 'luminance noise reduction',
    ColorNoiseReduction: 'colour noise reduction',
    EnhanceDenoise: 'AI noise reduction',
    EnhanceDetails: 'enhanced details',
    EnhanceSuperResolution: 'super resolution',
    ...Object.fromEntries(
      Object.entries(WHEELS).flatMap(([wheel, where]) => [
        [`ColorGrade${wheel}Sat`, `colour grading: tint of ${where}`],
        [`ColorGrade${wheel}Lum`, `colour grading: brightness of ${where}`],
      ]),
    ),
    SplitToningShadowSaturation: 'split toning: tint of the shadows',
    SplitToningHighlightSaturation: 'split toning: tint of the highlights',
    ShadowTint: 'calibration: tint of the shadows',
    ...Object.fromEntries(
      PRIMARIES.flatMap((primary) => [
        [`${primary}Hue`, `calibration: hue of the ${primary.toLowerCase()} primary`],
        [`${primary}Saturation`, `calibration: saturation of the ${primary.toLowerCase()} primary`],
      ]),
    ),
    AutoGrayscaleMix: 'black and white mix, worked out for each photo',
    PointColors: 'point colour',
    RGBTable: "the profile's colour table",
    LookTable: "the profile's colour table",
    LensProfileEnable: 'lens profile corrections',
    AutoLateralCA: 'removal of chromatic aberration',
    ChromaticAberrationR: 'correction of red and cyan fringes',
    ChromaticAberrationB: 'correction of blue and yellow fringes',
    Defringe: 'defringe',
    DefringePurpleAmount: 'defringe: purple',
    DefringeGreenAmount: 'defringe: green',
    LensManualDistortionAmount: 'lens distortion',
    VignetteAmount: 'lens vignetting',
    LensBlur: 'lens blur',
    PerspectiveUpright: 'Upright (perspective)',
    PerspectiveVertical: 'perspective: vertical',
    PerspectiveHorizontal: 'perspective: horizontal',
    PerspectiveRotate: 'perspective: rotation',
    PerspectiveAspect: 'perspective: aspect',
    PerspectiveScale: 'perspective: scale',
    PerspectiveX: 'perspective: offset',
    PerspectiveY: 'perspective: offset',
    HasCrop: 'crop',
    CropTop: 'crop',
    CropLeft: 'crop',
    CropBottom: 'crop',
    CropRight: 'crop',
    CropAngle: 'straightening',
    MaskGroupBasedCorrections: MASKS,
    GradientBasedCorrections: 'local adjustments (graduated filters)',
    CircularGradientBasedCorrections: 'local adjustments (radial filters)',
    PaintBasedCorrections: 'local adjustments (brushes)',
    PaintCorrections: 'local adjustments (brushes)',
    RetouchInfo: 'spot removal',
    RetouchAreas: 'spot removal',
    RedEyeInfo: 'red eye correction',
    FilterList: 'AI filters',
    AILook: 'an AI look',
    HDREditMode: 'HDR editing',
    AutoTone: AUTO,
    AutoExposure: AUTO,
    AutoBrightness: AUTO,
    AutoContrast: AUTO,
    AutoShadows: AUTO,
    Exposure: `exposure ${OLD}`,
    Brightness: `brightness ${OLD}`,
    Contrast: `contrast ${OLD}`,
    HighlightRecovery: `highlight recovery ${OLD}`,
    Recovery: `highlight recovery ${OLD}`,
    FillLight: `fill light ${OLD}`,
    Shadows: `blacks ${OLD}`,
    Clarity: `clarity ${OLD}`,
  }),
);

/** Numbers other than 0 that mean "unchanged". */
export const NEUTRAL_NUMBERS: ReadonlyMap<string, number> = new Map([
  ['PerspectiveScale', 100],
  ['CropBottom', 1],
  ['CropRight', 1],
]);

/** Settings that say nothing where another one is there: the same thing's older name, or a detail of it. */
export const REPLACED_BY: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    Exposure: ['Exposure2012'],
    Brightness: ['Exposure2012'],
    Contrast: ['Contrast2012'],
    HighlightRecovery: ['Highlights2012'],
    Recovery: ['Highlights2012'],
    FillLight: ['Shadows2012'],
    Shadows: ['Blacks2012'],
    Clarity: ['Clarity2012'],
    ToneCurve: ['ToneCurvePV2012'],
    ToneCurveRed: ['ToneCurvePV2012Red'],
    ToneCurveGreen: ['ToneCurvePV2012Green'],
    ToneCurveBlue: ['ToneCurvePV2012Blue'],
    ToneCurveName: ['ToneCurve', 'ToneCurvePV2012', 'ToneCurveName2012'],
    ToneCurveName2012: ['ToneCurvePV2012'],
    SplitToningShadowSaturation: ['ColorGradeShadowSat'],
    SplitToningHighlightSaturation: ['ColorGradeHighlightSat'],
    CropTop: ['HasCrop'],
    CropLeft: ['HasCrop'],
    CropBottom: ['HasCrop'],
    CropRight: ['HasCrop'],
    CropAngle: ['HasCrop'],
  }),
);

/** Old presets can switch a panel off; its settings then do nothing. */
export const SWITCHES: readonly (readonly [string, RegExp])[] = [
  ['EnableToneCurve', /^ToneCurve/],
  ['EnableSplitToning', /^(SplitToning|ColorGrade)/],
  ['EnableGrayscaleMix', /^GrayMixer/],
  ['EnableDetail', /^(Sharpness|LuminanceSmoothing|ColorNoiseReduction)$/],
  ['EnableEffects', /^(GrainAmount|PostCropVignetteAmount|Dehaze)$/],
  ['EnableCalibration', /^(ShadowTint|(Red|Green|Blue)(Hue|Saturation)|CameraProfile)$/],
  ['EnableLensCorrections', /^(Lens(?!Blur)|AutoLateralCA|ChromaticAberration|Defringe|VignetteAmount)/],
  ['EnableTransform', /^Perspective/],
  ['EnableGradientBasedCorrections', /^GradientBasedCorrections$/],
  ['EnableCircularGradientBasedCorrections', /^CircularGradientBasedCorrections$/],
  ['EnablePaintBasedCorrections', /^PaintBasedCorrections$/],
  ['EnableMaskGroupBasedCorrections', /^MaskGroupBasedCorrections$/],
  ['EnableRetouch', /^Retouch/],
  ['EnableRedEye', /^RedEyeInfo$/],
];

/** Bookkeeping: settings that change no pixel, and those that only refine one named above. */
const SILENT = new RegExp(
  `^(?:${[
    'PresetType|PresetSubtype|Cluster|ClusterGroup|UUID|Name|ShortName|SortName|Group|Description|Copyright|ContactInfo',
    'Version|ProcessVersion|CompatibleVersion|HasSettings|AlreadyApplied|RawFileName|CameraModelRestriction',
    'Amount|Supports\\w+|Requires\\w+|ShowIn\\w+|Enable\\w+|ToggleStyle\\w+|Table_\\w+|AsShot\\w+|\\w+Digest|Orientation',
    'OverrideLookVignette|AutoWhiteVersion|CropConstrainToWarp|CropUnit|CropWidth|CropHeight|CropConstrainAspectRatio',
    'LensProfile(?!Enable)\\w+|Upright\\w+|DepthMapInfo|RangeMaskMapInfo|ColorVariance|CurveRefineSaturation',
    'GrainSize|GrainFrequency|GrainRoughness|GrainSeed|PostCropVignette(?!Amount)\\w+|VignetteMidpoint',
    'SharpenRadius|SharpenDetail|SharpenEdgeMasking|Sharpness\\w+|LuminanceNoiseReduction\\w+|ColorNoiseReduction\\w+',
    'DefringePurpleHue(?:Lo|Hi)|DefringeGreenHue(?:Lo|Hi)|ColorGrade\\w+Hue|ColorGradeBlending|ColorGradeBalance',
    'SplitToning(?:Shadow|Highlight)Hue|SplitToningBalance|RGBTableAmount|LookAmount|HDRMaxValue|SDR\\w+',
  ].join('|')})$`,
);

export function isSilent(setting: string): boolean {
  return SILENT.test(setting);
}
