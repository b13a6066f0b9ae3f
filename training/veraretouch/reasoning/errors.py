"""The one error class of the reasoning package."""


class ReasoningError(ValueError):
    """Raised when pixels, a mode or parameters cannot be described; nothing was composed or written."""
