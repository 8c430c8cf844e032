"""Rows of unequal length as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Padded:
    """Token rows of shape (rows, columns), their positions, and which places of cache and row are real.

    ``mask`` has shape (rows, shared + columns): a cached prefix of ``shared`` tokens comes first.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    mask: torch.Tensor


def pad_left(rows: Sequence[Sequence[int]], shared: int, device: torch.device) -> Padded:
    """Pad at the left, so that every row's last token stands in the last column.

    Token 0 stands where there's nothing; the mask hides it.
    """
    columns = max(map(len, rows))
    ids = torch.tensor([[0] * (columns - len(row)) + list(row) for row in rows], dtype=torch.long, device=device)
    missing = torch.tensor([columns - len(row) for row in rows], device=device)
    place = torch.arange(columns, device=device)[None, :] - missing[:, None]
    seen = torch.ones((len(rows), shared), dtype=torch.bool, device=device)
    return Padded(ids, place.clamp(min=0) + shared, torch.cat([seen, place >= 0], dim=1))


def pad_right(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Pad at the right; return the ids and which of them are real, both of shape (rows, columns)."""
    columns = max(map(len, rows))
    ids = torch.tensor([list(row) + [0] * (columns - len(row)) for row in rows], dtype=torch.long, device=device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    return ids, torch.arange(columns, device=device)[None, :] < lengths[:, None]
