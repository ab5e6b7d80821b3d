"""Sets the repository's address in every file: `make address REPO=owner/name`.

As long as there is none, the files say OWNER/diffusion-course, and what would lead nowhere (badges, the installation
on Colab) stands in a comment behind the words "no address yet:". Setting an address takes these words and the comment
away, and whatever stands between <!-- until then --> and <!-- from then on -->. A second address replaces the first.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
UNSET = "OWNER/diffusion-course"
REPO = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/[\w.-]*[\w-]"


def with_address(text: str, old: str, new: str) -> str:
    """`text` with every link to the repository `old` leading to `new`.

    >>> with_address("<!-- no address yet: [it](https://github.com/OWNER/diffusion-course) -->", UNSET, "ann/course")
    '[it](https://github.com/ann/course)'
    """
    text = re.sub(r"<!-- until then -->.*?<!-- from then on -->\n*", "", text, flags=re.DOTALL)
    text = re.sub(rf"<!-- no address yet: (.*?{UNSET}.*?) -->", r"\1", text)
    text = re.sub(rf"# no address yet: (?=.*{UNSET})", "", text)
    pages = [repo.replace("/", ".github.io/") for repo in (old, new)]
    text = re.sub(rf"https://{re.escape(pages[0])}(?![\w-])", f"https://{pages[1]}", text)
    return re.sub(rf"(github\.com|/github|/gh)/{re.escape(old)}(?![\w-])", rf"\1/{new}", text)


def address(folder: Path) -> str:
    """The repository that pyproject.toml names."""
    project = (folder / "pyproject.toml").read_text(encoding="utf-8")
    return re.search(rf'^Repository = "https://github\.com/({REPO})"$', project, re.MULTILINE)[1]


def set_address(folder: Path, new: str) -> list[str]:
    """Writes the address into every file that git has; returns the names of those that changed."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=folder, check=True, capture_output=True, text=True).stdout
    old, changed = address(folder), []
    for name in filter(None, names.split("\0")):
        path = folder / name
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # a picture or an archive
        if path.name not in ("address.py", "test_address.py") and (made := with_address(text, old, new)) != text:
            path.write_text(made, encoding="utf-8")
            changed.append(name)
    return changed


if __name__ == "__main__":
    (repo,) = sys.argv[1:] or [""]
    repo = repo.removeprefix("https://github.com/").removesuffix(".git").rstrip("/")
    if not re.fullmatch(REPO, repo):
        sys.exit(f"{repo!r} is no repository: say owner/name, as in make address REPO=ann/diffusion-course")
    changed = set_address(ROOT, repo)
    print(f"The course now lives at https://github.com/{repo}: {len(changed)} files changed. Look at them, and commit.")
