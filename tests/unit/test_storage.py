"""Where files are kept, and who may read them."""

from __future__ import annotations

import io
import stat
from pathlib import Path

from app.storage import LocalFiles


def test_a_kept_file_is_read_by_its_group_and_written_by_its_owner_alone(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    kept = files.path(files.put(io.BytesIO(b"a design"), limit=100).key)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
