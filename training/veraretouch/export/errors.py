"""The one error class of the exporter."""


class ExportError(Exception):
    """A bundle or a part of it could not be made or checked; the message says what to do."""
