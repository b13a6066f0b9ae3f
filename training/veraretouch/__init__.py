"""VeraRetouch: how the bundled model came to be, from photos to ONNX graphs."""

import os

# Training says nothing to anyone either. The libraries below read these variables when they are imported, and every module
# of this package is imported after this one, so here is the place. onnxruntime: `src/cli/nodeRuntime.ts` says what it does.
os.environ.update(
    {
        "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime
        "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, which transformers uses
        "RAY_USAGE_STATS_ENABLED": "0",  # Ray
        "DO_NOT_TRACK": "1",
    }
)
