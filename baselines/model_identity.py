"""What a model is at this moment, for the keys of its kept answers: stricter than its fingerprint.

The fingerprint leaves device, number format and library versions out, which may move the last digits of what is
computed; and one read off files says nothing of weights that were changed in memory since.
"""

import hashlib
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from evals.protocols import LanguageModel

if TYPE_CHECKING:
    import torch

LIBRARIES = ("torch", "transformers", "tokenizers", "peft", "bitsandbytes")


class ModelIdentity:
    """Tells what ``model`` is; of a model that isn't in this process its fingerprint tells all there is."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._module = getattr(model, "module", None)
        self._stamp = b""
        self._identity: str | None = None
        if self._module is not None:
            from baselines.weights_stamp import weights_stamp

            self._stamp = weights_stamp(self._module)

    def now(self) -> str:
        """Return the digest of the model as it stands."""
        if self._module is None:
            return self._model.fingerprint
        from baselines.weights_stamp import weights_stamp

        stamp = weights_stamp(self._module)
        if self._identity is None or stamp != self._stamp:
            # The files are told by the fingerprint as long as nothing was changed since; else the memory is read.
            from_files = getattr(self._model, "folder", None) is not None and stamp == self._stamp
            parts = {
                "model": self._model.fingerprint if from_files else self._in_memory(),
                "surroundings": surroundings(self._module),
            }
            self._identity = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
            self._stamp = stamp
        return self._identity

    def _in_memory(self) -> str:
        from baselines.fingerprint import fingerprint
        from baselines.weights_stamp import adapter_switches

        model: Any = self._model
        # Which adapters are switched on is no weight, and so in no fingerprint.
        return f"{fingerprint(model.module, model.tokenizer)} {adapter_switches(model.module)}"


def surroundings(module: "torch.nn.Module") -> dict[str, str]:
    """Return what else moves the last digits: device, number format, attention, processor, library versions."""
    import torch

    from baselines.forward import unwrapped

    base = unwrapped(module)
    device = base.device
    on_gpu = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if on_gpu else f"{device.type} {_processor()}",
        "format": str(base.dtype),
        "attention": str(getattr(base.config, "_attn_implementation", None)),
    } | _versions()


def _processor() -> str:
    import torch

    return str(torch.backends.cpu.get_cpu_capability())


@cache
def _versions() -> dict[str, str]:
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "none"
    return found
