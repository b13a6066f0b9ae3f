"""From trained PyTorch modules to a bundle that onnxruntime runs anywhere."""
