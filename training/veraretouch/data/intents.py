"""What a person may ask for in plain words: intents, each some settings of the develop engine and what they must show.

An intent says which axes of `reasoning.axes` it moves and which way, so that any retouch can be judged on pixels by the
words that asked for it. Its phrases come in kinds that fit different sentences; the kinds are the fields of `Intent`.
Moods, film and times of day are in `moods`, sentences and degrees in `voices`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

Asked = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Intent:
    """One wish. `topics`: of two intents that share one, at most one is drawn for an instruction."""

    name: str
    topics: tuple[str, ...]
    settings: dict[str, float]  # parameters in [-1, 1] at the plain degree
    asked: Asked  # (axis, direction)
    comps: tuple[str, ...] = ()  # "make it ...", with a degree: a touch warmer
    plains: tuple[str, ...] = ()  # "make it ...", no comparative: warm, very warm
    nouns: tuple[str, ...] = ()  # "I want ...": golden light
    verbs: tuple[str, ...] = ()  # "could you ...": warm it up
    more: tuple[str, ...] = ()  # "more ...", with a degree: a bit more warmth
    fewer: tuple[str, ...] = ()  # "less ...", things: a bit less blue
    less: tuple[str, ...] = ()  # "less ...", adjectives; also "not so ..." and, as a complaint, "too ..."
    cures: tuple[str, ...] = ()  # complaints only: "it looks flat"
    jargon: tuple[str, ...] = ()  # verbs of people who know their sliders
    films: tuple[str, ...] = ()  # "as if shot on ..."
    times: tuple[str, ...] = ()  # "as if taken at ..."
    feelings: tuple[str, ...] = ()  # "it should feel ..."


PHRASES = tuple(f.name for f in fields(Intent) if f.name not in ("name", "topics", "settings", "asked"))


def intent(name: str, topics: str, settings: dict[str, float], asked: str, **phrases: str) -> Intent:
    """asked: "temperature+ contrast-"; phrases: "warm|warmer" by kind. `topics` are separated by blanks."""
    moves = tuple((word[:-1], 1 if word[-1] == "+" else -1) for word in asked.split())
    return Intent(name, tuple(topics.split()), settings, moves, **{k: tuple(v.split("|")) for k, v in phrases.items()})


PLAIN = (
    intent("warm", "temperature", {"IncrementalTemperature": 0.5}, "temperature+",
           comps="warmer|sunnier|more golden|toastier", plains="warm|golden|sunny|amber",
           nouns="warm light|warm tones|a warm glow|golden tones|a warm white balance|honeyed light|a summery warmth|warm colours",
           verbs="warm it up|warm up the light|give it some warmth|bring in some warmth|take the chill off",
           more="warmth|gold in the light|yellow in the white balance|sunshine", fewer="blue in the white balance|of that cold cast",
           less="cold|cool|bluish|icy", cures="too blue overall|chilly",
           jargon="warm the white balance|raise the temperature|shift the white balance towards yellow|dial in some warmth"),
    intent("cool", "temperature", {"IncrementalTemperature": -0.5}, "temperature-",
           comps="cooler|colder|bluer overall|frostier", plains="cool|cold|icy|chilly|bluish|frosty",
           nouns="cold light|cool tones|a cool white balance|cold tones|a cool blue cast|crisp cold light|a frosty feel|cool colours",
           verbs="cool it down|cool off the light|make the light colder|take out the warmth",
           more="coolness|blue in the light|chill", fewer="warmth|yellow in the white balance|of that orange cast",
           less="warm|yellow overall|golden|toasty", cures="yellowish all over|overly warm",
           jargon="cool the white balance|lower the temperature|shift the white balance towards blue|pull the temperature down"),
    intent("magenta", "tint", {"IncrementalTint": 0.4}, "tint+",
           comps="pinker|rosier|more magenta", plains="rosy|pinkish", nouns="a magenta tint|a pink cast|a rosy tint|pink light|a blush of pink",
           verbs="add some pink|tint it pink|push it towards magenta", more="pink overall|magenta overall", fewer="of that green cast|of the green tint",
           less="greenish", cures="green from the fluorescent light|sickly green",
           jargon="shift the tint towards magenta|take the green cast out|raise the tint"),
    intent("green-tint", "tint", {"IncrementalTint": -0.4}, "tint-",
           comps="greener overall|more greenish", plains="greenish", nouns="a green tint|a green cast|a hint of green overall|greenish light",
           verbs="tint it green|push it towards green", more="green in the tint", fewer="of that magenta cast|of the pink tint|magenta overall",
           less="pinkish|magenta overall|rosy", cures="pink all over",
           jargon="shift the tint towards green|take the magenta cast out|lower the tint"),
    intent("bright", "light", {"Exposure2012": 0.16}, "exposure+",
           comps="brighter|lighter", plains="bright|light|well lit", nouns="more light overall|a brighter exposure|bright daylight|plenty of light",
           verbs="brighten it|lighten it up|brighten it up|let in more light", more="light|brightness|exposure", fewer="darkness|gloom",
           less="dark|gloomy|dim|murky", cures="underexposed|murky",
           jargon="raise the exposure|push the exposure|open it up by most of a stop|expose it brighter"),
    intent("dark", "light", {"Exposure2012": -0.15}, "exposure-",
           comps="darker|dimmer", plains="dark|dim", nouns="less light overall|a darker exposure|dim light|low light",
           verbs="darken it|bring the brightness down|dim it|turn the light down", more="darkness|gloom", fewer="light|brightness|exposure",
           less="bright|light|glaring", cures="overexposed|blown out",
           jargon="lower the exposure|drop the exposure|pull the exposure back|underexpose it"),
    intent("airy", "light contrast", {"Exposure2012": 0.13, "Shadows2012": 0.45, "Contrast2012": -0.35, "Highlights2012": -0.15, "Blacks2012": 0.3},
           "exposure+ contrast-", comps="airier|more airy", plains="light and airy|bright and airy|airy|high-key",
           nouns="airy light|a high-key feel|a bright and airy feel|soft bright light|an airy lightness", verbs="make it bright and airy|let it breathe",
           more="airiness", feelings="light as a feather|weightless|open and airy"),
    intent("moody", "light colour", {"Exposure2012": -0.13, "Contrast2012": 0.15, "Highlights2012": -0.3, "Vibrance": -0.3, "Saturation": -0.15},
           "exposure- saturation-", comps="moodier|more brooding", plains="moody|dark and moody|brooding|sombre",
           nouns="a moody atmosphere|low-key light|a dark mood|a brooding mood|moody tones", verbs="make it dark and moody|give it a brooding mood",
           more="mood", less="cheery", feelings="ominous|like a storm is coming|mysterious"),
    intent("shadows-up", "light contrast", {"Shadows2012": 0.5, "Blacks2012": 0.7, "ParametricShadows": 0.4}, "shadows+",
           nouns="lifted shadows|open shadows|readable shadows|brighter shadows|more detail in the shadows",
           verbs="lift the shadows|open up the shadows|brighten the shadows|show what is in the dark parts",
           more="light in the shadows|detail in the dark areas", cures="too dark in the shadows|blocked up in the shadows",
           jargon="bring up the shadows|raise the shadows|add fill light"),
    intent("shadows-down", "contrast", {"Shadows2012": -0.4, "Blacks2012": -0.4, "ParametricShadows": -0.2, "Contrast2012": 0.4}, "contrast+",
           nouns="deep shadows|darker shadows|deep blacks|inky shadows|rich blacks", verbs="deepen the shadows|darken the shadows|make the blacks blacker",
           more="depth in the shadows", cures="milky in the shadows|grey in the blacks", jargon="crush the blacks|pull the shadows down|drop the black point"),
    intent("highlights-down", "highlights", {"Highlights2012": -0.7, "Whites2012": -1.0, "ParametricHighlights": -0.3}, "highlights-",
           nouns="softer highlights|recovered highlights|highlights held back|calmer highlights|more detail in the bright areas",
           verbs="tame the highlights|tone down the bright areas|calm the bright parts", fewer="glare",
           cures="too bright in the highlights|harsh in the bright areas", jargon="pull the highlights down|recover the highlights|drop the highlights"),
    intent("contrasty", "contrast", {"Contrast2012": 0.6, "Shadows2012": -0.3, "Blacks2012": -0.3}, "contrast+",
           comps="punchier|more contrasty|crisper|bolder in contrast", plains="contrasty|punchy|crisp", nouns="strong contrast|high contrast|bold contrast|a punchy contrast|deep blacks and bright whites|bite",
           verbs="punch it up|add contrast|boost the contrast|give it some punch", more="contrast|punch|bite|snap", fewer="haze|flatness",
           less="flat|hazy|milky|washed out", cures="flat|lifeless in contrast", jargon="steepen the curve|raise the contrast|add an S-curve|push the contrast"),
    intent("soft", "contrast", {"Contrast2012": -0.55, "Blacks2012": 0.25, "Highlights2012": -0.15}, "contrast-",
           comps="softer|gentler|flatter|softer in contrast", plains="soft|gentle|low in contrast|flat", nouns="soft contrast|low contrast|gentle tones|a soft look|a gentle contrast|a subdued contrast",
           verbs="soften it|soften the contrast|reduce the contrast|ease the contrast|flatten it", more="softness", fewer="contrast|punch|harshness",
           less="contrasty|harsh|punchy|hard", cures="harsh|too hard in contrast", jargon="lower the contrast|flatten the curve|back off the contrast|take the contrast down"),
    intent("faded", "contrast colour", {"Blacks2012": 0.7, "Contrast2012": -0.45, "Saturation": -0.2}, "contrast- saturation-",
           comps="more faded|more washed out", plains="faded|matte|washed out|bleached", nouns="a faded look|matte blacks|a faded film look|a sun-bleached finish|a washed-out finish|a matte finish",
           verbs="fade it|give it a matte finish|bleach it out", more="fade", jargon="lift the blacks and mute it|matte it out"),
    intent("vivid", "colour", {"Vibrance": 0.3, "Saturation": 0.65, "Contrast2012": 0.15, "Shadows2012": -0.1}, "saturation+",
           comps="more vivid|more colourful|more vibrant|richer in colour|more saturated", plains="vivid|vibrant|colourful|colorful|saturated|bold in colour",
           nouns="vivid colours|vibrant colours|rich colors|strong colours|lively colours|colours that pop|juicy colours|bold colors",
           verbs="make the colours pop|boost the colours|saturate it|bring the colours to life|liven up the colours",
           more="colour|color|saturation|vibrance|life in the colours", less="dull|drab|muted|pale in colour", cures="dull|drab|colourless",
           jargon="push the saturation|raise the vibrance|crank up the saturation|add vibrance"),
    intent("muted", "colour", {"Saturation": -0.4, "Vibrance": -0.15}, "saturation-",
           comps="more muted|paler in colour|less colourful|quieter in colour", plains="muted|desaturated|pale|pastel", nouns="muted colours|pale colors|pastel tones|desaturated colours|quiet colours|restrained colours|washed-out colour",
           verbs="mute the colours|tone down the colours|desaturate it|calm the colours down|take some colour out",
           fewer="colour|color|saturation|vibrance", less="colourful|saturated|vivid|gaudy|garish", cures="oversaturated|garish|gaudy",
           jargon="lower the saturation|pull the saturation back|back off the vibrance"),
    intent("mono", "colour tint temperature hues mono", {"Saturation": -1.0}, "monochrome+",
           plains="black and white|monochrome|b&w|greyscale", nouns="a black and white look|no colour at all|shades of grey only|a monochrome picture|a black-and-white print",
           verbs="make it black and white|take all the colour out|turn it black and white|convert it to black and white|strip the colour",
           jargon="go mono|do a b&w conversion|drop the saturation to zero"),
)  # fmt: skip


def _band(band: str, things: str, pop: str, mute: str) -> tuple[Intent, Intent]:
    """More and less colour in one hue band. `things`: its plain words, e.g. "blues|blue in the sky"."""
    name = band.capitalize()
    setting, axis = f"SaturationAdjustment{name}", f"saturation.{band}"
    plural, inside = things.split("|", 1)
    up, up_nouns = pop.split("#")
    down, down_nouns = mute.split("#")
    return (
        intent(f"{band}+", f"{band} hues", {setting: 1.0, f"LuminanceAdjustment{name}": -0.35}, f"{axis}+", verbs=f"{up}|boost the {plural}|bring out the {plural}|make the {plural} pop",
               nouns=f"{up_nouns}|deeper {plural}|richer {plural}", more=inside, jargon=f"raise the saturation of the {plural}|push the {plural}"),
        intent(f"{band}-", f"{band} hues", {setting: -0.5}, f"{axis}-", verbs=f"{down}|mute the {plural}|tone down the {plural}|desaturate the {plural}",
               nouns=f"{down_nouns}|muted {plural}|quieter {plural}", fewer=inside, jargon=f"lower the saturation of the {plural}|pull the {plural} back"),
    )  # fmt: skip


HUES = (
    *_band("red", "reds|red|red in it", "make the red stand out#redder reds|bold reds", "calm the red down#softer reds|less red skin"),
    *_band("orange", "oranges|orange|orange in the skin", "bring out the skin tones#richer skin tones|stronger oranges",
           "take the orange out of the skin|calm the orange skin#paler skin tones|less orange skin"),
    *_band("yellow", "yellows|yellow in the yellows|yellow in the plants", "make the yellow glow#sunflower yellows|stronger yellows",
           "calm down the yellow#paler yellows|softer yellows"),
    *_band("green", "greens|green|green in the leaves|green in the grass", "make the grass greener|make the foliage lush#greener grass|lush greens|fresh spring greens",
           "calm the foliage|make the grass less green#calmer foliage|dusty greens|less green grass"),
    *_band("aqua", "teals|teal|turquoise|teal in the water", "make the water turquoise#turquoise water|vivid teals", "calm the turquoise#paler teals|softer turquoise"),
    *_band("blue", "blues|blue|blue in the sky", "make the sky bluer|make the sky pop#a bluer sky|bluer skies|a deep blue sky",
           "make the sky less blue|calm the blue of the sky#a paler sky|soft blue skies"),
    intent("blue-dark", "blue hues", {"LuminanceAdjustmentBlue": -0.8, "LuminanceAdjustmentAqua": -0.2}, "luminance.blue-",
           nouns="a darker sky|darker blues|a dramatic darker sky", verbs="darken the sky|darken the blues", jargon="lower the luminance of the blues"),
    intent("blue-light", "blue hues", {"LuminanceAdjustmentBlue": 0.8, "LuminanceAdjustmentAqua": 0.2}, "luminance.blue+",
           nouns="a lighter sky|lighter blues", verbs="lighten the sky|lighten the blues", jargon="raise the luminance of the blues"),
    intent("blue-teal", "blue hues", {"HueAdjustmentBlue": -0.75}, "hue.blue-",
           nouns="teal skies|blues that lean to teal", verbs="shift the blues towards teal|turn the sky teal", jargon="swing the blue hue to aqua"),
    intent("green-dark", "green hues", {"LuminanceAdjustmentGreen": -0.8, "LuminanceAdjustmentYellow": -0.3}, "luminance.green-",
           nouns="darker greens|deep forest greens", verbs="darken the greens|darken the foliage", jargon="lower the luminance of the greens"),
    intent("green-yellow", "green hues", {"HueAdjustmentGreen": -0.9, "HueAdjustmentYellow": -0.3}, "hue.green-",
           nouns="yellower greens|warm autumn greens", verbs="shift the greens towards yellow|turn the leaves yellower", jargon="swing the green hue to yellow"),
    intent("green-cool", "green hues", {"HueAdjustmentGreen": 0.9, "HueAdjustmentYellow": 0.3}, "hue.green+",
           nouns="cooler greens|emerald greens", verbs="shift the greens towards teal|turn the leaves emerald", jargon="swing the green hue to aqua"),
    intent("orange-light", "orange hues", {"LuminanceAdjustmentOrange": 0.8}, "luminance.orange+",
           nouns="brighter skin tones|glowing skin", verbs="brighten the skin|lift the skin tones", jargon="raise the luminance of the oranges"),
)  # fmt: skip
