"""A cheap mark of a module's weights as they are now, to notice that they aren't what they were.

It isn't a fingerprint (that reads every byte): it takes PyTorch's own count of writes to each weight, a few values of
each, and which adapters are switched on. An optimiser's step, a merged, switched or disabled adapter and values written
behind PyTorch's back (``.data``) all change it.
"""

import hashlib
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

SAMPLED = 8
"""Values of each weight that are looked at."""


def weights_stamp(module: "torch.nn.Module") -> bytes:
    """Return the mark of ``module``'s weights, buffers and adapters; milliseconds for a model of any size."""
    digest = hashlib.blake2b(digest_size=16)
    samples: dict[torch.device, list[torch.Tensor]] = {}
    for name, tensor in chain(module.named_parameters(), module.named_buffers()):
        version = 0 if tensor.is_inference() else tensor._version
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype} {version}\n".encode())
        if tensor.numel():
            samples.setdefault(tensor.device, []).append(_sample(tensor))
    for parts in samples.values():
        digest.update(_joined(parts))
    digest.update(adapter_switches(module).encode())
    return digest.digest()


def adapter_switches(module: "torch.nn.Module") -> str:
    """Return which of PEFT's adapters are active, switched off or merged, layer by layer, as a digest."""
    digest = hashlib.blake2b(digest_size=16)
    for name, part in module.named_modules():
        if "merged_adapters" in vars(part):
            switched = (getattr(part, "_active_adapter", None), getattr(part, "_disable_adapters", None))
            digest.update(f"{name} {switched} {vars(part)['merged_adapters']}\n".encode())
    return digest.hexdigest()


def _sample(tensor: "torch.Tensor") -> "torch.Tensor":
    """Return the bytes of a few values, evenly spread."""
    import torch

    flat = tensor.detach().reshape(-1)
    return flat[:: max(1, flat.numel() // SAMPLED)][:SAMPLED].contiguous().view(torch.uint8)


def _joined(parts: "list[torch.Tensor]") -> bytes:
    import torch

    return bytes(torch.cat(parts).cpu().numpy().tobytes())
