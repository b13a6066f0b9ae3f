"""Which tokens a picture becomes: the table `[tokens]` of a configuration."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..data.files import DataError

SEMANTIC_TOKENS = 9
TONE_GLOBAL_TOKENS = 4
TONE_SPATIAL_TOKENS = 4
FACTORS = 3


@dataclass(frozen=True)
class ImageTokens:
    """`semantic`: nine tokens of the image encoder's 3x3 cells. `tone`: the tone encoder; without it what it would say of the
    whole picture is taught from the mean of the cells' features and added to the first of the nine. `spatial`: four tokens of
    the quadrants' tones. `overall`: tokens of the whole picture, the first three of which stand for one factor each."""

    semantic: bool = True
    tone: bool = True
    spatial: bool = True
    overall: int = TONE_GLOBAL_TOKENS

    def __post_init__(self) -> None:
        if not self.tone and (self.spatial or not self.semantic):
            raise DataError(f"[tokens]: without the tone encoder there are semantic tokens and no spatial ones, not {self}. Nothing was built.")
        if not FACTORS <= self.overall <= SEMANTIC_TOKENS:
            raise DataError(f"[tokens]: overall is {self.overall}, it must be {FACTORS} to {SEMANTIC_TOKENS}. Nothing was built.")

    @classmethod
    def of(cls, config: dict) -> ImageTokens:
        """The layout of a stage's configuration; all seventeen where it says nothing. Raises DataError."""
        table = config.get("tokens", {})
        known = {f.name: type(f.default) for f in fields(cls)}
        wrong = [name for name, value in table.items() if type(value) is not known.get(name)]
        if wrong:
            raise DataError(f"[tokens]: {', '.join(wrong)} is unknown or of a wrong type; there are {', '.join(known)}. Nothing was built.")
        return cls(**table)

    @property
    def focus_row(self) -> int:
        """Where the three tokens begin that stand for one factor each: light, global colour, specific colour."""
        return SEMANTIC_TOKENS if self.semantic and self.tone else 0

    @property
    def count(self) -> int:
        """How many tokens a picture becomes: 17, and at least 3."""
        return SEMANTIC_TOKENS * self.semantic + self.overall * self.tone + TONE_SPATIAL_TOKENS * self.spatial


ALL_TOKENS = ImageTokens()
