"""The program, imported anew for each test."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from program import MODULES, PASSWORD, FakeModel, Program


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "3")
    before = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}
    st.cache_resource.clear()
    modules = {
        name: importlib.import_module(name) for name in MODULES if name not in ("main", "app", "app_1_44", "seed")
    }
    modules["auth"].ITERATIONS = 10  # type: ignore[attr-defined]
    model = FakeModel()
    monkeypatch.setattr(modules["chat"], "get_model", lambda: model)
    result = Program(modules, model)
    hashed = modules["auth"].hash_password(PASSWORD, "salt", 10)
    for name, role in (("ann", "user"), ("bob", "user"), ("mod", "moderator"), ("root", "admin")):
        sql = "INSERT INTO users (username, password, role) VALUES (?, ?, ?)"
        result.store.database.change(sql, name, hashed, role)
    yield result
    result.store.database.close()
    st.cache_resource.clear()
    for name in MODULES:
        sys.modules.pop(name, None)
    sys.modules.update(before)
