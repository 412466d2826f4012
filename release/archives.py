"""Archives whose bytes depend on their files alone: no times, owners or order of this machine."""

import gzip
import hashlib
import io
import tarfile
import zipfile

# The first moment that a ZIP file can name.
_TIME = (1980, 1, 1, 0, 0, 0)
_PROGRAM = 0o755
_TEXT = 0o644


def zip_of_function(program):
    """A Lambda function's archive: its program, named as Lambda starts it."""
    entry = zipfile.ZipInfo("bootstrap", _TIME)
    entry.create_system = 3  # Unix: the mode counts.
    entry.external_attr = (0o100000 | _PROGRAM) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, program, compresslevel=9)
    return buffer.getvalue()


def tar_of_program(folder, program, texts):
    """The archive of a command line program. `program` is its name and its bytes; `texts` what lies beside it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content, mode in [(*program, _PROGRAM), *((name, text, _TEXT) for name, text in sorted(texts.items()))]:
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode, entry.mtime = len(content), mode, 0
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), compresslevel=9, mtime=0)


def checksums(folder):
    """What `sha256sum --check` reads: every file of the folder but the list itself, by name."""
    files = sorted(path for path in folder.iterdir() if path.name != "SHA256SUMS")
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
