"""Facts about the machine and the installed packages, for the run's record."""

import platform
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "tuneworthy",
    "torch",
    "transformers",
    "peft",
    "bitsandbytes",
    "sentence-transformers",
    "faiss-cpu",
    "scikit-learn",
    "scipy",
    "numpy",
)


def installed_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a result depends on."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def machine_facts() -> dict[str, str]:
    """Return processor, cores, memory and accelerator in words."""
    import psutil
    import torch

    facts = {
        "system": platform.system(),
        "processor": _processor(),
        "cores": str(psutil.cpu_count(logical=True)),
        "threads": str(torch.get_num_threads()),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
    }
    if torch.cuda.is_available():
        facts["accelerator"] = torch.cuda.get_device_name(0)
    return facts


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
