"""A model by its hub name: what's cached is used as it is; the rest is downloaded, safetensors only."""

import re
from pathlib import Path

from baselines.model_folder import check_weights
from evals.errors import MissingModelError, ModelError

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
"""``name`` or ``owner/name``."""

WANTED = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
LEFT_OUT = ["*/*", "consolidated*", "onnx*", "openvino*"]
"""Folders and second copies of the weights in other tools' formats."""

PATIENCE = 5.0
"""Seconds until a hub that doesn't answer counts as out of reach."""

WAY_OUT = "give a local folder, or `builtin`"


def fetch_model(name: str) -> Path:
    """Return the folder that holds the hub's model ``name``, downloading what isn't cached yet.

    Raises ``ModelError`` when the hub can't be reached, doesn't know the name or doesn't let the user have it.
    """
    if not HUB_NAME.fullmatch(name):
        raise MissingModelError(f"{name!r} is neither a folder nor a hub name (owner/name); {WAY_OUT}")
    from huggingface_hub import constants

    cached = _find_cached(name)
    if cached is not None:
        return cached
    if constants.HF_HUB_OFFLINE:
        raise ModelError(f"the model {name} isn't cached and the hub is switched off (HF_HUB_OFFLINE); {WAY_OUT}")
    _check_reachable(name, constants.ENDPOINT)
    return _download(name, constants.ENDPOINT)


def _find_cached(name: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, local_files_only=True, allow_patterns=WANTED, ignore_patterns=LEFT_OUT))
        check_weights(folder)
    except (LocalEntryNotFoundError, ModelError):
        return None  # nothing there, or a download that was broken off
    return folder if (folder / "config.json").is_file() else None


def _check_reachable(name: str, endpoint: str) -> None:
    """Ask once, so that nobody waits through the client's retries for a hub that isn't there."""
    from huggingface_hub.utils import get_session  # type: ignore[attr-defined]  # documented, not re-exported

    try:
        get_session().head(endpoint, timeout=PATIENCE)
    except Exception as error:  # the client's HTTP library, and so its errors, differ between versions
        raise _unreachable(name, endpoint, error) from error


def _download(name: str, endpoint: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=WANTED, ignore_patterns=LEFT_OUT))
    except GatedRepoError as error:
        problem = f"the model {name} is gated: accept its terms on {endpoint}/{name} and log in with `hf auth login`"
        raise ModelError(problem) from error
    except RepositoryNotFoundError as error:
        problem = f"{endpoint} knows no model {name} (or it's private): check the name, or {WAY_OUT}"
        raise MissingModelError(problem) from error
    except Exception as error:
        raise _unreachable(name, endpoint, error) from error


def _unreachable(name: str, endpoint: str, error: Exception) -> ModelError:
    why = str(error).strip().partition("\n")[0] or type(error).__name__
    return ModelError(f"the model {name} can't be fetched from {endpoint} ({why}); {WAY_OUT}")
