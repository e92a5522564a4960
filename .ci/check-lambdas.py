"""Zips bootstraps, prints their sizes, and exits with 1 where one is not as Lambda wants it.

    check-lambdas.py --x86-64|--arm64 BOOTSTRAP…
"""

import pathlib
import re
import struct
import sys
import zipfile

# Of provided.al2023 (https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html).
GLIBC_MAX = (2, 34)
UNPACKED_BYTES_MAX = 8_000_000
MACHINES = {"--x86-64": 62, "--arm64": 183}
# The first bytes of every SQLite file, which whatever links SQLite holds.
SQLITE = b"SQLite format 3\0"
SHT_GNU_VERNEED = 0x6FFFFFFE


def sections(elf):
    """(type, offset, linked section, number of entries) of each section."""
    offset, size, count = *struct.unpack_from("<Q", elf, 40), *struct.unpack_from("<HH", elf, 58)
    for at in range(offset, offset + size * count, size):
        kind, _, _, start, _, link, entries = struct.unpack_from("<IQQQQII", elf, at + 4)
        yield kind, start, link, entries


def text(elf, at):
    return elf[at : elf.index(b"\0", at)].decode()


def needed_versions(elf):
    """The symbol versions, such as GLIBC_2.34, that the libraries have to offer."""
    table = list(sections(elf))
    for kind, library, link, libraries in table:
        if kind != SHT_GNU_VERNEED:
            continue
        strings = table[link][1]
        for _ in range(libraries):
            _, versions, _, first, following = struct.unpack_from("<HHIII", elf, library)
            version = library + first
            for _ in range(versions):
                name, further = struct.unpack_from("<II", elf, version + 8)
                yield text(elf, strings + name)
                version += further
            library += following


def zipped(bootstrap):
    """The bytes of bootstrap.zip, which is the same for the same bootstrap."""
    path = bootstrap.with_suffix(".zip")
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, bootstrap.read_bytes(), compresslevel=9)
    return path.stat().st_size


def check(bootstrap, machine):
    """The table's line, and what is wrong."""
    elf = bootstrap.read_bytes()
    if elf[:6] != b"\x7fELF\x02\x01":
        return f"{bootstrap.parent.name:<22}", ["is no 64-bit ELF file"]
    versions = [re.fullmatch(r"GLIBC_(\d+)\.(\d+)(\.\d+)?", it) for it in needed_versions(elf)]
    glibc = max(((int(it[1]), int(it[2])) for it in versions if it), default=None)
    faults = []
    if struct.unpack_from("<H", elf, 18)[0] != machine:
        faults.append("is for another processor")
    if glibc is None:
        faults.append("names no version of glibc")
    elif glibc > GLIBC_MAX:
        faults.append(f"needs glibc {glibc[0]}.{glibc[1]}, and Lambda has {GLIBC_MAX[0]}.{GLIBC_MAX[1]}")
    if len(elf) > UNPACKED_BYTES_MAX:
        faults.append(f"has {len(elf):,} bytes, and {UNPACKED_BYTES_MAX:,} are allowed")
    if SQLITE in elf:
        faults.append("links SQLite: the embedded DynamoDB belongs in no Lambda")
    shown = "none" if glibc is None else f"{glibc[0]}.{glibc[1]}"
    return f"{bootstrap.parent.name:<22}{zipped(bootstrap):>12,}{len(elf):>12,}{shown:>8}", faults


def main():
    architecture, *paths = sys.argv[1:]
    found = []
    print(f"{'function':<22}{'zip, bytes':>12}{'unpacked':>12}{'glibc':>8}")
    for path in map(pathlib.Path, paths):
        line, faults = check(path, MACHINES[architecture])
        print(line)
        found += [f"{path} {fault}" for fault in faults]
    sys.exit("\n".join(found) or None)


main()
