from veraretouch.export.errors import ExportError


class OfficialModelError(ExportError):
    """The published model cannot be read, converted or asked: its message says what happened, what was left untouched, and
    what to do."""
