"""What the tests of the auditor's file begin with."""

import pytest

from ce import verify


@pytest.fixture
def verdict(tmp_path, capsys):
    """Verify in this process what a log holds; give the exit code and what was said."""

    def run(shown, *options, key=None):
        files = tmp_path / "shop.certificate.json", tmp_path / "shop.tlog-proof"
        for file, data in zip(files, (shown.record, shown.proof), strict=True):
            file.write_bytes(data)
        code = verify.main([*map(str, files), "--key", key or shown.key, *options])
        return code, capsys.readouterr().out

    return run
