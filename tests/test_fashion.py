"""All of Fashion-MNIST: read where it lies, fetched only when asked, never half a file.

No network: a tiny set stands in for the real one, served from 127.0.0.1.
"""

import gzip
import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from diffusion_course import data, fashion

COUNT = {"train": 30, "test": 20}


def idx(array):
    sizes = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


@pytest.fixture
def original(tmp_path, monkeypatch):
    """A folder with a small set in the original form, known to the package by its checksums."""
    folder = tmp_path / "site"
    folder.mkdir()
    rng = np.random.default_rng(0)
    checksums = {}
    for split, (images, labels) in fashion.FILES.items():
        n = COUNT[split]
        pixels = rng.integers(256, size=(n, 28, 28), dtype=np.uint8)
        for name, array in ((images, pixels), (labels, np.arange(n, dtype=np.uint8) % 10)):
            (folder / name).write_bytes(gzip.compress(idx(array)))
            checksums[name] = hashlib.sha256(idx(array)).hexdigest()
    monkeypatch.setattr(fashion, "SHA256", checksums)
    return folder


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class BreaksOff(Quiet):
    """Promises the whole file and hangs up half way."""

    def copyfile(self, source, outputfile):
        content = source.read()
        outputfile.write(content[: len(content) // 2])


@pytest.fixture
def serve(original, monkeypatch):
    """serve(handler) answers for the authors' site from now on."""
    servers = []

    def start(handler):
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=original))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        monkeypatch.setattr(fashion, "URL", f"http://127.0.0.1:{server.server_port}")

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_whole_set_comes_in_the_form_of_the_part(original, split):
    whole = fashion.load(original, split)
    assert whole.x0.shape == (COUNT[split], 1, 28, 28) and whole.x0.dtype == np.float32
    assert whole.labels.dtype == np.int64
    assert whole.labels.tolist() == [i % 10 for i in range(COUNT[split])]
    assert whole.names == data.fashion("test").names
    images, _ = fashion.read(original, split)
    assert np.array_equal(np.rint((whole.x0[:, 0] + 1) * 127.5), images)


def test_an_unknown_split_is_refused(original):
    with pytest.raises(ValueError, match="'both'"):
        fashion.load(original, "both")


def test_another_gzip_wrapping_of_the_same_arrays_is_accepted(original):
    path = original / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=1, mtime=5))
    assert len(fashion.load(original).labels) == COUNT["train"]


def test_a_missing_file_is_named_with_the_call_that_fetches_it(original):
    (original / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"train-labels-idx1-ubyte.gz.*fashion\.download"):
        fashion.load(original)


def test_a_cut_off_or_altered_file_is_named(original):
    path = original / "t10k-images-idx3-ubyte.gz"
    whole = path.read_bytes()
    for bad in (whole[:-100], whole[:100], b"<html>not found</html>", gzip.compress(b"other")):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte.gz.*fetch it again"):
            fashion.load(original, "test")


def test_download_brings_all_four_and_keeps_what_is_there(serve, original, tmp_path, capsys):
    serve(Quiet)
    target = tmp_path / "new" / "folder"
    fashion.download(target)
    assert sorted(p.name for p in target.iterdir()) == sorted(fashion.SHA256)
    assert np.array_equal(fashion.load(target).x0, fashion.load(original).x0)
    assert capsys.readouterr().out.count("MB") >= 4
    fashion.download(target)
    assert capsys.readouterr().out.count("already there") == 4


def test_an_interrupted_download_leaves_no_half_file(serve, tmp_path):
    serve(BreaksOff)
    with pytest.raises((ValueError, ConnectionError), match="train-images"):
        fashion.download(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    serve(Quiet)
    fashion.download(tmp_path / "new")  # and the next try succeeds
    assert fashion.load(tmp_path / "new").x0.shape[0] == COUNT["train"]


def test_a_page_that_is_not_the_file_is_refused(serve, original, tmp_path):
    (original / "train-labels-idx1-ubyte.gz").write_bytes(b"<html>moved</html>")
    serve(Quiet)
    with pytest.raises(ValueError, match=r"came from http.*train-labels.* is cut off or altered"):
        fashion.download(tmp_path / "new")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["train-images-idx3-ubyte.gz"]


def test_offline_is_said_and_the_shipped_part_named(original, tmp_path, monkeypatch):
    closed = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    monkeypatch.setattr(fashion, "URL", f"http://127.0.0.1:{closed.server_port}")
    closed.server_close()  # nobody listens there now
    with pytest.raises(ConnectionError, match=r"Are you online\?.*data\.fashion\(\)"):
        fashion.download(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_missing_page_is_said(serve, original, tmp_path):
    (original / "train-images-idx3-ubyte.gz").unlink()
    serve(Quiet)
    with pytest.raises(ConnectionError, match="404"):
        fashion.download(tmp_path / "new")
