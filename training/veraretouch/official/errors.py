class OfficialCheckpointError(RuntimeError):
    """A file of the published model cannot be used. Its message says which, why, what was left untouched, what to do."""
