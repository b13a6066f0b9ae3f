"""Develop engine: retouch parameters to pixels, as vectorised PyTorch."""
