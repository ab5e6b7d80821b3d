"""Rebuild a shipped data file from its origin: `python data/build/build.py faces|fashion|cat|emoji`.

Every choice is fixed, so the same arrays come out each time; the bytes of the file are the same too
wherever LZMA compresses alike. Pictures are stored as uint8 (n, height, width, channels), which
compresses to less than half of channels first. `--check` writes nothing and compares with the
shipped file instead. `data/README.md` says what each build needs.
"""

import argparse
import gzip
import hashlib
import io
import json
import lzma
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
DATA = HERE.parent
FASHION_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # of Debian's dataset-fashion-mnist
FASHION_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
FASHION_SHA256 = {  # of the unpacked content: the same arrays are handed out in different gzip wrappings
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
FASHION_NAMES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


def build_faces(_folder):
    """12,000 portraits rendered by Node; the last 2,000 are the held-out ones."""
    with tempfile.TemporaryDirectory() as scratch:
        work = shutil.copytree(HERE / "faces", Path(scratch) / "faces")
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=work, check=True)
        subprocess.run(["node", "render.mjs", ".", "12000"], cwd=work, check=True)
        faces = np.fromfile(work / "faces.rgb", np.uint8).reshape(-1, 16, 16, 3)
        records = json.loads((work / "faces.json").read_text())
    arrays = {"images": faces}
    for name in records[0]:
        arrays[name] = np.array([record[name] for record in records])
    return arrays


def build_fashion(folder):
    """The first 1,000 training and 200 test pictures of each class, in their original order."""
    arrays = {"names": np.array(FASHION_NAMES)}
    for split, per_class in (("train", 1000), ("test", 200)):
        images, labels = (read_idx(folder / name) for name in FASHION_FILES[split])
        first = [np.flatnonzero(labels == k)[:per_class] for k in range(len(FASHION_NAMES))]
        chosen = np.sort(np.concatenate(first))
        arrays[f"{split}_images"] = images[chosen, :, :, None]
        arrays[f"{split}_labels"] = labels[chosen]
    return arrays


def read_idx(path):
    """An array of the original files: the fourth byte counts the axes, then come their sizes, then the values."""
    content = gzip.decompress(path.read_bytes())
    if hashlib.sha256(content).hexdigest() != FASHION_SHA256[path.name]:
        raise SystemExit(f"{path} does not hold the original {path.name}")
    axes = content[3]
    shape = np.frombuffer(content, ">u4", count=axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def build_cat(_folder):
    """The 256 x 256 window of scikit-image's `chelsea` that holds eyes, nose and whiskers."""
    from skimage import data  # only this build needs it

    top, left = 34, 104
    crop = data.chelsea()[top : top + 256, left : left + 256]
    return {"image": crop}


def build_emoji(_folder):
    """Some 8,000 pictures rendered by Node, with their words; the split is fixed by the names."""
    sys.path.insert(0, str(HERE / "emoji"))
    import pack

    with tempfile.TemporaryDirectory() as scratch:
        work = shutil.copytree(HERE / "emoji", Path(scratch) / "emoji", ignore=shutil.ignore_patterns("node_modules"))
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=work, check=True)
        subprocess.run(["node", "render.mjs", "."], cwd=work, check=True)
        return pack.read(work)


class Hard(zipfile.LZMACompressor):
    """Python's own LZMA of a zip file, looking farther and longer: faces.npz is a fifth smaller."""

    def _init(self):
        options = {"id": lzma.FILTER_LZMA1, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 2**24, "nice_len": 273}
        options |= self.tuned
        self._comp = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=[options])
        properties = lzma._encode_filter_properties(options)
        return struct.pack("<BBH", 9, 4, len(properties)) + properties


def npz_bytes(arrays, **tuned):
    """A compressed .npz without clock or user in it (`np.savez` stamps the time of writing); `tuned`: of LZMA."""
    zipfile.LZMACompressor, Hard.tuned = Hard, tuned
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), version=(1, 0))
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_LZMA
            info.create_system = 3
            archive.writestr(info, member.getvalue())
    return buffer.getvalue()


def webp_bytes(image):
    """A picture as WebP without loss, two thirds of what LZMA makes of a photograph."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", lossless=True, quality=100, method=6)
    return buffer.getvalue()


def arrays(content):
    """What such bytes hold, by name."""
    if content[:4] == b"RIFF":
        return {"image": np.asarray(Image.open(io.BytesIO(content)))}
    with np.load(io.BytesIO(content)) as file:
        return dict(file)


def compare(path, new):
    """Exit with a message unless the shipped file holds the arrays that were just built."""
    old, built = arrays(path.read_bytes()), arrays(new)
    if list(old) != list(built):
        raise SystemExit(f"{path.name} holds {list(old)}, the build {list(built)}")
    for name in old:
        if not np.array_equal(old[name], built[name]):
            raise SystemExit(f"{path.name}: '{name}' differs from what the build gives")
    same = path.read_bytes() == new
    print(f"{path.name}: the same arrays, {'the same' if same else 'differently compressed'} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=["faces", "fashion", "cat", "emoji"])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--folder", type=Path, default=FASHION_FOLDER, help="of the four idx files")
    args = parser.parse_args()
    build = {"faces": build_faces, "fashion": build_fashion, "cat": build_cat, "emoji": build_emoji}[args.name]
    made = build(args.folder)
    path = DATA / ("cat.webp" if args.name == "cat" else f"{args.name}.npz")
    content = webp_bytes(made["image"]) if args.name == "cat" else npz_bytes(made)
    if args.check:
        compare(path, content)
    else:
        path.write_bytes(content)
        print(f"{len(content):,} bytes. For SHA256SUMS:\n{hashlib.sha256(content).hexdigest()}  {path.name}")


if __name__ == "__main__":
    main()
