"""Photos, looks, instructions and photo elements: everything the training stages read."""
