"""The published VeraRetouch checkpoint: read as its owner has it, never shipped (its licence is for research only)."""
