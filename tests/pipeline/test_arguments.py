"""Odd arguments: one line and exit code 2, and nothing that is there is lost."""

import shutil

import pytest

from tests.pipeline.command_line import run


def refused(capsys, *words) -> str:
    assert run(*words) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("error: "), said
    assert len(said.splitlines()) == 1, said
    return said.removeprefix("error: ")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["manifest", ""], "an argument"),
        (["manifest", ".", "--out", ""], "--out"),
        (["build", "--manifest=", "--out", "c"], "--manifest"),
        (["status", " "], "an argument"),
        (["query", "c", ""], "an argument"),
        (["retry", "c", "--where", ""], "--where"),
        (["train", "c", "--recipe", ""], "--recipe"),
    ],
)
def test_an_empty_argument_is_refused(capsys, words, name):
    assert refused(capsys, *words) == f"{name}: is empty; give it a value, or leave it out"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "-5"], "No such option: -5: see `longvid show --help`; put -- before an argument that begins with -"),
        (["show", "c", "-1.5"], "No such option: -1"),
        (["config", "--sett", "a"], "No such option: --sett (Possible options: --set)"),
        (["config", "--set"], "Option '--set' requires an argument: see `longvid config --help`"),
        (["status"], "Missing argument 'corpus'"),
        (["status", "c", "d"], "unexpected extra argument"),
        (["retry", "c"], "give either --reason CODE or --where SQL"),
        (["sttaus"], "No such command 'sttaus'"),
        (["config", "--set", "x=-1"], "x = -1: unknown key"),
        (["config", "--set", "select.k=-1"], "select.k = -1"),
        (["config", "--set", "-1"], "--set '-1': not of the form field=value"),
        (["config", "--recipe", "-1"], "-1"),
        (["status", "--", "-5"], "-5: no corpus there"),
    ],
)
def test_an_argument_that_no_command_takes_is_named_in_one_line(capsys, monkeypatch, words, said):
    monkeypatch.setenv("COLUMNS", "80")
    assert said in refused(capsys, *words)


def test_without_a_command_the_commands_are_listed(capsys):
    assert run() == 2
    assert "decontaminate" in capsys.readouterr().out


@pytest.fixture
def videos(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(b"")
    return folder


@pytest.mark.parametrize("name", ["m.parquet", "m.csv", "m"])
def test_a_manifest_of_another_format_is_not_written(capsys, tmp_path, videos, name):
    assert "name that ends in .jsonl" in refused(capsys, "manifest", videos, "--out", tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_manifest_that_is_there_stays_unless_it_may_be_replaced(capsys, tmp_path, videos):
    path = tmp_path / "m.jsonl"
    path.write_text("mine")
    assert "add --replace" in refused(capsys, "manifest", videos, "--out", path)
    assert path.read_text() == "mine"
    assert run("manifest", videos, "--out", path, "--replace") == 0
    assert "a.mp4" in path.read_text()


def test_a_manifest_goes_into_a_folder_that_is_there(capsys, tmp_path, videos):
    (tmp_path / "m.jsonl").mkdir()
    assert "is a folder" in refused(capsys, "manifest", videos, "--out", tmp_path / "m.jsonl")
    shutil.rmtree(tmp_path / "m.jsonl")
    assert "does not exist" in refused(capsys, "manifest", videos, "--out", tmp_path / "none" / "m.jsonl")


@pytest.mark.parametrize("command", ["status", "plan", "verify", "train"])
def test_a_corpus_that_is_a_file_is_named(capsys, tmp_path, command):
    (tmp_path / "file").write_text("")
    assert "file" in refused(capsys, command, tmp_path / "file")


def test_an_error_of_the_file_system_names_the_file_and_the_remedy(capsys, tmp_path, videos):
    assert run("manifest", videos, "--out", tmp_path / "m.jsonl") == 0
    file = tmp_path / "file"
    file.write_text("mine")
    said = refused(capsys, "build", "--manifest", tmp_path / "m.jsonl", "--out", file, "--recipe", "demo")
    assert said == f"{file}: File exists; a file is there where a folder is needed; name another, or move it away"
    assert file.read_text() == "mine"


def test_a_command_in_a_message_quotes_paths(capsys, tmp_path):
    assert f"--out '{tmp_path}/my corpus'`" in refused(capsys, "status", tmp_path / "my corpus")


def test_a_manifest_or_a_recipe_that_is_a_folder_is_named(capsys, tmp_path):
    (tmp_path / "m.jsonl").mkdir()
    assert "m.jsonl" in refused(capsys, "build", "--manifest", tmp_path / "m.jsonl", "--out", tmp_path / "c")
    assert "r.yaml" in refused(capsys, "config", "--recipe", tmp_path / "r.yaml")
