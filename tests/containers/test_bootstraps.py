"""What the built functions ask of the machine they run on. Amazon Linux 2023 is stricter here than the image of these tests."""

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from places import FUNCTIONS

# Amazon Linux 2023 has this release of the GNU C library (its release notes, "glibc 2.34").
AMAZON_LINUX_2023 = (2, 34)


def required_versions(path):
    """The symbol versions that a program asks for, such as `GLIBC_2.34`."""
    with path.open("rb") as file:
        return {
            needed.name
            for section in ELFFile(file).iter_sections()
            if isinstance(section, GNUVerNeedSection)
            for _, versions in section.iter_versions()
            for needed in versions
        }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_bootstrap_needs_a_newer_c_library_than_amazon_linux_2023_has(bootstraps, function):
    glibc = [version.removeprefix("GLIBC_") for version in required_versions(bootstraps[function]) if version.startswith("GLIBC_")]

    assert glibc
    newer = [version for version in glibc if tuple(map(int, version.split("."))) > AMAZON_LINUX_2023]
    assert newer == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_panic_can_be_caught_and_answered(bootstraps, function):
    """cargo-lambda aborts at a panic unless the release profile says `unwind`. Then the tables of what to do while a panic passes
    are those of the standard library alone, some kilobytes."""
    with bootstraps[function].open("rb") as file:
        table = ELFFile(file).get_section_by_name(".gcc_except_table")
        assert table is not None and table["sh_size"] > 100_000
