"""The evaluation as one command: parts that measure, one JSON and one HTML page that show (`report.__main__`)."""
