"""Building images: the machine's index settings reach the build and nothing else; what is said when it fails."""

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import ImageNotFound

from harness.errors import BenchError
from harness.runtimes.docker import engine, images

INDEX = "https://me:secret@packages.example/simple"
NOWHERE = {"PIP_CONFIG_FILE": os.devnull}  # no settings of this machine

Build = Callable[..., None]


@pytest.fixture
def client_saying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have a Docker CLI that runs this shell text; every variable about package indexes is unset."""
    for name in [*os.environ]:
        if name.upper().startswith(("PIP_", "UV_", "NPM_CONFIG")) or name.upper() in images.PROXIES:
            monkeypatch.delenv(name)
    for name in images.CERTIFICATE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)

    def one(text: str) -> None:
        program = tmp_path / "docker"
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
        monkeypatch.setattr(engine, "builder", lambda: (str(program), None))

    return one


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Build the image of a part that has a Dockerfile."""
    part = tmp_path / "part"
    part.mkdir()
    (part / "Dockerfile").write_text("FROM scratch\n")

    def one() -> None:
        images.build(
            "chatbench/one", part / "Dockerfile", tmp_path, {"BASE_IMAGE": "base:1"}, tmp_path / "logs" / "log"
        )

    return one


def test_index_settings_and_proxies_of_the_machine_are_passed_on() -> None:
    settings = images.build_settings(
        {
            **NOWHERE,
            "PIP_INDEX_URL": INDEX,
            "UV_INDEX_MINE_PASSWORD": "secret",
            "npm_config_registry": "https://npm.example/",
            "https_proxy": "http://proxy.example:3128",
            "NO_PROXY": "localhost,127.0.0.1",
            "HOME": "/nowhere",
        }
    )
    assert settings == {
        "PIP_INDEX_URL": INDEX,
        "UV_DEFAULT_INDEX": INDEX,
        "UV_INDEX_MINE_PASSWORD": "secret",
        "npm_config_registry": "https://npm.example/",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "https_proxy": "http://proxy.example:3128",  # apt reads small letters alone
        "NO_PROXY": "localhost,127.0.0.1",
        "no_proxy": "localhost,127.0.0.1",
    }


def test_local_folders_are_left_out_because_a_build_does_not_see_them(tmp_path: Path) -> None:
    settings = images.build_settings(
        {
            **NOWHERE,
            "PIP_INDEX_URL": f"file://{tmp_path}",
            "PIP_EXTRA_INDEX_URL": f"{tmp_path} {INDEX} ~/wheels",
            "PIP_FIND_LINKS": str(tmp_path),
            "UV_INDEX": str(tmp_path),
            "HOME": "/nowhere",
        }
    )
    assert settings == {"PIP_EXTRA_INDEX_URL": INDEX}


def test_a_machine_without_settings_hands_nothing_to_a_build(tmp_path: Path) -> None:
    assert images._secrets(tmp_path, {**NOWHERE, "HOME": str(tmp_path)}) == {}
    assert list(tmp_path.iterdir()) == []


def test_settings_are_written_for_the_owner_alone_as_shell_can_read_them(tmp_path: Path) -> None:
    odd = "https://me:it's$HOME`x`@packages.example/simple"
    files = images._secrets(tmp_path, {**NOWHERE, "PIP_INDEX_URL": odd, "HOME": str(tmp_path)})
    assert list(files) == ["build-env"]
    assert files["build-env"].stat().st_mode & 0o777 == 0o600
    script = f'. {shlex.quote(str(files["build-env"]))}; printf %s "$PIP_INDEX_URL"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env={}).stdout == odd


def test_certificates_of_the_machine_are_named_where_the_build_sees_them(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("certificates")
    files = images._secrets(tmp_path, {**NOWHERE, "REQUESTS_CA_BUNDLE": str(bundle), "HOME": str(tmp_path)})
    assert files["ca"] == bundle
    exports = files["build-env"].read_text()
    for name in ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "npm_config_cafile"):
        assert f"export {name}='/run/secrets/ca'\n" in exports
    assert str(tmp_path) not in exports


def test_certificates_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    absent = str(tmp_path / "absent.pem")
    assert images._secrets(tmp_path, {**NOWHERE, "SSL_CERT_FILE": absent, "HOME": str(tmp_path)}) == {}


def test_credentials_reach_a_build_in_a_file_only(
    tmp_path: Path, client_saying: Callable[[str], None], build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", INDEX)
    client_saying(
        f"""
        echo "$DOCKER_BUILDKIT $*" > {tmp_path}/said
        for word; do case $word in id=build-env,src=*) cp -p "${{word#*src=}}" {tmp_path}/seen ;; esac; done
        """
    )
    build()
    said = (tmp_path / "said").read_text()
    assert "secret@" not in said
    assert said.startswith("1 build --progress plain")
    assert "--build-arg BASE_IMAGE=base:1" in said
    assert said.endswith(f"{tmp_path}\n")
    seen = tmp_path / "seen"
    assert f"export PIP_INDEX_URL='{INDEX}'\n" in seen.read_text()
    assert seen.stat().st_mode & 0o777 == 0o600
    (word,) = [word for word in said.split() if word.startswith("id=build-env,")]
    assert not Path(word.partition("src=")[2]).exists()  # gone with the build
    assert "secret@" not in (tmp_path / "logs" / "log").read_text()


def test_a_build_that_fails_shows_where_and_what(
    tmp_path: Path, client_saying: Callable[[str], None], build: Build
) -> None:
    client_saying("echo step 1; echo 'ERROR: no matching distribution'; echo step 2; exit 7")
    with pytest.raises(BenchError) as caught:
        build()
    log = tmp_path / "logs" / "log"
    assert caught.value.message == (
        f"building chatbench/one ended with 7; from {log}:\n    ERROR: no matching distribution\n    step 2"
    )


def test_a_part_without_a_dockerfile_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(BenchError) as caught:
        images.build(
            "chatbench/x", tmp_path / "mine" / "Dockerfile", tmp_path, {"BASE_IMAGE": "base"}, tmp_path / "log"
        )
    assert caught.value.message.startswith("mine has no Dockerfile (")
    assert "--runtime local" in caught.value.hint


def test_a_machine_that_cannot_build_says_what_to_install(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "builder", lambda: ("", "no BuildKit: install docker-buildx"))
    with pytest.raises(BenchError) as caught:
        build()
    assert caught.value.message == "no BuildKit: install docker-buildx"
    assert "chatbench doctor" in caught.value.hint


class Engine:
    """An engine that has some images, of which each states its versions."""

    def __init__(self, *tags: str) -> None:
        self.tags = set(tags)
        self.asked = 0
        self.images = SimpleNamespace(get=self.get)
        self.containers = SimpleNamespace(run=self.run)

    def get(self, tag: str) -> SimpleNamespace:
        if tag not in self.tags:
            raise ImageNotFound(tag)
        return SimpleNamespace(id="sha256:" + "ab" * 32)

    def run(self, *_: object, **__: object) -> bytes:
        self.asked += 1
        return b"python 3.11.2\n\nuvloop 0.23.0\n"


def test_an_image_states_its_versions_and_is_asked_once(tmp_path: Path) -> None:
    one: Any = Engine("chatbench/one")
    found = [images.inspect(one, "chatbench/one", tmp_path / "cache") for _ in range(2)]
    assert found[0] == found[1]
    assert found[0].digest == "sha256:" + "ab" * 32
    assert found[0].versions == {"python": "3.11.2", "uvloop": "0.23.0"}
    assert one.asked == 1
    (known,) = (tmp_path / "cache").iterdir()
    assert json.loads(known.read_text()) == found[0].versions


@pytest.mark.parametrize(
    ("variable", "file", "wanted"),
    [
        (None, None, images.OFFICIAL_BASE),
        (None, "# made here\nBASE_IMAGE=chatbench/debian:12\n", "chatbench/debian:12"),
        ("debian:13", "BASE_IMAGE=chatbench/debian:12\n", "debian:13"),
    ],
)
def test_the_base_is_the_variables_then_the_files_then_debians_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None, file: str | None, wanted: str
) -> None:
    monkeypatch.delenv("BASE_IMAGE", raising=False)
    if variable:
        monkeypatch.setenv("BASE_IMAGE", variable)
    if file:
        (tmp_path / "compose").mkdir()
        (tmp_path / "compose" / ".env").write_text(file)
    have: Any = Engine(wanted)
    assert images.base_image(tmp_path, have, lambda _: None) == wanted


def test_a_chosen_base_that_cannot_be_fetched_is_not_replaced(
    tmp_path: Path, client_saying: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE_IMAGE", "elsewhere/debian:1")
    client_saying("echo no route >&2; exit 1")
    empty: Any = Engine()
    with pytest.raises(BenchError) as caught:
        images.base_image(tmp_path, empty, lambda _: None)
    assert caught.value.message == "the base image elsewhere/debian:1 cannot be fetched"
    assert "unset it" in caught.value.hint


def test_without_a_registry_the_base_is_made_here(
    tmp_path: Path, client_saying: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BASE_IMAGE", raising=False)
    client_saying("exit 1")
    (tmp_path / "compose").mkdir()
    maker = tmp_path / "compose" / "base-image"
    maker.write_text(f"#!/bin/sh\necho BASE_IMAGE=chatbench/debian:12 > {tmp_path}/compose/.env\n")
    maker.chmod(0o755)
    said: list[str] = []
    made: Any = Engine("chatbench/debian:12")
    assert images.base_image(tmp_path, made, said.append) == "chatbench/debian:12"
    assert any("making the base image" in text for text in said)


def test_a_base_that_can_neither_be_fetched_nor_made_says_why(
    tmp_path: Path, client_saying: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BASE_IMAGE", raising=False)
    client_saying("exit 1")
    (tmp_path / "compose").mkdir()
    maker = tmp_path / "compose" / "base-image"
    maker.write_text("#!/bin/sh\necho debootstrap is missing >&2\nexit 1\n")
    maker.chmod(0o755)
    empty: Any = Engine()
    with pytest.raises(BenchError) as caught:
        images.base_image(tmp_path, empty, lambda _: None)
    assert caught.value.message.endswith("can neither be fetched nor made here: debootstrap is missing")
    assert "make base-image" in caught.value.hint
