"""Training stages, one command each; every stage is seeded, resumable and leaves a small log and metrics file."""
