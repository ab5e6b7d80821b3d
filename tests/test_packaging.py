"""What is installed, from where and under which licence: four files and the wheel kept in step."""

import ast
import re
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import hatchling.build
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
PINS = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
SYSTEMS = ["linux", "darwin", "win32"]


def names(requirements) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


STANDARD = set(sys.stdlib_module_names) | {"tomllib"}  # which Python 3.10 does not have yet


def imported(folder: str, but: str = "nothing") -> set[str]:
    """Third-party distributions imported by the Python files in a folder, but for one folder in it."""
    modules = set()
    for path in set((ROOT / folder).rglob("*.py")) - set((ROOT / folder / but).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules.add(node.module.split(".")[0])
    known = packages_distributions()
    modules -= STANDARD | {"diffusion_course"}
    modules -= {path.stem for path in [*(ROOT / folder).rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]}
    return {canonicalize_name(known.get(module, [module])[0]) for module in modules}


def tracked() -> list[Path]:
    """The files that git has or would add, which is what a clone holds."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def texts():
    for path in tracked():
        try:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or an archive


def data_files() -> list[Path]:
    """Data sets, weights and the text about them."""
    return [path for path in tracked() if path.parent == ROOT / "data"]


# Dependencies


def test_core_dependencies_are_what_the_package_imports():
    assert names(PROJECT["dependencies"]) == imported("diffusion_course", but="homework")


def test_the_homework_extra_is_what_the_grading_kit_imports_besides():
    needed = imported("diffusion_course/homework") - names(PROJECT["dependencies"])
    assert names(EXTRAS["homework"] + EXTRAS["cluster"] + EXTRAS["gradebook"]) == needed


def test_tests_import_only_what_their_extra_installs():
    assert imported("tests") <= names(PROJECT["dependencies"] + EXTRAS["test"] + EXTRAS["homework"])


def test_benchmarks_import_only_what_their_extra_installs():
    """But for the grading's, which need the extra of the homework."""
    assert imported("benchmarks") <= names(PROJECT["dependencies"] + EXTRAS["bench"] + EXTRAS["homework"])


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_dependency_has_one_pin_that_satisfies_it(python, system):
    environment = {"python_version": python, "python_full_version": f"{python}.9"}
    environment |= {"sys_platform": system, "platform_machine": "x86_64"}
    environment["os_name"] = "nt" if system == "win32" else "posix"
    pins = {}
    for pin in PINS:
        if pin.marker is None or pin.marker.evaluate(environment):
            assert pin.name not in pins, f"{pin.name} has two pins for {python} on {system}"
            pins[pin.name] = str(pin.specifier).removeprefix("==")
    for text in [*PROJECT["dependencies"], *(text for extra in EXTRAS.values() for text in extra)]:
        wanted = Requirement(text)
        if wanted.name == PROJECT["name"]:
            assert wanted.extras <= set(EXTRAS)
            continue
        if wanted.marker and not wanted.marker.evaluate(environment):
            continue
        pin = pins.get(canonicalize_name(wanted.name))
        assert pin is not None, f"constraints.txt has no pin for {wanted.name}: run its command"
        assert wanted.specifier.contains(pin), f"{text} refuses the pin {pin}: run its command"


def test_every_pin_is_one_exact_version():
    assert PINS
    for pin in PINS:
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), str(pin)


def test_the_course_changes_nothing_that_colab_has():
    pins = [Requirement(line) for line in (ROOT / "tools/colab.txt").read_text().splitlines() if line[0] != "#"]
    needed = {Requirement(text).name: Requirement(text).specifier for text in PROJECT["dependencies"]}
    assert len(pins) == 5
    for pin in pins:
        assert needed[pin.name].contains(str(pin.specifier).removeprefix("==")), f"{pin} is not {needed[pin.name]}"


def test_conda_installs_the_course_by_the_same_pins():
    python, pip, section = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"
    assert python.removeprefix("python=") in SpecifierSet(PROJECT["requires-python"])
    assert (pip, section) == ("pip", {"pip": ["-c constraints.txt", "-e .[lab]"]})


# What the text promises


def test_readme_names_only_commands_and_extras_that_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^(?:\S+=\S+ )?make (\w+)", readme, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
    commands = re.findall(r'-e "\.\[(.+?)\]"', readme)
    assert len(commands) == 2
    assert {extra for command in commands for extra in command.split(",")} <= set(EXTRAS)


def test_readme_lists_exactly_the_lessons_and_optional_notebooks_that_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for mark, folder in ((r"\d", "notebooks"), (r"\+", "notebooks/beyond")):
        rows = re.findall(rf"^\| {mark} \| \[.+?\]\({folder}/(\w+\.ipynb)\) \|", readme, re.MULTILINE)
        assert sorted(rows) == sorted(path.name for path in (ROOT / folder).glob("*.ipynb"))


MACHINE = re.compile(
    r"(?:pypi|npmjs|pythonhosted|anaconda)\.(?:org|com)|deb\.debian\.org|download\.pytorch\.org"
    r"|(?<![\w.~}])/(?:home|root|tmp|work|opt|Users)/[\w.]"
)


# Written in halves, so that this file does not hold what it forbids.
@pytest.mark.parametrize("halves", ["see /ho|me/ann/x", "'/wo|rk/x'", "at pypi|.org/simple"])
def test_the_search_for_machines_and_registries_finds_one(halves):
    assert MACHINE.search(halves.replace("|", ""))
    assert not MACHINE.search(halves)


def test_no_file_names_a_path_of_a_machine_or_a_host_of_a_registry():
    torch = ("Makefile", "download.pytorch" + ".org")  # publishes torch's builds without CUDA, and nobody else does
    assert [(name, hit) for name, text in texts() for hit in MACHINE.findall(text) if (name, hit) != torch] == []


def test_licences_are_stated_for_code_text_and_every_data_file():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert PROJECT["license"] == cited["license"] == "Apache-2.0"
    assert {"cff-version", "message", "title", "authors"} <= set(cited)  # what the format asks for
    assert "Apache License" in (ROOT / "LICENSE").read_text()[:200]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "[Apache-2.0](LICENSE)" in readme and "CC BY 4.0" in readme
    about = (ROOT / "data/README.md").read_text(encoding="utf-8")
    files = {path.name for path in data_files()} - {"README.md"}
    assert files and [name for name in files if name not in about] == []


# The wheel


def test_data_sets_are_small():
    sizes = [path.stat().st_size for path in data_files() if path.suffix == ".npz"]
    assert sizes and max(sizes) <= 8e6 and sum(sizes) <= 14e6


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel built as `pip install git+…` builds it: from the files of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return folder / hatchling.build.build_wheel(str(folder))


def contents(wheel: Path) -> dict[str, int]:
    """Names in a wheel with the checksums of what they hold, without its own metadata."""
    with zipfile.ZipFile(wheel) as archive:
        return {m.filename: m.CRC for m in archive.infolist() if ".dist-info/" not in m.filename}


def test_wheel_holds_the_package_and_the_data_and_nothing_else(wheel):
    names = {path.relative_to(ROOT).as_posix() for path in tracked()}
    expected = {name for name in names if name.startswith("diffusion_course/")}
    expected |= {f"diffusion_course/_data/{path.name}" for path in data_files()}
    settings = "etc/jupyter/labconfig/default_setting_overrides.json"  # where JupyterLab looks for an environment's own
    expected |= {f"{wheel.name.rsplit('-', 3)[0]}.data/data/{settings}"}
    assert set(contents(wheel)) == expected
    assert "diffusion_course/py.typed" in expected  # so that type checkers read the hints


def test_wheel_of_the_source_archive_is_the_same(wheel, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    archive = tmp_path / hatchling.build.build_sdist(str(tmp_path))
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path / archive.name.removesuffix(".tar.gz"))
    assert contents(tmp_path / hatchling.build.build_wheel(str(tmp_path))) == contents(wheel)


def test_installed_wheel_loads_all_data_outside_the_repository(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    program = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n" + (
        "import diffusion_course; from diffusion_course import data\n"
        "print(diffusion_course.__file__)\n"
        "for load in (data.faces, data.fashion, data.cat): load()\n"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert Path(run.stdout.strip()).is_relative_to(tmp_path)
