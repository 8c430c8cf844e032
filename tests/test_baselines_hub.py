"""The hub's part of loading, against a hub on this machine that holds one model."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.tiny_models import save_tiny

ROOT = Path(__file__).parents[1]
COMMIT = "a" * 40
SCRIPT = """
import sys
from baselines.loading import find_folder
from evals.errors import ModelError
for name in sys.argv[1:]:
    try:
        print(*sorted(path.name for path in find_folder(name).iterdir()))
    except ModelError as error:
        print("ModelError:", error)
"""


def handler(folder):
    class Hub(BaseHTTPRequestHandler):
        def log_message(self, *parts):
            pass

        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            status, headers, body = self.answer(self.path.partition("?")[0])
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def answer(self, path):
            files = {str(file.relative_to(folder)): file for file in sorted(folder.rglob("*")) if file.is_file()}
            if path == "/":
                return 200, {}, b""
            if path.startswith("/api/models/owner/closed"):
                return 403, {"X-Error-Code": "GatedRepo"}, b""
            if path.startswith("/api/models/owner/tiny/tree/"):
                tree = [
                    {"type": "file", "path": name, "size": file.stat().st_size, "oid": "b" * 40}
                    for name, file in files.items()
                ]
                return 200, {"Content-Type": "application/json"}, json.dumps(tree).encode()
            if path.startswith("/api/models/owner/tiny"):
                info = {"id": "owner/tiny", "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
                return 200, {"Content-Type": "application/json"}, json.dumps(info).encode()
            name = path.removeprefix(f"/owner/tiny/resolve/{COMMIT}/")
            if name in files:
                body = files[name].read_bytes()
                return 200, {"ETag": hashlib.sha1(body).hexdigest(), "X-Repo-Commit": COMMIT}, body
            return 404, {"X-Error-Code": "RepoNotFound"}, b""

    return Hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    folder = save_tiny(tmp_path_factory.mktemp("hub") / "tiny")
    (folder / "pytorch_model.bin").write_bytes(b"pickled")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.safetensors").write_bytes(b"another format")
    (folder / "consolidated.safetensors").write_bytes(b"a second copy")
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def ask(cache, endpoint, *names, offline=False):
    settings = {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache), "HF_HUB_OFFLINE": "1" if offline else "0"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *names],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_a_model_is_downloaded_once_without_pickles_and_second_copies(hub, tmp_path):
    files = "config.json generation_config.json model.safetensors tokenizer.json tokenizer_config.json"
    assert ask(tmp_path, hub, "owner/tiny", "owner/nobody", "owner/closed") == [
        files,
        f"ModelError: {hub} knows no model owner/nobody (or it's private): check the name, or give a local folder, "
        "or `builtin`",
        f"ModelError: the model owner/closed is gated: accept its terms on {hub}/owner/closed and log in with "
        "`hf auth login`",
    ]
    # What was fetched serves without a hub; what wasn't is told at once.
    assert ask(tmp_path, "http://127.0.0.1:9", "owner/tiny", "owner/other", offline=True) == [
        files,
        "ModelError: the model owner/other isn't cached and the hub is switched off (HF_HUB_OFFLINE); "
        "give a local folder, or `builtin`",
    ]


def test_a_download_that_was_broken_off_is_taken_up_again(hub, tmp_path):
    ask(tmp_path, hub, "owner/tiny")
    (weights,) = tmp_path.rglob("model.safetensors")
    weights.unlink()
    assert "isn't cached" in ask(tmp_path, hub, "owner/tiny", offline=True)[0]
    assert "model.safetensors" in ask(tmp_path, hub, "owner/tiny")[0]


def test_a_hub_out_of_reach_is_told_soon(tmp_path):
    started = time.monotonic()
    (message,) = ask(tmp_path, "http://127.0.0.1:9", "owner/tiny")
    assert message.startswith("ModelError: the model owner/tiny can't be fetched from http://127.0.0.1:9 (")
    assert message.endswith("; give a local folder, or `builtin`")
    assert time.monotonic() - started < 30


def test_a_name_that_no_hub_could_know(tmp_path):
    (message,) = ask(tmp_path, "http://127.0.0.1:9", "what is this?")
    assert "is neither a folder nor a hub name (owner/name)" in message
