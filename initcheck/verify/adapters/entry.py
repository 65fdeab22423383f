"""From images to the argument of a forward pass: rows of pixels, images, sequences, patches, tokens."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Kind = Literal["pixels", "image", "rows", "patches", "tokens", "signal", "volume"]

MEAN, DEVIATION = 0.1307, 0.3081
"""Of the pixels of MNIST on a scale from 0 to 1, by which float inputs are standardised."""

GREYS = 32
"""Most grey levels that tokens tell apart."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How one argument is made: `shape` is that of one sample, `axis` the place of the batch among the axes of the argument.

    `levels` is the number of tokens; `dtype` that of the argument.
    """

    kind: Kind
    shape: tuple[int, ...]
    axis: int = 0
    levels: int = 0
    dtype: torch.dtype = torch.float32

    def of(self, images: Tensor) -> Tensor:
        """The argument for images [B, 1, height, width] between 0 and 1."""
        made = self._tokens(images) if self.kind == "tokens" else self._floats((images - MEAN) / DEVIATION)
        return made.to(self.dtype).movedim(0, self.axis)

    def told(self, source: tuple[int, int]) -> str:
        """In words; `source` is the size of the images."""
        return f"{self._told(source)}{'' if self.kind == 'tokens' else ', standardised'}"

    def _floats(self, images: Tensor) -> Tensor:
        count = len(images)
        if self.kind == "image":
            channels, height, width = self.shape
            return resized(images, height, width).expand(count, channels, height, width)
        if self.kind == "rows":
            return resized(images, *self.shape).squeeze(1)
        if self.kind == "patches":
            many, size = self.shape
            grid, edge = math.isqrt(many), math.isqrt(size)
            whole = resized(images, grid * edge, grid * edge)
            cut = whole.reshape(count, grid, edge, grid, edge).transpose(2, 3)
            return cut.reshape(count, many, size)
        if self.kind == "pixels":
            return flattened(images, self.shape[0])
        if self.kind == "signal":
            return flattened(images, self.shape[1])[:, None].expand(count, *self.shape)
        return _filled(images, self.shape)

    def _tokens(self, images: Tensor) -> Tensor:
        levels = min(self.levels, GREYS)
        return (flattened(images, self.shape[0]) * levels).long().clamp(0, levels - 1)

    def _told(self, source: tuple[int, int]) -> str:
        height, width = source
        if self.kind == "image":
            channels, *size = self.shape
            how = "" if tuple(size) == source else f"resized to {size[0]}×{size[1]}"
            repeated = "" if channels == 1 else f"the one channel repeated {channels} times"
            return ", ".join(part for part in (f"each digit as an image {channels}×{size[0]}×{size[1]}", how, repeated) if part)
        if self.kind == "rows":
            how = "" if self.shape == source else f" (resized from {height}×{width})"
            return f"each digit as a sequence of {self.shape[0]} rows of {self.shape[1]} pixels{how}"
        if self.kind == "patches":
            many, area = self.shape
            edge = math.isqrt(area)
            return f"each digit as {many} patches of {edge}×{edge} pixels"
        if self.kind == "tokens":
            return f"each digit as {self.shape[0]} tokens, one of {min(self.levels, GREYS)} grey levels per pixel{self._size(source)}"
        if self.kind == "pixels":
            return f"each digit as {self.shape[0]} pixels in a row{self._size(source)}"
        if self.kind == "signal":
            channels, length = self.shape
            repeated = "" if channels == 1 else f", repeated on {channels} channels"
            return f"each digit as a signal of {length} pixels, row after row{repeated}"
        return f"each digit resized to {self.shape[-2]}×{self.shape[-1]} and repeated to {'×'.join(map(str, self.shape))}"

    def _size(self, source: tuple[int, int]) -> str:
        length = self.shape[0]
        if length == math.prod(source):
            return ""
        channels, edge = _square(length)
        if not edge:
            return " (the digit's rows, stretched or cut to that length)"
        return f" (resized to {edge}×{edge}{f', {channels} channels' if channels > 1 else ''})"


def resized(images: Tensor, height: int, width: int) -> Tensor:
    """The images at another size: means of areas where it is smaller, bilinear where it is larger."""
    if tuple(images.shape[-2:]) == (height, width):
        return images
    smaller = height <= images.shape[-2] and width <= images.shape[-1]
    if smaller:
        return functional.interpolate(images, (height, width), mode="area")
    return functional.interpolate(images, (height, width), mode="bilinear", align_corners=False)


def flattened(images: Tensor, length: int) -> Tensor:
    """Each image as `length` pixels: resized to a square where that gives the length, on three channels too, else stretched as a row."""
    count = len(images)
    if images[0].numel() == length:
        return images.reshape(count, length)
    channels, edge = _square(length)
    if edge:
        return resized(images, edge, edge).expand(count, channels, edge, edge).reshape(count, length)
    return functional.interpolate(images.reshape(count, 1, -1), length, mode="linear", align_corners=False).squeeze(1)


def _square(length: int) -> tuple[int, int]:
    """Channels and edge of the square images of so many pixels; edge 0 for none."""
    for channels in (1, 3):
        edge = math.isqrt(length // channels)
        if edge >= 2 and channels * edge * edge == length:
            return channels, edge
    return 1, 0


def _filled(images: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The image in the last two axes, the same along all others."""
    small = resized(images, shape[-2], shape[-1])
    middle = (1,) * (len(shape) - 2)
    return small.reshape(len(images), *middle, *shape[-2:]).expand(len(images), *shape)
