"""VeraRetouch: how the bundled model came to be, from photos to ONNX graphs."""
