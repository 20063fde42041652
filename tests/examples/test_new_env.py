"""`lanista new env`: the package that it writes, walked as it is."""

import pytest


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_new_game_goes_from_its_package_to_a_verified_archive(scratch, tmp_path):
    scratch.run("lanista", "new", "env", "heap", cwd=tmp_path)
    scratch.install(str(tmp_path / "heap"))
    scratch.run("lanista", "check", "plugin", "heap", cwd=tmp_path)
    scratch.run("pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "heap" / "tests"), cwd=tmp_path)
    ran = scratch.run(
        "lanista", "run", "heap", "--out", "run", "--set", "phases.0.until.steps=8192", cwd=tmp_path
    )
    assert "ok" in ran.stderr
