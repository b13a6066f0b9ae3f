"""Loaded before any test: a test may import onnxruntime before anything of ours, and must find its telemetry off."""

import veraretouch  # noqa: F401
