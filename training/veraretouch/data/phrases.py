"""More ways to say the intents, for training only: none of them is ever held out, and none contains what is.

What is kept out of training is drawn from `intents` and `moods` (`spoken.held_out`), so that lists can grow here without
moving it. Kinds are those of `intents.Intent`.
"""

from __future__ import annotations

MORE: dict[str, dict[str, str]] = {
    "warm": {
        "comps": "more yellow overall|cosier in tone|more amber|more sun-kissed|balmier|less wintry|more like firelight",
        "plains": "warm-toned|honey-coloured|sun-drenched|yellowish|orange-tinted|sun-kissed",
        "nouns": "a warmer white balance|some warmth|an amber glow|a golden glow|sunlit warmth|a warm cast|a yellow cast|more orange light|a touch of sun|a warmer palette|yellow light",
        "verbs": "make it glow|turn up the warmth|add warmth|add a warm cast|put some sun into it|shift it to gold|get rid of the cold|get rid of the blue cast|lose the chill|counter the blue cast|make the light golden|add a little sunshine|heat it up",
        "more": "warm light|amber|golden light|orange overall|yellow overall|sun|heat", "fewer": "coldness|chill|of that blue tone|of the icy cast|blue light|coolness",
        "less": "chilly|wintry|blue overall|frosty|steely", "cures": "cold|too cold overall|icy|bluish|very blue|cold and blue|frosty in tone",
        "jargon": "add kelvin|go up in kelvin|push the temp slider right|warm up the WB|increase the colour temperature|neutralise the blue cast|slide the temperature to yellow|bump the temp",
    },
    "cool": {
        "comps": "less yellow overall|more icy|more wintry|crisper and colder|steelier|more blue overall|chillier",
        "plains": "cool-toned|steely|wintry|ice-cold|blue-toned|arctic",
        "nouns": "a colder white balance|some coolness|a blue cast|an icy light|a steely look|a wintry light|blue light|less warmth overall|a cooler palette|a nordic light",
        "verbs": "make it colder|add a cold cast|turn down the warmth|remove the yellow cast|get rid of the yellow cast|lose the orange cast|make the light bluer|reduce the warmth|counter the yellow cast|chill it|freeze the light|make it feel icy",
        "more": "cold light|blue overall|ice|frost|cold", "fewer": "of that yellow cast|yellow overall|orange overall|of the warm cast|heat|of the amber tone",
        "less": "orange overall|amber|sun-kissed|yellow|sunny", "cures": "too orange overall|very yellow|too yellow|orange all over|warm and yellow|like it was lit by a light bulb",
        "jargon": "go down in kelvin|push the temp slider left|cool down the WB|decrease the colour temperature|neutralise the yellow cast|correct the orange cast|drop the temp|slide the temperature to blue",
    },
    "magenta": {
        "comps": "more pink|more purple overall|rosier overall|less green overall", "plains": "pink-tinted|magenta|rose-coloured|pink",
        "nouns": "a rose tint|pinkish light|a hint of magenta|a pink tone overall|a purple-pink cast|a rosy cast", "verbs": "make it pinker|turn it pink|add magenta|give it a rosy cast|remove the green cast|get rid of the green|neutralise the green|counter the green tint|bring in some magenta|lose the green cast",
        "more": "magenta in the tint|rose|pink in the light|magenta", "fewer": "green overall|of the greenish cast|green in the tint|of that fluorescent green",
        "less": "green overall|green", "cures": "greenish|too green overall|very green|green all over|tinged with green|like it was shot under neon tubes",
        "jargon": "slide the tint to magenta|add plus tint|push the tint right|neutralise the green cast|correct the fluorescent green|bump the tint up|dial in some magenta",
    },
    "green-tint": {
        "comps": "less pink overall|less magenta|greener in tint", "plains": "green-tinted|green overall|tinged with green",
        "nouns": "a greenish tint|a greenish cast|green light|a green tone overall|a green wash|a slightly green cast", "verbs": "make it greener overall|turn it green|add a green cast|add green to the tint|remove the pink cast|get rid of the magenta|neutralise the magenta|counter the pink tint|lose the pink",
        "more": "green overall|green in the light|green in the white balance", "fewer": "pink|pink overall|of that pink cast|magenta in the tint|of the rosy cast",
        "less": "pink|magenta|pink overall", "cures": "too pink|pinkish|too magenta|magenta all over|very pink|tinged with magenta",
        "jargon": "slide the tint to green|push the tint left|neutralise the magenta cast|correct the pink cast|dial in some green|drop the tint|go minus tint",
    },
    "bright": {
        "comps": "more luminous|more lit|brighter overall|less dark overall|sunlit and brighter|more exposed", "plains": "luminous|bright and clear|properly lit|well exposed|sunlit",
        "nouns": "more brightness|a lighter picture|a bit of light|extra light|a lighter exposure|brighter light|light in the room", "verbs": "make it brighter|make it lighter|add light|turn up the light|bump the brightness|lift the brightness|light it up|bring it out of the dark|raise the light|get it out of the gloom|turn on the lights",
        "more": "daylight|luminosity|lightness", "fewer": "murk|of the dark|shade", "less": "underexposed|shadowy|dusky|black", "cures": "too dark|dark|dim|gloomy|poorly lit|very dark|a stop too dark|badly lit",
        "jargon": "push it a stop|bump the exposure|lift the exposure|add exposure|go plus one EV|compensate the exposure up|expose to the right|gain it up",
    },
    "dark": {
        "comps": "darker overall|less lit|less bright overall|more shaded|deeper in tone", "plains": "darkened|shady|dusky|low-lit|less exposed",
        "nouns": "less brightness|a darker picture|less exposure overall|a dusky light|subdued light|shade", "verbs": "make it darker|make it dimmer|take light away|take some light out|lower the brightness|reduce the brightness|cut the light|tone down the brightness|put it in the shade|turn the brightness down",
        "more": "shade|dusk|murk", "fewer": "daylight|of the light|lightness", "less": "overexposed|luminous|lit|washed with light|blinding", "cures": "too bright|too light|very bright|a stop too bright|blinding|glaringly bright",
        "jargon": "pull it a stop|reduce the exposure|take the exposure down|cut the exposure|go minus one EV|compensate the exposure down|stop it down|gain it down",
    },
    "airy": {
        "comps": "lighter and softer|more open and light|floatier", "plains": "light and fresh|bright and soft|cloud-light|high key", "nouns": "a light and airy look|a soft, bright look|a high-key look|a bright and soft feel|lightness and air|a pale bright mood",
        "verbs": "make it light and airy|make it high-key|open it up and soften it|let some air in|make it float", "more": "air|lightness and air", "feelings": "like a bright loft|like linen in the breeze|like clouds|bright and floating",
    },
    "moody": {
        "comps": "darker in mood|more sombre|gloomier in mood|more low-key", "plains": "low-key|dark and muted|atmospheric and dark|shadowy and muted|dark and desaturated",
        "nouns": "a sombre mood|a low-key look|a dark, muted look|dark atmosphere|a gloomy mood|a thriller mood|a noir-like gloom in colour", "verbs": "make it moody|make it low-key|darken and mute it|give it a sombre mood|make it atmospheric and dark|set a dark mood",
        "more": "dark mood|atmosphere and darkness|gloom and mood", "less": "cheerful|bright and happy|jolly", "feelings": "brooding|sombre|dark and quiet|threatening|like a thriller",
    },
    "shadows-up": {
        "nouns": "lighter shadows|raised shadows|visible shadows|shadows with detail|lighter dark areas|open dark parts|softer, lighter shadows",
        "verbs": "raise the shadows a bit|lighten the shadows|open the shadows|bring out the shadow detail|reveal the shadows|recover the dark parts|brighten the dark areas|light up the dark corners|lift the dark areas|fill in the shadows",
        "more": "shadow detail|detail in the shadows|light in the dark areas|light in the dark corners", "cures": "too dark in the dark parts|lost in the shadows|black in the shadows|blocked in the dark areas|drowned in shadow",
        "jargon": "lift the shadows slider|push the shadows up|recover the shadows|open up the blacks|lift the low end|bring the shadows up|fill the shadows",
    },
    "shadows-down": {
        "nouns": "deeper shadows|blacker blacks|heavier shadows|strong shadows|dense blacks|solid blacks|deep dark tones", "verbs": "make the shadows deeper|make the shadows darker|sink the shadows|let the shadows go black|strengthen the blacks|give it deep blacks|deepen the blacks|weigh the shadows down",
        "more": "black in the shadows|depth in the blacks|weight in the dark tones", "cures": "grey in the shadows|weak in the blacks|washed out in the shadows|muddy in the blacks|thin in the blacks",
        "jargon": "clip the blacks|set a deeper black point|bring the blacks down|pull down the low end|anchor the blacks|drop the shadows|sink the black point",
    },
    "highlights-down": {
        "nouns": "softer bright areas|gentler highlights|less harsh highlights|detail in the highlights|subdued highlights|darker highlights|protected highlights|detail in the clouds",
        "verbs": "reduce the highlights|soften the highlights|hold back the highlights|bring the bright parts down|save the highlights|darken the bright areas|protect the highlights|rein in the highlights|bring back the highlight detail|calm the highlights",
        "fewer": "glare in the highlights|burn in the bright parts|shine", "cures": "burnt out in the highlights|blown in the bright parts|glaring in the bright areas|too hot in the highlights|clipped in the highlights",
        "jargon": "lower the highlights|bring the highlights down|roll off the highlights|compress the highlights|pull the whites down|cut the highlights|take down the highlights",
    },
    "contrasty": {
        "comps": "more punchy|harder in contrast|stronger in contrast|snappier|more defined|more dynamic|deeper and crisper|less flat overall", "plains": "high in contrast|high-contrast|snappy|hard|graphic|well defined",
        "nouns": "more contrast overall|stronger contrast|a snappy contrast|depth and contrast|a hard contrast|clear blacks and whites|definition|a graphic contrast|depth",
        "verbs": "increase the contrast|raise the contrast a bit|strengthen the contrast|make it pop with contrast|sharpen the contrast|add depth|add punch|add some bite|make it crisper|cut through the haze|remove the haze|clear the haze|make it less flat",
        "more": "definition|depth|crispness|kick|dynamics|dynamic range", "fewer": "fog|greyness|mist|milkiness|mush", "less": "foggy|grey|dull in contrast|mushy|faded in contrast|misty|bland in contrast",
        "cures": "hazy|milky|foggy|washed out|flat in contrast|grey and flat|mushy|lacking contrast|lacking punch",
        "jargon": "increase the contrast slider|steepen the tone curve|add an S-shaped curve|dehaze it|stretch the histogram|boost the midtone contrast|bump the contrast|crank the contrast",
    },
    "soft": {
        "comps": "less contrasty overall|less hard|mellower|smoother in tone|lower in contrast|more delicate", "plains": "soft in contrast|low-contrast|mellow|delicate|smooth|diffuse",
        "nouns": "less contrast|a softer contrast|a mellow tone|smooth tones|a low-contrast look|a soft, flat look|delicate tones|a diffuse softness|a gentle tonality",
        "verbs": "lower the contrast a bit|decrease the contrast|make it softer|make it gentler|make it flatter|tone down the contrast|take out some contrast|take the edge off|smooth the tones|make the contrast gentle|calm the contrast",
        "more": "gentleness|smoothness|mellowness|delicacy", "fewer": "hardness|bite|edge|snap|drama in the contrast", "less": "hard in contrast|crisp|edgy|stark|graphic|snappy",
        "cures": "too contrasty|too hard|too punchy|very harsh|hard|stark|too strong in contrast|overly contrasty",
        "jargon": "reduce the contrast slider|flatten the tone curve|compress the tonal range|pull the contrast back|drop the contrast|soften the curve|decrease the midtone contrast|go low contrast",
    },
    "faded": {
        "comps": "more bleached|more matte|more vintage-faded|paler and flatter", "plains": "bleached out|faded out|pale and matte|matte and muted|sun-bleached",
        "nouns": "a faded finish|a matte look|faded blacks|milky blacks and pale colours|a bleached look|lifted, matte blacks|a worn look|a faded print look", "verbs": "make it matte|make it look faded|wash it out|bleach it a little|lift the blacks into grey and pale the colours|let it fade|age the print",
        "more": "matte|wash-out|bleach", "jargon": "raise the black point and desaturate|fade the blacks|add a matte fade|lift the black point and mute it|crush it into matte",
    },
    "vivid": {
        "comps": "more colour-rich|stronger in colour|bolder|livelier in colour|more intense in colour|juicier|brighter in colour|less dull in colour|punchier in colour", "plains": "colour-rich|lively|juicy|intense in colour|full of colour|vividly coloured|rich in colour",
        "nouns": "more colour|stronger colors|intense colours|punchy colours|rich colour|deep rich colours|saturated colours|glowing colours|colour that pops|full colours",
        "verbs": "make the colors pop|boost the colors|increase the saturation|increase the vibrance|make it colourful|make it vivid|intensify the colours|add colour|add saturation|turn up the colour|pump up the colours|enrich the colours|strengthen the colours|bring out the colours|wake up the colours",
        "more": "colour intensity|vividness|richness|colour overall|pop in the colours|chroma", "less": "grey in colour|washed-out in colour|faded in colour|lifeless in colour|dull in colour|desaturated|bland",
        "cures": "pale in colour|muted|washed out in colour|lacking colour|dull in colour|grey and colourless|too pale|lifeless in colour|desaturated",
        "jargon": "increase the saturation slider|boost the vibrance|push the vibrance|bump the saturation|add chroma|dial up the colour|raise the saturation|crank the vibrance",
    },
    "muted": {
        "comps": "duller in colour|softer in colour|less saturated|less vivid|more subdued in colour|more restrained in colour|greyer|quieter", "plains": "subdued in colour|restrained|soft in colour|low in saturation|greyish|unsaturated|washed-out in colour",
        "nouns": "subdued colours|softer colours|less colour overall|soft, pale colours|understated colours|toned-down colours|faint colours|calm colours|dusty colours|low saturation",
        "verbs": "reduce the saturation|decrease the saturation|lower the vibrance|soften the colours|subdue the colours|drain some colour|make it less colourful|make the colours quieter|take the colour down|pale the colours|dull the colours|make the colours calmer|turn the colour down",
        "fewer": "chroma|vividness|colour intensity|of the loud colours", "less": "intense in colour|vibrant|bright in colour|loud in colour|colour-rich|neon",
        "cures": "too colourful|too saturated|too vivid|loud in colour|neon|overly colourful|kitschy in colour|like a postcard",
        "jargon": "reduce the vibrance|decrease the saturation slider|take the saturation down|drop the saturation a bit|pull down the chroma|cut the saturation|ease off the saturation|go minus on vibrance",
    },
    "mono": {
        "plains": "colourless|grey-scale|black & white|in black and white|black-and-white", "nouns": "a monochrome look|a black-and-white look|a greyscale picture|a colourless picture|black and white tones|a grey-scale look|a classic black and white photo",
        "verbs": "remove all colour|remove the colour|make it monochrome|make it greyscale|desaturate it completely|go black and white|drain all the colour|turn it into a black and white photo|make it b&w|convert to greyscale|lose all the colour",
        "jargon": "desaturate fully|convert to monochrome|do a greyscale conversion|kill the colour|saturation to minus 100|pull all saturation",
    },
    "blue-dark": {"nouns": "a deeper darker sky|darker blue tones|a sky with weight|a heavy sky", "verbs": "make the sky darker|make the blues darker|deepen the sky|turn the sky down", "jargon": "drop the blue luminance|pull the blue luminance down|take the blues down in luminance"},
    "blue-light": {"nouns": "a brighter sky|paler, lighter skies|lighter blue tones", "verbs": "make the sky lighter|make the blues lighter|brighten the sky|brighten the blues", "jargon": "lift the blue luminance|push the blue luminance up|brighten the blues in the HSL panel"},
    "blue-teal": {"nouns": "a teal sky|turquoise blues|greener blues|blues with a hint of teal", "verbs": "make the blues more teal|turn the blues to teal|push the blues to cyan|make the sky turquoise", "jargon": "shift the blue hue towards aqua|move the blues to cyan|pull the blue hue left"},
    "green-dark": {"nouns": "dark foliage|darker leaves|deep dark greens|darker grass", "verbs": "make the greens darker|make the foliage darker|darken the grass|darken the trees|deepen the green", "jargon": "drop the green luminance|pull the green luminance down|take the greens down in luminance"},
    "green-yellow": {"nouns": "yellowish greens|warmer greens|olive-yellow greens|leaves that turn yellow|autumnal greens", "verbs": "make the greens yellower|make the greens warmer|turn the grass yellower|push the greens to yellow|warm the greens", "jargon": "shift the green hue towards yellow|pull the green hue left|move the greens to yellow"},
    "green-cool": {"nouns": "bluish greens|greens with a hint of teal|colder greens|sea greens", "verbs": "make the greens cooler|make the greens bluer|push the greens to teal|cool the greens", "jargon": "shift the green hue towards aqua|push the green hue right|move the greens to teal"},
    "orange-light": {"nouns": "lighter skin|brighter skin|luminous skin|a lighter face|glowing faces", "verbs": "lighten the skin|lighten the faces|brighten the faces|make the skin glow|lift the skin", "jargon": "lift the orange luminance|push the orange luminance up|brighten the oranges"},
    "cosy": {"feelings": "warm and soft|like a cup of cocoa|like candlelight and blankets|homelike|warm and snug", "comps": "more homely|snugger", "nouns": "a snug feel|a warm soft mood|a fireside mood"},
    "nostalgic": {"feelings": "like a faded holiday photo|old-fashioned|retro|vintage|like the seventies|like an old photo album", "comps": "more vintage|more retro", "nouns": "a vintage feel|a retro mood|a warm faded mood|an old-photo feel"},
    "melancholy": {"feelings": "blue and quiet|sorrowful|gloomy and cold|like autumn rain|heavy-hearted", "nouns": "a sad mood|a sorrowful mood|a cold sad feel"},
    "cheerful": {"feelings": "sunny and happy|merry|bright and lively|like a birthday party|upbeat", "comps": "jollier|merrier|more upbeat", "nouns": "a joyful mood|a bright happy mood|a sunny mood"},
    "dreamy": {"feelings": "like a fairy tale|soft and hazy|otherworldly|half asleep|floating", "comps": "hazier and softer|more dreamlike", "nouns": "a dreamlike haze|a soft glow|a fairy-tale softness"},
    "dramatic": {"feelings": "powerful|like a film poster|larger than life|monumental|tense", "comps": "more intense|more theatrical|more epic", "plains": "theatrical|epic", "nouns": "a theatrical mood|dramatic contrast|an epic look|tension", "more": "tension|theatre"},
    "calm": {"feelings": "restful|tranquil|still|gentle and quiet|unhurried", "comps": "more restful|stiller|more tranquil", "nouns": "a restful mood|a tranquil look|stillness|a peaceful mood", "less": "hectic|agitated|noisy"},
    "lonely": {"feelings": "abandoned|empty|cold and alone|like an empty station at night|isolated", "comps": "lonelier|more desolate", "nouns": "a desolate mood|a feeling of emptiness|a cold, lonely look"},
    "energetic": {"feelings": "wild|full of energy|young and loud|like a dance floor|dynamic|explosive", "nouns": "power and colour|a loud pop look|a dynamic look|a burst of energy", "more": "power|buzz"},
    "romantic": {"feelings": "like a first kiss|loving|soft and rosy|like a wedding morning|gentle and pink", "comps": "more tender", "nouns": "a soft rosy mood|a tender pink mood|a wedding mood"},
    "clean": {"feelings": "like a fresh start|like a clinic|pure and bright|like cold spring water|clear and fresh", "comps": "fresher|cleaner", "nouns": "a fresh clean look|a bright cool cleanliness|a clinical light|a crisp clean mood"},
    "gritty": {"feelings": "rough|grim|dirty and hard|like a back alley|like a punk gig", "comps": "rougher|grimmer", "nouns": "a rough street look|a hard urban look|a grim reportage look", "more": "roughness|edge and dirt"},
    "portra": {"films": "a soft portrait film|a gentle warm negative film|wedding film|Portra|pastel portrait film"},
    "velvia": {"films": "a saturated landscape film|rich slide film|Velvia 50|landscape slide film|vivid reversal film"},
    "kodachrome": {"films": "vintage Kodachrome|old slide film|a warm 1950s slide|travel slides from the sixties"},
    "ultramax": {"films": "cheap colour film|a disposable camera|snapshot film from the supermarket|a holiday snapshot"},
    "tungsten": {"films": "tungsten film|cinema film at night|CineStill|film balanced for tungsten light"},
    "trix": {"films": "gritty black and white film|high-contrast black and white film|Tri-X pushed two stops|hard black and white press film"},
    "panchromatic": {"films": "a black and white negative|classic black and white film|grey-scale film|an old newspaper photo|panchromatic film"},
    "superia": {"films": "consumer film with a green cast|film under neon light|greenish drugstore film|Superia 400"},
    "instant": {"films": "a Polaroid|an old Polaroid|warm faded instant film|an instant picture|a faded instant print"},
    "expired": {"films": "old expired film|film past its date|a forgotten old roll|washed-out old film"},
    "bleach": {"films": "bleach bypass|a bleach-bypassed print|silver-retention film|a gritty war film"},
    "cross": {"films": "cross processing|slide film in the wrong chemicals|xpro film|a lomo camera with cross-processed film"},
    "golden-hour": {"times": "sunset|a golden evening|the last warm light|early evening sun|a low evening sun|the end of a sunny day", "nouns": "sunset light|low golden sun|a sunset glow|evening glow"},
    "blue-hour": {"times": "dusk|twilight|late twilight|the hour after sunset|a blue evening", "nouns": "twilight|blue dusk light|deep blue evening light"},
    "dawn": {"times": "a misty pink morning|early morning haze with pink light|a rosy dawn|the first light of a pink morning", "nouns": "rosy dawn light|soft pink morning light|a pink haze"},
    "noon": {"times": "midday|noon|a blazing midday|the middle of a bright day|hard noon sun", "nouns": "hard noon light|blazing midday light|harsh sun from above"},
    "overcast": {"times": "an overcast afternoon|a cloudy day|a rainy day|a misty grey day|a dull November day", "nouns": "grey cloudy light|flat overcast light|rainy-day light|dull grey light"},
    "night": {"times": "the middle of the night|late at night|a dark night|after dark|a night under the moon", "nouns": "night light|a dark night look|moonlit darkness|a night look"},
    "winter": {"times": "a winter day|December|a freezing morning|deep winter|a snowy day", "nouns": "cold morning light|winter light|icy winter light"},
    "summer": {"times": "a sunny summer day|midsummer|a holiday at the sea|July|a hot sunny day", "nouns": "warm summer light|sunny summer light|holiday sun"},
    "autumn": {"times": "an autumn day|fall|a warm autumn evening|November sun|a golden October day", "nouns": "autumn light|warm autumn light|an autumnal glow"},
}  # fmt: skip
# Hue bands: what is added for more and for less colour in one hue; {x} stands for its plain plural, {s} for its name.
_BANDS = {
    "red": ("reds", "red"), "orange": ("oranges", "orange"), "yellow": ("yellows", "yellow"), "green": ("greens", "green"),
    "aqua": ("teals", "teal"), "blue": ("blues", "blue"),
}  # fmt: skip
_UP = {
    "verbs": "intensify the {x}|strengthen the {x}|saturate the {x}|enrich the {x}|make the {x} more vivid|make the {x} stronger|make the {s} richer|give the {x} more colour|punch up the {x}",
    "nouns": "more vivid {x}|saturated {x}|fuller {x}|more intense {x}", "more": "colour in the {x}|saturation in the {x}",
    "jargon": "increase the {s} saturation|bump the {x}|boost the {x} in the HSL panel|add saturation to the {x}|dial up the {x}",
}  # fmt: skip
_DOWN = {
    "verbs": "soften the {x}|subdue the {x}|weaken the {x}|make the {x} paler|make the {x} less vivid|make the {s} weaker|take the {x} down|drain the {x}|calm the {x}",
    "nouns": "less strong {x}|less vivid {x}|subdued {x}|weaker {x}", "fewer": "colour in the {x}|saturation in the {x}|of that {s}",
    "jargon": "decrease the {s} saturation|reduce the {x}|desaturate the {x} in the HSL panel|cut the {x}|dial down the {x}",
}  # fmt: skip
for _band, (_plural, _name) in _BANDS.items():
    for _sign, _table in (("+", _UP), ("-", _DOWN)):
        MORE[f"{_band}{_sign}"] = {kind: text.format(x=_plural, s=_name) for kind, text in _table.items()}
_THINGS = {
    "red+": {"verbs": "make the lips redder|bring out the red"}, "red-": {"verbs": "take the redness out of the skin|reduce the redness"},
    "orange+": {"verbs": "give the skin more colour|make the skin richer"}, "orange-": {"verbs": "make the skin less orange|reduce the orange in the faces"},
    "yellow+": {"verbs": "make the flowers yellower|let the yellow shine"}, "yellow-": {"verbs": "take the yellow down|make the yellow less strong"},
    "green+": {"verbs": "make the leaves greener|make the trees greener|make the meadow lush"}, "green-": {"verbs": "make the leaves less green|make the trees less green|tone the grass down"},
    "aqua+": {"verbs": "make the sea turquoise|make the pool more turquoise"}, "aqua-": {"verbs": "take the turquoise out of the water|make the water less turquoise"},
    "blue+": {"verbs": "give the sky more blue|intensify the sky|make the sky deep blue|strengthen the blue of the sky"}, "blue-": {"verbs": "make the sky paler|take the blue out of the sky|soften the sky"},
}  # fmt: skip
for _key, _extra in _THINGS.items():
    for _kind, _text in _extra.items():
        MORE[_key][_kind] += f"|{_text}"
