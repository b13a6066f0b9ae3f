"""Intents that name a feeling, a kind of film or a time of day; see `intents`.

Film is named by kind or by a stock that no held-out look is made of. What a stock "does" here is the common word about
it in a few plain settings; the measured looks of the presets and film tables know better and have wordings of their own.
"""

from __future__ import annotations

from .intents import Intent, intent

FEELINGS = (
    intent("cosy", "temperature light contrast", {"IncrementalTemperature": 0.5, "Contrast2012": -0.35, "Blacks2012": 0.2, "Highlights2012": -0.1}, "temperature+ contrast-",
           feelings="cosy|snug|homely|like a fireside evening|like a wool blanket", comps="cosier", nouns="a cosy feel|a homely mood"),
    intent("nostalgic", "temperature contrast colour", {"IncrementalTemperature": 0.55, "Contrast2012": -0.45, "Blacks2012": 0.4}, "temperature+ contrast-",
           feelings="nostalgic|like an old memory|like childhood summers|like a page of grandma's album", comps="more nostalgic", nouns="a nostalgic feel|a vintage warmth|a retro fade"),
    intent("melancholy", "temperature colour light", {"IncrementalTemperature": -0.5, "Saturation": -0.2, "Exposure2012": -0.08}, "temperature- exposure-",
           feelings="melancholic|wistful|like the last day of the holidays|sad and quiet|like a rainy Monday", nouns="a melancholy mood|a wistful mood"),
    intent("cheerful", "light colour", {"Exposure2012": 0.09, "Vibrance": 0.3, "Saturation": 0.75}, "exposure+ saturation+",
           feelings="cheerful|happy|joyful|full of life|like the first day of summer", comps="happier|more cheerful", nouns="a cheerful mood|a happy summer feel"),
    intent("dreamy", "light contrast", {"Exposure2012": 0.1, "Contrast2012": -0.5, "Blacks2012": 0.45, "Shadows2012": 0.2}, "contrast- exposure+",
           feelings="dreamy|like a daydream|hazy and tender|ethereal", comps="dreamier", nouns="a dreamy haze|a dreamy softness"),
    intent("dramatic", "light contrast", {"Contrast2012": 0.7, "Shadows2012": -0.35, "Blacks2012": -0.2, "Exposure2012": -0.03}, "contrast+",
           feelings="dramatic|epic|intense|theatrical", comps="more dramatic", plains="dramatic", nouns="drama|a dramatic mood|epic contrast", more="drama"),
    intent("calm", "contrast colour", {"Contrast2012": -0.45, "Blacks2012": 0.2, "Saturation": -0.3}, "contrast- saturation-",
           feelings="calm|peaceful|serene|quiet|like a slow Sunday morning", comps="calmer|more peaceful", nouns="a calm mood|a quiet mood", less="busy|loud"),
    intent("lonely", "temperature light", {"IncrementalTemperature": -0.45, "Exposure2012": -0.13}, "temperature- exposure-",
           feelings="lonely|bleak|forlorn|desolate|like nobody is coming home", comps="bleaker", nouns="a lonely mood|a bleak atmosphere"),
    intent("energetic", "contrast colour", {"Vibrance": 0.6, "Saturation": 0.4, "Contrast2012": 0.5, "Shadows2012": -0.3}, "contrast+ saturation+",
           feelings="energetic|loud and alive|electric|bold and young|like a festival poster", nouns="energy|a bold pop look", more="energy"),
    intent("romantic", "temperature tint contrast", {"IncrementalTemperature": 0.25, "IncrementalTint": 0.3, "Contrast2012": -0.35, "Blacks2012": 0.2}, "tint+ contrast-",
           feelings="romantic|tender|like a love letter|sweet and soft", comps="more romantic", nouns="a romantic blush|a rosy romantic mood"),
    intent("clean", "light temperature", {"Exposure2012": 0.1, "IncrementalTemperature": -0.55}, "exposure+ temperature-",
           feelings="clean and fresh|crisp and airy|like fresh laundry|minty fresh", comps="cleaner and fresher", nouns="a clean fresh feel|a clean studio light"),
    intent("gritty", "contrast colour", {"Contrast2012": 0.55, "Shadows2012": -0.35, "Blacks2012": -0.3, "Whites2012": 0.2, "Saturation": -0.45, "Vibrance": -0.15}, "contrast+ saturation-",
           feelings="gritty|raw and rough|tough|like a crime series", comps="grittier", nouns="a gritty street look|a rough urban feel", more="grit"),
)  # fmt: skip

FILMS = (
    intent("portra", "temperature contrast film", {"IncrementalTemperature": 0.45, "Contrast2012": -0.45, "Blacks2012": 0.25}, "temperature+ contrast-",
           films="Portra 400|a warm portrait film|soft colour negative film|a wedding film stock"),
    intent("velvia", "colour contrast film", {"Vibrance": 0.65, "Saturation": 0.5, "Contrast2012": 0.5, "Shadows2012": -0.2, "Blacks2012": -0.2}, "saturation+ contrast+",
           films="Velvia|saturated slide film|punchy slide film|vivid chrome film"),
    intent("kodachrome", "colour contrast temperature film", {"Vibrance": 0.1, "Contrast2012": 0.5, "Shadows2012": -0.35, "Blacks2012": -0.2, "IncrementalTemperature": 0.7}, "temperature+ contrast+",
           films="Kodachrome|1960s slide film|old warm slide film"),
    intent("ultramax", "temperature colour film", {"IncrementalTemperature": 0.5, "Vibrance": 0.4, "Saturation": 0.2}, "temperature+",
           films="UltraMax|cheap drugstore film|holiday snapshot film|a disposable camera in the sun"),
    intent("tungsten", "temperature film", {"IncrementalTemperature": -0.55, "Contrast2012": 0.1}, "temperature-",
           films="CineStill 800T|tungsten film in daylight|tungsten-balanced film|night cinema film"),
    intent("trix", "colour tint temperature hues mono contrast film", {"Saturation": -1.0, "Contrast2012": 0.55, "Shadows2012": -0.3, "Blacks2012": -0.3}, "monochrome+ contrast+",
           films="Tri-X|contrasty black and white film|pushed black and white film|60s press film"),
    intent("panchromatic", "colour tint temperature hues mono film", {"Saturation": -1.0}, "monochrome+",
           films="HP5|black and white film|fine grey-scale film|old newspaper film"),
    intent("superia", "tint film", {"IncrementalTint": -0.4, "Contrast2012": 0.1}, "tint-",
           films="Superia|greenish consumer film|supermarket film under neon tubes"),
    intent("instant", "temperature contrast film", {"IncrementalTemperature": 0.6, "Contrast2012": -0.45, "Blacks2012": 0.45}, "temperature+ contrast-",
           films="an instant camera|warm instant film|an SX-70|peel-apart instant film"),
    intent("expired", "contrast colour film", {"Contrast2012": -0.5, "Blacks2012": 0.7, "Saturation": -0.35}, "contrast- saturation-",
           films="expired film|film that lay in a drawer for years|a roll forgotten in the sun|faded old film"),
    intent("bleach", "contrast colour film", {"Contrast2012": 0.6, "Shadows2012": -0.35, "Blacks2012": -0.3, "Saturation": -0.45, "Vibrance": -0.1}, "contrast+ saturation-",
           films="bleach-bypass film|bleach bypass stock|film that skipped the bleach|war movie stock"),
    intent("cross", "tint contrast colour film", {"IncrementalTint": -0.4, "Contrast2012": 0.5, "Shadows2012": -0.3, "Blacks2012": -0.2, "Vibrance": 0.3, "Saturation": 0.2}, "tint- contrast+",
           films="cross-processed film|xpro slide film|badly processed slide film|a green-shifted lomo camera"),
)  # fmt: skip

TIMES = (
    intent("golden-hour", "temperature light time", {"IncrementalTemperature": 0.65, "Contrast2012": 0.05}, "temperature+",
           times="golden hour|late afternoon|sundown|the hour before sunset|a warm summer evening|candlelight", nouns="golden hour light|evening sun|late afternoon light"),
    intent("blue-hour", "temperature light time", {"IncrementalTemperature": -0.6, "Exposure2012": -0.12}, "temperature- exposure-",
           times="blue hour|the blue hour|nightfall|just after sunset, when all turns blue", nouns="blue hour light|the blue of late dusk"),
    intent("dawn", "temperature tint contrast time", {"IncrementalTint": 0.3, "Contrast2012": -0.4, "Blacks2012": 0.3}, "tint+ contrast-",
           times="a pink dawn|the first pink light|a hazy pink sunrise|rosy daybreak", nouns="pink dawn light|rosy morning haze"),
    intent("noon", "light contrast time", {"Exposure2012": 0.04, "Contrast2012": 0.5, "Shadows2012": -0.3, "Blacks2012": -0.3, "Highlights2012": 0.1}, "contrast+",
           times="high noon|midday sun|noon in July|a hard bright midday", nouns="hard midday sun|bright noon light"),
    intent("overcast", "contrast colour time", {"Contrast2012": -0.5, "Blacks2012": 0.2, "Highlights2012": -0.2, "Saturation": -0.3}, "contrast- saturation-",
           times="a grey overcast day|a foggy morning|a cloudy afternoon|drizzle in November", nouns="overcast light|soft cloudy light|grey foggy light"),
    intent("night", "light temperature colour time", {"Exposure2012": -0.24, "IncrementalTemperature": -0.55, "Saturation": -0.05}, "exposure- temperature-",
           times="night|midnight|a moonlit night|the small hours", nouns="moonlight|a night-time mood|day for night"),
    intent("winter", "temperature colour time", {"IncrementalTemperature": -0.6, "Saturation": -0.12}, "temperature-",
           times="a cold winter morning|January|a frosty morning|winter", nouns="cold winter light|the chill of January"),
    intent("summer", "temperature light time", {"IncrementalTemperature": 0.4, "Exposure2012": 0.12}, "temperature+ exposure+",
           times="a bright summer day|August at the beach|a sunny morning|high summer", nouns="bright summer sun|a sunny beach light"),
    intent("autumn", "temperature colour time", {"IncrementalTemperature": 0.65, "Saturation": -0.08}, "temperature+",
           times="an autumn afternoon|October|a mellow fall day|late September", nouns="mellow autumn light|muted fall warmth"),
)  # fmt: skip

MOODS: tuple[Intent, ...] = FEELINGS + FILMS + TIMES
